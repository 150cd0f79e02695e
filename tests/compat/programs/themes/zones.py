"""Zones in every form, wherever one can be given: what comes out is the same moment, shown the same."""

# needs: dateutil pytz sqlalchemy
import os
import pickle
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytz
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from dateutil import tz
from kit import each, listing, nothing, program, running, tried

ZONES = {
    "text": "'Europe/Berlin'",
    "zoneinfo": "ZoneInfo('Europe/Berlin')",
    "pytz": "pytz.timezone('Europe/Berlin')",
    "dateutil": "tz.gettz('Europe/Berlin')",
    "UTC": "timezone.utc",
    "pytz.utc": "pytz.utc",
    "dateutil's UTC": "tz.UTC",
    "an offset": "timezone(timedelta(hours=5, minutes=30))",
    "an offset of pytz": "pytz.FixedOffset(330)",
    "an offset of dateutil": "tz.tzoffset(None, 19800)",
    "text UTC": "'UTC'",
}
FILES = iter(range(1000))


def localized(moment, zone):
    zone = ZoneInfo(zone) if isinstance(zone, str) else zone
    return zone.localize(moment) if hasattr(zone, "localize") else moment.replace(tzinfo=zone)


@each(ZONES)
def zone_of_a_scheduler(row):
    with running(BackgroundScheduler(timezone=eval(row)), paused=True) as scheduler:
        for given in (
            {"trigger": "date", "run_date": "2035-07-04 05:06:07"},
            {"trigger": "cron", "year": 2035, "month": 7},
            {"trigger": "interval", "hours": 1, "start_date": "2035-07-04 05:06:07"},
            {"trigger": "calendarinterval", "days": 1, "start_date": "2035-07-04"},
        ):
            job = scheduler.add_job(nothing, **given)
            print(job.next_run_time.isoformat())


@each(ZONES)
def zone_of_triggers(row):
    zone = eval(row)
    now = datetime(2035, 7, 4, 12, tzinfo=UTC)
    for trigger in (
        DateTrigger("2035-07-05", zone),
        CronTrigger(hour=3, timezone=zone),
        IntervalTrigger(hours=5, start_date="2035-07-05 05:06:07", timezone=zone),
        CalendarIntervalTrigger(days=1, start_date="2035-07-05", timezone=zone),
    ):
        print(trigger.get_next_fire_time(None, now).isoformat())
        again = pickle.loads(pickle.dumps(trigger))
        print(again.get_next_fire_time(None, now) == trigger.get_next_fire_time(None, now))


@each(ZONES)
def aware_times(row):
    moment = localized(datetime(2035, 7, 4, 5, 6, 7), eval(row))
    now = datetime(2035, 7, 1, 12, tzinfo=UTC)
    for trigger in (
        DateTrigger(moment),
        IntervalTrigger(hours=5, start_date=moment, end_date=moment + timedelta(days=1)),
        CronTrigger(hour=3, start_date=moment),
        OrTrigger([DateTrigger(moment)]),
    ):
        found = trigger.get_next_fire_time(None, now)
        print(found.isoformat(), trigger)
    print(DateTrigger(moment).run_date == moment)


@each(ZONES)
def next_run_time(row):
    moment = localized(datetime(2035, 7, 4, 5, 6, 7), eval(row))
    with running(BackgroundScheduler(timezone="UTC"), paused=True) as scheduler:
        job = scheduler.add_job(nothing, "interval", hours=1, next_run_time=moment)
        print(job.next_run_time == moment, job.next_run_time.isoformat(), listing(scheduler))
        job.modify(next_run_time=moment + timedelta(hours=1))
        print(job.next_run_time.isoformat())


@each(ZONES)
def stored(row):
    moment = localized(datetime(2035, 7, 4, 5, 6, 7), eval(row))
    place = f"sqlite:///{os.getcwd()}/zones{next(FILES)}.sqlite"

    def made():
        return running(
            BackgroundScheduler(timezone="UTC", jobstores={"default": SQLAlchemyJobStore(url=place)}),
            paused=True,
        )

    with made() as scheduler:
        print(tried(lambda: scheduler.add_job(nothing, "date", run_date=moment, args=[moment], id="a").id))
        scheduler.add_job(nothing, CronTrigger(year=2035, timezone=eval(row)), id="b")
    with made() as scheduler:
        print(scheduler.get_job("a").next_run_time == moment, scheduler.get_job("a").args == (moment,))
        print(
            [job.next_run_time.isoformat() for job in scheduler.get_jobs()],
            str(scheduler.get_job("b").trigger),
        )


@program
def a_time_that_is_given_by_pytz_without_localize():
    moment = datetime(2035, 7, 4, 5, 6, 7, tzinfo=pytz.timezone("Europe/Berlin"))
    print(DateTrigger(moment).run_date == moment, DateTrigger(moment).run_date.isoformat())


@program
def a_local_zone_without_a_name():
    print(tried(lambda: BackgroundScheduler(timezone=tz.tzlocal()).timezone is not None))
