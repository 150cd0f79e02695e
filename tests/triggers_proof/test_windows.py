"""Windows of the day around clock changes, against a list of all instants and what the zone's clocks show at each."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.steps import Steps

pytestmark = pytest.mark.one_python

TICK = timedelta(microseconds=1)
#: A zone, and noon of the day on which its clocks change.
CHANGES = [
    ("UTC", (2026, 3, 29)),
    ("Europe/Berlin", (2026, 3, 29)),
    ("Europe/Berlin", (2026, 10, 25)),
    ("America/New_York", (2026, 11, 1)),
    ("Africa/Cairo", (2026, 4, 24)),
    ("Africa/Cairo", (2026, 10, 29)),
    ("Australia/Lord_Howe", (2026, 4, 4)),
    ("Australia/Lord_Howe", (2026, 10, 3)),
    ("Antarctica/Troll", (2026, 3, 29)),
    ("Antarctica/Troll", (2026, 10, 25)),
    ("Pacific/Apia", (2011, 12, 30)),
    ("America/Sao_Paulo", (2018, 11, 4)),
    ("America/St_Johns", (2006, 10, 29)),
    ("Antarctica/Casey", (2010, 3, 5)),
]
#: Windows as text, and as first and last times of the day; in gaps, at their edges, over midnight, touching each other.
WINDOWS = [
    ("08:00-18:00", [("08:00", "18:00")]),
    ("22:00-06:00", [("22:00", "06:00")]),
    ("02:00-03:00", [("02:00", "03:00")]),
    ("02:10-02:40", [("02:10", "02:40")]),
    ("01:30-02:00,23:30-00:00", [("01:30", "02:00"), ("23:30", "00:00")]),
    ("00:00-00:30, 12:00-13:00", [("00:00", "00:30"), ("12:00", "13:00")]),
    ("08:00-12:00,12:00-14:00,13:00-15:00", [("08:00", "15:00")]),
    ("03:00-02:00", [("03:00", "02:00")]),
    ("23:59:30-23:59:59", [("23:59:30", "23:59:59")]),
]


def is_inside(at: time, windows) -> bool:
    for first, last in ((time.fromisoformat(a), time.fromisoformat(b)) for a, b in windows):
        if first <= at <= last if first < last else (at >= first or at <= last):
            return True
    return False


def backwards(trigger, first: datetime, last: datetime) -> list[datetime]:
    found = []
    before = trigger.previous(last + TICK)
    while before is not None and before >= first:
        found.append(before.astimezone(UTC))
        before = trigger.previous(before)
    return found[::-1]


@pytest.mark.parametrize(("name", "day"), CHANGES, ids=lambda value: str(value).replace("/", "-"))
def test_every_time_around_a_change_of_the_clocks(name, day):
    zone = ZoneInfo(name)
    noon = datetime(*day, 12, tzinfo=UTC)
    start = noon - timedelta(days=5)
    first, last = noon - timedelta(days=2), noon + timedelta(days=2)
    for text, windows in WINDOWS:
        for seconds in (15 * 60, 13 * 60 + 7):
            step = timedelta(seconds=seconds)
            trigger = IntervalTrigger(seconds=seconds, start_date=start, timezone=zone).within(text)
            instants = [start + n * step for n in range(int(timedelta(days=8) / step))]
            expected = [
                at
                for at in instants
                if first <= at <= last and is_inside(at.astimezone(zone).time(), windows)
            ]
            assert [found.astimezone(UTC) for found in trigger.between(first, last)] == expected, text
            assert backwards(trigger, first, last) == expected, text


@given(
    st.sampled_from(CHANGES),
    st.lists(
        st.tuples(st.integers(0, 95), st.integers(0, 95)).filter(lambda pair: pair[0] != pair[1]),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from(["*/5", "0,15,30,45", "7"]),
    st.sampled_from([{}, {"gap": "skip"}, {"fold": "both"}, {"fold": "second"}]),
)
@settings(max_examples=20, deadline=None)
def test_windows_take_from_the_times_of_a_cron_trigger(change, quarters, minute, policy):
    zone = ZoneInfo(change[0])
    noon = datetime(*change[1], 12, tzinfo=UTC)
    first, last = noon - timedelta(hours=30), noon + timedelta(hours=30)
    windows = [tuple(f"{at // 4:02}:{at % 4 * 15:02}" for at in pair) for pair in quarters]
    base = CronTrigger(hour="*", minute=minute, timezone=zone, **policy)
    trigger = base.within([f"{begin}-{end}" for begin, end in windows])
    expected = [at for at in base.between(first, last) if is_inside(at.time(), windows)]
    assert list(trigger.between(first, last)) == expected
    assert backwards(trigger, first, last) == [at.astimezone(UTC) for at in expected]


def test_midnight_is_in_a_window_that_ends_at_it_and_not_in_one_that_ends_with_the_day():
    base = IntervalTrigger(hours=1, start_date="2026-01-01", timezone="Europe/Berlin")
    start = datetime(2026, 3, 1, 22, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert [at.hour for at in base.within("22:00-24:00").upcoming(start, 3)] == [23, 22, 23]
    assert [at.hour for at in base.within("22:00-00:00").upcoming(start, 3)] == [23, 0, 22]
    assert [at.hour for at in base.within("00:00-24:00").upcoming(start, 3)] == [23, 0, 1]


@pytest.mark.parametrize("question", ["_after", "_before"])
@pytest.mark.parametrize(("name", "day"), CHANGES, ids=lambda value: str(value).replace("/", "-"))
def test_what_is_outside_is_jumped_over(name, day, question):
    """An interval of two seconds is asked a few times, not once for each of the 25,000 times of a night."""
    noon = datetime(*day, 12, tzinfo=UTC)
    trigger = IntervalTrigger(seconds=2, start_date=noon - timedelta(days=9), timezone=name).within(
        "12:00-12:00:30"
    )
    for hours in range(-48, 48):
        assert getattr(trigger, question)(noon + timedelta(hours=hours, seconds=1), Steps(12)) is not None
