"""A moment that is none is refused by the name of its parameter, and a name that is no zone with the offset that is meant."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

import mainspring
from mainspring import AndTrigger, CronTrigger, IntervalTrigger, OrTrigger

START = datetime(2026, 3, 1, tzinfo=UTC)
DAILY = CronTrigger(hour=9, timezone="UTC")
TRIGGERS = {
    "cron": DAILY,
    "jitter": CronTrigger(hour=9, timezone="UTC", jitter=5),
    "interval": IntervalTrigger(hours=1, start_date=START),
    "calendar interval": mainspring.CalendarIntervalTrigger(days=1, start_date="2026-03-01", timezone="UTC"),
    "weekly": mainspring.WeeklyTrigger("mon", start_date="2026-03-02", timezone="UTC"),
    "business day": mainspring.BusinessDayTrigger(1, timezone="UTC"),
    "rule": mainspring.RecurrenceTrigger("FREQ=DAILY", start_date=START),
    "and": AndTrigger([DAILY]),
    "or": OrTrigger([DAILY]),
    "excluding": DAILY.excluding("2026-12-25"),
    "limited": DAILY.limited(3, START),
    "window": DAILY.within("08:00-10:00"),
    "spread": DAILY.spread("1h"),
    "business days": DAILY.on_business_days(),
}
NO_MOMENTS = ["now", 5, 1.5, b"x", [], date(2026, 3, 1), START.time()]


@pytest.mark.parametrize("moment", NO_MOMENTS, ids=repr)
@pytest.mark.parametrize("kind", TRIGGERS)
def test_what_is_no_moment_is_refused_by_the_name_of_the_parameter(kind, moment):
    trigger = TRIGGERS[kind].bind(timezone=UTC, now=START, job_id="a")
    calls = {
        "now": [
            lambda: trigger.get_next_fire_time(None, moment),
            lambda: trigger.explain(moment),
            lambda: mainspring.triggers.lint(trigger, moment),
        ],
        "previous_fire_time": [lambda: trigger.get_next_fire_time(moment, START)],
        "before": [lambda: trigger.previous(moment)],
        "start": [lambda: trigger.upcoming(moment, 1)],
        "a": [lambda: list(trigger.between(moment, START))],
        "b": [lambda: list(trigger.between(START, moment))],
    }
    for name, those in calls.items():
        for call in those:
            with pytest.raises(
                TypeError, match=f"^{name} must be a datetime with a time zone, got {type(moment).__name__} "
            ):
                call()


class Frozen(datetime):
    """As those of programs that stop the time in their tests."""


def test_datetimes_of_programs_are_moments():
    frozen = Frozen(2026, 3, 1, 9, tzinfo=UTC)
    assert DAILY.get_next_fire_time(None, frozen) == frozen
    assert DAILY.get_next_fire_time(frozen, frozen) == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_a_moment_without_a_zone_is_told_to_take_one():
    with pytest.raises(
        TypeError, match=r"^start must be a datetime with a time zone, got .*: give it a tzinfo$"
    ):
        DAILY.upcoming(datetime(2026, 3, 1), 1)


MEANT = {
    "UTC0": "UTC", "UTC+0": "UTC", "UCT0": "UTC", "CET0": "UTC", "0": "UTC", "GMT+2": "+02:00", "utc-5": "-05:00", "UTC+5:30": "+05:30",
    "+2": "+02:00", "+0200": "+02:00", "02:00": "+02:00", "CET-1": "+01:00", "CET+1": "+01:00", "EST5": "-05:00", "EST+5": "-05:00", "PST8": "-08:00",
    "CET+2": None, "ABC3": None, "UTC+15": None, "2": None,
}  # fmt: skip


@pytest.mark.parametrize("name", MEANT)
def test_an_offset_beside_a_name_is_told_as_it_is_written_here(name):
    with pytest.raises(LookupError) as caught:
        CronTrigger(hour=9, timezone=name)
    meant = MEANT[name]
    assert (f"did you mean {meant!r}?" in str(caught.value)) == (meant is not None)
    if meant is not None:
        assert CronTrigger(hour=9, timezone=meant)
