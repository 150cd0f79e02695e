"""Repeating intervals of ISO 8601 as triggers."""

from __future__ import annotations

import contextlib
import random
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from mainspring.errors import CronSyntaxError
from mainspring.triggers import parse
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.plain import trigger_from_dict, trigger_to_dict

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
EAST = timezone(timedelta(hours=2))


def daily(**options):
    return CalendarIntervalTrigger(**{"days": 1, "start_date": date(2026, 1, 1), "timezone": UTC} | options)


MEANT = {
    "R5/2026-01-01T00:00Z/P1D": daily(max_fires=5),
    "R/2026-01-01T00:00Z/P1D": daily(),
    "R-1/2026-01-01T00:00:00Z/P1D": daily(),
    "R1/20260101T0000Z/P1D": daily(max_fires=1),
    "R/2026-W01-4T00Z/P0000-00-01T00:00:00": daily(),
    "R/2026-001T00:00Z/2026-01-02T00:00Z": daily(),
    "R/2025-12-31T24:00Z/02T00:00": daily(),
    "R/2026-01-01T09:30/P2W": daily(days=0, weeks=2, hour=9, minute=30, timezone=None),
    "R/2026-01-01T09:30+02:00/P1Y6M": daily(
        days=0, years=1, months=6, hour=9, minute=30, timezone=EAST
    ),
    "R/2026-01-01/P0.5Y": daily(days=0, months=6, timezone=None),
    "R5/P1D/2026-01-10T08:00Z": daily(start_date=date(2026, 1, 5), hour=8, max_fires=5),
    "R2/P1M/2026-03-31T08:00Z": daily(days=0, months=1, start_date=date(2025, 12, 31), hour=8, max_fires=2),
    "R/P1M/2026-03-31T08:00Z": daily(
        days=0, months=1, start_date=date(1970, 1, 31), end_date=date(2026, 1, 31), hour=8
    ),
    "R3/2026-01-01T00:00Z/PT36H": IntervalTrigger(hours=36, start_date=NEW_YEAR, max_fires=3),
    "R/2026-01-01T00:00Z/P1DT12H": IntervalTrigger(hours=36, start_date=NEW_YEAR),
    "R/2026-01-01T00:00Z/P1.5D": IntervalTrigger(hours=36, start_date=NEW_YEAR),
    "R/2026-01-01T00:00Z/P0,5W": IntervalTrigger(hours=84, start_date=NEW_YEAR),
    "R/2026-01-01T00:00Z/PT1H1.5M": IntervalTrigger(minutes=61.5, start_date=NEW_YEAR),
    "R/2026-01-01T00:00Z/2026-01-01T03:30+02:00": IntervalTrigger(minutes=90, start_date=NEW_YEAR),
    "R/2026-01-01/02": daily(timezone=None),
    "R/20260101/01-02": daily(timezone=None),
    "R/2026-01-01T00Z/02T00": daily(),
    "R/2026-01-01T00Z/15": IntervalTrigger(hours=15, start_date=NEW_YEAR),
    "R/2026-01-01T00:00Z/15:30": IntervalTrigger(hours=15.5, start_date=NEW_YEAR),
    "R/2026-01-01T00:00/PT15M": IntervalTrigger(minutes=15, start_date="2026-01-01 00:00:00"),
    "R4/PT6H/2026-01-02T00:00Z": IntervalTrigger(hours=6, start_date=NEW_YEAR, max_fires=4),
    "R5/PT10M": IntervalTrigger(minutes=10, max_fires=5),
}  # fmt: skip


@pytest.mark.parametrize("text", MEANT)
def test_a_repeating_interval_is_the_trigger_of_its_beginnings(text):
    assert parse(text, "iso8601") == MEANT[text]
    assert parse(text) == MEANT[text]


@pytest.mark.parametrize("text", [*MEANT, "R5/2008-03-01T13:00:00Z/P1Y2M10DT2H30M"])
def test_its_trigger_is_the_same_again_from_plain_data_and_from_its_state(text):
    trigger = parse(text, "iso8601").bind(timezone=ZoneInfo("Europe/Berlin"), now=NEW_YEAR, job_id="job")
    assert trigger_from_dict(trigger_to_dict(trigger)) == trigger
    copy = type(trigger).__new__(type(trigger))
    copy.__setstate__(trigger.__getstate__())
    assert copy == trigger
    for earlier, later in pairwise(trigger.upcoming(datetime(2000, 1, 1, tzinfo=UTC), 5)):
        assert trigger.previous(later) == earlier
    assert trigger.explain(NEW_YEAR)


def test_a_number_of_repetitions_is_a_number_of_fire_times():
    times = parse("R3/2026-01-01T00:00Z/P1W").upcoming(datetime(2000, 1, 1, tzinfo=UTC), 10)
    assert [str(time.date()) for time in times] == ["2026-01-01", "2026-01-08", "2026-01-15"]


