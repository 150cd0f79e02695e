# -*- coding: utf-8 -*-
"""Run by an APScheduler 3 in an environment of its own: ``write_old_jobs.py URL COUNT``. Writes jobs of all kinds, and COUNT plain ones.

Python 2 runs it, too.
"""

from __future__ import print_function, unicode_literals

import collections
import os
import sys
from datetime import date, datetime, timedelta

if sys.version_info[0] > 2:
    import collections.abc

    for name in (
        "MutableMapping",
        "Iterable",
        "Mapping",
        "Hashable",
    ):  # which 3.5 looks for where Python 2 had them
        setattr(collections, name, getattr(collections.abc, name))

import old_jobs
import pytz
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

EPOCH = datetime(1970, 1, 1, tzinfo=pytz.utc)
BERLIN = pytz.timezone("Europe/Berlin")


def store_at(url):
    """APScheduler's job store for a URL, with the names that it has by default."""
    if url.startswith("redis:"):
        from apscheduler.jobstores.redis import RedisJobStore

        host, port, db = url.replace("redis://", "").replace("/", ":").split(":")
        return RedisJobStore(host=host, port=int(port), db=int(db))
    if url.startswith("mongodb:"):
        from apscheduler.jobstores.mongodb import MongoDBJobStore

        return MongoDBJobStore(host=url, database=os.environ.get("DATABASE", "apscheduler"))
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore

    return SQLAlchemyJobStore(url=url, tablename=os.environ.get("TABLE", "apscheduler_jobs"))


def main():
    sys.path.insert(0, os.environ["GONE"])
    import gone

    store = store_at(sys.argv[1])
    scheduler = BackgroundScheduler(timezone=BERLIN, jobstores={"default": store})
    scheduler.start(paused=True)
    now = datetime.now(pytz.utc)

    def add(job_id, trigger, func=old_jobs.note, **options):
        scheduler.add_job(func, trigger, id=job_id, **options)

    for number in range(int(sys.argv[2])):
        add("many-%d" % number, IntervalTrigger(hours=1, timezone=BERLIN), args=[number])
    add(
        "interval",
        IntervalTrigger(hours=1, timezone=BERLIN),
        args=[1, str("plain"), "zwei \u00e4"],
        kwargs={"three": [3]},
    )
    add("bounded", IntervalTrigger(days=1, start_date="2030-05-01", end_date="2031-01-01", timezone=BERLIN))
    add("date", DateTrigger("2030-01-02 03:04:05", BERLIN))
    add("cron", CronTrigger(hour="*/2", minute="5,10", day="last", day_of_week="mon-fri", timezone=BERLIN))
    add(
        "options",
        CronTrigger(hour=9, timezone=pytz.utc),
        misfire_grace_time=60,
        coalesce=False,
        max_instances=4,
        name="a name",
    )
    add("paused", IntervalTrigger(seconds=30, timezone=BERLIN))
    scheduler.pause_job("paused")
    add("overdue", DateTrigger(now - timedelta(hours=5), pytz.utc))
    add("late", DateTrigger(now - timedelta(minutes=5), pytz.utc))
    add(
        "value", IntervalTrigger(hours=1, timezone=BERLIN), args=[old_jobs.Value(7), {1, 2}, date(2020, 1, 1)]
    )
    add(
        "zone",
        IntervalTrigger(hours=1, timezone=BERLIN),
        args=[BERLIN, BERLIN.localize(datetime(2030, 7, 1, 12))],
    )
    add("classmethod", IntervalTrigger(minutes=5, timezone=BERLIN), func=old_jobs.Clerk.file)
    add("method", IntervalTrigger(minutes=5, timezone=BERLIN), func=old_jobs.Clerk().sign)
    add("gone", IntervalTrigger(minutes=5, timezone=BERLIN), func=gone.function)
    try:
        from apscheduler.triggers.combining import AndTrigger, OrTrigger
    except ImportError:
        pass
    else:
        add(
            "or",
            OrTrigger([CronTrigger(hour=3, timezone=BERLIN), CronTrigger(day="2nd fri", timezone=BERLIN)]),
        )
        add(
            "and",
            AndTrigger(
                [
                    IntervalTrigger(hours=1, start_date="2030-01-01", timezone=BERLIN),
                    CronTrigger(day_of_week="sat", timezone=BERLIN),
                ]
            ),
        )
    try:
        from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
    except ImportError:
        pass
    else:
        add(
            "calendar",
            CalendarIntervalTrigger(months=1, hour=3, start_date=date(2030, 1, 31), timezone=BERLIN),
        )
    fields = {
        "year": "2030-2035",
        "month": "jan-mar,dec",
        "day": "1-10/3,last",
        "week": "*",
        "day_of_week": "*",
        "hour": "*/6",
        "minute": "0-30/15",
        "second": "5",
        "start_date": "2030-01-01",
        "end_date": "2034-01-01",
        "timezone": BERLIN,
    }
    if "jitter" in CronTrigger.__slots__:
        fields["jitter"] = 5
    add("fields", CronTrigger(**{str(name): value for name, value in fields.items()}))
    add(
        "large",
        IntervalTrigger(hours=1, timezone=BERLIN),
        args=["x" * (30000 if sys.argv[1].startswith("mysql") else 2000000)],
    )
    add("zw\u00f6lf", IntervalTrigger(hours=1, timezone=BERLIN), name="\u00e4", args=["\u00fc"])
    if sys.version_info[0] > 2:
        from datetime import timezone

        add(
            "fixed",
            IntervalTrigger(hours=1, timezone=pytz.utc),
            args=[timezone(timedelta(hours=3)), b"bytes"],
        )
    try:
        import dateutil.tz
    except ImportError:
        pass
    else:
        from zoneinfo import ZoneInfo

        add("dateutil", CronTrigger(hour=4, timezone=dateutil.tz.gettz("Europe/Paris")))
        add("zoneinfo", CronTrigger(hour=5, timezone=ZoneInfo("Asia/Tokyo")))
    for job in scheduler.get_jobs():
        moment = None if job.next_run_time is None else (job.next_run_time - EPOCH).total_seconds()
        print(job.id.encode("unicode_escape").decode("ascii"), "-" if moment is None else repr(moment))
        sys.stdout.flush()
    os._exit(0)  # its shutdown looks for due jobs once more


main()
