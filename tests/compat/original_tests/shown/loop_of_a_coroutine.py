"""On which loop a coroutine runs that is handed to the executor of a scheduler while another loop runs."""

import asyncio
from datetime import UTC, datetime

from apscheduler.schedulers.tornado import TornadoScheduler


async def work():
    ran_on.append(asyncio.get_running_loop())


async def main():
    job = scheduler.add_job(work, "interval", hours=1)
    scheduler._executors["default"].submit_job(job, [datetime.now(UTC)])
    for _ in range(100):
        await asyncio.sleep(0)
    print("on the loop of the scheduler:", not ran_on)


ran_on = []
own = asyncio.new_event_loop()
asyncio.set_event_loop(own)
scheduler = TornadoScheduler(timezone="UTC")
scheduler.start(paused=True)
other = asyncio.new_event_loop()
other.run_until_complete(main())
for _ in range(100):
    own.run_until_complete(asyncio.sleep(0))
print("on its scheduler's:", ran_on == [own])
scheduler.shutdown(wait=False)