def test_months_that_have_no_such_day_are_left_out_and_not_counted():
    times = parse("R4/2026-01-31T09:00Z/P1M").upcoming(NEW_YEAR, 10)
    assert [str(time.date()) for time in times] == ["2026-01-31", "2026-03-31", "2026-05-31", "2026-07-31"]


def test_months_with_hours_are_listed_one_by_one():
    times = parse("R3/2008-03-01T13:00:00Z/P1Y2M10DT2H30M").upcoming(datetime(2000, 1, 1, tzinfo=UTC), 10)
    assert [f"{time:%Y-%m-%d %H:%M}" for time in times] == [
        "2008-03-01 13:00",
        "2009-05-11 15:30",
        "2010-07-21 18:00",
    ]


def test_days_keep_the_time_of_the_day_where_the_clocks_change_and_hours_do_not():
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 28, tzinfo=berlin)
    assert [time.hour for time in parse("R3/2026-03-28T09:00/P1D").upcoming(start, 3)] == [9, 9, 9]
    assert [time.hour for time in parse("R3/2026-03-28T09:00/PT24H").upcoming(start, 3)] == [9, 10, 10]


REFUSED = {
    "2026-01-01T00:00Z/P1D": (0, "expected 'R'", "R/2026-01-01T00:00Z/P1D"),
    "R0/2026-01-01T00:00Z/P1D": (0, "repeats 0 times", None),
    "R/2026-13-01T00:00Z/P1D": (2, "no point in time", None),
    "R/2026-02-29/P1D": (2, "no point in time", None),
    "R/2026-01-01T25:00Z/P1D": (2, "hours are 00 to 23", None),
    "R/2026-01-01T00:00Z": (19, "expected '/' and a duration", None),
    "R/2026-01-01T00:00Z/1D": (20, "expected a point in time", "R/2026-01-01T00:00Z/P1D"),
    "R/2026-01-01T00:00Z/P1X": (20, "expected a duration", None),
    "R/2026-01-01T00:00Z/P0D": (20, "longer than zero", None),
    "R/2026-01-01T00:00Z/-P1D": (20, "must not be negative", None),
    "R/2026-01-01T00:00Z/P0.5M": (20, "fraction of a month", None),
    "R/2026-01-01T00:00Z/P1.5DT1H": (20, "only the last number", None),
    "R/2026-01-02T00:00Z/2026-01-01T00:00Z": (20, "after its start", None),
    "R/2026-01-01T00:00/2026-01-02T00:00Z": (19, "both with it", None),
    "R/2026-01-01T00:00Z/02": (20, "expected a point in time", None),
    "R/2026-01-01/15:30": (13, "expected a point in time", None),
    "R/2026-01-01T09:00/P1DT12H": (19, "'PT36H'", None),
    "R/2026-01-01T09:00Z/P1MT1H": (20, "up to 1000 times", None),
    "R5/P1D": (3, "no time at which it begins", None),
    "R/P1M1D/2026-01-01T00:00Z": (2, "can't be counted back", None),
    "R/PT1H/2026-01-01T00:00": (2, "without a time zone", None),
    "R99999999/P1D/2026-01-01T00:00Z": (0, "before the year 1", None),
    "R/2026-01-01T00:00Z/P1D/P1D": (23, "expected the end", None),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused_is_said_with_the_place_and_the_way(text):
    position, reason, hint = REFUSED[text]
    with pytest.raises(CronSyntaxError) as caught:
        parse(text, "iso8601")
    assert (caught.value.position, caught.value.hint) == (position, hint)
    assert reason in str(caught.value)
    if hint is not None:
        parse(hint, "iso8601")


def test_each_beginning_is_where_counting_by_hand_puts_it():
    pick = random.Random("by hand")
    for _ in range(150):
        start = datetime(
            pick.randint(1999, 2030),
            pick.randint(1, 12),
            pick.randint(1, 28),
            pick.randint(0, 23),
            tzinfo=UTC,
        )
        start += timedelta(days=pick.randint(0, 4))
        number, unit = pick.randint(1, 40), pick.choice(["D", "W", "M", "Y", "TH", "TM"])
        count = pick.randint(1, 9)
        duration = f"PT{number}{unit[1]}" if unit[0] == "T" else f"P{number}{unit}"
        trigger = parse(f"R{count}/{start:%Y-%m-%dT%H:%MZ}/{duration}")
        assert trigger.upcoming(datetime(1990, 1, 1, tzinfo=UTC), 20) == by_hand(start, number, unit, count)


def by_hand(start: datetime, number: int, unit: str, count: int) -> list[datetime]:
    if unit in ("TH", "TM"):
        return [start + at * timedelta(minutes=number * (60 if unit == "TH" else 1)) for at in range(count)]
    if unit in ("D", "W"):
        return [start + timedelta(days=at * number * (7 if unit == "W" else 1)) for at in range(count)]
    months = number * (12 if unit == "Y" else 1)
    times: list[datetime] = []
    year, month = start.year, start.month
    while len(times) < count and year < 9999:
        with contextlib.suppress(ValueError):
            times.append(datetime.combine(date(year, month, start.day), time(start.hour), UTC))
        month += months
        year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return times
