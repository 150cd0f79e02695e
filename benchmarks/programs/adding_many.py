"""Adds so many jobs at once, where that can be done, to a scheduler that has been started."""

import json
import sys
from datetime import UTC, datetime, timedelta
from time import perf_counter

from apscheduler.schedulers.background import BackgroundScheduler

jobs = int(sys.argv[1])


def job():
    pass


scheduler = BackgroundScheduler(timezone="UTC")
scheduler.start(paused=True)
soon = datetime.now(UTC) + timedelta(hours=1)
wanted = [
    {"func": job, "trigger": "date", "run_date": soon + timedelta(seconds=number)} for number in range(jobs)
]
began = perf_counter()
if hasattr(scheduler, "add_jobs"):
    scheduler.add_jobs(wanted)
else:
    for each in wanted:
        scheduler.add_job(**each)
took = perf_counter() - began
assert len(scheduler.get_jobs()) == jobs
print(json.dumps({"per_second": jobs / took}))
scheduler.shutdown()
