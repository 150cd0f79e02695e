"""A program that is started again doesn't push its jobs away, however the zone is spelt that it runs in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import dateutil.tz
import pytest
import pytz

from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.schedulers.background import BackgroundScheduler
from mainspring.testing import SettableClock
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.combining import AndTrigger, OrTrigger
from mainspring.triggers.cron import CronTrigger
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


def nothing() -> None:
    pass


def triggers():
    hourly = IntervalTrigger(hours=1)
    return {
        "interval": hourly,
        "first": IntervalTrigger(hours=1, first="now", jitter=5),
        "cron": CronTrigger(minute="*/30", max_fires=9),
        "calendar": CalendarIntervalTrigger(days=1, hour=9),
        "weekly": WeeklyTrigger("mon,thu", "09:30", weeks=2),
        "rrule": RecurrenceTrigger("FREQ=HOURLY;INTERVAL=5"),
        "events": hourly.excluding(
            EventCalendar([CalendarEvent(RecurrenceTrigger("DTSTART:20260307\nRRULE:FREQ=YEARLY"), days=2)])
        ),
        "and": AndTrigger([hourly, IntervalTrigger(minutes=30)]),
        "or": OrTrigger([hourly, CronTrigger(hour=9)], jitter=3),
        "excluding": hourly.excluding("2026-12-25"),
        "rolling": hourly.on_business_days(),
        "limited": hourly.limited(5),
    }


def times_after_restarts(open_one, zones):
    clock = SettableClock(START)
    found = []
    for zone in zones:
        scheduler = BackgroundScheduler(timezone=zone, clock=clock)
        scheduler.add_jobstore(open_one())
        scheduler.start(paused=True)
        for name, trigger in triggers().items():
            scheduler.add_job(nothing, trigger, id=name, replace_existing=True)
        found.append({job.id: job.next_run_time.astimezone(UTC) for job in scheduler.get_jobs()})
        scheduler.shutdown()
        clock.advance(timedelta(minutes=7))
    return found


def check(open_one, zones):
    first, *later = times_after_restarts(open_one, zones)
    assert len(first) == len(triggers())
    assert all(times == first for times in later)


@pytest.mark.parametrize("zone", ZONES, ids=[f"{number} {zone!r}" for number, zone in enumerate(ZONES)])
def test_a_restart_keeps_the_next_run_times(zone, tmp_path):
    check(lambda: SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite"), [zone, zone, zone])


def test_a_program_that_spells_its_zone_anew_keeps_them(tmp_path):
    check(lambda: SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite"), ZONES[:7])


@pytest.mark.parametrize("kind", ["postgres", "mariadb", "redis", MONGODB])
def test_a_restart_keeps_them_on_every_server(kind, request, tablename):
    url = request.getfixturevalue(f"{kind}_url")
    check(lambda: open_store(url, tablename), ZONES[:3])


def test_a_restart_keeps_them_in_a_store_written_for_apscheduler():
    class Kept(PickleStore):
        def shutdown(self):
            pass

    store = Kept()
    for zone in ZONES[:7]:
        check(lambda: store, [zone, ZONES[4], zone])
        store.remove_all_jobs()
