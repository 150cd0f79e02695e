"""What holds for every scheduler, whatever its loop; each function is run in a process of its own, beside the loop."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import itertools
import os
import pickle
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import kits
import pytest

from mainspring.clock import SystemClock
from mainspring.errors import ConflictingIdError, JobLookupError, SchedulerNotRunningError
from mainspring.events import (
    EVENT_EVERY,
    EVENT_JOB_CANCELLED,
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    EVENT_JOB_STARTED,
    EVENT_JOB_TIMED_OUT,
    EVENT_SCHEDULER_SHUTDOWN,
    EVENT_SCHEDULER_START,
)
from mainspring.job import Job
from mainspring.jobstores.base import BaseJobStore
from mainspring.jobstores.memory import MemoryJobStore
from mainspring.testing import EventRecorder

PAST = datetime(2026, 1, 1, tzinfo=UTC)

request_id = contextvars.ContextVar("request_id", default=None)


def answer():
    return 42


def fail():
    raise ValueError("no such luck")


async def answer_async(value=42):
    await _pause()
    return value


async def fail_async():
    await _pause()
    raise ValueError("no such luck")


async def _pause():
    """Let the loop go on, whichever it is."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        from twisted.internet import reactor
        from twisted.internet.task import deferLater

        await deferLater(reactor, 0, lambda: None)
    else:
        if (
            sys.modules.get("twisted.internet.asyncioreactor")
            and threading.current_thread() is threading.main_thread()
        ):
            from twisted.internet import reactor
            from twisted.internet.task import deferLater

            await deferLater(reactor, 0, lambda: None)
        else:
            await asyncio.sleep(0)


class AsyncCallable:
    async def __call__(self, value):
        return await answer_async(value)


def _started(kit, **options):
    scheduler = kit.make(**options)
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_EVERY)
    kit.start(scheduler)
    return scheduler, heard


def jobs_added_before_and_after_the_start_run(kit):
    scheduler = kit.make()
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_EVERY)
    scheduler.add_job(answer, id="before")
    assert not scheduler.running
    kit.start(scheduler)
    assert scheduler.running
    scheduler.add_job(answer, id="after")
    kit.on_loop(lambda: scheduler.add_job(answer, id="on the loop"))
    for name in ("before", "after", "on the loop"):
        (event,) = heard.wait_for(EVENT_JOB_EXECUTED, name)
        assert event.retval == 42
    scheduler.add_job(answer, "interval", seconds=0.05, id="again")
    heard.wait_for(EVENT_JOB_EXECUTED, "again", count=3)
    kit.stop(scheduler)
    assert heard.of(EVENT_SCHEDULER_START)
    assert heard.of(EVENT_SCHEDULER_SHUTDOWN)
    assert not heard.of(EVENT_JOB_ERROR)


def coroutines_are_run_to_their_end(kit):
    scheduler, heard = _started(kit)
    functions = {
        "function": answer_async,
        "partial": functools.partial(answer_async, 42),
        "callable": functools.partial(AsyncCallable(), 42),
        "returned": lambda: answer_async(42),
    }
    for name, function in functions.items():
        scheduler.add_job(function, id=name)
    for name in functions:
        (event,) = heard.wait_for(EVENT_JOB_EXECUTED | EVENT_JOB_ERROR, name)
        assert event.code == EVENT_JOB_EXECUTED, (name, event.exception)
        assert event.retval == 42
    kit.stop(scheduler)


def coroutines_of_the_loop_run_on_its_thread(kit):
    scheduler, heard = _started(kit)

    async def where():
        return kits.thread_id()

    scheduler.add_job(where, id="a")
    (event,) = heard.wait_for(EVENT_JOB_EXECUTED, "a")
    assert (event.retval == kit.loop_thread) == kit.native_coroutines
    kit.stop(scheduler)


def errors_are_reported(kit):
    scheduler, heard = _started(kit)
    for name, function in (("plain", fail), ("coroutine", fail_async)):
        scheduler.add_job(function, id=name)
        (event,) = heard.wait_for(EVENT_JOB_ERROR, name)
        assert repr(event.exception) == "ValueError('no such luck')"
        assert "no such luck" in event.traceback
        assert "mainspring" not in event.traceback
    kit.stop(scheduler)


