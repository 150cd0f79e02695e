"""How many fire times there are between two moments is told without going through them, and rightly."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.combining import AndTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.cron.wall import WallSchedule
from mainspring.triggers.interval import IntervalTrigger

START = datetime(2026, 3, 20, 12, 0, 0, 250_000, tzinfo=UTC)
CRONS = [
    {"minute": "*/7"},
    {"hour": "2", "minute": "*/10"},
    {"hour": "1-3", "minute": "0,30"},
    {"hour": "*/2", "minute": "15"},
    {"day": "last sun", "hour": "2-3", "minute": "30"},
    {"year": "2026-2028", "month": "2,3,10", "day": "*/3", "hour": "2", "minute": "59", "second": "*/20"},
    {"week": "1-20", "day_of_week": "sat-mon", "hour": "*"},
]
POLICIES = [
    {},
    *({"gap": gap, "fold": fold} for gap in ("shift", "skip") for fold in ("first", "second", "both")),
]
ZONES = ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca"]


def cases():
    for number, zone in enumerate(ZONES):
        for at, fields in enumerate(CRONS):
            for policy in POLICIES[at % 2 :: 2] if number else POLICIES[:1]:
                yield CronTrigger(**fields, **policy, timezone=zone)
        yield CalendarIntervalTrigger(
            days=3, hour=2, minute=30, start_date="2026-03-01", timezone=zone, fold="both"
        )
        yield CalendarIntervalTrigger(
            months=1, days=2, hour=2, start_date="2026-01-31", end_date="2027-03-01", timezone=zone
        )
    yield IntervalTrigger(seconds=1000.5, start_date=START - timedelta(days=3))
    yield IntervalTrigger(hours=5, start_date=START, end_date=START + timedelta(days=300))
    yield IntervalTrigger(hours=5, start_date=START, max_fires=70)
    yield IntervalTrigger(hours=5, start_date=START, end_date=START + timedelta(days=300), jitter=4000)
    for zone in ZONES[:3]:
        yield CronTrigger(minute="*/20", timezone=zone, start_date=START, jitter=2000)
        yield CronTrigger(hour="*/5", timezone=zone, start_date=START, max_fires=70)
        yield CronTrigger(hour="*/5", timezone=zone, first="now")
        yield CronTrigger(hour="*/5", timezone=zone).limited(50, start=START + timedelta(days=2))


@pytest.mark.parametrize("number", range(4))
def test_times_are_counted_as_they_are_found_one_by_one(number):
    pick = random.Random(number)
    for trigger in list(cases())[number::4]:
        bound = trigger.bind(timezone=UTC, now=START, job_id="a")
        times = [time.astimezone(UTC) for time in bound.between(START, START + timedelta(days=400))][:3000]
        moments = [
            *pick.sample(times, min(len(times), 4)),
            START,
            START + timedelta(days=pick.randint(1, 40)),
        ]
        for first in moments:
            for last in moments:
                if first <= last <= times[-1]:
                    expected = sum(first < time <= last for time in times)
                    assert bound.count_between(first, last) == expected, (bound, first, last)


@pytest.mark.parametrize("first", [None, "now"])
@pytest.mark.parametrize("zone", ZONES[1:3])
def test_the_last_of_so_many_is_the_same_however_it_is_found(zone, first):
    for fields in CRONS:
        for count in (1, 130):
            endless = CronTrigger(**fields, timezone=zone, start_date=START)
            since = START.replace(microsecond=1) if first else START
            times = list(
                islice(endless.between(since, datetime(2100, 1, 1, tzinfo=UTC)), count - bool(first))
            )
            expected = [START, *times] if first else times
            trigger = CronTrigger(**fields, timezone=zone, first=first, max_fires=count)
            bound = trigger.bind(timezone=UTC, now=START, job_id="a")
            assert bound.upcoming(START, count + 5) == expected
            again = trigger.bind(timezone=UTC, now=START, job_id="a")
            assert again.previous(datetime(2099, 1, 1, tzinfo=UTC)) == expected[-1]
            if not first:
                limited = CronTrigger(**fields, timezone=zone).limited(count, start=START)
                assert limited.previous(datetime(2099, 1, 1, tzinfo=UTC)) == expected[-1]
                assert limited.upcoming(START, count + 5) == expected


@pytest.mark.parametrize("count", [100_000, 1_000_000])
@pytest.mark.parametrize("is_limited", [True, False], ids=["limited", "max_fires"])
def test_what_is_fired_very_often_is_not_counted_one_by_one(count, is_limited, monkeypatch):
    steps = []
    after = WallSchedule.after
    monkeypatch.setattr(WallSchedule, "after", lambda self, wall: steps.append(1) or after(self, wall))
    if is_limited:
        trigger = CronTrigger(minute="*", timezone="Europe/Berlin").limited(count, start=START)
    else:
        trigger = CronTrigger(minute="*", timezone="Europe/Berlin", max_fires=count, start_date=START)
    minute = timedelta(minutes=1)
    first = START.replace(microsecond=0, second=0) + minute
    last = first + (count - 1) * minute
    assert trigger.get_next_fire_time(None, START) == first
    assert trigger.get_next_fire_time(last - minute, START) == last
    assert trigger.get_next_fire_time(last, START) is None
    assert trigger.previous(last + 999 * minute) == last
    assert len(steps) < 1000


def test_what_never_comes_is_found_in_few_steps(monkeypatch):
    steps = []
    after = WallSchedule.after
    monkeypatch.setattr(WallSchedule, "after", lambda self, wall: steps.append(1) or after(self, wall))
    never = [
        CronTrigger(year="*/4", month=2, day=29, timezone=UTC),
        CronTrigger(month=3, day="last sun", hour=2, minute=30, gap="skip", timezone="Europe/Berlin"),
    ]
    for trigger in never:
        assert trigger.get_next_fire_time(None, START) is None
        assert (
            AndTrigger([trigger, CronTrigger(minute="*", timezone=UTC)]).get_next_fire_time(None, START)
            is None
        )
    assert never[0].previous(datetime(9000, 1, 1, tzinfo=UTC)) is None
    # The clocks were put forward on other Sundays before 1981.
    assert never[1].previous(datetime(9000, 1, 1, tzinfo=UTC)).year == 1980
    assert len(steps) < 5_000


def test_a_leap_day_on_a_weekday_is_found_however_far_it_is():
    zone = ZoneInfo("Europe/Berlin")
    trigger = CronTrigger(month=2, day=29, day_of_week="mon", hour=2, gap="skip", timezone=zone)
    assert [time.year for time in trigger.upcoming(START, 4)] == [2044, 2072, 2112, 2140]
    assert CronTrigger(year="2026-2400/374", timezone=zone).upcoming(START, 1)[0].year == 2400
