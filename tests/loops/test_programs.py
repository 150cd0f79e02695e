"""What only one kind of loop has: whole programs, each of which prints what it has seen."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest


def output_of(program, *, status=0, before=""):
    """What a program prints, line by line; it ends with this status."""
    ran = subprocess.run(
        [sys.executable, "-X", "dev", "-c", before + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert ran.returncode == status, f"{ran.stdout}\n{ran.stderr}"
    assert "never retrieved" not in ran.stderr
    assert "was never awaited" not in ran.stderr
    assert "was destroyed but it is pending" not in ran.stderr
    return ran.stdout.splitlines()


def test_asyncio_says_what_to_do_where_no_loop_runs():
    (said,) = output_of("""
        from mainspring import AsyncIOScheduler
        try:
            AsyncIOScheduler().start()
        except RuntimeError as error:
            print(error)
    """)
    assert "call start() in a coroutine" in said
    assert "AsyncIOScheduler(event_loop=loop)" in said


def test_asyncio_with_a_loop_given_by_hand_starts_before_it_runs():
    assert output_of("""
        import asyncio
        from mainspring import AsyncIOScheduler

        async def job():
            print("in the loop", asyncio.get_running_loop() is loop)
            loop.call_later(0.1, loop.stop)

        loop = asyncio.new_event_loop()
        scheduler = AsyncIOScheduler(event_loop=loop, timezone="UTC")
        scheduler.add_job(job)
        scheduler.start()
        loop.run_forever()
        scheduler.shutdown()
        print(scheduler.running)
        loop.close()
    """) == ["in the loop True", "False"]


def test_asyncio_ends_what_runs_though_the_loop_was_stopped():
    assert output_of("""
        import asyncio
        from mainspring import AsyncIOScheduler

        async def job():
            loop.stop()
            await asyncio.sleep(0.2)
            print("ended")

        loop = asyncio.new_event_loop()
        scheduler = AsyncIOScheduler(event_loop=loop, timezone="UTC")
        scheduler.add_job(job)
        scheduler.start()
        loop.run_forever()
        scheduler.shutdown()
        loop.close()
    """) == ["ended"]


@pytest.mark.parametrize("ended", ["scheduler.shutdown(wait=False)", "await scheduler.shutdown()", "pass"])
def test_asyncio_runs_twice_in_one_process(ended):
    assert output_of(f"""
        import asyncio
        from mainspring import AsyncIOScheduler
        from mainspring.events import EVENT_JOB_EXECUTED

        scheduler = AsyncIOScheduler(timezone="UTC")
        heard = []
        scheduler.add_listener(lambda event: heard[0].set(), EVENT_JOB_EXECUTED)

        async def main():
            heard[:] = [asyncio.Event()]

            async def job():
                pass

            scheduler.start()
            scheduler.add_job(job)
            await heard[0].wait()
            scheduler.add_job(job)
            print("ran")
            {ended}

        asyncio.run(main())
        print(scheduler.running)
        asyncio.run(main())
    """) == ["ran", "False", "ran"]


def test_asyncio_is_not_started_again_before_its_shutdown_is_over():
    assert output_of("""
        import asyncio, threading
        from mainspring import AsyncIOScheduler
        from mainspring.events import EVENT_JOB_STARTED

        async def main():
            go_on = threading.Event()
            begun = asyncio.Event()
            scheduler = AsyncIOScheduler(timezone="UTC")
            scheduler.add_listener(lambda event: begun.set(), EVENT_JOB_STARTED)
            scheduler.add_job(go_on.wait)
            scheduler.start()
            await begun.wait()
            ended = scheduler.shutdown()
            for start in (scheduler.start, scheduler.astart):
                try:
                    result = start()
                    if result is not None:
                        await result
                except RuntimeError as error:
                    print(error)
            go_on.set()
            await ended
            scheduler.start()
            print(scheduler.running)
            await scheduler.shutdown()

        asyncio.run(main())
    """) == ["the scheduler is still being shut down: await shutdown() before start()"] * 2 + ["True"]


def test_asyncio_as_a_context_manager_with_awaitable_methods():
    assert output_of("""
        import asyncio
        from mainspring import AsyncIOScheduler

        async def job(ran):
            ran.set()

        async def main():
            ran = asyncio.Event()
            async with AsyncIOScheduler(timezone="UTC") as scheduler:
                print(scheduler.running)
                job_ = await scheduler.aadd_job(job, "interval", hours=1, args=[ran], id="a")
                print((await scheduler.aget_job("a")).id, len(await scheduler.aget_jobs()))
                await scheduler.apause_job("a")
                print(job_.next_run_time)
                await scheduler.aresume_job("a")
                await scheduler.areschedule_job("a", trigger="interval", seconds=0.05)
                await ran.wait()
                await scheduler.aremove_job("a")
                try:
                    await scheduler.aremove_job("a")
                except LookupError as error:
                    print(type(error).__name__)
                print((await scheduler.ahealth()).state)
            print(scheduler.running)

        asyncio.run(main())
    """) == ["True", "a 1", "None", "JobLookupError", "running", "False"]


def test_asyncio_lets_a_coroutine_end_the_program_as_asyncio_does():
    assert (
        output_of(
            """
        import asyncio, sys
        from mainspring import AsyncIOScheduler

        async def job():
            sys.exit(3)

        async def main():
            async with AsyncIOScheduler(timezone="UTC") as scheduler:
                scheduler.add_job(job)
                await asyncio.sleep(20)

        asyncio.run(main())
        """,
            status=3,
        )
        == []
    )


def test_asyncio_is_interrupted_by_a_coroutine_as_by_any_task():
    assert output_of("""
        import asyncio
        from mainspring import AsyncIOScheduler
        from mainspring.events import EVENT_JOB_ERROR

        async def job():
            raise KeyboardInterrupt

        async def main():
            async with AsyncIOScheduler(timezone="UTC") as scheduler:
                scheduler.add_listener(lambda event: print(repr(event.exception)), EVENT_JOB_ERROR)
                scheduler.add_job(job)
                await asyncio.sleep(20)

        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            print("interrupted")
    """) == ["KeyboardInterrupt()", "interrupted"]


def test_asyncio_takes_a_cancelled_task_for_no_error():
    assert output_of("""
        import asyncio
        from datetime import datetime, timedelta, timezone
        from mainspring import AsyncIOScheduler
        from mainspring.events import EVENT_JOB_CANCELLED, EVENT_JOB_ERROR, EVENT_JOB_EXECUTED

        all_codes = EVENT_JOB_CANCELLED | EVENT_JOB_ERROR | EVENT_JOB_EXECUTED
        runs = []

        async def job():
            runs.append(1)
            asyncio.current_task().cancel()
            await asyncio.sleep(0)

        async def main():
            codes = []
            async with AsyncIOScheduler(timezone="UTC") as scheduler:
                scheduler.add_listener(lambda event: codes.append(event.code), all_codes)
                start = datetime.now(timezone.utc) - timedelta(minutes=90)
                scheduler.add_job(job, "interval", hours=1, start_date=start, next_run_time=start, coalesce=False)
                while len(codes) < 2:
                    await asyncio.sleep(0.01)
            print(len(runs), codes == [EVENT_JOB_CANCELLED] * 2)

        asyncio.run(main())
    """) == ["1 True"]


def test_asyncio_takes_one_executor_twice():
    """As python-telegram-bot's JobQueue does it."""
    assert output_of("""
        import asyncio
        from mainspring import AsyncIOExecutor, AsyncIOScheduler

        async def main():
            executor = AsyncIOExecutor()
            scheduler = AsyncIOScheduler(timezone="UTC", executors={"default": executor})
            scheduler.configure(timezone="Europe/Berlin", executors={"default": executor})
            ran = asyncio.Event()

            async def job():
                ran.set()

            scheduler.start()
            scheduler.add_job(job)
            await ran.wait()
            await scheduler.shutdown()
            print("ran", len(executor._pending_futures))

        asyncio.run(main())
    """) == ["ran 0"]


