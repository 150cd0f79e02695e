"""How often a loop of asyncio is woken in so many seconds, with a scheduler that has nothing to do."""

import asyncio
import json
import sys

from apscheduler.schedulers.asyncio import AsyncIOScheduler

seconds = float(sys.argv[1])


async def main():
    loop = asyncio.get_running_loop()
    scheduler = AsyncIOScheduler(timezone="UTC")
    scheduler.start()
    await asyncio.sleep(0.5)
    wakes = 0
    run_once = loop._run_once

    def counted():
        nonlocal wakes
        wakes += 1
        run_once()

    loop._run_once = counted
    await asyncio.sleep(seconds)
    # Two are this program's own: when it goes to sleep, and when it wakes.
    print(json.dumps({"wakes": wakes - 2}))
    scheduler.shutdown(wait=False)


asyncio.run(main())
