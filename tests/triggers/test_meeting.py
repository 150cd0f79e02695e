"""What never meets is said never to at once; what may meet is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from mainspring.triggers.combining import AndTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.steps import Found, Never, Steps

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def cron(zone: Any = "UTC", **fields: Any) -> CronTrigger:
    return CronTrigger(timezone=zone, **fields)


def every(zone: Any = "UTC", start: str = "2026-01-01 00:00:00", **interval: Any) -> IntervalTrigger:
    return IntervalTrigger(start_date=start, timezone=zone, **interval)


NEVER = [
    [cron(second="*/2"), cron(second="1-59/2")],
    [cron(hour=9), cron(hour=10)],
    [cron(hour="*", minute=0), cron(hour="*", minute=30)],
    [cron(month=1, hour=9), cron(month=2, hour=9)],
    [cron(day="29-31", month=2, hour=9), cron(day="last", month="1,3", hour=9)],
    [cron(day=1, hour=9), cron(day="last", hour=9)],
    [cron(year=2027), cron(year=2028)],
    [cron(hour=9, minute=5), every(minutes=10)],
    [cron("+05:30", hour=9), every(hours=1)],
    [cron(second=30), every(seconds=60), cron(hour="*")],
    [cron("Europe/Berlin", hour=9, gap="skip"), cron("Europe/Berlin", hour=10, gap="skip")],
    [cron("Europe/Berlin", hour="*", minute=0), cron("Europe/Berlin", hour="*", minute=30)],
    [cron("Europe/Berlin", hour=9), cron("Europe/Berlin", hour=10)],
    [cron("Europe/Berlin", second="*/2"), cron("Europe/Berlin", second="1-59/2")],
    [cron("Europe/Berlin", second="*/2"), cron("America/New_York", second="1-59/2")],
    [cron("Europe/Berlin", second="*/2"), cron("UTC", hour=9), cron("America/New_York", second="1-59/2")],
    [cron("Europe/Berlin", second="*/2"), every("Europe/Berlin", seconds=2, start="2026-01-01 00:00:01")],
    [cron("Europe/Berlin", minute=5), every("Europe/Berlin", minutes=10)],
    [cron("UTC"), every(seconds=1, start="2026-01-01 00:00:00.5")],
    # Half an hour is skipped there, and half an hour is what 02:10 is moved by.
    [cron("Australia/Lord_Howe", hour=2, minute=10), cron("Australia/Lord_Howe", hour=3, minute=10)],
    # 02:30 is moved on a Sunday in March, and never in April.
    [cron("Europe/Berlin", hour=2, minute=30, month=4), cron("Europe/Berlin", hour=3, minute=30)],
    [cron("Europe/Berlin", hour=2, minute=30, gap="skip"), cron("Europe/Berlin", hour=3, minute=30)],
    # The only days that both have are those on which the time is skipped.
    [cron("Europe/Berlin", year="2030-9999", month=3, day_of_week="sun", hour=2, minute=30, gap="skip"),
     cron("Europe/Berlin", day="25-31", hour=2, minute=30, gap="skip")],
    # What leaves out times of others, or is made of them, never meets either.
    [cron(second="*/2").excluding("2026-01-01"), cron(second="1-59/2").within("08:00-18:00")],
    [cron(second="*/2").limited(5), AndTrigger([cron(second="1-59/2"), cron(hour="*")])],
    [cron(second="*/2").excluding("2026-01-01"), every(seconds=2, start="2026-01-01 00:00:01").limited(9)],
]  # fmt: skip


@pytest.mark.parametrize("members", NEVER, ids=range(len(NEVER)))
def test_what_never_meets_is_found_in_two_steps(members: list[Any]) -> None:
    both = AndTrigger(members)
    assert isinstance(both.search(None, NOW, Steps(2)), Never)
    assert both.get_next_fire_time(None, NOW) is None


MEETING = [
    ([cron(hour=9), cron(day=29, month=2, hour=9)], "2028-02-29 09:00:00+00:00"),
    ([cron(hour=9, minute=50), every(minutes=10)], "2026-01-01 09:50:00+00:00"),
    ([cron("+05:30", hour=9, minute=30), every(hours=1)], "2026-01-01 09:30:00+05:30"),
    ([cron("UTC", hour=9), cron("+01:00", hour=10)], "2026-01-01 09:00:00+00:00"),
    # 02:30 is read as 03:30 on the day of the change.
    ([cron("Europe/Berlin", hour=2, minute=30), cron("Europe/Berlin", hour=3, minute=30)], "2026-03-29 03:30:00+02:00"),
    ([cron("Australia/Lord_Howe", hour=2, minute=10), cron("Australia/Lord_Howe", hour=2, minute=40)], "2026-10-04 02:40:00+11:00"),
    ([cron("Europe/Berlin", hour=9), cron("America/New_York", hour=4)], "2026-03-08 09:00:00+01:00"),
    ([cron("Africa/Monrovia", hour=0, minute=10, month=1), cron("Africa/Monrovia", hour=0, minute=54, second=30)], "1972-01-07 00:54:30+00:00"),
    ([cron(hour=9, first="now"), cron(hour=0, minute=0)], "2026-01-01 00:00:00+00:00"),
]  # fmt: skip


@pytest.mark.parametrize(("members", "first"), MEETING, ids=range(len(MEETING)))
def test_what_meets_is_found(members: list[Any], first: str) -> None:
    both = AndTrigger(members).bind(timezone=UTC, now=NOW, job_id="a")
    now = min(NOW, datetime.fromisoformat(first))
    found = both.search(None, now, Steps())
    assert isinstance(found, Found)
    assert str(found.time) == first


def test_meetings_are_those_of_a_list() -> None:
    random = Random(5)
    for _ in range(150):
        members = [
            cron(hour=random.choice(["*", "9", "*/6"]), minute=random.choice(["*/15", "7", "0,30"])),
            every(minutes=random.choice([4, 7, 10, 45])) if random.random() < 0.5 else cron(minute=random.choice(["*/10", "5", "7-20"])),
        ]  # fmt: skip
        end = NOW + timedelta(days=3)
        times = [{time.astimezone(UTC) for time in member.between(NOW, end)} for member in members]
        both = [time.astimezone(UTC) for time in AndTrigger(members).between(NOW, end)]
        assert both == sorted(times[0] & times[1])
        assert all(one < other for one, other in pairwise(both))
