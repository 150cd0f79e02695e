"""Sunrise and sunset, against the sun's place by other formulas, and against an almanac.

The formulas here are the low-precision ones of the Astronomical Almanac (page C5; right to 0.01 degrees between 1950 and 2050), with sidereal
time; those of `astral` are Meeus's with the equation of time.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import asin, atan2, cos, degrees, radians, sin
from zoneinfo import ZoneInfo

import pytest

from mainspring.triggers.steps import Steps
from mainspring.triggers.sun import SunTrigger

pytestmark = pytest.mark.one_python

TICK = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
HEIGHTS = {"sunrise": -0.833, "sunset": -0.833, "dawn": -6, "dusk": -6}
PLACES = [
    ("Europe/Berlin", 52.52, 13.405),
    ("Asia/Dhaka", 23.8, 90.4),
    ("Pacific/Auckland", -36.85, 174.76),
    ("Pacific/Honolulu", 21.3, -157.86),
    ("America/Guayaquil", -2.2, -79.9),
    ("Pacific/Fiji", -16.8, -179.99),
    ("Pacific/Kiritimati", 1.87, 180),
    ("Europe/Oslo", 69.65, 18.95),
    ("Antarctica/Troll", -72.01, 2.53),
    ("Arctic/Longyearbyen", 78.22, 15.65),
]


def height_of_sun(moment: datetime, latitude: float, longitude: float) -> float:
    """In degrees above the plane of the horizon, of the sun's centre."""
    days = (moment - datetime(2000, 1, 1, 12, tzinfo=UTC)) / timedelta(days=1)
    anomaly = radians(357.528 + 0.9856003 * days)
    ecliptic = radians(280.460 + 0.9856474 * days + 1.915 * sin(anomaly) + 0.020 * sin(2 * anomaly))
    tilt = radians(23.439 - 0.0000004 * days)
    ascension = atan2(cos(tilt) * sin(ecliptic), cos(ecliptic))
    declination = asin(sin(tilt) * sin(ecliptic))
    sidereal = radians((18.697374558 + 24.06570982441908 * days) * 15 + longitude)
    north = radians(latitude)
    return degrees(
        asin(sin(north) * sin(declination) + cos(north) * cos(declination) * cos(sidereal - ascension))
    )


@pytest.mark.parametrize(("zone", "latitude", "longitude"), PLACES, ids=[place[0] for place in PLACES])
@pytest.mark.parametrize("event", HEIGHTS)
def test_every_event_of_a_year(zone, latitude, longitude, event):
    """Each is when the sun crosses that height, and there are as many as the sun crosses it."""
    trigger = SunTrigger(event, latitude=latitude, longitude=longitude, timezone=zone)
    first, last = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    times = [time.astimezone(UTC) for time in trigger.between(first, last)]
    height, sign = HEIGHTS[event], 1 if event in ("sunrise", "dawn") else -1
    for time in times:
        before, at, after = (height_of_sun(time + n * 2 * MINUTE, latitude, longitude) for n in (-1, 0, 1))
        assert abs(at - height) < 0.02, time
        if abs(after - before) > 0.1:  # not almost level
            assert sign * before < sign * height < sign * after, time
    backwards = []
    before = trigger.previous(last + TICK)
    while before is not None and before >= first:
        backwards.append(before.astimezone(UTC))
        before = trigger.previous(before)
    assert backwards[::-1] == times
    step = timedelta(minutes=20)
    heights = [height_of_sun(first + n * step, latitude, longitude) - height for n in range(365 * 72 + 1)]
    crossings = sum(sign * low < 0 <= sign * high for low, high in pairwise(heights))
    grazing = sum(
        abs(high) < 0.1 and (high - low) * (later - high) <= 0
        for low, high, later in zip(heights, heights[1:], heights[2:], strict=False)
    )
    assert abs(len(times) - crossings) <= grazing


@pytest.mark.parametrize(
    ("zone", "latitude", "longitude", "day", "rises", "sets"),
    [
        ("Europe/Berlin", 52.52, 13.405, date(2026, 6, 21), "04:43", "21:33"),
        ("Europe/London", 51.5074, -0.1278, date(2026, 12, 21), "08:04", "15:53"),
        ("America/New_York", 40.7128, -74.006, date(2026, 6, 21), "05:25", "20:31"),
        ("Australia/Sydney", -33.8688, 151.2093, date(2026, 12, 21), "05:41", "20:05"),
    ],
)
def test_the_almanac_says_so_too(zone, latitude, longitude, day, rises, sets):
    start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    for event, text in (("sunrise", rises), ("sunset", sets)):
        found = SunTrigger(event, latitude=latitude, longitude=longitude, timezone=zone).upcoming(start, 1)[0]
        said = datetime.combine(day, datetime.strptime(text, "%H:%M").time(), ZoneInfo(zone))
        assert abs(found - said) <= 2 * MINUTE


def test_noon_is_when_the_sun_is_highest():
    for zone, latitude, longitude in PLACES[:6]:
        noon = SunTrigger("noon", latitude=latitude, longitude=longitude, timezone=zone)
        times = list(noon.between(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)))
        assert len(times) in (364, 365, 366)
        for time in times[::30]:
            at = height_of_sun(time.astimezone(UTC), latitude, longitude)
            around = [
                height_of_sun(time.astimezone(UTC) + n * MINUTE, latitude, longitude) for n in range(-90, 91)
            ]
            assert max(around) - at < 0.02


@pytest.mark.parametrize("latitude", [66.5, 67.4, 70, 78.22, 85, 89.7, -68, -90, 90])
def test_a_polar_night_is_jumped_over_in_bounded_steps(latitude):
    trigger = SunTrigger("sunset", latitude=latitude, longitude=15, timezone="UTC")
    for month in range(1, 13):
        moment = datetime(2026, month, 1, tzinfo=UTC)
        following = trigger._after(moment, Steps(400))
        assert following is None or moment < following < moment + timedelta(days=366)
        preceding = trigger._before(moment, Steps(400))
        assert preceding is None or moment - timedelta(days=366) < preceding < moment
