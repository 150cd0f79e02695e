"""Times that move to a business day across a change of the clocks, against a list of all of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mainspring.triggers.business_calendar import BusinessCalendar
from mainspring.triggers.interval import IntervalTrigger

DAY = timedelta(days=1)
#: A zone, the day on which its clocks change, and how many days around it are open.
CHANGES = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Africa/Cairo", date(2026, 10, 29)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Pacific/Apia", date(2011, 12, 30)),
]
#: The day that Samoa didn't have, which is no business day.
SKIPPED = ("Pacific/Apia", date(2011, 12, 30))


def moved(instant: datetime, zone: ZoneInfo, calendar: BusinessCalendar, roll: str) -> datetime:
    local = instant.astimezone(zone)
    day = local.date()
    target = day
    while not calendar.is_business_day(target) or (zone.key, target) == SKIPPED:
        target += DAY if roll == "next" else -DAY
    if target == day:
        return instant
    return datetime.combine(target, local.time(), zone).astimezone(UTC)


@pytest.mark.parametrize("roll", ["next", "previous"])
@pytest.mark.parametrize("closed", [-1, 0, 1], ids=["before", "same", "after"])
@pytest.mark.parametrize(("name", "day"), CHANGES, ids=lambda value: str(value).replace("/", "-"))
def test_every_time_that_moves_past_a_change_of_the_clocks(name, day, closed, roll):
    zone = ZoneInfo(name)
    calendar = BusinessCalendar([day + closed * DAY], weekend=[])
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    seconds = 7 * 60
    start = noon - 5 * DAY
    trigger = IntervalTrigger(seconds=seconds, start_date=start, timezone=zone).on_business_days(
        calendar, roll
    )
    instants = [start + timedelta(seconds=n * seconds) for n in range(10 * 86400 // seconds)]
    first, last = noon - 3 * DAY, noon + 3 * DAY
    expected = sorted(
        at for at in {moved(instant, zone, calendar, roll) for instant in instants} if first <= at <= last
    )
    assert [found.astimezone(UTC) for found in trigger.between(first, last)] == expected
    backwards = []
    before = trigger.previous(last + timedelta(microseconds=1))
    while before >= first:
        backwards.append(before.astimezone(UTC))
        before = trigger.previous(before)
    assert backwards[::-1] == expected


def test_a_trigger_of_every_second_goes_on_after_a_weekend_on_which_the_clocks_changed():
    zone = ZoneInfo("Europe/Berlin")
    monday = datetime(2026, 3, 30, 3, tzinfo=zone)
    trigger = IntervalTrigger(seconds=1, start_date="2026-03-01", timezone=zone).on_business_days()
    assert trigger.get_next_fire_time(monday, monday) == monday + timedelta(seconds=1)
    assert trigger.previous(monday) == monday - timedelta(seconds=1)
