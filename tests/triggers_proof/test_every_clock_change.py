"""Fire times around every change of every zone's clocks, against a slow enumeration that shares no code with the triggers.

The enumeration walks through the minutes of UTC around a change, asks the zone what its clocks show at each, and applies
the rule to that list of walls: a schedule whose hour field begins with ``*`` fires whenever the clocks show a matching
time; any other fires once for each matching time of the day, one that doesn't exist being read with the offset in force
before the gap, one that exists twice being taken the first time.

Every change of twelve years is met by 32 of 330 schedules, in turn, and with ``-m soak`` every change since 1973 by 40;
besides these, changes and schedules made by Hypothesis.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import cycle, islice, product
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.cron import CronTrigger

YEARS = (2016, 2027)
SOAK_YEARS = (1973, 2037)
MINUTE = timedelta(minutes=1)
#: How far around a change fire times are compared, and how much further walls are enumerated.
AROUND = timedelta(hours=30)
BEYOND = timedelta(hours=30)

ALL_HOURS = frozenset(range(24))
MINUTES = [
    ("0", {0}),
    ("30", {30}),
    ("*/15", {0, 15, 30, 45}),
    ("7,59", {7, 59}),
    ("10-20/5", {10, 15, 20}),
]
HOURS = [
    ("*", ALL_HOURS),
    ("*/2", set(range(0, 24, 2))),
    ("*/3", set(range(0, 24, 3))),
    ("0", {0}),
    ("1", {1}),
    ("2", {2}),
    ("3", {3}),
    ("23", {23}),
    ("0-4", {0, 1, 2, 3, 4}),
    ("22-2", {22, 23, 0, 1, 2}),
    ("1-23/2", set(range(1, 24, 2))),
]
DAYS = [
    ({}, lambda day: True),
    ({"day_of_week": "sat,sun"}, lambda day: day.weekday() in (5, 6)),
    ({"day_of_week": "fri-mon"}, lambda day: day.weekday() in (4, 5, 6, 0)),
    ({"day": "last"}, lambda day: (day + timedelta(days=1)).day == 1),
    ({"day": "*/2"}, lambda day: day.day % 2 == 1),
    ({"month": "3-4,9-11"}, lambda day: day.month in (3, 4, 9, 10, 11)),
]
POLICIES = [
    {},
    {"gap": "skip"},
    {"gap": "shift", "fold": "both"},
    {"fold": "second"},
    {"gap": "skip", "fold": "second"},
    {"gap": "shift", "fold": "first"},
]
SCHEDULES = list(product(MINUTES, HOURS, DAYS))
MANY_ZONES = 60
SCHEDULES_EACH = 32
SOAK_SCHEDULES_EACH = 40


class Change:
    """What the clocks of a zone show, minute by minute, around one change of theirs."""

    def __init__(self, zone: ZoneInfo, at: datetime) -> None:
        self.zone = zone
        self.at = at
        self.first, self.last = at - AROUND, at + AROUND
        #: For each wall that the clocks show, the instants at which they do.
        self.shown: dict[datetime, list[datetime]] = {}
        #: Gaps: the first wall that isn't shown, the first that is again, and the offset before.
        self.gaps: list[tuple[datetime, datetime, timedelta]] = []
        instant = self.first - BEYOND
        before = None
        while instant <= self.last + BEYOND:
            wall = instant.astimezone(zone).replace(tzinfo=None, fold=0)
            if before is not None and wall - before > MINUTE:
                offset = before - (instant - MINUTE).replace(tzinfo=None)
                self.gaps.append((before + MINUTE, wall, offset))
            self.shown.setdefault(wall, []).append(instant)
            before = wall
            instant += MINUTE
        days = sorted({wall.date() for wall in self.shown} | {low.date() for low, _, _ in self.gaps})
        self.days = [days[0] + timedelta(days=at) for at in range((days[-1] - days[0]).days + 1)]

    def expected(self, minutes, hours, matches, gap: str, fold: str) -> list[datetime]:
        """The instants at which a schedule fires."""
        found: set[datetime] = set()
        for day in filter(matches, self.days):
            for hour, minute in product(hours, minutes):
                wall = datetime(day.year, day.month, day.day, hour, minute)
                instants = self.shown.get(wall)
                if instants is None:
                    if gap == "shift":
                        found |= {
                            self.shifted(wall, offset)
                            for low, high, offset in self.gaps
                            if low <= wall < high
                        }
                elif fold == "both":
                    found.update(instants)
                else:
                    found.add(instants[0 if fold == "first" else -1])
        return sorted(instant for instant in found if self.first <= instant <= self.last)

    def shifted(self, wall: datetime, offset: timedelta) -> datetime:
        return (wall - offset).replace(tzinfo=UTC)


def transitions(zone: ZoneInfo, first_year: int, last_year: int) -> list[datetime]:
    """The minutes from which on the clocks of a zone differ from UTC by another amount than before."""
    found = []
    moment = datetime(first_year, 1, 1, tzinfo=UTC)
    offset = moment.astimezone(zone).utcoffset()
    while moment.year <= last_year:
        following = moment + timedelta(days=1)
        if following.astimezone(zone).utcoffset() != offset:
            low, high = 0, 24 * 60
            while high - low > 1:
                middle = (low + high) // 2
                if (moment + middle * MINUTE).astimezone(zone).utcoffset() == offset:
                    low = middle
                else:
                    high = middle
            found.append(moment + high * MINUTE)
            offset = following.astimezone(zone).utcoffset()
        moment = following
    return found


@lru_cache(maxsize=2)
def zones_with_changes(first_year: int, last_year: int) -> list[tuple[str, list[datetime]]]:
    """One name for each set of zones whose clocks do the same in these years."""
    known = {}
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        moments = transitions(zone, first_year, last_year)
        offsets = tuple(
            (at, at.astimezone(zone).utcoffset(), (at - MINUTE).astimezone(zone).utcoffset())
            for at in moments
        )
        whole_minutes = all(part.seconds % 60 == 0 for _, *parts in offsets for part in parts)
        if moments and whole_minutes:
            known.setdefault(offsets, (name, moments))
    return list(known.values())


def fired(trigger, change: Change) -> list[datetime]:
    """The trigger's fire times around the change, in UTC, found one by one."""
    times = []
    moment = trigger.get_next_fire_time(None, change.first)
    while moment is not None and moment <= change.last:
        times.append(moment.astimezone(UTC))
        moment = trigger.get_next_fire_time(moment, moment)
    return times


