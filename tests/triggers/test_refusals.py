"""What is said to wrong schedules, word for word: a message is what people see of a mistake, and a changed word in it is to be noticed."""

from __future__ import annotations

import warnings
from datetime import datetime
from pathlib import Path

import pytest

from mainspring.triggers import parse
from mainspring.triggers.business_calendar import BusinessCalendar
from mainspring.triggers.business_day import BusinessDayTrigger
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.combining import AndTrigger, OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.sun import SunTrigger
from mainspring.triggers.weekly import WeeklyTrigger

NAMES = {
    "And": AndTrigger,
    "BusinessCalendar": BusinessCalendar,
    "Calendar": CalendarIntervalTrigger,
    "Cron": CronTrigger,
    "Date": DateTrigger,
    "Interval": IntervalTrigger,
    "Nth": BusinessDayTrigger,
    "Or": OrTrigger,
    "Sun": SunTrigger,
    "Weekly": WeeklyTrigger,
    "datetime": datetime,
    "parse": parse,
}


@pytest.mark.one_python  # some of the words are those of Python itself
def test_each_mistake_is_told_of_in_these_words():
    pytest.importorskip("astral")
    lines = (Path(__file__).parent / "sentences" / "refusals.txt").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.strip() and not line.startswith("#")]
    different = []
    for text, expected in zip(rows[::2], rows[1::2], strict=True):
        said = refusal(text)
        if said != expected.strip():
            different.append((text, said))
    assert different == []


def refusal(text: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = eval(text, dict(NAMES))
    except (ValueError, TypeError, LookupError) as error:
        message = str(error.args[0]) if isinstance(error, LookupError) else str(error)
        return message.replace("\n", "\\n")
    return f"accepted: {made!r}"