def test_an_executor_of_a_loop_needs_its_scheduler():
    lines = output_of("""
        from mainspring import BackgroundScheduler
        for name in ("asyncio", "tornado", "twisted", "gevent", "qt"):
            scheduler = BackgroundScheduler(executors={"default": {"type": name}})
            try:
                scheduler.start()
            except Exception as error:
                print(type(error).__name__, error)
    """)
    assert len(lines) == 5
    for line in lines:
        assert line.startswith("ConfigurationError ")
        assert "the scheduler is a BackgroundScheduler" in line


def test_an_async_engine_is_refused_with_what_to_do():
    said = output_of("""
        from sqlalchemy.ext.asyncio import create_async_engine
        from mainspring import SQLAlchemyJobStore
        from mainspring.errors import ConfigurationError

        for options in (
            {"engine": create_async_engine("postgresql+psycopg://me:secret@localhost/x")},
            {"url": "postgresql+asyncpg://me:secret@localhost/x?ssl=require"},
        ):
            try:
                SQLAlchemyJobStore(**options)
            except ConfigurationError as error:
                print(error)
    """)
    assert len(said) == 2
    assert all("Use create_engine" in line for line in said)
    assert all(line.endswith("postgresql+psycopg://me:***@localhost/x") for line in said)


def test_tornado_starts_before_its_loop_runs_and_on_a_loop_given():
    assert output_of("""
        from tornado.ioloop import IOLoop
        from mainspring import TornadoScheduler

        async def job(scheduler):
            print("ran", IOLoop.current() is scheduler._ioloop)
            IOLoop.current().stop()

        loop = IOLoop()
        scheduler = TornadoScheduler(io_loop=loop, timezone="UTC")
        scheduler.add_job(job, args=[scheduler])
        scheduler.start()
        loop.start()
        scheduler.shutdown()
        print(scheduler.running)
        loop.close()
    """) == ["ran True", "False"]