def fired_backwards(trigger, change: Change) -> list[datetime]:
    times = []
    moment = trigger.previous(change.last + MINUTE)
    while moment is not None and moment >= change.first:
        times.append(moment.astimezone(UTC))
        moment = trigger.previous(moment)
    return times[::-1]


def rule_of(hour: str, policy: dict[str, str]) -> tuple[str, str]:
    implied = ("skip", "both") if hour.startswith("*") else ("shift", "first")
    return policy.get("gap", implied[0]), policy.get("fold", implied[1])


def check(name: str, change: Change, schedule, policy) -> int:
    (minute, minutes), (hour, hours), (fields, matches) = schedule
    expected = change.expected(minutes, hours, matches, *rule_of(hour, policy))
    trigger = CronTrigger(minute=minute, hour=hour, timezone=change.zone, **fields, **policy)
    said = f"{name} at {change.at}: minute={minute} hour={hour} {fields} {policy}"
    assert fired(trigger, change) == expected, said
    assert fired_backwards(trigger, change) == expected, f"{said}, backwards"
    return len(expected)


def check_calendar_interval(name: str, change: Change, hour: int, minute: int, policy) -> int:
    rule = policy.get("gap", "shift"), policy.get("fold", "first")
    expected = change.expected([minute], [hour], lambda day: True, *rule)
    trigger = CalendarIntervalTrigger(
        days=1, hour=hour, minute=minute, start_date=date(1970, 1, 1), timezone=change.zone, **policy
    )
    assert fired(trigger, change) == expected, f"{name} at {change.at}: daily at {hour}:{minute} {policy}"
    return len(expected)


