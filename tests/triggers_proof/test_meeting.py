"""Whether cron schedules in a zone whose clocks change ever meet, against all their times around every change of a hundred years, one by one.

The schedules are made so that many meet nowhere but at a change: at 02:30 and at 03:30, on days that are skipped, on Sundays of March.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.meeting import last_meeting

if TYPE_CHECKING:
    from collections.abc import Callable

ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",  # half an hour
    "Antarctica/Troll",  # two hours
    "Asia/Beirut",  # at midnight
    "Africa/Casablanca",
    "Africa/Monrovia",  # 44 minutes and 30 seconds, in 1972
    "Pacific/Apia",  # a day, in 2011
]
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
#: All kinds of years come within 28.
YEARS = [date(1971, 1, 1) + n * DAY for n in range(366 * 29)]
DAYS: dict[str, Callable[[date], bool]] = {
    "*": lambda day: True,
    "1": lambda day: day.day == 1,
    "25-31": lambda day: day.day >= 25,
    "29": lambda day: day.day == 29,
    "30": lambda day: day.day == 30,
    "2nd sun": lambda day: day.weekday() == 6 and 8 <= day.day <= 14,
    "last sun": lambda day: day.weekday() == 6 and (day + 7 * DAY).month != day.month,
}
MONTHS = {"*": range(1, 13), "2": [2], "3": [3], "4-9": range(4, 10), "10,11": [10, 11], "12": [12]}
WEEKDAYS = {"*": range(7), "mon": [0], "sat": [5], "sun": [6], "mon-sat": range(6)}
HOURS = {"*": range(24), "*/2": range(0, 24, 2), "0": [0], "1": [1], "2": [2], "3": [3], "4": [4], "23": [23],
         "1,2": [1, 2], "2,3": [2, 3], "0-2": [0, 1, 2]}  # fmt: skip
MINUTES = {"*": range(60), "0": [0], "30": [30], "15": [15], "0,30": [0, 30], "10,40": [10, 40], "14,44": [14, 44]}  # fmt: skip


class Schedule(NamedTuple):
    """A cron schedule, read a second time."""

    trigger: CronTrigger
    has_day: Callable[[date], bool]
    hours: frozenset[int]
    minutes: frozenset[int]
    gap: str
    fold: str

    def has(self, wall: datetime) -> bool:
        return wall.minute in self.minutes and wall.hour in self.hours and self.has_day(wall.date())

    def instants(self, change: tuple[datetime, timedelta, timedelta]) -> set[datetime]:
        """When it fires around a change of the clocks."""
        at, before, after = change
        found = set()
        wall = (at + before - timedelta(hours=4)).replace(tzinfo=None, second=0)
        for _ in range(10 * 60 + abs(after - before) // MINUTE):
            wall += MINUTE
            if not self.has(wall):
                continue
            early, late = wall.replace(tzinfo=UTC) - before, wall.replace(tzinfo=UTC) - after
            if early < at <= late:
                found |= {"first": {early}, "second": {late}, "both": {early, late}}[self.fold]
            elif early < at:
                found.add(early)
            elif late >= at:
                found.add(late)
            elif self.gap == "shift":
                found.add(early)
        return found


@cache
def changes(name: str) -> list[tuple[datetime, timedelta, timedelta]]:
    """When the clocks of a zone change, from which offset to which."""
    zone = ZoneInfo(name)

    def offset(moment: datetime) -> timedelta:
        found = moment.astimezone(zone).utcoffset()
        assert found is not None
        return found

    found = []
    low = datetime(1970, 1, 3, tzinfo=UTC)
    while low.year < 2130:
        begin, end = low, low + DAY
        low = end
        before, after = offset(begin), offset(end)
        if before == after:
            continue
        while end - begin > timedelta(seconds=1):
            middle = begin + (end - begin) // timedelta(seconds=2) * timedelta(seconds=1)
            begin, end = (middle, end) if offset(middle) == before else (begin, middle)
        found.append((end, before, after))
    return found


def drawn(random: Random, zone: str) -> Schedule:
    day = random.choice(list(DAYS)) if random.random() < 0.4 else "*"
    weekday = random.choice(list(WEEKDAYS)) if random.random() < 0.3 else "*"
    month = random.choice(list(MONTHS)) if random.random() < 0.4 else "*"
    hour, minute = random.choice(list(HOURS)), random.choice(list(MINUTES))
    gap: Any = random.choice([None, "shift", "skip"])
    fold: Any = random.choice([None, None, "first", "both", "second"])
    fields = {"month": month, "day": day, "day_of_week": weekday, "hour": hour, "minute": minute}
    return Schedule(
        CronTrigger(**fields, timezone=zone, gap=gap, fold=fold),  # type: ignore[arg-type]
        lambda one: DAYS[day](one) and one.month in MONTHS[month] and one.weekday() in WEEKDAYS[weekday],
        frozenset(HOURS[hour]),
        frozenset(MINUTES[minute]),
        gap or ("skip" if hour.startswith("*") else "shift"),
        fold or ("both" if hour.startswith("*") else "first"),
    )


def last_year(schedules: list[Schedule], name: str) -> int | None:
    """The last year in which the schedules have an instant in common; 9999: there is no last one."""
    hours = frozenset.intersection(*(one.hours for one in schedules))
    minutes = frozenset.intersection(*(one.minutes for one in schedules))
    if hours and minutes:
        near = {change[0].date() + n * DAY for change in changes(name) for n in range(-2, 3)}
        if any(day not in near and all(one.has_day(day) for one in schedules) for day in YEARS):
            return 9999
    for change in reversed(changes(name)):
        if set.intersection(*(one.instants(change) for one in schedules)):
            year = (change[0] + change[2]).year
            # Morocco's changes are listed until 2087, and all others repeat by then.
            return 9999 if year >= 2088 else year
    return None


@pytest.mark.parametrize(
    ("seed", "count"), [(0, 40), *(pytest.param(seed, 300, marks=pytest.mark.soak) for seed in range(1, 6))]
)
def test_schedules_meet_exactly_where_their_times_do(seed: int, count: int) -> None:
    random = Random(seed)
    answers = set()
    for _ in range(count):
        name = random.choice(ZONES)
        schedules = [drawn(random, name) for _ in range(random.choice([2, 2, 2, 3]))]
        expected = last_year(schedules, name)
        last = last_meeting([one.trigger for one in schedules])
        year = None if last is None else date.fromordinal(last // 86_400).year
        assert (9999 if year and year > 2160 else year) == expected, (name, schedules)
        answers.add(expected)
    assert answers >= {None, 9999}
