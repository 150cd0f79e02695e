"""Run by an APScheduler 3 in an environment of its own: ``write_old_jobs.py URL COUNT``. Writes jobs of all kinds, and COUNT plain ones."""

import collections
import collections.abc
import os
import sys
from datetime import date, datetime, timedelta

for name in (
    "MutableMapping",
    "Iterable",
    "Mapping",
    "Hashable",
):  # which 3.5 looks for where Python 2 had them
    setattr(collections, name, getattr(collections.abc, name))

import old_jobs  # noqa: E402 - after what it needs
import pytz  # noqa: E402 - after what it needs
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore  # noqa: E402 - after what it needs
from apscheduler.schedulers.background import BackgroundScheduler  # noqa: E402 - after what it needs
from apscheduler.triggers.cron import CronTrigger  # noqa: E402 - after what it needs
from apscheduler.triggers.date import DateTrigger  # noqa: E402 - after what it needs
from apscheduler.triggers.interval import IntervalTrigger  # noqa: E402 - after what it needs

BERLIN = pytz.timezone("Europe/Berlin")


def main():
    sys.path.insert(0, os.environ["GONE"])
    import gone

    store = SQLAlchemyJobStore(url=sys.argv[1])
    scheduler = BackgroundScheduler(timezone=BERLIN, jobstores={"default": store})
    scheduler.start(paused=True)
    now = datetime.now(pytz.utc)

    def add(job_id, trigger, func=old_jobs.note, **options):
        scheduler.add_job(func, trigger, id=job_id, **options)

    for number in range(int(sys.argv[2])):
        add(f"many-{number}", IntervalTrigger(hours=1, timezone=BERLIN), args=[number])
    add("interval", IntervalTrigger(hours=1, timezone=BERLIN), args=[1, "zwei \u00e4"], kwargs={"three": [3]})
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
    for job in scheduler.get_jobs():
        print(job.id, "-" if job.next_run_time is None else job.next_run_time.timestamp(), flush=True)
    os._exit(0)  # its shutdown looks for due jobs once more


main()
