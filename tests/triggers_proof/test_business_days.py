"""Business days of the month, against a list of all days that shares no code with the trigger."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mainspring.triggers.business_calendar import BusinessCalendar
from mainspring.triggers.business_day import BusinessDayTrigger

pytestmark = pytest.mark.one_python

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
#: A zone, and the years around a change of its clocks that is odd: by half an hour, at midnight, by two hours, over a whole day.
ZONES = [
    ("UTC", 2026),
    ("Europe/Berlin", 2026),
    ("America/New_York", 2027),
    ("Australia/Lord_Howe", 2026),
    ("Africa/Cairo", 2026),
    ("Antarctica/Troll", 2025),
    ("America/Sao_Paulo", 2018),
    ("Pacific/Apia", 2011),
    ("Pacific/Kiritimati", 1994),
]
CALENDARS = [
    ((), ("sat", "sun")),
    (["2026-04-01", "2026-04-02", "2011-12-29", "2018-11-02", "2026-12-31"], ("fri", "sat")),
    (["2027-01-01"], ()),
    (lambda day: day.day in (1, 2, 15, 30) or day.month == 6, ("sun",)),
    (["2026-03-30"], ("mon", "tue", "wed", "thu", "fri", "sat")),
]


@lru_cache(maxsize=2)
def days_that_are_shown(zone: ZoneInfo, first: date, last: date) -> set[date]:
    """The days that the zone's clocks show some time of."""
    moment = datetime.combine(first, time(), UTC) - DAY
    shown = set()
    while moment.date() <= last + DAY:
        shown.add(moment.astimezone(zone).date())
        moment += timedelta(hours=3)
    return shown


def expected(zone, year, days, months, times, holidays, weekend) -> list[datetime]:
    """The instants of three years at which it fires, where a time that doesn't exist is read with the offset before."""
    first, last = date(year - 1, 1, 1), date(year + 1, 12, 31)
    shown = days_that_are_shown(zone, first, last)
    closed = holidays if callable(holidays) else {date.fromisoformat(day) for day in holidays}.__contains__
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    found = set()
    for month in ((y, m) for y in (year - 1, year, year + 1) for m in months):
        whole = [date(*month, number + 1) for number in range(monthrange(*month)[1])]
        open_days = [
            day for day in whole if names[day.weekday()] not in weekend and not closed(day) and day in shown
        ]
        for number in days:
            at = open_days[number - 1 : number] if number > 0 else open_days[number:][:1]
            if len(open_days) >= abs(number):
                found |= {datetime.combine(at[0], one, zone).astimezone(UTC) for one in times}
    return sorted(found)


@pytest.mark.parametrize(("name", "year"), ZONES, ids=lambda value: str(value).replace("/", "-"))
@pytest.mark.parametrize("which", range(len(CALENDARS)))
def test_every_business_day_of_three_years(name, year, which):
    holidays, weekend = CALENDARS[which]
    if callable(holidays) and (name, year) not in ZONES[-2:]:
        return  # a function is slow, and asked in the same way everywhere
    zone = ZoneInfo(name)
    calendar = BusinessCalendar(holidays, weekend)
    for days, months in product(
        [(1,), (-1,), (-3,), (2, -2), (5, 9, -4), (20,), (21, -22), (23,), (27, 31)],
        [range(1, 13), (2, 3, 4, 10, 12)],
    ):
        trigger = BusinessDayTrigger(
            list(days),
            month=",".join(map(str, months)),
            hour="0,2,3",
            minute="0,30",
            calendar=calendar,
            timezone=zone,
        )
        times = [time(hour, minute) for hour in (0, 2, 3) for minute in (0, 30)]
        right = expected(zone, year, days, months, times, holidays, weekend)
        first, last = datetime(year - 1, 1, 1, tzinfo=zone), datetime(year + 2, 1, 1, tzinfo=zone) - TICK
        forwards = [found.astimezone(UTC) for found in trigger.between(first, last)]
        assert forwards == right, trigger
        backwards = []
        before = trigger.previous(last)
        while before is not None and before >= first:
            backwards.append(before.astimezone(UTC))
            before = trigger.previous(before)
        assert backwards[::-1] == right, trigger
        assert trigger.count_between(first.astimezone(UTC) - TICK, last.astimezone(UTC)) == len(right)


@given(
    st.integers(1971, 2300),
    st.sets(st.integers(-24, 24).filter(bool), min_size=1, max_size=3),
    st.sets(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), max_size=6),
    st.lists(st.dates(date(1970, 1, 1), date(2400, 12, 31)), max_size=3),
    st.integers(0, 30),
)
@settings(max_examples=60, deadline=None)
def test_any_calendar(year, days, weekend, holidays, closed):
    """Around holidays that follow each other for up to a month, in any year."""
    holidays = [*holidays, *(date(year, 3, 1) + at * DAY for at in range(closed))]
    texts = [day.isoformat() for day in holidays]
    right = expected(ZoneInfo("UTC"), year, sorted(days), range(1, 13), [time(8)], texts, weekend)
    trigger = BusinessDayTrigger(
        list(days), hour=8, calendar=BusinessCalendar(texts, weekend), timezone="UTC"
    )
    first, last = datetime(year - 1, 1, 1, tzinfo=UTC), datetime(year + 2, 1, 1, tzinfo=UTC)
    assert list(trigger.between(first, last)) == right
    assert trigger.count_between(first - TICK, last) == len(right)
    for one in right[:: max(len(right) // 5, 1)]:
        assert trigger.previous(one + TICK) == one