def check_zones(zones, schedules_each: int) -> str:
    in_turn = cycle(SCHEDULES)
    policies = cycle(POLICIES)
    changes = cases = instants = 0
    for name, moments in zones:
        zone = ZoneInfo(name)
        for at in moments:
            change = Change(zone, at)
            changes += 1
            for schedule in islice(in_turn, schedules_each):
                instants += check(name, change, schedule, next(policies))
                cases += 1
            hour = at.astimezone(zone).hour
            for hour_of_day, minute in (((hour - 1) % 24, 30), (hour, 0), (0, 0)):
                instants += check_calendar_interval(name, change, hour_of_day, minute, next(policies))
                cases += 1
    return f"{len(zones)} zones, {changes} changes, {cases} cases, {instants} instants"


PARTS = 8
#: The first of them on every Python, all of them on one.
EACH_PART = [0, *(pytest.param(part, marks=pytest.mark.one_python) for part in range(1, PARTS))]


@pytest.mark.parametrize("part", EACH_PART)
def test_fire_times_around_every_change_of_the_clocks(part):
    zones = zones_with_changes(*YEARS)
    assert len(zones) > MANY_ZONES, "the zones of this machine are not those of the time zone database"
    print(f"\npart {part + 1} of {PARTS}: {check_zones(zones[part::PARTS], SCHEDULES_EACH)}")


@lru_cache(maxsize=64)
def change_of(zone: int, number: int) -> tuple[str, Change]:
    zones = zones_with_changes(*YEARS)
    name, moments = zones[zone % len(zones)]
    return name, Change(ZoneInfo(name), moments[number % len(moments)])


def as_text(values: set[int]) -> str:
    return ",".join(map(str, sorted(values)))


@st.composite
def schedules(draw):
    """Minutes, hours and days that nobody thought of beforehand, as text and as what it stands for."""
    minutes = draw(st.sets(st.integers(0, 59), min_size=1, max_size=6))
    step = draw(st.integers(1, 23))
    hours = draw(
        st.one_of(
            st.just(("*", set(ALL_HOURS))),
            st.just((f"*/{step}", set(range(0, 24, step)))),
            st.sets(st.integers(0, 23), min_size=1, max_size=8).map(lambda found: (as_text(found), found)),
            st.tuples(st.integers(0, 23), st.integers(0, 23)).map(
                lambda ends: (
                    f"{ends[0]}-{ends[1]}",
                    {(ends[0] + n) % 24 for n in range((ends[1] - ends[0]) % 24 + 1)},
                )
            ),
        )
    )
    weekdays = draw(st.sets(st.integers(0, 6), min_size=1))
    dates = draw(st.sets(st.integers(1, 31), min_size=12))
    days = draw(
        st.sampled_from(
            [
                ({}, lambda day: True),
                ({"day_of_week": as_text(weekdays)}, lambda day: day.weekday() in weekdays),
                ({"day": as_text(dates)}, lambda day: day.day in dates),
            ]
        )
    )
    return (as_text(minutes), minutes), hours, days


@settings(max_examples=300)
@given(
    zone=st.integers(0, 1000),
    number=st.integers(0, 30),
    schedule=schedules(),
    policy=st.sampled_from(POLICIES),
)
def test_generated_schedules_around_changes_of_the_clocks(zone, number, schedule, policy):
    name, change = change_of(zone, number)
    check(name, change, schedule, policy)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", EACH_PART)
def test_more_schedules_around_every_change_since_1973(part):
    told = check_zones(zones_with_changes(*SOAK_YEARS)[part::PARTS], SOAK_SCHEDULES_EACH)
    print(f"\npart {part + 1} of {PARTS}: {told}")
