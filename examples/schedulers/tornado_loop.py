"""The program is built on Tornado: coroutines run on its loop."""

from datetime import datetime

from tornado import gen
from tornado.ioloop import IOLoop

from mainspring import TornadoScheduler


async def tick():
    print(f"tick at {datetime.now():%H:%M:%S.%f}")


async def main():
    scheduler = TornadoScheduler()
    scheduler.add_job(tick, "interval", seconds=0.5, max_fires=3)
    scheduler.start()
    await gen.sleep(1.8)  # what the program does
    await scheduler.shutdown()
    print("the end")


IOLoop().run_sync(main)
