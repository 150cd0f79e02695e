"""Adds so many jobs, one by one, to a scheduler that has been started."""

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
times = [datetime.now(UTC) + timedelta(hours=1, seconds=number) for number in range(jobs)]
began = perf_counter()
for time in times:
    scheduler.add_job(job, "date", run_date=time)
print(json.dumps({"per_second": jobs / (perf_counter() - began)}))
scheduler.shutdown()
