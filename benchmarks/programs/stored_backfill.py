"""A backfill of so many due times, through ten threads: runs that wait in a store's queue. Arguments: how many, the database's URL."""

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
numbers = itertools.count(1)
done = threading.Event()


def job():
    if next(numbers) == COUNT:
        done.set()


def main():
    logging.disable(logging.CRITICAL)
    scheduler = BackgroundScheduler(
        timezone="UTC",
        jobstores={"default": store_at(URL)},
        executors={"default": ThreadPoolExecutor(10)},
    )
    scheduler.start(paused=True)
    first = datetime(2020, 1, 1, tzinfo=UTC)
    end = first + timedelta(seconds=COUNT - 1)
    scheduler.add_job(job, "interval", seconds=1, start_date=first, id="job", next_run_time=None)
    begin = time.perf_counter()
    scheduler.backfill("job", first, end, overlap="allow", limit=COUNT)
    queued = COUNT / (time.perf_counter() - begin)
    begin = time.perf_counter()
    scheduler.resume()
    done.wait()
    scheduler.shutdown()  # what is recorded of the runs is written by then
    print(json.dumps({"per_second": COUNT / (time.perf_counter() - begin), "queued": queued}))


main()
