"""What `explain()` says, beside what was written by hand before it could."""

from __future__ import annotations

import warnings
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import mainspring
from mainspring import BusinessCalendar

SENTENCES = Path(__file__).parent / "sentences"
BERLIN = "Europe/Berlin"
MARCH = datetime(2026, 3, 1, tzinfo=ZoneInfo(BERLIN))


def is_maintenance(*_):
    return False


class Maintenance:
    def __call__(self, time):
        return False


class Closures:
    def __contains__(self, day):
        return False


class Holidays(Closures):
    """As those of the ``holidays`` package look."""

    country = "DE"


NAMES = {
    "BERLIN": BERLIN,
    "UTC": UTC,
    "date": date,
    "datetime": datetime,
    "partial": partial,
    "is_maintenance": is_maintenance,
    "Maintenance": Maintenance,
    "Closures": Closures,
    "HOLIDAYS": Holidays(),
    "BusinessCalendar": BusinessCalendar,
    "C": mainspring.CronTrigger,
    "U": mainspring.CronTrigger.from_unix,
    "Q": mainspring.CronTrigger.from_quartz,
    "I": mainspring.IntervalTrigger,
    "V": mainspring.CalendarIntervalTrigger,
    "S": mainspring.SunTrigger,
    "W": mainspring.WeeklyTrigger,
    "N": mainspring.BusinessDayTrigger,
    "D": mainspring.DateTrigger,
    "And": mainspring.AndTrigger,
    "Or": mainspring.OrTrigger,
    "After": mainspring.AfterJob,
}


def written(*names):
    """The schedules of some files, each with its sentence."""
    found = []
    for name in names:
        lines = (SENTENCES / name).read_text(encoding="utf-8").splitlines()
        schedules = [line for line in lines if line.strip() and not line.startswith("#")]
        found += list(zip(schedules[::2], (line.strip() for line in schedules[1::2]), strict=True))
    return found


def made(text):
    """The trigger that an expression of a table stands for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is odd about a schedule has nothing to do with its sentence
        trigger = eval(text.removeprefix("@"), dict(NAMES))
    if text.startswith("@"):
        trigger = trigger.bind(timezone=ZoneInfo(BERLIN), now=MARCH, job_id="job1")
    return trigger


def differing(language, *names):
    """What is said otherwise than it is written in some files: each schedule with both sentences."""
    said = [(text, sentence, made(text).explain(language=language)) for text, sentence in written(*names)]
    return [one for one in said if one[1] != one[2]]


def test_each_schedule_is_said_as_it_was_written_by_hand():
    assert differing("en", "english_cron.txt", "english_others.txt", "english_later.txt") == []


def test_each_schedule_is_said_in_german_as_it_was_written_by_hand():
    assert differing("de", "german.txt") == []
