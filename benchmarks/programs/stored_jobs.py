"""Stored jobs that are due at once, through ten threads; and adding them. Arguments: how many, the database's URL."""

import itertools
import json
import logging
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from opened import store_at

COUNT, URL = int(sys.argv[1]), sys.argv[2]
ADDED = 300
numbers = itertools.count(1)
done = threading.Event()


def job(number):  # noqa: ARG001 - as jobs have arguments
    if next(numbers) == COUNT:
        done.set()


def main():
    logging.disable(logging.CRITICAL)
    store = store_at(URL)
    scheduler = BackgroundScheduler(
        timezone="UTC",
        jobstores={"default": store},
        executors={"default": ThreadPoolExecutor(10)},
        job_defaults={"misfire_grace_time": None},
    )
    scheduler.start(paused=True)
    now = datetime.now(UTC)
    jobs = [
        {"func": job, "trigger": "date", "run_date": now, "args": [number], "id": str(number)}
        for number in range(COUNT)
    ]
    later = now + timedelta(days=1)
    begin = time.perf_counter()
    for each in jobs[:ADDED]:
        scheduler.add_job(**{**each, "run_date": later, "id": f"later{each['id']}"})
    one_by_one = ADDED / (time.perf_counter() - begin)
    begin = time.perf_counter()
    if hasattr(scheduler, "add_jobs"):
        scheduler.add_jobs(jobs)
    else:
        for each in jobs:
            scheduler.add_job(**each)
    at_once = COUNT / (time.perf_counter() - begin)
    begin = time.perf_counter()
    scheduler.resume()
    done.wait()
    scheduler.shutdown()  # what is recorded of the runs is written by then
    figures = {
        "per_second": COUNT / (time.perf_counter() - begin),
        "add_job": one_by_one,
        "add_jobs": at_once,
    }
    print(json.dumps(figures))


main()
