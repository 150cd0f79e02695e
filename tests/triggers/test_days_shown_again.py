"""Days that the clocks show twice, or never, because they were put back over a midnight, or forward over a day: rolls and exceptions, against a list of all times."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from mainspring.triggers.business_calendar import BusinessCalendar
from mainspring.triggers.combining import OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.interval import IntervalTrigger

if TYPE_CHECKING:
    from mainspring.triggers.base import BaseTrigger

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
#: Zones, and the days around which their clocks were put back over a midnight, or skipped a day.
CHANGES = [
    ("America/St_Johns", date(2006, 10, 28)),  # 29 October 00:01 became 28 October 23:01
    ("America/St_Johns", date(2006, 4, 2)),  # 00:01 became 01:01
    ("Antarctica/Casey", date(2010, 3, 4)),  # 5 March 02:00 became 4 March 23:00
    ("Antarctica/Casey", date(2009, 10, 18)),
    ("Asia/Dhaka", date(2009, 12, 31)),  # 24:00 became 23:00
    ("Asia/Dhaka", date(2009, 6, 19)),
    ("Pacific/Apia", date(2011, 12, 30)),  # was skipped
    ("Pacific/Kwajalein", date(1993, 8, 21)),  # was skipped
    ("Pacific/Kwajalein", date(1969, 9, 30)),  # was shown again for most of a day
    ("America/Nuuk", date(2024, 10, 26)),  # 27 October 00:00 became 26 October 23:00
]


def instants(trigger: BaseTrigger, day: date) -> list[datetime]:
    """All fire times within some days around `day`, in UTC."""
    begin = datetime.combine(day, datetime.min.time(), UTC)
    return [time.astimezone(UTC) for time in trigger.between(begin - 8 * DAY, begin + 9 * DAY)]


def shows(day: date, zone: ZoneInfo) -> bool:
    """Whether the clocks of a zone ever show `day`."""
    noon = datetime.combine(day, datetime.min.time(), UTC)
    return any((noon + timedelta(hours=hour)).astimezone(zone).date() == day for hour in range(-30, 55))


def rolled(instant: datetime, zone: ZoneInfo, calendar: BusinessCalendar, roll: str) -> datetime:
    local = instant.astimezone(zone)
    target = local.date()
    while not calendar.is_business_day(target) or not shows(target, zone):
        target += DAY if roll == "next" else -DAY
    if target == local.date():
        return instant
    return datetime.combine(target, local.time().replace(fold=0), zone).astimezone(UTC)


def check(trigger: BaseTrigger, expected: list[datetime], begin: datetime, end: datetime) -> None:
    """See that a trigger has the `expected` times from `begin` to `end`, forwards, backwards, and from every moment in between."""
    expected = sorted(time for time in set(expected) if begin <= time <= end)
    assert [time.astimezone(UTC) for time in trigger.between(begin, end)] == expected
    moment, back = end + TICK, []
    while (found := trigger.previous(moment)) is not None and found.astimezone(UTC) >= begin:
        moment = found.astimezone(UTC)
        back.append(moment)
    assert back[::-1] == expected
    for before, after in pairwise(expected):
        middle = before + (after - before) / 2
        following, preceding = trigger.get_next_fire_time(None, middle), trigger.previous(middle)
        assert following is not None
        assert preceding is not None
        assert (preceding.astimezone(UTC), following.astimezone(UTC)) == (before, after)


def inner_triggers(zone: ZoneInfo, day: date) -> list[BaseTrigger]:
    start = datetime.combine(day, datetime.min.time(), UTC) - 20 * DAY
    return [
        IntervalTrigger(minutes=47, start_date=start, timezone=zone),
        CronTrigger(hour=0, minute=0, second=30, timezone=zone, start_date=start),
        CronTrigger(hour="23,0", minute="0,30", fold="both", timezone=zone, start_date=start),
        OrTrigger([CronTrigger(hour=1, timezone=zone), CronTrigger(hour=23, minute=45, timezone=zone)]),
    ]


@pytest.mark.parametrize(("name", "day"), CHANGES, ids=lambda value: str(value).replace("/", "-"))
def test_exceptions(name: str, day: date) -> None:
    zone = ZoneInfo(name)
    begin = datetime.combine(day, datetime.min.time(), UTC)
    for trigger in inner_triggers(zone, day):
        times = instants(trigger, day)
        for first, last in ((0, 0), (1, 1), (-1, 0), (0, 1)):
            left_out = {day + n * DAY for n in range(first, last + 1)}
            ways: list[Any] = [
                (day + first * DAY, day + last * DAY),
                BusinessCalendar(sorted(left_out), weekend=()),
            ]
            expected = [time for time in times if time.astimezone(zone).date() not in left_out]
            for way in ways:
                check(trigger.excluding(way), expected, begin - 2 * DAY, begin + 4 * DAY)


@pytest.mark.parametrize("roll", ["next", "previous"])
@pytest.mark.parametrize(("name", "day"), CHANGES, ids=lambda value: str(value).replace("/", "-"))
def test_rolls(name: str, day: date, roll: Any) -> None:
    zone = ZoneInfo(name)
    begin = datetime.combine(day, datetime.min.time(), UTC)
    for trigger in inner_triggers(zone, day):
        times = instants(trigger, day)
        for closed in ((0,), (1,), (0, 1), (-1, 0), (-1, 2)):
            calendar = BusinessCalendar([day + n * DAY for n in closed], weekend=())
            expected = [rolled(time, zone, calendar, roll) for time in times]
            check(trigger.on_business_days(calendar, roll), expected, begin - 2 * DAY, begin + 4 * DAY)
