"""Run by the alpha of APScheduler 4.0 in an environment of its own: ``write_alpha.py URL SERIALIZER``. Writes schedules of all kinds."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import old_jobs
from apscheduler import AsyncScheduler, CoalescePolicy
from apscheduler.datastores.sqlalchemy import SQLAlchemyDataStore
from apscheduler.serializers.json import JSONSerializer
from apscheduler.serializers.pickle import PickleSerializer
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2030, 1, 1, tzinfo=BERLIN)


async def main():
    serializer = {"pickle": PickleSerializer, "json": JSONSerializer}[sys.argv[2]]()
    async with AsyncScheduler(SQLAlchemyDataStore(sys.argv[1], serializer=serializer)) as scheduler:

        async def add(name, trigger, **options):
            await scheduler.add_schedule(old_jobs.note, trigger, id=name, **options)

        await add(
            "interval",
            IntervalTrigger(hours=1, minutes=30, start_time=START),
            args=[1, "zwei"],
            kwargs={"three": [3]},
            misfire_grace_time=60,
            coalesce=CoalescePolicy.all,
        )
        await add(
            "cron", CronTrigger(hour="*/2", day_of_week="mon-fri,sun", timezone=BERLIN, start_time=START)
        )
        await add("date", DateTrigger(datetime(2030, 3, 4, 5, 6, tzinfo=UTC)))
        await add(
            "calendar", CalendarIntervalTrigger(months=1, hour=3, start_date=START.date(), timezone=BERLIN)
        )
        hourly = IntervalTrigger(hours=1, start_time=START)
        saturdays = CronTrigger(day_of_week="sat", hour="*", timezone=BERLIN, start_time=START)
        await add("and", AndTrigger([hourly, saturdays], threshold=timedelta(minutes=5)))
        await add("or", OrTrigger([DateTrigger(START), DateTrigger(START + timedelta(hours=1))]))
        await add("jittery", IntervalTrigger(hours=1, start_time=START), max_jitter=30, metadata={"a": 1})
        await add("paused", IntervalTrigger(hours=1, start_time=START), paused=True)
        await scheduler.add_job(old_jobs.note)
        for schedule in await scheduler.get_schedules():
            moment = None if schedule.paused else schedule.next_fire_time.timestamp()
            print(schedule.id, moment, flush=True)


asyncio.run(main())
