"""What `SunTrigger` takes, and what it is as data."""

from __future__ import annotations

import json
import pickle
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

import mainspring
from mainspring import SunTrigger
from mainspring.errors import TriggerError
from mainspring.triggers.plain import trigger_from_dict
from mainspring.triggers.steps import Steps, Unknown

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 28, tzinfo=BERLIN)
PLACE = {"latitude": 52.52, "longitude": 13.405}


def test_the_events_of_a_day_come_in_order():
    times = [
        SunTrigger(event, **PLACE, timezone=BERLIN).upcoming(NOW, 1)[0]
        for event in ("dawn", "sunrise", "noon", "sunset", "dusk")
    ]
    assert times == sorted(times)
    assert [time.strftime("%H:%M") for time in times] == ["05:16", "05:50", "12:11", "18:33", "19:08"]
    nautical = SunTrigger("dawn", **PLACE, depression=12, timezone=BERLIN).upcoming(NOW, 1)[0]
    assert nautical < times[0]
    high = SunTrigger("sunrise", **PLACE, elevation=1000, timezone=BERLIN).upcoming(NOW, 1)[0]
    assert timedelta(minutes=4) < times[1] - high < timedelta(minutes=9)


@pytest.mark.parametrize("offset", [-30, timedelta(minutes=-30)])
def test_an_offset_is_in_minutes(offset):
    plain, early = SunTrigger(**PLACE, timezone=BERLIN), SunTrigger(**PLACE, offset=offset, timezone=BERLIN)
    half_an_hour = timedelta(minutes=30)
    assert [time + half_an_hour for time in early.upcoming(NOW, 9)] == plain.upcoming(NOW, 9)
    assert early.previous(NOW) + half_an_hour == plain.previous(NOW)


@pytest.mark.parametrize("offset", [-24 * 60, -700, 700, 24 * 60])
def test_next_and_previous_are_inverse_with_long_offsets(offset):
    for longitude in (-180, 0, 180):
        trigger = SunTrigger("sunset", latitude=40, longitude=longitude, offset=offset, timezone="UTC")
        times = trigger.upcoming(NOW, 20)
        assert [trigger.previous(time) for time in times[1:]] == times[:-1]
        tick = timedelta(microseconds=1)
        assert [trigger.previous(time + tick) for time in times] == times
        assert [trigger.get_next_fire_time(None, time) for time in times] == times


def test_it_begins_and_ends():
    trigger = SunTrigger(**PLACE, start_date="2026-03-30", end_date="2026-04-01 12:00", timezone=BERLIN)
    assert [time.day for time in trigger.upcoming(NOW, 9)] == [30, 31, 1]
    assert trigger.previous(NOW) is None
    assert trigger.previous(NOW + timedelta(days=90)).day == 1


def test_its_start_and_its_end_are_included():
    times = SunTrigger(**PLACE, timezone=BERLIN).upcoming(NOW, 3)
    trigger = SunTrigger(**PLACE, start_date=times[0], end_date=times[2])
    assert trigger.upcoming(NOW - timedelta(days=5), 9) == times
    assert [
        trigger.previous(NOW + timedelta(days=40)),
        trigger.previous(times[2]),
        trigger.previous(times[1]),
    ] == times[::-1]
    assert trigger.previous(times[0]) is None


def test_jitter_delays_it():
    trigger = SunTrigger(**PLACE, jitter=600, timezone=BERLIN).bind(timezone=UTC, now=NOW, job_id="a")
    plain = SunTrigger(**PLACE, timezone=BERLIN)
    delays = {
        late - time for late, time in zip(trigger.upcoming(NOW, 9), plain.upcoming(NOW, 9), strict=True)
    }
    assert len(delays) == 9
    assert all(timedelta(0) <= delay <= timedelta(minutes=10) for delay in delays)


def test_what_never_comes_is_said():
    never = SunTrigger("dusk", latitude=90, longitude=0, depression=30)
    assert never.get_next_fire_time(None, NOW) is None
    assert never.previous(NOW) is None


def test_a_slice_that_ends_in_a_polar_night_says_how_far_it_came():
    trigger = SunTrigger("sunrise", latitude=78.2, longitude=15, timezone="UTC")
    november = datetime(2026, 11, 20, tzinfo=UTC)
    since = november
    for _ in range(40):
        answer = trigger.search(since - timedelta(microseconds=1), since, Steps(8))
        if not isinstance(answer, Unknown):
            break
        assert answer.since > since
        since = answer.since
    assert answer.time == trigger.get_next_fire_time(None, november)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"event": "sunrize"}, "did you mean 'sunrise'"),
        ({"event": ["sunset"]}, "event must be one of"),
        ({"latitude": 91}, "latitude must be a number of degrees from -90 to 90, got 91"),
        ({"latitude": "52N"}, "latitude must"),
        ({"longitude": 181}, "longitude must"),
        ({"longitude": float("nan")}, "longitude must"),
        ({"elevation": -1}, "elevation must"),
        ({"offset": "x"}, "offset must be a number of minutes"),
        ({"offset": 1441}, "offset must"),
        ({"depression": True}, "depression must"),
        ({"start_date": "2026-02-01", "end_date": "2026-01-01", "timezone": "UTC"}, "before start_date"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(TriggerError, match=message):
        SunTrigger(**{**PLACE, **options})


def test_without_astral_it_says_what_to_install(monkeypatch):
    for name in ("astral", "astral.sun"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"mainspring\[sun\]"):
        SunTrigger(**PLACE)


TRIGGERS = [
    SunTrigger(**PLACE),
    SunTrigger("dusk", **PLACE, depression=12, offset=-30, jitter=3, timezone="Europe/Berlin"),
    SunTrigger("noon", **PLACE, elevation=100, start_date="2026-01-01", end_date="2027-01-01"),
]


@pytest.mark.parametrize("trigger", TRIGGERS, ids=str)
@pytest.mark.parametrize("is_bound", [False, True])
def test_it_is_the_same_as_data(trigger, is_bound):
    if is_bound:
        trigger = trigger.bind(timezone=BERLIN, now=NOW, job_id="a")
    for again in (
        trigger_from_dict(json.loads(json.dumps(trigger.to_dict()))),
        pickle.loads(pickle.dumps(trigger)),
    ):
        assert again == trigger
        assert again.is_same_schedule(trigger)
        assert again.upcoming(NOW, 3) == trigger.upcoming(NOW, 3)
        if not is_bound:
            assert eval(repr(again), vars(mainspring)) == trigger
    assert not trigger.is_same_schedule(SunTrigger("sunset", **PLACE))
