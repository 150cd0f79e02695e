"""Runs so many coroutine jobs that are all due, on one loop; from the moment the scheduler may begin to the end of the last."""

import asyncio
import json
import sys
from datetime import UTC, datetime
from time import perf_counter

from apscheduler.schedulers.asyncio import AsyncIOScheduler

jobs = int(sys.argv[1])


async def main():
    left = jobs
    all_ran = asyncio.Event()

    async def job():
        nonlocal left
        left -= 1
        if not left:
            all_ran.set()

    scheduler = AsyncIOScheduler(job_defaults={"misfire_grace_time": None}, timezone="UTC")
    scheduler.start(paused=True)
    now = datetime.now(UTC)
    for _ in range(jobs):
        scheduler.add_job(job, "date", run_date=now)
    began = perf_counter()
    scheduler.resume()
    await asyncio.wait_for(all_ran.wait(), 300)
    print(json.dumps({"per_second": jobs / (perf_counter() - began)}))
    scheduler.shutdown(wait=False)


asyncio.run(main())
