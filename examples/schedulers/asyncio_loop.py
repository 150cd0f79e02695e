"""The program is built on asyncio: coroutines run on its loop."""

import asyncio
from datetime import datetime

from mainspring import AsyncIOScheduler


async def tick():
    print(f"tick at {datetime.now():%H:%M:%S.%f}")


async def main():
    async with AsyncIOScheduler() as scheduler:
        scheduler.add_job(tick, "interval", seconds=0.5, max_fires=3)
        await asyncio.sleep(1.8)  # what the program does
    print("the end")


asyncio.run(main())