def a_job_that_exits_ends_its_run_alone(kit):
    scheduler, heard = _started(kit)
    scheduler.add_job(sys.exit, id="well")
    scheduler.add_job(sys.exit, args=[3], id="badly")
    heard.wait_for(EVENT_JOB_EXECUTED, "well")
    heard.wait_for(EVENT_JOB_ERROR, "badly")
    scheduler.add_job(answer, id="after")
    heard.wait_for(EVENT_JOB_EXECUTED, "after")
    kit.stop(scheduler)


def pausing_and_resuming(kit):
    scheduler = kit.make()
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_EVERY)
    kit.start(scheduler, paused=True)
    scheduler.add_job(answer, id="a")
    scheduler.add_job(answer, "interval", hours=1, id="paused", next_run_time=None)
    assert scheduler.get_job("paused").next_run_time is None
    kit.on_loop(lambda: None)
    assert not heard.of(EVENT_JOB_EXECUTED)
    scheduler.resume()
    heard.wait_for(EVENT_JOB_EXECUTED, "a")
    scheduler.resume_job("paused")
    scheduler.modify_job("paused", next_run_time=datetime.now(UTC))
    heard.wait_for(EVENT_JOB_EXECUTED, "paused")
    scheduler.pause_job("paused")
    scheduler.pause()
    scheduler.add_job(answer, id="b")
    kit.on_loop(lambda: None)
    assert not heard.of(EVENT_JOB_EXECUTED, "b")
    scheduler.resume()
    heard.wait_for(EVENT_JOB_EXECUTED, "b")
    assert len(heard.of(EVENT_JOB_EXECUTED, "paused")) == 1
    kit.stop(scheduler)


def changing_rescheduling_removing(kit):
    scheduler, heard = _started(kit)
    job = scheduler.add_job(answer, "interval", hours=1, id="a")
    job.modify(name="another", next_run_time=datetime.now(UTC))
    heard.wait_for(EVENT_JOB_EXECUTED, "a")
    scheduler.reschedule_job("a", trigger="interval", seconds=0.05)
    heard.wait_for(EVENT_JOB_EXECUTED, "a", count=3)
    scheduler.remove_job("a")
    assert scheduler.get_jobs() == []
    for call in (lambda: scheduler.remove_job("a"), job.remove):
        try:
            call()
        except JobLookupError:
            continue
        raise AssertionError("a job that isn't there was removed")
    scheduler.add_job(answer, "interval", hours=1, id="b")
    try:
        scheduler.add_job(answer, "interval", hours=1, id="b")
    except ConflictingIdError:
        pass
    else:
        raise AssertionError("two jobs have one id")
    kit.stop(scheduler)


def late_runs_are_missed_coalesced_or_made_up_for(kit):
    scheduler = kit.make()
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_EVERY)
    now = datetime.now(UTC)
    scheduler.add_job(answer, "date", run_date=PAST, misfire_grace_time=1, id="missed")
    first = now - timedelta(hours=2, minutes=30)
    every = {"trigger": "interval", "hours": 1, "start_date": first, "next_run_time": first}
    scheduler.add_job(answer, **every, coalesce=True, id="coalesced")
    scheduler.add_job(answer, **every, coalesce=False, id="all")
    scheduler.add_job(answer_async, **every, coalesce=False, id="all awaited")
    kit.start(scheduler)
    heard.wait_for(EVENT_JOB_MISSED, "missed")
    heard.wait_for(EVENT_JOB_EXECUTED, "all", count=3)
    heard.wait_for(EVENT_JOB_EXECUTED, "all awaited", count=3)
    heard.wait_for(EVENT_JOB_EXECUTED, "coalesced")
    kit.stop(scheduler)
    assert len(heard.of(EVENT_JOB_EXECUTED, "coalesced")) == 1
    assert not heard.of(EVENT_JOB_EXECUTED, "missed")


def no_more_instances_run_than_may(kit):
    scheduler, heard = _started(kit)
    go_on = threading.Event()
    if kit.has_loop and kit.native_coroutines:

        async def wait():
            while not go_on.is_set():
                await _pause()
    else:

        def wait():
            kit.wait(go_on)

    scheduler.add_job(wait, "interval", seconds=0.05, max_instances=2, id="a")
    heard.wait_for(EVENT_JOB_MAX_INSTANCES, "a", count=2)
    assert len(heard.of(EVENT_JOB_STARTED, "a")) == 2
    scheduler.pause_job("a")
    go_on.set()
    heard.wait_for(EVENT_JOB_EXECUTED, "a", count=2)
    kit.stop(scheduler)