def test_tornado_with_run_sync():
    assert output_of("""
        from tornado.ioloop import IOLoop
        from tornado.locks import Event
        from mainspring import TornadoScheduler

        async def main():
            ran = Event()

            async def job():
                ran.set()

            scheduler = TornadoScheduler(timezone="UTC")
            scheduler.start()
            scheduler.add_job(job, "interval", seconds=0.05)
            await ran.wait()
            await scheduler.shutdown()
            print("ran", scheduler.running)

        IOLoop().run_sync(main)
    """) == ["ran False"]


@pytest.mark.parametrize("patch", [True, False])
def test_gevents_start_returns_a_greenlet_to_join(patch):
    assert output_of(
        """
        import gevent
        from mainspring import GeventScheduler

        scheduler = GeventScheduler(timezone="UTC")
        runs = []

        def job():
            runs.append(1)
            if len(runs) == 3:
                scheduler.shutdown(wait=False)

        scheduler.add_job(job, "interval", seconds=0.05)
        greenlet = scheduler.start()
        greenlet.join(20)
        print(greenlet.dead, len(runs), scheduler.running)
        """,
        before="import gevent.monkey; gevent.monkey.patch_all()\n" if patch else "",
    ) == ["True 3 False"]


def test_gevents_jobs_run_side_by_side():
    assert output_of("""
        import gevent, time
        from mainspring import GeventScheduler

        import gevent.event

        scheduler = GeventScheduler(timezone="UTC")
        scheduler.start()
        together = 0
        all_are_there = gevent.event.Event()

        def job():
            global together
            together += 1
            if together == 50:
                all_are_there.set()
            all_are_there.wait()
            gevent.sleep(0.01)
            together -= 1

        for _ in range(50):
            scheduler.add_job(job)
        print(all_are_there.wait(30))
        scheduler.shutdown()
        print(together)
    """) == ["True", "0"]


@pytest.mark.parametrize("asyncio_reactor", [True, False])
def test_twisted_waits_for_deferreds_and_ends_with_its_reactor(asyncio_reactor):
    install = """
import asyncio
from twisted.internet import asyncioreactor
asyncioreactor.install(asyncio.new_event_loop())
"""
    assert output_of(
        """
        from twisted.internet import reactor
        from twisted.internet.defer import Deferred, inlineCallbacks
        from twisted.internet.task import deferLater
        from twisted.python.threadable import isInIOThread
        from mainspring import TwistedScheduler
        from mainspring.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED

        def annotated() -> Deferred[str]:
            where = isInIOThread()
            return deferLater(reactor, 0.05, lambda: f"annotated {where}")

        @inlineCallbacks
        def inline():
            where = isInIOThread()
            yield deferLater(reactor, 0.05, lambda: None)
            return f"inline {where}"

        async def coroutine():
            await deferLater(reactor, 0.05, lambda: None)
            return f"coroutine {isInIOThread()}"

        def returned():
            deferred = Deferred()
            reactor.callFromThread(reactor.callLater, 0.05, deferred.callback, f"returned {isInIOThread()}")
            return deferred

        def plain():
            return f"plain {isInIOThread()}"

        def failing() -> Deferred[str]:
            return deferLater(reactor, 0.05, lambda: 1 / 0)

        heard = []

        def listen(event):
            heard.append(event.retval or repr(event.exception))
            if len(heard) == 6:
                reactor.stop()

        scheduler = TwistedScheduler(reactor=reactor, timezone="UTC")
        scheduler.add_listener(listen, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
        for function in (annotated, inline, coroutine, returned, plain, failing):
            scheduler.add_job(function)
        scheduler.start()
        reactor.addSystemEventTrigger("before", "shutdown", scheduler.shutdown)
        reactor.run()
        print(*sorted(heard), sep="\\n")
        print(scheduler.running)
        """,
        before=install if asyncio_reactor else "",
    ) == [
        "ZeroDivisionError('division by zero')",
        "annotated True",
        "coroutine True",
        "inline True",
        "plain False",
        "returned False",
        "False",
    ]


