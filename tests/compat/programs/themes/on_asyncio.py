"""The scheduler of asyncio, and its executor."""

import asyncio
import functools
import threading

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_REMOVED,
    EVENT_SCHEDULER_SHUTDOWN,
)
from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from kit import LATER, PATIENCE, Heard, each, listing, nothing, program, tried


async def answers(value=1):
    await asyncio.sleep(0)
    return value


async def fails():
    raise ValueError("broken")


def plain():
    return threading.current_thread() is threading.main_thread()


async def until(heard, code, times=1):
    """Waits for events without holding up the loop."""
    async with asyncio.timeout(PATIENCE):
        while len(heard.of(code)) < times:  # noqa: ASYNC110 - the listener may be on another thread
            await asyncio.sleep(0.002)
    return heard.of(code)


def on_a_loop(body, **options):
    async def main():
        heard = Heard()
        scheduler = AsyncIOScheduler(timezone="UTC", **options)
        scheduler.add_listener(heard)
        scheduler.start()
        await body(scheduler, heard)
        if scheduler.running:
            scheduler.shutdown()
        await until(heard, EVENT_SCHEDULER_SHUTDOWN)

    asyncio.run(main())


JOBS = {
    "coroutine": "answers",
    "coroutine with arguments": "answers, args=[5]",
    "partial of a coroutine function": "functools.partial(answers, 7)",
    "plain function": "plain",
    "builtin": "divmod, args=[7, 2]",
    "failing coroutine": "fails",
    "failing function": "divmod, args=[7, 0]",
}


@each(JOBS)
def job(row):
    async def body(scheduler, heard):
        eval(f"scheduler.add_job({row}, id='a')", {**globals(), "scheduler": scheduler})
        (event,) = await until(heard, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
        print(event.retval, repr(event.exception))

    on_a_loop(body)


@program
def an_interval():
    async def body(scheduler, heard):
        scheduler.add_job(answers, "interval", seconds=0.02, misfire_grace_time=None)
        print(len(await until(heard, EVENT_JOB_EXECUTED, 3)) >= 3)

    on_a_loop(body)


@program
def threads_beside_the_loop():
    async def body(scheduler, heard):
        scheduler.add_job(plain, executor="threads", id="a")
        print((await until(heard, EVENT_JOB_EXECUTED))[0].retval)

    on_a_loop(body, executors={"default": AsyncIOExecutor(), "threads": ThreadPoolExecutor(1)})


@program
def methods_on_the_loop():
    async def body(scheduler, heard):
        scheduler.add_job(nothing, "date", run_date=LATER, id="a")
        print(listing(scheduler), scheduler.state)
        scheduler.pause()
        print(scheduler.state)
        scheduler.resume()
        scheduler.get_job("a").modify(name="x").pause()
        print(listing(scheduler))
        scheduler.remove_job("a")
        print(tried(scheduler.start), tried(scheduler.configure), tried(scheduler.remove_job, "a"))

    on_a_loop(body)


@program
def started_without_a_loop():
    print(tried(AsyncIOScheduler(timezone="UTC").start))


@program
def started_on_a_loop_that_is_given():
    loop = asyncio.new_event_loop()
    heard = Heard()
    scheduler = AsyncIOScheduler(timezone="UTC", event_loop=loop)
    scheduler.add_listener(heard)
    scheduler.add_job(answers, id="a")
    scheduler.start()
    loop.run_until_complete(until(heard, EVENT_JOB_EXECUTED))
    print(heard.of(EVENT_JOB_EXECUTED)[0].retval, scheduler._eventloop is loop)
    scheduler.shutdown()
    loop.run_until_complete(until(heard, EVENT_SCHEDULER_SHUTDOWN))
    loop.close()


@program
def the_loop_set_by_hand():
    loop = asyncio.new_event_loop()
    heard = Heard()
    scheduler = AsyncIOScheduler(timezone="UTC")
    scheduler._eventloop = loop
    scheduler.add_listener(heard)
    scheduler.add_job(answers, id="a")
    scheduler.start()
    loop.run_until_complete(until(heard, EVENT_JOB_EXECUTED))
    print(heard.of(EVENT_JOB_EXECUTED)[0].retval)
    scheduler.shutdown()
    loop.run_until_complete(until(heard, EVENT_SCHEDULER_SHUTDOWN))
    loop.close()


@program
def jobs_added_by_another_thread():
    async def body(scheduler, heard):
        thread = threading.Thread(target=lambda: scheduler.add_job(answers, id="a"))
        thread.start()
        await until(heard, EVENT_JOB_REMOVED)
        print((await until(heard, EVENT_JOB_EXECUTED))[0].retval)
        thread.join()

    on_a_loop(body)


@program
def started_again_on_another_loop():
    scheduler = AsyncIOScheduler(timezone="UTC")
    heard = Heard()
    scheduler.add_listener(heard)

    async def main(turn):
        scheduler.start()
        scheduler.add_job(answers, args=[turn], id=f"job {turn}")
        await until(heard, EVENT_JOB_EXECUTED, turn)
        scheduler.shutdown()
        await until(heard, EVENT_SCHEDULER_SHUTDOWN, turn)

    for turn in (1, 2):
        asyncio.run(main(turn))
    print([event.retval for event in heard.of(EVENT_JOB_EXECUTED)])


@program
def shutdown_before_the_start():
    print(tried(AsyncIOScheduler(timezone="UTC").shutdown))


@program
def running_after_the_call_of_shutdown():
    async def body(scheduler, heard):
        scheduler.shutdown()
        await until(heard, EVENT_SCHEDULER_SHUTDOWN)
        print(scheduler.running)

    on_a_loop(body)


@program
def the_default_executor():
    print(type(AsyncIOScheduler(timezone="UTC")._create_default_executor()).__name__)


@program
def a_coroutine_at_its_limit():
    async def body(scheduler, heard):
        gate = asyncio.Event()

        async def work():
            await gate.wait()

        scheduler.add_job(work, "interval", seconds=0.02, id="a", misfire_grace_time=None)
        skipped = await until(heard, 65536)
        print(skipped[0].job_id)
        scheduler.remove_job("a")
        gate.set()
        print(len(await until(heard, EVENT_JOB_EXECUTED)))

    on_a_loop(body)


functools.partial(nothing)
