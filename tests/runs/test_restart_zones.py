"""A program that is started again doesn't push its jobs away, however the zone is spelt that it runs in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import dateutil.tz
import pytest
import pytz

from mainspring.jobstores.memory import MemoryJobStore
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.schedulers.background import BackgroundScheduler
from mainspring.testing import SettableClock
from mainspring.triggers.business_day import BusinessDayTrigger
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.combining import AndTrigger, OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.event_calendar import CalendarEvent, EventCalendar
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.recurrence import RecurrenceTrigger
from mainspring.triggers.weekly import WeeklyTrigger
from pickle_store import PickleStore
from stores import MONGODB, open_store

START = datetime(2026, 3, 1, 12, tzinfo=UTC)

ZONES = [
    *("UTC", "Etc/UTC", UTC, ZoneInfo("UTC"), ZoneInfo("Etc/UTC"), pytz.utc, dateutil.tz.tzutc()),
    *("+02:00", pytz.FixedOffset(120), "Etc/GMT-2", "Europe/Berlin", pytz.timezone("Europe/Berlin")),
    *(dateutil.tz.gettz("Europe/Berlin"), "CET-1CEST,M3.5.0,M10.5.0/3"),
]


class NotForgetting(MemoryJobStore):
    """Stays as it is when its scheduler ends."""

    def shutdown(self):
        pass


def nothing() -> None:
    pass


def triggers(zone=None):
    """Triggers of every kind.

    Args:
        zone: their own; the scheduler's, if it is not given.
    """
    hourly = IntervalTrigger(hours=1, timezone=zone)
    return {
        "date": DateTrigger("2026-05-01 09:00", timezone=zone),
        "interval": hourly,
        "first": IntervalTrigger(hours=1, first="now", jitter=5, timezone=zone),
        "cron": CronTrigger(minute="*/30", max_fires=9, timezone=zone),
        "calendar": CalendarIntervalTrigger(days=1, hour=9, timezone=zone),
        "weekly": WeeklyTrigger("mon,thu", "09:30", weeks=2, timezone=zone),
        "business day": BusinessDayTrigger(-1, hour=9, max_fires=9, timezone=zone),
        "rrule": RecurrenceTrigger("FREQ=HOURLY;INTERVAL=5", timezone=zone),
        "events": hourly.excluding(
            EventCalendar([CalendarEvent(RecurrenceTrigger("DTSTART:20260307\nRRULE:FREQ=YEARLY"), days=2)])
        ),
        "and": AndTrigger([hourly, IntervalTrigger(minutes=30, timezone=zone)]),
        "or": OrTrigger([hourly, CronTrigger(hour=9, timezone=zone)], jitter=3),
        "excluding": hourly.excluding("2026-12-25"),
        "rolling": hourly.on_business_days(),
        "limited": hourly.limited(5),
        "window": hourly.within("08:00-18:00"),
        "spread": hourly.spread("30m"),
    }


def times_after_restarts(open_one, zones, are_own):
    clock = SettableClock(START)
    found = []
    for zone in zones:
        scheduler = BackgroundScheduler(timezone="Asia/Tokyo" if are_own else zone, clock=clock)
        scheduler.add_jobstore(open_one())
        scheduler.start(paused=True)
        for name, trigger in triggers(zone if are_own else None).items():
            scheduler.add_job(nothing, trigger, id=name, replace_existing=True)
        found.append({job.id: job.next_run_time.astimezone(UTC) for job in scheduler.get_jobs()})
        scheduler.shutdown()
        clock.advance(timedelta(minutes=7))
    return found


def check(open_one, zones, *, are_own=False):
    first, *later = times_after_restarts(open_one, zones, are_own)
    assert len(first) == len(triggers())
    assert all(times == first for times in later)


@pytest.mark.parametrize("zone", ZONES, ids=[f"{number} {zone!r}" for number, zone in enumerate(ZONES)])
def test_a_restart_keeps_the_next_run_times(zone, tmp_path):
    check(lambda: SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite"), [zone, zone, zone])


@pytest.mark.parametrize("zone", ZONES, ids=[f"{number} {zone!r}" for number, zone in enumerate(ZONES)])
def test_a_restart_keeps_those_of_triggers_with_a_zone_of_their_own(zone, tmp_path):
    check(lambda: SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite"), [zone, zone], are_own=True)


def test_triggers_whose_zone_is_spelt_anew_keep_them(tmp_path):
    check(lambda: SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite"), ZONES[:7], are_own=True)


def test_jobs_in_memory_keep_them_when_they_are_added_again():
    for zones in (ZONES[:7], ZONES[7:10], ZONES[10:13]):
        for are_own in (False, True):
            store = NotForgetting()
            check(lambda: store, zones, are_own=are_own)


def test_a_program_that_spells_its_zone_anew_keeps_them(tmp_path):
    check(lambda: SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite"), ZONES[:7])


@pytest.mark.parametrize("kind", ["postgres", "mariadb", "redis", MONGODB])
def test_a_restart_keeps_them_on_every_server(kind, request, tablename):
    url = request.getfixturevalue(f"{kind}_url")
    for zones, are_own in (
        (ZONES[:7], False),
        (ZONES[7:10], True),
        (ZONES[10:13], False),
        (ZONES[13:] * 2, True),
    ):
        check(lambda: open_store(url, tablename), zones, are_own=are_own)
        scheduler = BackgroundScheduler(timezone="UTC")
        scheduler.add_jobstore(open_store(url, tablename))
        scheduler.start(paused=True)
        scheduler.remove_all_jobs()
        scheduler.shutdown()


def test_a_restart_keeps_them_in_a_store_written_for_apscheduler():
    class Kept(PickleStore):
        def shutdown(self):
            pass

    store = Kept()
    for zone in ZONES[:7]:
        check(lambda: store, [zone, ZONES[4], zone])
        store.remove_all_jobs()
