"""The edges of what a schedule allows: first and last dates, leap years, ISO weeks, the room for a delay."""

from __future__ import annotations

import pickle
from calendar import isleap
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mainspring.triggers.after import AfterJob
from mainspring.triggers.business_day import BusinessDayTrigger
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.combining import AndTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.plain import trigger_from_dict
from mainspring.triggers.weekly import WeeklyTrigger

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


def test_a_calendar_interval_fires_at_its_second():
    trigger = CalendarIntervalTrigger(
        days=1, hour=1, minute=2, second=3, start_date=date(2026, 3, 1), timezone=UTC
    )
    start = datetime(2026, 3, 1, tzinfo=UTC)
    assert trigger.upcoming(start, 2) == [
        datetime(2026, 3, 1, 1, 2, 3, tzinfo=UTC),
        datetime(2026, 3, 2, 1, 2, 3, tzinfo=UTC),
    ]
    assert trigger.previous(datetime(2026, 3, 2, 1, 2, 3, tzinfo=UTC)) == datetime(
        2026, 3, 1, 1, 2, 3, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("fields", "highest"),
    [
        ({"second": 59}, {"second": 60}),
        ({"minute": 59}, {"minute": 60}),
        ({"hour": 23}, {"hour": 24}),
        ({"day": 31}, {"day": 32}),
        ({"month": 12}, {"month": 13}),
        ({"week": 53}, {"week": 54}),
        ({"day_of_week": 6}, {"day_of_week": 7}),
        ({"year": 9999}, {"year": 10000}),
        ({"year": 1970}, {"year": 1969}),
        ({"month": 1}, {"month": 0}),
        ({"day": 1}, {"day": 0}),
        ({"week": 1}, {"week": 0}),
    ],
    ids=str,
)
def test_fields_take_their_lowest_and_highest_value_and_no_other(fields, highest):
    CronTrigger(timezone=UTC, **fields)
    with pytest.raises(ValueError, match=next(iter(highest))):
        CronTrigger(timezone=UTC, **highest)


def test_the_last_year_and_the_first():
    last = CronTrigger(year=9999, month=12, day=31, hour=0, minute=0, timezone=UTC)
    assert last.get_next_fire_time(None, datetime(2026, 1, 1, tzinfo=UTC)) == datetime(
        9999, 12, 31, tzinfo=UTC
    )
    yearly = CronTrigger(month=1, day=1, hour=0, minute=0, timezone=UTC)
    assert yearly.get_next_fire_time(None, datetime(9999, 6, 1, tzinfo=UTC)) is None
    assert yearly.previous(datetime(1970, 1, 1, tzinfo=UTC)) is None
    assert yearly.previous(datetime(1970, 1, 2, tzinfo=UTC)) == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        pytest.param(IntervalTrigger(days=1, timezone=UTC), "every day", id="a day"),
        pytest.param(
            IntervalTrigger(days=2, minutes=30, timezone=UTC), "every 2 days and 30 minutes", id="two units"
        ),
        pytest.param(IntervalTrigger(minutes=1, seconds=1, timezone=UTC), "every 61 seconds", id="ones"),
        pytest.param(CalendarIntervalTrigger(weeks=1, timezone=UTC), "at 00:00 every week,", id="a week"),
        pytest.param(
            CalendarIntervalTrigger(months=2, weeks=1, timezone=UTC), "every 2 months and 1 week", id="both"
        ),
        pytest.param(CalendarIntervalTrigger(days=10, max_fires=3, timezone=UTC), ", 3 times", id="limited"),
    ],
)
def test_intervals_are_said_in_words(trigger, words):
    assert words in trigger.explain(datetime(2026, 3, 1, tzinfo=UTC))
    assert ("times" in trigger.explain(datetime(2026, 3, 1, tzinfo=UTC))) == ("times" in words)


def test_intervals_meet_from_the_later_start_to_the_earlier_end_both_included():
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    hour = timedelta(hours=1)
    threes = IntervalTrigger(hours=3, start_date=begin, end_date=begin + 60 * hour, timezone=UTC)
    fours = IntervalTrigger(hours=4, start_date=begin + 12 * hour, end_date=begin + 36 * hour, timezone=UTC)
    both = AndTrigger([threes, fours])
    expected = [begin + 12 * hour, begin + 24 * hour, begin + 36 * hour]
    assert both.upcoming(begin - 100 * hour, 9) == expected
    backwards = []
    moment = both.previous(begin + 1000 * hour)
    while moment is not None:
        backwards.append(moment)
        moment = both.previous(moment)
    assert backwards == expected[::-1]


def test_what_is_limited_has_no_times_before_its_start_nor_after_its_last():
    start = datetime(2026, 3, 1, tzinfo=UTC)
    limited = CronTrigger(hour=0, timezone=UTC).limited(2, start=start)
    assert limited.upcoming(start - 9 * DAY, 9) == [start, start + DAY]
    assert limited.previous(start + 9 * DAY) == start + DAY
    assert limited.previous(start + DAY) == start
    assert limited.previous(start) is None


def test_schedules_with_other_exceptions_or_of_other_kinds_are_others():
    daily = CronTrigger(hour=0, timezone=UTC)
    assert daily.excluding("2026-03-01").is_same_schedule(daily.excluding("2026-03-01"))
    assert not daily.excluding("2026-03-01").is_same_schedule(daily.excluding("2026-03-02"))
    assert not daily.excluding("2026-03-01").is_same_schedule(daily)
    assert not daily.excluding("2026-03-01").is_same_schedule(daily.on_business_days())
    assert daily != IntervalTrigger(days=1, timezone=UTC)
    assert daily != CronTrigger(hour=1, timezone=UTC)


