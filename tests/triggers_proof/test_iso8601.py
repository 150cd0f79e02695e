"""Repeating intervals of ISO 8601 against counting one by one, in zones whose clocks change, in every form in which points in time are written."""

from __future__ import annotations

import random
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from mainspring.triggers import parse
from mainspring.triggers.plain import trigger_from_dict, trigger_to_dict

ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca"]
LONG_AGO = datetime(1600, 1, 1, tzinfo=UTC)
MOST = 6


class Repeated(NamedTuple):
    """A repeating interval as a person would keep it.

    Attributes:
        wall: what the clock shows at its first beginning, or at the end of the last interval.
        offset: of the text, in minutes; ``None``: the time is local.
        months, days, seconds: of each interval; two of them are 0.
    """

    count: int | None
    wall: datetime
    offset: int | None
    months: int
    days: int
    seconds: int
    is_from_end: bool


def drawn(pick: random.Random) -> Repeated:
    day = date(pick.randint(1995, 2035), pick.randint(1, 12), 1)
    last = monthrange(day.year, day.month)[1]
    day = day.replace(day=pick.choice([1, 15, last, last, pick.randint(1, last)]))
    wall = datetime(
        day.year, day.month, day.day, *pick.choice([(0, 0, 0), (2, 30, 0), (12, 0, 0), (23, 59, 59)])
    )
    offset = pick.choice([None, None, 0, 0, 120, -210])
    unit = pick.randrange(3)
    months = pick.choice([1, 1, 2, 3, 6, 12, 18, 48]) if unit == 0 else 0
    days = pick.choice([1, 1, 2, 7, 14, 30, 366]) if unit == 1 else 0
    seconds = pick.choice([1, 900, 5400, 43200, 86400, 129600, 604800]) if unit == 2 else 0
    is_from_end = pick.random() < 0.3 and (offset is not None or not seconds)
    return Repeated(
        pick.choice([1, 2, MOST]) if is_from_end else pick.choice([None, 1, 3, 40]),
        wall,
        offset,
        months,
        days,
        seconds,
        is_from_end,
    )


def written(one: Repeated, pick: random.Random) -> str:
    count = "" if one.count is None else str(one.count)
    moment, duration = written_moment(one, pick), written_duration(one, pick)
    parts = [duration, moment] if one.is_from_end else [moment, duration]
    if one.count is None and pick.random() < 0.3:
        count = "-1"
    if not one.is_from_end and not one.months and pick.random() < 0.3:
        end = one.wall + timedelta(days=one.days, seconds=one.seconds)
        # Of local times, what is between their clocks is a number of days, or hours.
        if one.offset is not None or bool(one.days) == ((end - one.wall) % timedelta(days=1) == timedelta()):
            parts[1] = written_moment(one._replace(wall=end), pick)
    return f"R{count}/{'/'.join(parts)}"


def written_moment(one: Repeated, pick: random.Random) -> str:
    day = one.wall.date()
    year, week, weekday = day.isocalendar()
    ordinal = day.timetuple().tm_yday
    text = pick.choice(
        [
            f"{day:%Y-%m-%d}",
            f"{day:%Y%m%d}",
            f"{year}-W{week:02}-{weekday}",
            f"{year}W{week:02}{weekday}",
            f"{day.year}-{ordinal:03}",
            f"{day.year}{ordinal:03}",
        ]
    )
    times = [f"{one.wall:%H:%M:%S}", f"{one.wall:%H%M%S}", f"{one.wall:%H:%M:%S}.000"]
    if one.wall.second == 0 and one.wall.minute in (0, 30):
        times += [f"{one.wall:%H:%M}", f"{one.wall:%H}.{'5' if one.wall.minute else '0'}"]
    return f"{text}T{pick.choice(times)}{written_offset(one.offset, pick)}"


def written_offset(offset: int | None, pick: random.Random) -> str:
    if offset is None:
        return ""
    sign = "-" if offset < 0 else "+"
    hours, minutes = divmod(abs(offset), 60)
    return (
        pick.choice(["Z", "+00", "-00:00"])
        if not offset
        else f"{sign}{hours:02}{pick.choice(['', ':'])}{minutes:02}"
    )


def written_duration(one: Repeated, pick: random.Random) -> str:
    if one.months:
        years, months = divmod(one.months, 12)
        return pick.choice([f"P{one.months}M", f"P{years}Y{months}M", f"P{one.months}M0D"])
    if one.days:
        forms = [f"P{one.days}D", f"P0Y{one.days}DT0H"]
        return pick.choice([*forms, f"P{one.days // 7}W"] if one.days % 7 == 0 else forms)
    forms = [f"PT{one.seconds}S", f"PT{one.seconds // 3600}H{one.seconds % 3600}S"]
    if one.seconds % 1800 == 0:
        forms += [
            f"PT{one.seconds / 3600}H",
            f"PT{one.seconds / 3600}H".replace(".", ","),
            f"PT{one.seconds // 60}M",
        ]
    return pick.choice(forms)


def counted(one: Repeated, zone: tzinfo) -> list[datetime]:
    """The first beginnings, in UTC, by counting."""
    if one.offset is not None:
        here = timedelta(minutes=one.offset)

        def instant(wall: datetime) -> datetime:
            return (wall - here).replace(tzinfo=UTC)
    else:

        def instant(wall: datetime) -> datetime:
            return wall.replace(tzinfo=zone).astimezone(UTC)

    if one.seconds:
        most = min(one.count or MOST, MOST)
        begin = instant(one.wall) - one.is_from_end * timedelta(seconds=one.seconds) * (one.count or 0)
        return [begin + number * timedelta(seconds=one.seconds) for number in range(most)]
    found: list[datetime] = []
    number = 0
    while len(found) < (one.count or MOST) and number < 1000:
        steps = -number - 1 if one.is_from_end else number
        number += 1
        wall = (
            moved(one.wall, steps * one.months) if one.months else one.wall + timedelta(days=steps * one.days)
        )
        if wall is not None:
            found.append(instant(wall))
    return sorted(found)[:MOST]


def moved(wall: datetime, months: int) -> datetime | None:
    month = wall.year * 12 + wall.month - 1 + months
    if wall.day > monthrange(month // 12, month % 12 + 1)[1]:
        return None
    return wall.replace(year=month // 12, month=month % 12 + 1)


@pytest.mark.one_python
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 30))])
def test_each_beginning_is_where_counting_puts_it(seed: int) -> None:
    pick = random.Random(seed)
    for _ in range(400):
        one = drawn(pick)
        text = written(one, pick)
        zone = ZoneInfo(pick.choice(ZONES))
        trigger = parse(text, "iso8601").bind(timezone=zone, now=LONG_AGO, job_id="job")
        expected = counted(one, zone)
        found = [time.astimezone(UTC) for time in trigger.upcoming(LONG_AGO, MOST)]
        assert found == expected, (text, zone)
        again = trigger_from_dict(trigger_to_dict(trigger))
        assert again.upcoming(LONG_AGO, 2) == trigger.upcoming(LONG_AGO, 2), text
        if one.count is not None and one.count <= MOST:
            last = trigger.previous(datetime(2400, 1, 1, tzinfo=UTC))
            assert last is not None
            assert last.astimezone(UTC) == expected[-1], text
