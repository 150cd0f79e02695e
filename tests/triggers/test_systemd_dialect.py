"""Calendar events of systemd's timers as triggers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from mainspring.errors import CronSyntaxError
from mainspring.triggers import parse
from mainspring.triggers.combining import OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.plain import trigger_from_dict, trigger_to_dict
from mainspring.triggers.shifting import ShiftedTrigger

NOW = datetime(2026, 1, 30, 12, tzinfo=UTC)

MEANT = {
    "Mon..Fri *-*-* 09:00:00 Europe/Berlin": CronTrigger(
        day_of_week="mon-fri", hour=9, minute=0, timezone="Europe/Berlin"
    ),
    "Mon,Wed..Fri 9:5": CronTrigger(day_of_week="mon,wed-fri", hour=9, minute=5),
    "*:0/15": CronTrigger(hour="*", minute="*/15"),
    "2026-*-1,15": CronTrigger(year=2026, day="1,15", hour=0, minute=0),
    "*-02~03": CronTrigger(month=2, day="L-2", hour=0, minute=0),
    "Mon *-05~07/1": CronTrigger(
        month=5, day="L-6,L-5,L-4,L-3,L-2,L-1,last", day_of_week="mon", hour=0, minute=0
    ),
    "*-*~1": CronTrigger(day="last", hour=0, minute=0),
    "*-*-* *:*:*": CronTrigger(hour="*", minute="*", second="*"),
    "*:*:0/20": CronTrigger(hour="*", minute="*", second="*/20"),
    "10:00:30 UTC": CronTrigger(hour=10, minute=0, second=30, timezone="UTC"),
    "OnCalendar=Sat *-*-1..7 18:00:00": CronTrigger(day="1-7", day_of_week="sat", hour=18, minute=0),
    "minutely": CronTrigger(hour="*", minute="*"),
    "hourly": CronTrigger(hour="*", minute=0),
    "daily": CronTrigger(hour=0, minute=0),
    "weekly": CronTrigger(day_of_week="mon", hour=0, minute=0),
    "monthly": CronTrigger(day=1, hour=0, minute=0),
    "quarterly": CronTrigger(month="1,4,7,10", day=1, hour=0, minute=0),
    "semiannually": CronTrigger(month="1,7", day=1, hour=0, minute=0),
    "Yearly Asia/Tokyo": CronTrigger(month=1, day=1, hour=0, minute=0, timezone="Asia/Tokyo"),
    "@1395716396": DateTrigger(datetime(2014, 3, 25, 2, 59, 56, tzinfo=UTC)),
    "20:59:59.25": ShiftedTrigger(CronTrigger(hour=20, minute=59, second=59), timedelta(milliseconds=250)),
}


@pytest.mark.parametrize("text", MEANT)
def test_an_event_is_the_trigger_that_it_means(text):
    assert parse(text, "systemd") == MEANT[text]


@pytest.mark.parametrize("text", [*MEANT, "*:*:0.5/0.25"])
def test_its_trigger_is_the_same_again_from_plain_data_and_from_its_state(text):
    trigger = parse(text, "systemd").bind(timezone=UTC, now=NOW, job_id="job")
    assert trigger_from_dict(trigger_to_dict(trigger)) == trigger
    copy = type(trigger).__new__(type(trigger))
    copy.__setstate__(trigger.__getstate__())
    assert copy == trigger
    times = trigger.upcoming(NOW, 5)
    for earlier, later in pairwise(times):
        assert trigger.previous(later) == earlier
    assert trigger.explain(NOW)


@pytest.mark.parametrize("text", ["*:0/15", "Mon..Fri *-*-* 09:00:00 Europe/Berlin", "daily", "*-02~03"])
def test_it_needs_no_name_of_its_dialect_where_no_other_reads_it(text):
    assert parse(text) == parse(text, "systemd")


def test_fractions_of_a_second_are_fired_at():
    times = parse("*:*:0.5/0.25", "systemd").upcoming(NOW.replace(microsecond=600_000), 3)
    assert [time - NOW for time in times] == [
        timedelta(seconds=0.75),
        timedelta(seconds=1),
        timedelta(seconds=1.25),
    ]


REFUSED = {
    "OnUnitActiveSec=5min": (0, "IntervalTrigger(minutes=5)", None),
    "1h 30min": (0, "time span of a monotonic timer", None),
    "Sat..Mon 10:00": (0, "doesn't wrap around", "Sat..Sun,Mon 10:00"),
    "*-*-*/2": (4, "takes no step", "*-*-1/2"),
    "Thurs 10:00": (0, "expected a weekday", "Thu 10:00"),
    "dayly": (0, "a name such as 'daily'", "daily"),
    "10": (2, "expected '-', '~' or ':', got the end", None),
    "Mon 25:00": (4, "the hour must be within 0 to 23", None),
    "*-*~29": (4, "within 1 to 28", None),
    "*:*:51.25..51.5": (4, "needs a step", None),
    "*:0/60": (2, "another minute", None),
    "*:20..10": (2, "doesn't wrap around", None),
    "10:00 Europe/Berln": (6, "did you mean 'Europe/Berlin'?", None),
    "2026-01-01T10:00": (10, "expected a space and a time", "2026-01-01 10:00"),
    "10:00 tomorrow": (6, "no time zone is named 'tomorrow'", None),
    "*:*:0/0.000001": (4, "more than 100 times a second", None),
    "": (0, "expected a weekday, a date, a time", None),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused_is_said_with_the_place_and_the_way(text):
    position, reason, hint = REFUSED[text]
    with pytest.raises(CronSyntaxError) as caught:
        parse(text, "systemd")
    assert (caught.value.position, caught.value.hint) == (position, hint)
    assert reason in str(caught.value)
    if hint is not None:
        parse(hint, "systemd")


def test_many_schedules_in_one_sentence_are_set_apart_alike():
    several = OrTrigger([IntervalTrigger(hours=hours, start_date="2026-03-01") for hours in (5, 7, 11)])
    assert several.explain().count("; and also every ") == 2
    assert ", ;" not in parse("*:*:0.5/0.25", "systemd").explain()