def listeners_are_called_on_the_loop(kit):
    scheduler = kit.make()
    where = []
    awaited = threading.Event()

    async def listen_async(event):
        await _pause()
        where.append(kits.thread_id() if kit.native_coroutines else kit.loop_thread)
        awaited.set()

    async def fail_to_listen(event):
        raise ValueError("a listener that fails")

    scheduler.add_listener(lambda event: where.append(kits.thread_id()), EVENT_EVERY)
    scheduler.add_listener(fail_to_listen, EVENT_JOB_EXECUTED)
    scheduler.add_listener(listen_async, EVENT_JOB_EXECUTED)
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_EVERY)
    kit.start(scheduler)
    scheduler.add_job(answer, id="a")
    scheduler.add_job(answer_async, id="b")
    heard.wait_for(EVENT_JOB_EXECUTED, count=2)
    assert awaited.wait(30)
    kit.stop(scheduler)
    assert len(where) >= 10
    if kit.has_loop:
        assert set(where) == {kit.loop_thread}


def jobs_do_not_inherit_context(kit):
    scheduler, heard = _started(kit)

    def add():
        request_id.set("of a request")
        scheduler.add_job(_request_id, id="plain")
        scheduler.add_job(_request_id_async, id="coroutine")
        scheduler.add_job(_request_id, "interval", seconds=0.05, id="later")

    kit.on_loop(lambda: contextvars.copy_context().run(add))
    for name in ("plain", "coroutine", "later"):
        event = heard.wait_for(EVENT_JOB_EXECUTED, name)[0]
        assert event.retval is None, name
    kit.stop(scheduler)


def _request_id():
    return request_id.get()


async def _request_id_async():
    return request_id.get()


def shutting_down_waits_for_what_runs(kit):
    scheduler, heard = _started(kit)
    go_on = threading.Event()

    def wait():
        kit.wait(go_on)

    async def wait_async():
        while not go_on.is_set():
            await _pause()

    scheduler.add_job(wait, id="plain")
    scheduler.add_job(wait_async, id="coroutine")
    heard.wait_for(EVENT_JOB_STARTED, "plain")
    heard.wait_for(EVENT_JOB_STARTED, "coroutine")
    stopping = threading.Thread(target=lambda: kit.stop(scheduler, wait=True))
    stopping.start()
    while scheduler.running:
        kit.on_loop(lambda: None)
    assert not heard.of(EVENT_SCHEDULER_SHUTDOWN)
    assert stopping.is_alive()
    go_on.set()
    stopping.join(20)
    assert not stopping.is_alive()
    assert len(heard.of(EVENT_JOB_EXECUTED)) == 2
    assert not heard.of(EVENT_JOB_ERROR | EVENT_JOB_CANCELLED)
    try:
        kit.stop(scheduler)
    except SchedulerNotRunningError:
        pass
    else:
        raise AssertionError("it was shut down twice")


def shutting_down_on_the_loop_lets_the_loop_go_on(kit):
    scheduler, heard = _started(kit)
    go_on = threading.Event()
    beats = []

    async def wait_async():
        while not go_on.is_set():
            await _pause()

    scheduler.add_job(wait_async, id="a")
    heard.wait_for(EVENT_JOB_STARTED, "a")

    def beat():
        beats.append(scheduler.running)
        if len(beats) < 20:
            kit.later(0.01, beat)
        else:
            go_on.set()

    kit.post(lambda: (kit.later(0.01, beat), scheduler.shutdown()))
    heard.wait_for(EVENT_SCHEDULER_SHUTDOWN)
    assert len(beats) == 20
    assert not any(beats)
    assert heard.of(EVENT_JOB_EXECUTED, "a")


