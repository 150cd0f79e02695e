"""The edges of what a schedule allows: first and last dates, leap years, ISO weeks, the room for a delay."""

from __future__ import annotations

from calendar import isleap
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.interval import IntervalTrigger

BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)


def days_of(trigger, first: date, last: date) -> list[date]:
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC)
    end = datetime(last.year, last.month, last.day, 23, 59, tzinfo=UTC)
    return [found.date() for found in trigger.between(begin, end)]


def days_that(matches, first: date, last: date) -> list[date]:
    span = (last - first).days
    return [day for day in (first + timedelta(days=n) for n in range(span + 1)) if matches(day)]


def test_leap_days_of_four_centuries():
    first, last = date(1970, 1, 1), date(2410, 12, 31)
    leap_days = CronTrigger(month=2, day=29, timezone=UTC)
    assert days_of(leap_days, first, last) == [
        date(year, 2, 29) for year in range(first.year, last.year + 1) if isleap(year)
    ]
    last_days = CronTrigger(month=2, day="last", timezone=UTC)
    assert [found.day for found in days_of(last_days, first, last)] == [
        28 + isleap(year) for year in range(first.year, last.year + 1)
    ]


@pytest.mark.parametrize("weeks", ["1", "2", "51", "52", "53", "52-1"])
def test_iso_weeks_of_a_century(weeks):
    wanted = {52, 53, 1} if weeks == "52-1" else {int(weeks)}
    first, last = date(1995, 1, 1), date(2105, 12, 31)
    expected = days_that(lambda day: day.isocalendar().week in wanted, first, last)
    assert days_of(CronTrigger(week=weeks, day="*", hour=0, minute=0, timezone=UTC), first, last) == expected


def test_a_day_that_never_comes_has_no_fire_time_with_an_end_date_either():
    trigger = CronTrigger(month=2, day=30, end_date="2030-01-01", timezone=BERLIN)
    start = datetime(2026, 1, 1, tzinfo=BERLIN)
    assert trigger.get_next_fire_time(None, start) is None
    assert trigger.previous(start) is None


@pytest.mark.parametrize(
    "trigger",
    [
        pytest.param(
            CronTrigger(hour=9, start_date="2026-03-02 09:00", end_date="2026-03-04 09:00", timezone=BERLIN),
            id="cron",
        ),
        pytest.param(
            IntervalTrigger(
                days=1, start_date="2026-03-02 09:00", end_date="2026-03-04 09:00", timezone=BERLIN
            ),
            id="interval",
        ),
        pytest.param(
            CalendarIntervalTrigger(
                days=1, hour=9, start_date=date(2026, 3, 2), end_date=date(2026, 3, 4), timezone=BERLIN
            ),
            id="calendarinterval",
        ),
    ],
)
def test_start_and_end_are_inclusive_both_ways(trigger):
    nine = datetime(2026, 3, 2, 9, tzinfo=BERLIN)
    expected = [nine, nine + DAY, nine + 2 * DAY]
    assert trigger.upcoming(nine - 10 * DAY, 5) == expected
    assert trigger.upcoming(nine, 5) == expected
    backwards = []
    moment = trigger.previous(nine + 10 * DAY)
    while moment is not None:
        backwards.append(moment)
        moment = trigger.previous(moment)
    assert backwards == expected[::-1]


def test_the_last_of_calendar_steps_by_months_may_be_the_end_date():
    trigger = CalendarIntervalTrigger(
        months=1, start_date=date(2026, 1, 31), end_date=date(2026, 5, 31), timezone=UTC
    )
    assert days_of(trigger, date(2020, 1, 1), date(2030, 1, 1)) == [
        date(2026, 1, 31),
        date(2026, 3, 31),
        date(2026, 5, 31),
    ]


@pytest.mark.parametrize("seed", [f"job {n}" for n in range(40)])
def test_a_delay_ends_at_the_end_date_and_before_the_next_time(seed):
    end = datetime(2026, 3, 1, 10, 0, 2, tzinfo=UTC)
    begin = datetime(2026, 3, 1, 9, 59, tzinfo=UTC)
    trigger = CronTrigger(minute="*", jitter=3600, end_date=end, timezone=UTC).bind(
        timezone=UTC, now=begin, job_id=seed
    )
    first, second = trigger.upcoming(begin, 5)
    assert begin <= first < begin + timedelta(minutes=1) <= second <= end
    single = CalendarIntervalTrigger(
        days=1,
        hour=23,
        minute=59,
        jitter=7200,
        start_date=date(2026, 3, 1),
        end_date=date(2026, 3, 1),
        timezone=UTC,
    ).bind(timezone=UTC, now=begin, job_id=seed)
    (only,) = single.upcoming(begin, 5)
    assert datetime(2026, 3, 1, 23, 59, tzinfo=UTC) <= only < datetime(2026, 3, 2, tzinfo=UTC)


def test_what_counts_from_when_it_is_added_is_bound_then_and_only_then():
    now = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
    later = now + DAY
    limited = CronTrigger(minute="*", max_fires=2, timezone=UTC).bind(timezone=UTC, now=now, job_id="a")
    assert limited.start_date == now
    assert limited.bind(timezone=UTC, now=later, job_id="a").upcoming(later, 5) == []
    assert len(limited.upcoming(now, 5)) == 2
    at_once = CronTrigger(minute="*", first="now", timezone=UTC).bind(timezone=UTC, now=now, job_id="a")
    assert at_once.upcoming(now, 2) == [now, datetime(2026, 3, 1, 12, 1, tzinfo=UTC)]
    plain = CronTrigger(minute="*", timezone=UTC)
    assert plain.bind(timezone=UTC, now=now, job_id="a") is plain


def test_fields_are_equal_if_name_and_expressions_are():
    def minute_field(minute):
        return next(
            field for field in CronTrigger(minute=minute, timezone=UTC).fields if field.name == "minute"
        )

    assert minute_field("5") == minute_field("5")
    assert minute_field("5") != minute_field("6")
    assert minute_field("5") != CronTrigger(hour="5", timezone=UTC).fields[5]
    assert minute_field("5") != "5"
