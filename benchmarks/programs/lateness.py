"""Runs so many interval jobs, each once a second, their due times spread evenly; how late each run begins, in ms."""

import json
import sys
from datetime import UTC, datetime, timedelta
from threading import Event
from time import time

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

WARM_UP, MEASURED = 2, 5  # seconds

jobs = int(sys.argv[1])
late = []
enough = Event()


def job(first_due):
    # How many seconds have passed since it was due is known but for whole ones; nobody is that late.
    passed = (time() - first_due + 0.5) % 1 - 0.5
    late.append(passed * 1000)
    if len(late) >= jobs * (WARM_UP + MEASURED):
        enough.set()


scheduler = BackgroundScheduler(
    executors={"default": ThreadPoolExecutor(10)}, job_defaults={"misfire_grace_time": None}, timezone="UTC"
)
scheduler.start(paused=True)
start = datetime.now(UTC) + timedelta(seconds=3 + jobs / 2000)
for number in range(jobs):
    due = start + timedelta(seconds=number / jobs)
    scheduler.add_job(job, "interval", seconds=1, start_date=due, args=[due.timestamp()])
scheduler.resume()
assert enough.wait(60)
scheduler.shutdown(wait=False)
measured = sorted(late[jobs * WARM_UP : jobs * (WARM_UP + MEASURED)])
print(json.dumps({"p50": measured[len(measured) // 2], "p99": measured[len(measured) * 99 // 100]}))