def shutting_down_without_waiting_cancels_what_is_on_the_loop(kit):
    scheduler, heard = _started(kit)
    cleaned_up = threading.Event()

    if kit.native_coroutines:

        async def endless():
            try:
                while True:
                    await _pause()
            finally:
                cleaned_up.set()
    else:

        def endless():
            try:
                while True:
                    kit.gevent.sleep(0.001)
            finally:
                cleaned_up.set()

    scheduler.add_job(endless, "interval", hours=1, next_run_time=PAST, id="a")
    heard.wait_for(EVENT_JOB_STARTED, "a")
    kit.stop(scheduler, wait=False)
    assert cleaned_up.wait(30)
    heard.wait_for(EVENT_JOB_CANCELLED, "a")
    assert not heard.of(EVENT_JOB_ERROR | EVENT_JOB_EXECUTED)


def a_shutdown_ends_in_time(kit):
    scheduler, heard = _started(kit)
    go_on = threading.Event()
    scheduler.add_job(kit.wait, args=[go_on], id="a")
    heard.wait_for(EVENT_JOB_STARTED, "a")
    begun = time.monotonic()
    kit.stop(scheduler, wait=True, timeout=0.2)
    assert time.monotonic() - begun >= 0.2
    assert not scheduler.running
    go_on.set()


def a_job_may_shut_its_scheduler_down(kit):
    for function in (_shut_down, _shut_down_async):
        scheduler, heard = _started(kit)
        scheduler.add_job(function, args=[scheduler], id="a")
        heard.wait_for(EVENT_SCHEDULER_SHUTDOWN)
        heard.wait_for(EVENT_JOB_EXECUTED, "a")
        assert not heard.of(EVENT_JOB_ERROR | EVENT_JOB_CANCELLED)
        assert not scheduler.running


def a_listener_may_shut_its_scheduler_down(kit):
    scheduler = kit.make()
    heard = EventRecorder()
    over = threading.Event()

    def listen(event):
        scheduler.shutdown()
        over.set()

    scheduler.add_listener(listen, EVENT_JOB_EXECUTED)
    scheduler.add_listener(heard, EVENT_EVERY)
    scheduler.add_job(answer, id="a")
    kit.start(scheduler)
    heard.wait_for(EVENT_SCHEDULER_SHUTDOWN)
    assert over.wait(30)
    assert not scheduler.running


def _shut_down(scheduler):
    scheduler.shutdown()


async def _shut_down_async(scheduler):
    ended = scheduler.shutdown()
    if ended is not None:
        await ended


def it_starts_again(kit):
    scheduler, heard = _started(kit)
    for count in (1, 2, 3):
        scheduler.add_job(answer)
        scheduler.add_job(answer_async)
        heard.wait_for(EVENT_JOB_EXECUTED, count=2 * count)
        kit.stop(scheduler)
        assert not scheduler.running
        if count < 3:
            kit.start(scheduler)


def nothing_is_left_after_it(kit):
    before, tasks = _threads(), kit.tasks()
    scheduler, heard = _started(kit, jobstores={"default": SlowStore()})
    scheduler.add_job(answer, "interval", seconds=0.05, id="plain")
    scheduler.add_job(answer_async, "interval", seconds=0.05, id="coroutine")
    heard.wait_for(EVENT_JOB_EXECUTED, "plain")
    heard.wait_for(EVENT_JOB_EXECUTED, "coroutine")
    kit.stop(scheduler)
    passes = scheduler._passes.last
    deadline = time.monotonic() + 5
    while (left := _threads() - before) and time.monotonic() < deadline:
        kit.on_loop(lambda: None)
        time.sleep(0.01)
    assert not left, left
    if kit.has_loop:
        assert scheduler._timer is None
    while (running := kit.tasks() - tasks) and time.monotonic() < deadline:
        kit.on_loop(lambda: None)
    assert not running, running
    assert scheduler._passes.last == passes


def _threads():
    return {
        thread.name
        for thread in threading.enumerate()
        if "APScheduler" in thread.name or "mainspring" in thread.name
    }


def it_looks_no_oftener_than_it_must(kit):
    scheduler = kit.make()
    looks = []
    process = scheduler._process_jobs
    scheduler._process_jobs = lambda: (looks.append(1), process())[1]
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_EVERY)
    kit.start(scheduler)
    for number in range(20):
        scheduler.add_job(
            answer,
            "interval",
            seconds=0.5,
            id=f"a{number}",
            next_run_time=datetime.now(UTC) + timedelta(seconds=0.3),
        )
    while not looks:
        kit.on_loop(lambda: None)
    heard.wait_for(EVENT_JOB_EXECUTED, count=40)
    kit.stop(scheduler)
    ended = len(looks)
    # For each of the 20 jobs a look when it was added, at most, and one for each time that they are due.
    assert ended <= 20 + 20 * 2 + 10, ended
    assert not scheduler.running
    kit.on_loop(lambda: None)
    assert len(looks) == ended


