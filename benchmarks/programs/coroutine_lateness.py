"""Runs so many interval jobs on one loop, each once a second, their due times spread evenly; how late each begins, in ms."""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from time import time

from apscheduler.schedulers.asyncio import AsyncIOScheduler

WARM_UP, MEASURED = 2, 5  # seconds

jobs = int(sys.argv[1])


async def main():
    late = []
    enough = asyncio.Event()

    async def job(first_due):
        # How many seconds have passed since it was due is known but for whole ones; nobody is that late.
        passed = (time() - first_due + 0.5) % 1 - 0.5
        late.append(passed * 1000)
        if len(late) >= jobs * (WARM_UP + MEASURED):
            enough.set()

    scheduler = AsyncIOScheduler(job_defaults={"misfire_grace_time": None}, timezone="UTC")
    scheduler.start(paused=True)
    start = datetime.now(UTC) + timedelta(seconds=3 + jobs / 2000)
    for number in range(jobs):
        due = start + timedelta(seconds=number / jobs)
        scheduler.add_job(job, "interval", seconds=1, start_date=due, args=[due.timestamp()])
    scheduler.resume()
    await asyncio.wait_for(enough.wait(), 60)
    scheduler.shutdown(wait=False)
    measured = sorted(late[jobs * WARM_UP : jobs * (WARM_UP + MEASURED)])
    print(json.dumps({"p50": measured[len(measured) // 2], "p99": measured[len(measured) * 99 // 100]}))


asyncio.run(main())
