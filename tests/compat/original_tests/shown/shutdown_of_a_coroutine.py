"""What becomes of a coroutine that runs when its executor is shut down."""

import asyncio
import logging
from datetime import UTC, datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler


async def main():
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def work():
        begun.set()
        try:
            await may_end.wait()
            print("it has ended")
        except asyncio.CancelledError:
            print("it was cancelled")
            raise
        finally:
            ended.set()

    ended = asyncio.Event()
    scheduler = AsyncIOScheduler(timezone="UTC")
    scheduler.start()
    scheduler.add_job(work, "date", run_date=datetime.now(UTC))
    await begun.wait()
    scheduler._executors["default"].shutdown()
    may_end.set()
    await ended.wait()
    scheduler.shutdown(wait=False)


logging.disable()
asyncio.run(main())