@pytest.mark.parametrize("value", [-1, True, float("inf"), float("nan"), "5"])
def test_a_jitter_that_is_no_number_of_seconds_is_refused(value):
    with pytest.raises(ValueError, match="jitter must be a number of seconds"):
        IntervalTrigger(seconds=1, jitter=value)


SPARSE = [
    {"month": 3, "day": 15},
    {"month": 2, "day": 29},
    {"month": 12, "day": 31},
    {"month": 1, "day": 1},
    {"day_of_week": "mon", "week": 1},
    {"week": 53, "day_of_week": "sun"},
    {"month": "1,12", "day": "last"},
    {"year": "1999-2005/3", "month": 6, "day": "3rd fri"},
    {"day": "31W", "month": "12"},
]


@pytest.mark.parametrize("fields", SPARSE, ids=str)
def test_rare_days_are_found_across_years_forwards_and_backwards(fields):
    trigger = CronTrigger(hour=12, minute=30, second=15, timezone=UTC, **fields)
    first, last = datetime(1996, 1, 1, tzinfo=UTC), datetime(2012, 12, 31, 23, tzinfo=UTC)
    forwards = list(trigger.between(first, last))
    assert len(forwards) >= 3
    assert all((found.hour, found.minute, found.second) == (12, 30, 15) for found in forwards)
    backwards = []
    moment = trigger.previous(last + timedelta(seconds=1))
    while moment is not None and moment >= first:
        backwards.append(moment)
        moment = trigger.previous(moment)
    assert backwards[::-1] == forwards
    # Found anew from any day, not only from the one before.
    fresh = CronTrigger(hour=12, minute=30, second=15, timezone=UTC, **fields)
    for ahead in (1, 40, 200, 364, 366):
        before = forwards[1] - timedelta(days=ahead)
        expected = next(found for found in forwards if found >= before) if before >= first else None
        if expected is not None:
            assert fresh.get_next_fire_time(None, before) == expected
        after = forwards[1] + timedelta(days=ahead)
        assert fresh.previous(after) == max(found for found in forwards if found < after)


@pytest.mark.parametrize("second", ["0,30", "59", "*/7", "*"])
@pytest.mark.parametrize("minute", ["0", "59", "*/17", "*"])
@pytest.mark.parametrize("hour", ["0", "23", "*/5", "*"])
def test_times_of_the_day_forwards_and_backwards(hour, minute, second):
    def values(text, size):
        if text.startswith("*"):
            return range(0, size, int(text[2:] or 1))
        return [int(each) for each in text.split(",")]

    trigger = CronTrigger(hour=hour, minute=minute, second=second, timezone=UTC)
    day = datetime(2026, 3, 1, tzinfo=UTC)
    expected = [
        day + timedelta(hours=h, minutes=m, seconds=s)
        for h in values(hour, 24)
        for m in values(minute, 60)
        for s in values(second, 60)
    ]
    some = expected[:40] + expected[-40:]
    for at, found in enumerate(expected):
        if found in (some[0], some[-1]) or at % max(1, len(expected) // 60) == 0:
            assert trigger.get_next_fire_time(None, found) == found
            assert trigger.previous(found + timedelta(seconds=1)) == found
            if at:
                assert trigger.previous(found) == expected[at - 1]
                assert trigger.get_next_fire_time(None, expected[at - 1] + timedelta(seconds=1)) == found
    assert trigger.previous(expected[0]) == expected[-1] - DAY
    assert trigger.get_next_fire_time(None, expected[-1] + timedelta(seconds=1)) == expected[0] + DAY


@pytest.mark.parametrize(
    "trigger",
    [
        BusinessDayTrigger(1, hour=9, first="now", jitter=30, max_fires=9),
        WeeklyTrigger("mon", first="now", jitter=30, max_fires=9),
    ],
    ids=["business-day", "weekly"],
)
def test_what_is_fixed_when_a_trigger_is_added_is_kept(trigger):
    now = datetime(2026, 3, 3, 12, tzinfo=UTC)
    bound = trigger.bind(timezone=UTC, now=now, job_id="a")
    times = list(bound.upcoming(now, 5))
    assert now <= times[0] <= now + timedelta(seconds=30)
    for kept in (trigger_from_dict(bound.to_dict()), pickle.loads(pickle.dumps(bound))):
        assert kept.jitter == 30
        assert list(kept.upcoming(now, 5)) == times
        assert list(kept.upcoming(times[-1], 20)) == list(bound.upcoming(times[-1], 20))


def test_jobs_that_follow_others_are_the_same_schedule_if_they_follow_the_same():
    after = AfterJob("import")
    assert after.is_same_schedule(AfterJob("import"))
    assert not after.is_same_schedule(AfterJob("export"))
    assert not after.is_same_schedule(AfterJob("import", on="any"))
    assert not after.is_same_schedule(CronTrigger(hour=9))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo"])
def test_a_count_from_the_first_day_there_is_counts(zone):
    trigger = CalendarIntervalTrigger(days=1, start_date=date(1, 1, 1), max_fires=3, timezone=zone)
    times = trigger.upcoming(datetime(1, 1, 1, tzinfo=UTC), 9)
    assert len(times) == 3
    assert times[-1].date() <= date(1, 1, 4)
    assert trigger.previous(datetime(2026, 1, 1, tzinfo=UTC)) == times[-1]
    assert trigger.count_between(times[0], times[-1]) == 2
