"""Runs so many jobs that are all due, through ten threads; from the moment the scheduler may begin to the end of the last."""

import json
import sys
from datetime import UTC, datetime
from itertools import count
from threading import Event
from time import perf_counter

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

jobs = int(sys.argv[1])
numbers = count(1)
all_ran = Event()


def job():
    if next(numbers) == jobs:
        all_ran.set()


scheduler = BackgroundScheduler(
    executors={"default": ThreadPoolExecutor(10)}, job_defaults={"misfire_grace_time": None}, timezone="UTC"
)
scheduler.start(paused=True)
now = datetime.now(UTC)
for _ in range(jobs):
    scheduler.add_job(job, "date", run_date=now)
began = perf_counter()
scheduler.resume()
assert all_ran.wait(300)
print(json.dumps({"per_second": jobs / (perf_counter() - began)}))
scheduler.shutdown()