def test_twisted_is_shut_down_though_its_reactor_never_ran():
    assert (
        output_of("""
        from mainspring import TwistedScheduler

        async def job():
            print("was run")

        scheduler = TwistedScheduler(timezone="UTC")
        scheduler.add_listener(lambda event: print(event.code))
        scheduler.add_job(job)
        scheduler.start()
        print(scheduler.running)
        scheduler.shutdown()
        print(scheduler.running)
    """)[-1]
        == "False"
    )


def test_what_was_not_begun_is_cancelled_too():
    assert output_of("""
        import asyncio, threading
        from mainspring import AsyncIOScheduler
        from mainspring.events import EVENT_JOB_CANCELLED, EVENT_JOB_STARTED

        async def job():
            pass

        async def main():
            heard = []
            scheduler = AsyncIOScheduler(timezone="UTC")
            scheduler.add_listener(lambda event: heard.append(event.code), EVENT_JOB_CANCELLED | EVENT_JOB_STARTED)
            scheduler.start(paused=True)
            scheduler.add_job(job)
            scheduler.state = 1
            # All in one turn of the loop: a task is made for the job, and cancelled before it is begun.
            scheduler._look()
            executor = scheduler._executors["default"]
            executor._begin_some()
            executor._cancel_all(None, threading.Event())
            await scheduler.shutdown()
            print(heard == [EVENT_JOB_CANCELLED], len(scheduler._in_flight.all()))

        asyncio.run(main())
    """) == ["True 0"]


def test_twisteds_methods_can_be_awaited():
    assert output_of("""
        from twisted.internet.defer import Deferred
        from twisted.internet.task import react
        from mainspring import TwistedScheduler

        async def main(reactor):
            scheduler = TwistedScheduler(reactor=reactor, timezone="UTC")
            await scheduler.astart()
            await scheduler.aadd_job(print, "interval", hours=1, id="a")
            print((await scheduler.aget_job("a")).id)
            try:
                await scheduler.aremove_job("b")
            except LookupError as error:
                print(type(error).__name__)
            await scheduler.shutdown()
            print(scheduler.running)

        def begin(reactor):
            return Deferred.fromCoroutine(main(reactor))

        react(begin)
    """) == ["a", "JobLookupError", "False"]


@pytest.mark.parametrize("binding", ["PySide6", "PyQt6"])
def test_qt_needs_an_application_and_runs_jobs_in_its_thread(binding):
    assert output_of(
        """
        import threading
        from mainspring import QtExecutor, QtScheduler

        scheduler = QtScheduler(timezone="UTC", executors={"default": {"type": "threadpool"}, "gui": QtExecutor()})
        try:
            scheduler.start()
        except RuntimeError as error:
            print(error)
        application = QtCore.QCoreApplication([])
        where = {}

        def job(name):
            where[name] = threading.current_thread() is threading.main_thread()
            if len(where) == 2:
                application.quit()

        scheduler.add_job(job, args=["thread"])
        scheduler.add_job(job, args=["gui"], executor="gui")
        scheduler.start()
        application.exec()
        scheduler.shutdown()
        print(sorted(where.items()), scheduler.running)
        """,
        before=f"from {binding} import QtCore\n",
    ) == [
        "there is no Qt application yet: make one before start(), with QApplication([]) or QCoreApplication([])",
        "[('gui', True), ('thread', False)] False",
    ]