class StoreWithAClock(MemoryJobStore):
    """A store that is asked again after a time, and has a clock of its own."""

    live_records = False
    poll_interval = timedelta(seconds=1)

    def store_time(self, clock):
        return PAST + timedelta(seconds=clock.monotonic())


class SetClock(SystemClock):
    """The machine's, whose wall clock somebody sets."""

    __slots__ = ("ahead",)

    def __init__(self):
        self.ahead = timedelta(0)

    def now(self, timezone=UTC):
        return super().now(timezone) + self.ahead


def a_wall_clock_that_is_set_changes_nothing_for_a_store_with_its_own(kit):
    clock = SetClock()
    scheduler, heard = _started(kit, jobstores={"default": StoreWithAClock()}, clock=clock)
    scheduler.add_job(answer, "interval", seconds=0.2, id="often", misfire_policy="all")
    scheduler.add_job(answer, "date", run_date=PAST + timedelta(seconds=clock.monotonic() + 3600), id="later")
    heard.wait_for(EVENT_JOB_EXECUTED, "often")
    for number, hours in enumerate((-2, 3, -4000), 1):
        clock.ahead = timedelta(hours=hours)
        heard.wait_for(EVENT_JOB_EXECUTED, "often", count=1 + 2 * number)
    times = [event.scheduled_run_time for event in heard.of(EVENT_JOB_EXECUTED, "often")]
    steps = {after - before for before, after in itertools.pairwise(times)}
    assert steps == {timedelta(seconds=0.2)}
    assert heard.of(EVENT_JOB_EXECUTED, "later") == []
    kit.stop(scheduler)


class SlowStore(BaseJobStore):
    """A store of a third party, each call of which waits for the loop to come round: it never does if it waits for the call.

    Attributes:
        beats: grows with each round of the loop; `None`: nothing is waited for.
        stalls: how many calls have waited in vain.
    """

    def __init__(self):
        super().__init__()
        self.rows = {}
        self.calls = self.stalls = 0
        self.beats = None

    def _wait(self):
        self.calls += 1
        if self.beats is not None:
            self._wait_for_beats(len(self.beats) + 2)

    def _wait_for_beats(self, wanted):
        """Until the loop has come round, which it doesn't if it waits for this."""
        end = time.monotonic() + 20
        while self.beats is not None and len(self.beats) < wanted:
            if time.monotonic() > end:
                self.stalls += 1
                return
            time.sleep(0.01)

    def _job(self, row):
        job = Job.__new__(Job)
        job.__setstate__(pickle.loads(row))
        job._scheduler = self._scheduler
        job._jobstore_alias = self._alias
        return job

    def lookup_job(self, job_id):
        self._wait()
        return self._job(self.rows[job_id]) if job_id in self.rows else None

    def _all(self):
        jobs = [self._job(row) for row in list(self.rows.values())]
        return sorted(jobs, key=lambda job: job.next_run_time)

    def get_due_jobs(self, now):
        self._wait()
        return [job for job in self._all() if job.next_run_time <= now]

    def get_next_run_time(self):
        self._wait()
        return min((job.next_run_time for job in self._all()), default=None)

    def get_all_jobs(self):
        self._wait()
        return self._all()

    def add_job(self, job):
        self._wait()
        self.rows[job.id] = pickle.dumps(job.__getstate__())

    update_job = add_job

    def remove_job(self, job_id):
        self._wait()
        if job_id not in self.rows:
            raise JobLookupError(job_id)
        del self.rows[job_id]

    def remove_all_jobs(self):
        self._wait()
        self.rows.clear()


