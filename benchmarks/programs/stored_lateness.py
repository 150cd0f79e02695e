"""From when stored jobs are due to when their functions are called. Arguments: runs a second, the database's URL."""

import json
import logging
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from opened import store_at

RATE, URL = int(sys.argv[1]), sys.argv[2]
SECONDS = 5
late = []
done = threading.Event()


def job(due):
    late.append(time.time() - due)
    if len(late) == RATE * SECONDS:
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
    first = datetime.now(UTC) + timedelta(seconds=2)
    jobs = []
    for number in range(RATE * SECONDS):
        due = first + timedelta(seconds=number / RATE)
        jobs.append(
            {"func": job, "trigger": "date", "run_date": due, "args": [due.timestamp()], "id": str(number)}
        )
    scheduler.add_jobs(jobs)
    scheduler.resume()
    done.wait()
    scheduler.shutdown()
    late.sort()
    figures = {"p50": late[len(late) // 2] * 1000, "p99": late[len(late) * 99 // 100] * 1000}
    print(json.dumps(figures))


main()