@pytest.mark.parametrize("module", ["tornado", "gevent", "twisted", "qt"])
@pytest.mark.parametrize("package", ["schedulers", "executors"])
def test_a_missing_framework_is_named_with_what_to_install(module, package):
    if (module, package) == ("qt", "executors"):
        pytest.skip("the executor works through the scheduler, and needs nothing of Qt itself")
    if (module, package) == ("tornado", "executors"):
        pytest.skip("the executor is asyncio's, and needs nothing of Tornado itself")
    (said,) = output_of(f"""
        import sys
        for name in ("tornado", "gevent", "twisted", "PySide6", "PyQt6"):
            sys.modules[name] = None
        try:
            import mainspring.{package}.{module}
        except ImportError as error:
            print(error)
    """)
    assert f'pip install "mainspring[{module}]"' in said


LOOP_CLOSED = """
    import asyncio, logging, time
    from mainspring import AsyncIOScheduler
    from mainspring.jobstores.memory import MemoryJobStore
    from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore

    logging.getLogger("asyncio").disabled = True  # it says that tasks were destroyed: what the program does is wrong, after all
    begun = []

    async def job():
        begun.append(1)
        await asyncio.sleep(3600)

    async def waits():
        begun.append(1)
        await asyncio.sleep(3600)

    def in_a_thread():
        return waits()

    loop = asyncio.new_event_loop()
    scheduler = AsyncIOScheduler(event_loop=loop, timezone="UTC", jobstores={"default": STORE})
    scheduler.add_job(job, id="on the loop")
    scheduler.add_job(in_a_thread, id="in a thread")
    scheduler.start()

    async def until_begun():
        while len(begun) < 2:
            await asyncio.sleep(0.01)

    loop.run_until_complete(until_begun())
    print(sorted(run.state for run in scheduler.get_runs()))
    loop.close()

    def states():
        return sorted(run.state for run in scheduler.get_runs())
"""


@pytest.mark.parametrize("store", ["memory", "sqlite"])
@pytest.mark.parametrize("how", ["is seen", "shutdown"])
def test_what_ran_on_a_loop_that_was_closed_has_been_cancelled(store, how, tmp_path):
    made = (
        "MemoryJobStore()" if store == "memory" else f'SQLAlchemyJobStore("sqlite:///{tmp_path}/jobs.sqlite")'
    )
    then = {
        "is seen": """
            deadline = time.monotonic() + 30
            while states() != ["cancelled", "cancelled"] and time.monotonic() < deadline:
                time.sleep(0.01)
            print(states())
            scheduler.shutdown()
        """,
        "shutdown": """
            scheduler.shutdown()
            if type(STORE).__name__ == "MemoryJobStore":
                print(states())
            else:
                other = SQLAlchemyJobStore(STORE.engine.url)
                print(sorted(run.state for run in other.list_runs(None, None, None, 10)))
        """,
    }[how]
    program = textwrap.dedent(LOOP_CLOSED).replace("begun = []", f"STORE = {made}\nbegun = []", 1)
    program += textwrap.dedent(then)
    assert output_of(program) == ["['running', 'running']", "['cancelled', 'cancelled']"]


def test_a_reactor_that_is_stopped_releases_a_thread_that_waits_on_it():
    assert output_of("""
        import time
        from twisted.internet import reactor
        from twisted.internet.defer import Deferred
        from mainspring.schedulers.twisted import TwistedScheduler

        def job():
            reactor.callFromThread(reactor.stop)
            return Deferred()

        scheduler = TwistedScheduler(timezone="UTC")
        scheduler.start()
        scheduler.add_job(job)
        reactor.run()
        end = time.monotonic() + 20
        while not scheduler.get_runs(outcome="cancelled") and time.monotonic() < end:
            time.sleep(0.01)
        print(scheduler.running, [run.outcome for run in scheduler.get_runs()])
        scheduler.shutdown()
    """) == ["False ['cancelled']"]


def test_a_hub_that_is_destroyed_releases_a_thread_that_shuts_the_scheduler_down():
    assert output_of("""
        import threading, gevent
        from mainspring.schedulers.gevent import GeventScheduler

        made, shutting_down = [], threading.Event()

        def serve():
            scheduler = GeventScheduler(timezone="UTC")
            scheduler.start()
            scheduler.add_job(gevent.sleep, args=[1000])
            while not scheduler.get_runs(outcome="running"):
                gevent.sleep(0.01)
            made.append(scheduler)
            while scheduler.running:
                gevent.sleep(0.01)
            gevent.get_hub().destroy(destroy_loop=True)

        thread = threading.Thread(target=serve)
        thread.start()
        while not made:
            thread.join(0.01)
        made[0].shutdown()
        print([run.outcome for run in made[0].get_runs()])
    """) == ["['cancelled']"]