def a_slow_store_never_stalls_the_loop(kit):
    store = SlowStore()
    scheduler, heard = _started(kit, jobstores={"default": store})
    beats = []

    def beat():
        beats.append(1)
        if store.beats is not None:
            kit.later(0.01, beat)

    store.beats = beats  # from now on each call waits for some
    kit.post(beat)
    scheduler.add_job(answer, "interval", seconds=0.1, id="plain")
    scheduler.add_job(answer_async, "interval", seconds=0.1, id="coroutine")
    names = ["plain", "coroutine"]
    if hasattr(scheduler, "aadd_job"):
        kit.on_loop(lambda: [scheduler.aadd_job(answer, "interval", seconds=0.1, id="by the loop"), None][1])
        names.append("by the loop")
    for name in names:
        heard.wait_for(EVENT_JOB_EXECUTED, name, count=2, timeout=60)
    assert store.calls > 5
    assert store.stalls == 0
    store.beats = None
    kit.stop(scheduler)


def _unreachable():
    """The URL of a job store that nobody is at, yet."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"redis://127.0.0.1:{probe.getsockname()[1]}/0"


def a_store_that_is_away_keeps_no_loop_waiting(kit):
    stores = {"default": {"type": "redis", "url": _unreachable()}}
    scheduler = kit.make(jobstores=stores)

    def begin():
        began = time.monotonic()
        scheduler.start()
        assert scheduler.add_job(answer, "interval", seconds=0.1, id="kept").pending
        assert [job.id for job in scheduler.get_jobs()] == ["kept"]
        return time.monotonic() - began

    assert kit.on_loop(begin) < 15  # seconds, of the 30 for which a store is tried
    assert scheduler.running
    health = scheduler.health()
    assert health.state == "starting"
    assert not health.ok
    began = time.monotonic()
    kit.stop(scheduler)
    assert time.monotonic() - began < 15
    error = scheduler.started.exception(timeout=30)
    assert "the scheduler was shut down" in str(error), error
    assert not scheduler.running
    assert [job.id for job in scheduler.get_jobs()] == ["kept"]


def a_store_that_can_never_be_had_is_told_of(kit):
    stores = {"default": {"type": "sqlalchemy", "url": "sqlite:////nowhere/at/all/jobs.sqlite"}}
    scheduler = kit.make(jobstores=stores)
    kit.on_loop(lambda: scheduler.start() and None)
    error = scheduler.started.exception(timeout=30)
    assert "there is no directory /nowhere/at/all" in str(error), error
    assert not scheduler.running
    assert "there is no directory" in scheduler.health().store_errors["default"]


def a_stored_job_runs(kit):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        stores = {"default": {"type": "sqlalchemy", "url": f"sqlite:///{Path(folder) / 'jobs.sqlite'}"}}
        scheduler, heard = _started(kit, jobstores=stores)
        scheduler.add_job(answer, "interval", seconds=0.1, id="plain")
        scheduler.add_job(answer_async, "interval", seconds=0.1, id="coroutine")
        heard.wait_for(EVENT_JOB_EXECUTED, "plain", count=3)
        heard.wait_for(EVENT_JOB_EXECUTED, "coroutine", count=3)
        kit.stop(scheduler)
        runs = kit.make(jobstores=stores)
        kit.start(runs, paused=True)
        stored = [
            run for run in runs.get_runs() if run.outcome != "skipped"
        ]  # as a busy machine may: not asked here
        assert {run.outcome for run in stored} == {"succeeded"}
        assert all(sum(run.job_id == job_id for run in stored) >= 3 for job_id in ("plain", "coroutine"))
        kit.stop(runs)


def a_forked_process_uses_the_jobs_and_leaves_the_loop_alone(kit):
    import multiprocessing
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        stores = {"default": {"type": "sqlalchemy", "url": f"sqlite:///{folder}/jobs.sqlite"}}
        scheduler, heard = _started(kit, jobstores=stores)
        scheduler.add_job(os.getpid, "date", run_date=datetime(2100, 1, 1, tzinfo=UTC), id="parents")

        def ask():
            assert (scheduler.running, scheduler.health().state) == (False, "forked")
            scheduler.add_job(answer, "date", run_date=datetime(2100, 1, 1, tzinfo=UTC), id="childs")
            assert {job.id for job in scheduler.get_jobs()} == {"parents", "childs"}
            assert scheduler.run_job("parents").wait(30).outcome == "succeeded"

        def fork():
            process = multiprocessing.get_context("fork").Process(target=ask)
            process.start()
            return process

        process = kit.on_loop(fork)
        process.join(40)
        assert process.exitcode == 0
        assert scheduler.running
        assert heard.wait_for(EVENT_JOB_EXECUTED, "parents")[0].retval == os.getpid()
        assert scheduler.run_job("childs").wait(20).outcome == "succeeded"
        kit.stop(scheduler)
        heard.wait_for(EVENT_SCHEDULER_SHUTDOWN)


def a_run_is_asked_for_tried_again_timed_out_and_cancelled(kit):
    from mainspring import Retry, current_run

    attempts = []

    def fail_at_first():
        attempts.append(current_run().attempt)
        if current_run().attempt == 1:
            raise OSError("the first attempt fails")

    async def fail_at_first_async():
        fail_at_first()

    def until_told():
        kit.wait(current_run().cancelled)
        current_run().cancelled.raise_if_set()

    async def until_told_async():
        while True:
            current_run().cancelled.raise_if_set()
            await _pause()

    def obeys():
        kit.wait(current_run().cancelled)
        return "obeyed"

    async def obeys_async():
        try:
            while not current_run().cancelled.is_set():
                await _pause()
        except BaseException as error:
            if type(error).__name__ not in ("CancelledError", "GreenletExit"):
                raise
        return "obeyed"

    scheduler, heard = _started(kit)
    retry = Retry(3, delay=0.01)
    later = {"trigger": "date", "run_date": "2100-01-01"}
    for func in (fail_at_first, fail_at_first_async):
        attempts.clear()
        job = scheduler.add_job(func, retry=retry, **later)
        handle = job.run_now()
        heard.wait_for(EVENT_JOB_EXECUTED, job.id)
        assert attempts == [1, 2]
        assert [run.outcome for run in scheduler.get_runs(job.id)] == ["succeeded", "failed"]
        assert handle.record().attempt == 2
    for func in (until_told, until_told_async, obeys, obeys_async):
        job = scheduler.add_job(func, timeout=0.05, id=f"late {func.__name__}", **later)
        handle = job.run_now()
        heard.wait_for(EVENT_JOB_TIMED_OUT, job.id)
        assert scheduler.get_run(handle.id).outcome == "timed_out"
        job = scheduler.add_job(func, id=f"cancelled {func.__name__}", **later)
        handle = job.run_now()
        heard.wait_for(EVENT_JOB_STARTED, job.id)
        handle.cancel()
        heard.wait_for(EVENT_JOB_CANCELLED, job.id)
        assert scheduler.get_run(handle.id).outcome == "cancelled"
    kit.stop(scheduler)


def a_generator_has_done_nothing(kit):
    def count():
        yield 1

    async def count_async():
        yield 1

    async def makes_it_later():
        return count()

    scheduler, heard = _started(kit)
    for number, func in enumerate((lambda: count(), lambda: count_async(), makes_it_later)):
        job = scheduler.add_job(func, "date", run_date=PAST, id=f"makes {number}")
        (event,) = heard.wait_for(EVENT_JOB_ERROR, job.id)
        assert "of which nothing has run" in str(event.exception)
    for func in (count, count_async):
        with pytest.raises(TypeError, match="has a yield"):
            scheduler.add_job(func)
    kit.stop(scheduler)


def ten_thousand_runs_are_run_once_each(kit):
    counts = dict.fromkeys(range(10_000), 0)
    lock = threading.Lock()

    def count(number):
        with lock:
            counts[number] += 1

    async def count_async(number):
        count(number)

    scheduler = kit.make()
    heard = []
    scheduler.add_listener(heard.append, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    scheduler.add_jobs(
        {"func": count_async if number % 2 else count, "args": [number], "trigger": "date", "run_date": PAST}
        for number in counts
    )
    kit.start(scheduler)
    deadline = time.monotonic() + 40
    while sum(counts.values()) < 10_000 and time.monotonic() < deadline:
        time.sleep(0.02)
    kit.stop(scheduler)
    assert set(counts.values()) == {1}
    assert len(heard) == 10_000
    assert {event.code for event in heard} == {EVENT_JOB_EXECUTED}


NEEDS_A_LOOP = {
    "a_store_that_is_away_keeps_no_loop_waiting",
    "a_store_that_can_never_be_had_is_told_of",
    "shutting_down_on_the_loop_lets_the_loop_go_on",
    "a_slow_store_never_stalls_the_loop",
    "coroutines_of_the_loop_run_on_its_thread",
}
NEEDS_CANCELLATION = {"shutting_down_without_waiting_cancels_what_is_on_the_loop"}
