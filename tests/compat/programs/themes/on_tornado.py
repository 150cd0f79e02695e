"""The scheduler of Tornado, and its executor."""

# needs: tornado
import asyncio

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_SCHEDULER_SHUTDOWN
from apscheduler.executors.tornado import TornadoExecutor
from apscheduler.schedulers.tornado import TornadoScheduler
from kit import LATER, PATIENCE, Heard, each, listing, nothing, program, tried
from tornado.ioloop import IOLoop


async def answers(value=1):
    await asyncio.sleep(0)
    return value


async def fails():
    raise ValueError("broken")


async def until(heard, code, times=1):
    async with asyncio.timeout(PATIENCE):
        while len(heard.of(code)) < times:  # noqa: ASYNC110 - the listener may be on another thread
            await asyncio.sleep(0.002)
    return heard.of(code)


def on_a_loop(body, **options):
    async def main():
        heard = Heard()
        scheduler = TornadoScheduler(timezone="UTC", io_loop=IOLoop.current(), **options)
        scheduler.add_listener(heard)
        scheduler.start()
        await body(scheduler, heard)
        if scheduler.running:
            scheduler.shutdown()
        await until(heard, EVENT_SCHEDULER_SHUTDOWN)

    asyncio.run(main())


@each(
    {
        "coroutine": "answers, args=[5]",
        "plain function": "divmod, args=[7, 2]",
        "failing coroutine": "fails",
        "failing function": "divmod, args=[7, 0]",
    }
)
def job(row):
    async def body(scheduler, heard):
        eval(f"scheduler.add_job({row}, id='a')", {**globals(), "scheduler": scheduler})
        (event,) = await until(heard, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
        print(event.retval, repr(event.exception))

    on_a_loop(body)


@program
def methods_on_the_loop():
    async def body(scheduler, heard):
        scheduler.add_job(nothing, "date", run_date=LATER, id="a")
        print(listing(scheduler), scheduler.state, tried(scheduler.start))
        scheduler.pause()
        scheduler.resume()

    on_a_loop(body)


@program
def an_executor_with_workers():
    async def body(scheduler, heard):
        scheduler.add_job(divmod, args=[7, 2], id="a")
        print((await until(heard, EVENT_JOB_EXECUTED))[0].retval)

    on_a_loop(body, executors={"default": TornadoExecutor(2)})


@program
def shutdown_before_the_start():
    async def main():
        print(tried(TornadoScheduler(timezone="UTC").shutdown))

    asyncio.run(main())
