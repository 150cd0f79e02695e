"""What is counted in instructions: one way of using the scheduler, so many times. Arguments: the way, how many, the store's URL or ``memory``."""

import itertools
import sys
import threading
from datetime import UTC, datetime, timedelta

from mainspring.executors.pool import ThreadPoolExecutor
from mainspring.schedulers.background import BackgroundScheduler

WAY, COUNT, URL = sys.argv[1], int(sys.argv[2]), sys.argv[3]
OPTIONS = {"signed": {"signing_key": "of a benchmark"}}
TRIGGERS = {
    "interval": {"trigger": "interval", "minutes": 5},
    "cron": {"trigger": "cron", "hour": 9, "minute": 30},
}
numbers = itertools.count(1)
all_ran = threading.Event()


def job(number):  # noqa: ARG001 - as jobs have arguments
    if next(numbers) == COUNT:
        all_ran.set()


def jobstore():
    if URL == "memory":
        from mainspring.jobstores.memory import MemoryJobStore

        return MemoryJobStore()
    from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore

    return SQLAlchemyJobStore(url=URL, **OPTIONS.get(WAY.partition("-")[0], {}))


scheduler = BackgroundScheduler(
    timezone="UTC",
    jobstores={"default": jobstore()},
    executors={"default": ThreadPoolExecutor(1)},  # more take turns as it happens
    job_defaults={"misfire_grace_time": None},
)
scheduler.start(paused=True)
if WAY.endswith("due"):
    now = datetime.now(UTC)
    scheduler.add_jobs(
        {"func": job, "trigger": "date", "run_date": now, "args": [number], "id": str(number)}
        for number in range(COUNT)
    )
    scheduler.resume()
    all_ran.wait()
elif WAY == "together":
    later = datetime.now(UTC) + timedelta(days=1)
    scheduler.add_jobs(
        {"func": job, "trigger": "date", "run_date": later, "args": [number], "id": str(number)}
        for number in range(COUNT)
    )
else:
    later = datetime.now(UTC) + timedelta(days=1)
    trigger = TRIGGERS.get(WAY, {"trigger": "date", "run_date": later})
    for number in range(COUNT):
        scheduler.add_job(job, args=[number], id=str(number), **trigger)
scheduler.shutdown()
