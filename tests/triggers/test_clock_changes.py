"""Cron fire times around changes of the clocks, against a slow enumeration that knows nothing of the trigger's code.

For each of many zones, the last changes of its clocks and those of 2011 (when Samoa left a day out), the fire times of three days are
compared with: every minute of UTC, shown on the zone's clock (schedules that follow elapsed time), or every minute of the
wall clock, read by the rule for times that don't exist or exist twice (schedules that name times of the day).
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mainspring.triggers.cron import CronTrigger

MINUTE = timedelta(minutes=1)
HALF = timedelta(hours=36)

ZONES = [
    "Africa/Casablanca",
    "Africa/Cairo",
    "America/Asuncion",
    "America/Havana",
    "America/New_York",
    "America/Scoresbysund",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Dublin",
    "Pacific/Apia",
    "Pacific/Chatham",
]

# Fields, the same said again by hand, and whether the schedule follows elapsed time (its hour begins with a star).
SCHEDULES = [
    ({"minute": "*/15"}, lambda wall: wall.minute % 15 == 0, True),
    ({"minute": "*"}, lambda wall: True, True),
    ({"hour": "*/2", "minute": 30}, lambda wall: wall.hour % 2 == 0 and wall.minute == 30, True),
    ({"hour": 0}, lambda wall: (wall.hour, wall.minute) == (0, 0), False),
    ({"hour": 2, "minute": 30}, lambda wall: (wall.hour, wall.minute) == (2, 30), False),
    ({"hour": "0-3", "minute": "*/10"}, lambda wall: wall.hour <= 3 and wall.minute % 10 == 0, False),
    (
        {"hour": "1,2,3", "minute": "0,59"},
        lambda wall: wall.hour in (1, 2, 3) and wall.minute in (0, 59),
        False,
    ),
    ({"hour": "0-23", "minute": 7}, lambda wall: wall.minute == 7, False),
    (
        {"day_of_week": "sat,sun", "hour": "23,0,1", "minute": "*/20"},
        lambda wall: wall.weekday() >= 5 and wall.hour in (23, 0, 1) and wall.minute % 20 == 0,
        False,
    ),
]


def offset(instant, zone):
    return instant.astimezone(zone).utcoffset()


def changes(zone, year):
    """The minutes at which the zone's clocks change in a year, found by looking at every hour."""
    instant = datetime(year, 1, 1, tzinfo=UTC)
    found = []
    while instant.year == year:
        after = instant + timedelta(hours=1)
        if offset(instant, zone) != offset(after, zone):
            while offset(instant, zone) == offset(instant + MINUTE, zone):
                instant += MINUTE
            found.append(instant + MINUTE)
        instant = after.replace(minute=0)
    return found


def expected(matches, follows_elapsed_time, zone, low, high):
    if follows_elapsed_time:
        count = int((high - low) / MINUTE) + 1
        instants = (low + number * MINUTE for number in range(count))
        return [instant for instant in instants if matches(instant.astimezone(zone).replace(tzinfo=None))]
    # Two days more at both ends: a change may have left out a whole one.
    wall = low.astimezone(zone).replace(tzinfo=None) - timedelta(days=2)
    end = high.astimezone(zone).replace(tzinfo=None) + timedelta(days=2)
    instants = set()
    while wall <= end:
        if matches(wall):
            # fold=0 is the first of two, and for a time that doesn't exist the offset before the change.
            instants.add(wall.replace(tzinfo=zone, fold=0).astimezone(UTC))
        wall += MINUTE
    return sorted(instant for instant in instants if low <= instant <= high)


def fired(trigger, low, high):
    times = []
    previous = trigger.get_next_fire_time(None, low)
    while previous is not None and previous <= high:
        times.append(previous.astimezone(UTC))
        previous = trigger.get_next_fire_time(previous, previous)
    return times


@pytest.mark.parametrize("name", ZONES)
def test_against_an_enumeration(name):
    zone = ZoneInfo(name)
    compared = 0
    for change in [*changes(zone, 2011)[:3], *changes(zone, 2025)]:
        low, high = change - HALF, change + HALF
        for fields, matches, follows_elapsed_time in SCHEDULES:
            trigger = CronTrigger(timezone=zone, **fields)
            assert fired(trigger, low, high) == expected(matches, follows_elapsed_time, zone, low, high), (
                change,
                fields,
            )
            compared += 1
    assert compared >= len(SCHEDULES)
