"""Zones, triggers and their dictionaries are equal exactly where they mean the same, however a zone is spelt."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from itertools import combinations, product
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import dateutil.tz
import pytest
import pytz

from mainspring.timezones import astimezone, local_timezone, zone_identity
from mainspring.triggers.business_calendar import BusinessCalendar
from mainspring.triggers.business_day import BusinessDayTrigger
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.combining import AndTrigger, OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.event_calendar import CalendarEvent, EventCalendar
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.plain import plain_zone, read_zone, trigger_from_dict, trigger_to_dict
from mainspring.triggers.recurrence import RecurrenceTrigger
from mainspring.triggers.weekly import WeeklyTrigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainspring.triggers.base import BaseTrigger

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULE = "CET-1CEST,M3.5.0,M10.5.0/3"

#: Zones by what they mean.
SPELLINGS: dict[str, list[Any]] = {
    "UTC": [
        *("UTC", "utc", "Etc/UTC", "Zulu", "Etc/UCT", "Universal", "+00:00", "-00:00"),
        *(UTC, timezone.utc, timezone(timedelta(0), "mine"), ZoneInfo("UTC"), ZoneInfo("Etc/UTC")),  # noqa: UP017 - another spelling
        *(pytz.utc, pytz.timezone("Etc/UTC"), pytz.FixedOffset(0)),
        *(dateutil.tz.tzutc(), dateutil.tz.gettz("UTC"), dateutil.tz.tzoffset(None, 0)),
    ],
    "+02:00": [
        *("+02:00", "Etc/GMT-2", timezone(timedelta(hours=2)), ZoneInfo("Etc/GMT-2")),
        *(pytz.FixedOffset(120), pytz.timezone("Etc/GMT-2"), dateutil.tz.tzoffset("X", 7200)),
    ],
    "-03:30": [
        "-03:30",
        timezone(-timedelta(hours=3.5)),
        pytz.FixedOffset(-210),
        dateutil.tz.tzoffset(None, -12600),
    ],
    "Europe/Berlin": [
        *("Europe/Berlin", ZoneInfo("Europe/Berlin"), ZoneInfo.no_cache("Europe/Berlin")),
        *(pytz.timezone("Europe/Berlin"), dateutil.tz.gettz("Europe/Berlin")),
    ],
    "Europe/Paris": ["Europe/Paris", ZoneInfo("Europe/Paris"), pytz.timezone("Europe/Paris")],
    RULE: [
        *(RULE, "CET-1CEST-2,M3.5.0/2,M10.5.0/3", "CET-1CEST,M03.5.0/02:00,M10.05.0/+3:00:00"),
        *("CET-01:00CEST,M3.5.0,M10.5.0/3", dateutil.tz.tzstr(RULE)),
    ],
    "CET-1CEST,M3.5.0,M10.5.0": ["CET-1CEST,M3.5.0,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/2"],
    "CET-1CEST,M3.5.0/-1,M10.5.0/3": ["CET-1CEST,M3.5.0/-1,M10.5.0/3"],
    "CET-1CEST-1:30,M3.5.0,M10.5.0/3": ["CET-1CEST-1:30,M3.5.0,M10.5.0/3"],
    "CET-1CEST,J60,J300": ["CET-1CEST,J60,J300", "CET-1CEST,J60/2,J300/2"],
    "CET-1CEST,M3.5.0/0:15:30,M10.5.0": [
        "CET-1CEST,M3.5.0/0:15:30,M10.5.0",
        "CET-1CEST,M3.5.0/00:15:30,M10.5.0/2",
    ],
    "CET-1CEST,M3.5.0/-0:15,M10.5.0": ["CET-1CEST,M3.5.0/-0:15,M10.5.0"],
    "CET-1CEST,M3.5.0/0,M10.5.0/1:00:30": ["CET-1CEST,M3.5.0/0,M10.5.0/1:00:30"],
    "CET-1CEST,60,300": ["CET-1CEST,60,300"],
}
SPELT = [(meant, zone) for meant, zones in SPELLINGS.items() for zone in zones]


def holidays(day: date) -> bool:
    return day.day == 1


EVENTS = EventCalendar([CalendarEvent(RecurrenceTrigger("DTSTART:20260307\nRRULE:FREQ=YEARLY"), days=2)])

TRIGGERS: dict[str, Callable[[Any], BaseTrigger]] = {
    "date": lambda zone: DateTrigger("2026-05-01 09:00", timezone=zone),
    "interval": lambda zone: IntervalTrigger(hours=1, timezone=zone),
    "interval with dates": lambda zone: IntervalTrigger(
        hours=1, timezone=zone, start_date="2026-03-02", end_date="2027-01-01", jitter=5
    ),
    "cron": lambda zone: CronTrigger(hour=9, timezone=zone),
    "cron with everything": lambda zone: CronTrigger(
        hour="H", timezone=zone, max_fires=5, first="now", jitter=3, gap="skip", end_date="2030-01-01"
    ),
    "calendar": lambda zone: CalendarIntervalTrigger(weeks=2, hour=9, timezone=zone),
    "weekly": lambda zone: WeeklyTrigger("mon,thu", "09:30", weeks=2, timezone=zone, max_fires=5),
    "rrule": lambda zone: RecurrenceTrigger("FREQ=DAILY;INTERVAL=2;BYHOUR=9", timezone=zone),
    "rrule with everything": lambda zone: RecurrenceTrigger(
        "RRULE:FREQ=DAILY;UNTIL=20270101T000000Z\nEXDATE:20260305T090000\nRDATE:20260306T100000",
        start_date="2026-03-02 09:00",
        timezone=zone,
        jitter=3,
        fold="both",
    ),
    "excluding events": lambda zone: CronTrigger(hour=9, timezone=zone).excluding(EVENTS),
    "business day": lambda zone: BusinessDayTrigger(-1, hour=9, timezone=zone, max_fires=5),
    "window": lambda zone: IntervalTrigger(hours=1, timezone=zone).within("08:00-18:00"),
    "spread": lambda zone: CronTrigger(hour=9, timezone=zone).spread("1h"),
    "and": lambda zone: AndTrigger(
        [CronTrigger(hour=9, timezone=zone), IntervalTrigger(hours=1, timezone=zone)]
    ),
    "or": lambda zone: OrTrigger(
        [CronTrigger(hour=9, timezone=zone), DateTrigger("2026-05-01", zone)], jitter=2
    ),
    "excluding": lambda zone: CronTrigger(hour=9, timezone=zone).excluding("2026-12-25", holidays),
    "rolling": lambda zone: CronTrigger(day=1, timezone=zone).on_business_days(
        BusinessCalendar(["2026-06-01"])
    ),
    "limited": lambda zone: CronTrigger(hour=9, timezone=zone).limited(3),
}


def bound(kind: str, zone: Any, now: datetime = NOW) -> BaseTrigger:
    """As a scheduler in that zone makes it."""
    found = astimezone(zone)
    assert found is not None
    return TRIGGERS[kind](zone).bind(timezone=found, now=now, job_id="job")


@pytest.mark.parametrize(
    ("meant", "zone"), SPELT, ids=[f"{number} {zone!r}" for number, (_, zone) in enumerate(SPELT)]
)
def test_a_zone_is_what_it_means(meant: str, zone: Any) -> None:
    found = astimezone(zone)
    assert plain_zone(found) == meant
    again = read_zone(meant)
    assert zone_identity(again) == zone_identity(found)
    for moment in (datetime(2026, 1, 1, 12), datetime(2026, 7, 1, 12), datetime(2040, 7, 1, 12)):
        assert moment.replace(tzinfo=again).utcoffset() == moment.replace(tzinfo=found).utcoffset()
    assert zone_identity(pickle.loads(pickle.dumps(found))) == zone_identity(found)


def test_zones_that_mean_something_else_are_unequal() -> None:
    for (one, zone), (other, another) in combinations(SPELT, 2):
        same = zone_identity(astimezone(zone)) == zone_identity(astimezone(another))
        assert same is (one == other), (zone, another)


@pytest.mark.parametrize("kind", TRIGGERS)
def test_triggers_are_equal_where_they_mean_the_same(kind: str) -> None:
    for meant, zones in SPELLINGS.items():
        first = bound(kind, zones[0])
        for zone in zones:
            other = bound(kind, zone)
            restarted = bound(kind, zone, NOW + timedelta(minutes=7))
            written = trigger_to_dict(other)
            assert other == first, zone
            assert hash(other) == hash(first)
            assert written == trigger_to_dict(first), zone
            for again in (
                trigger_from_dict(json.loads(json.dumps(written))),
                pickle.loads(pickle.dumps(other)),
            ):
                assert again == other, zone
                assert trigger_to_dict(again) == written
                assert again.get_next_fire_time(None, NOW) == other.get_next_fire_time(None, NOW)
                # What a scheduler finds in its store when it is started again.
                assert again.is_same_schedule(restarted), zone
                assert first.is_same_schedule(restarted), zone
        for other_meaning in SPELLINGS:
            if other_meaning != meant and kind != "date":
                assert bound(kind, other_meaning) != first
                assert not first.is_same_schedule(bound(kind, other_meaning))


def test_times_in_a_repeated_hour_are_equal_to_themselves() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    one = IntervalTrigger(hours=1, start_date=datetime(2026, 10, 25, 2, 30, tzinfo=berlin))
    other = IntervalTrigger(hours=1, start_date=datetime(2026, 10, 25, 2, 30, tzinfo=berlin, fold=1))
    assert trigger_from_dict(trigger_to_dict(one)) == one
    assert trigger_from_dict(trigger_to_dict(other)) == other
    assert one != other


def test_a_rule_is_no_name_and_a_name_no_rule() -> None:
    for wrong in ("CET+1", "CET-1CEST", "Mars/Base", "CET-1CEST,M3", "+25:00"):
        with pytest.raises((KeyError, ValueError)):
            astimezone(wrong)


@pytest.mark.parametrize(
    ("text", "summer"), [(RULE, 2), (":Europe/Berlin", 2), ("UTC", 0), ("<+03>-3", 3), ("CET-1", 1)], ids=str
)
def test_the_zone_of_the_machine_may_be_a_rule(
    monkeypatch: pytest.MonkeyPatch, text: str, summer: int
) -> None:
    monkeypatch.setenv("TZ", text)
    zone: tzinfo = local_timezone()
    assert datetime(2026, 7, 1, tzinfo=zone).utcoffset() == timedelta(hours=summer)
    assert zone_identity(read_zone(plain_zone(zone))) == zone_identity(zone)


def test_dictionaries_of_older_releases_are_read() -> None:
    for kind, meant in product(TRIGGERS, ("Etc/UTC", "EST")):
        written = json.dumps(trigger_to_dict(bound(kind, meant)))
        for name in ("UTC", "-05:00"):
            written = written.replace(f'"timezone": "{name}"', f'"timezone": "{meant}"')
        assert trigger_from_dict(json.loads(written)) == bound(kind, meant)
