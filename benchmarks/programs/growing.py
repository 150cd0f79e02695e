"""Adds so many one-shots one by one, sees what memory they take, and has them run: microseconds and bytes for each."""

import gc
import json
import os
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from threading import Event
from time import perf_counter

from mainspring.schedulers.background import BackgroundScheduler

jobs = int(sys.argv[1])
numbers = count(1)
all_ran = Event()


def job():
    if next(numbers) == jobs:
        all_ran.set()


def resident_bytes():
    """What the process has in memory, as Linux counts it."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


scheduler = BackgroundScheduler(timezone="UTC")
scheduler.start(paused=True)
now = datetime.now(UTC)
scheduler.add_job(job, "date", run_date=now).remove()  # all that is loaded on first use, is
gc.collect()
before = resident_bytes()
began = perf_counter()
for _ in range(jobs):
    scheduler.add_job(job, "date", run_date=now)
adding = perf_counter() - began
gc.collect()
memory = resident_bytes() - before
began = perf_counter()
scheduler.resume()
assert all_ran.wait(600)
firing = perf_counter() - began
print(json.dumps({"adding": adding / jobs * 1e6, "firing": firing / jobs * 1e6, "bytes": memory / jobs}))
scheduler.shutdown()
