"""Starting on job stores that take their time, or never come: what a scheduler of an event loop does meanwhile."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from mainspring import AsyncIOScheduler
from mainspring.errors import (
    ConfigurationError,
    ConflictingIdError,
    SchedulerNotRunningError,
    StoreNotOpenWarning,
)
from mainspring.jobstores.memory import MemoryJobStore
from mainspring.schedulers import starting
from mainspring.schedulers.states import STATE_RUNNING

pytestmark = pytest.mark.one_python

PATIENCE = 30


class Away(MemoryJobStore):
    """A store that isn't in memory, as far as anybody knows, and can be started when it is told so."""

    live_records = False

    def __init__(self, error=None):
        super().__init__()
        self.may_start = threading.Event()
        self.was_shut_down = threading.Event()
        self.trouble_told = "it can't be reached"
        self.error = error

    @property
    def trouble(self):
        return None if self.may_start.is_set() else self.trouble_told

    def start(self, scheduler, alias):
        limit = scheduler.store_host.start_limit(alias)
        while not self.may_start.wait(0.01):
            if limit.gives_up():
                raise TimeoutError("given up")
        if self.error is not None:
            raise self.error
        super().start(scheduler, alias)

    def shutdown(self):
        super().shutdown()
        self.was_shut_down.set()


@pytest.fixture(autouse=True)
def _long_glance(monkeypatch):
    """Who waits for a store on the loop does so for longer than a busy machine keeps the loop waiting."""
    monkeypatch.setattr(starting, "GLANCE", 10.0)


def answer():
    return 42


def on_loop(work):
    """Run a coroutine function, and see that its loop never stood still for long."""

    async def watched():
        gaps = []

        async def beat():
            loop = asyncio.get_running_loop()
            last = loop.time()
            while True:
                await asyncio.sleep(0.005)
                now = loop.time()
                gaps.append(now - last)
                last = now

        beating = asyncio.ensure_future(beat())
        await work()
        beating.cancel()
        assert max(gaps, default=0) < starting.GLANCE / 2, "the loop stood still"

    asyncio.run(watched())


async def ended(scheduler):
    await asyncio.wait_for(scheduler.started, PATIENCE)


async def ran(scheduler, job_id):
    while not any(  # noqa: ASYNC110 - the scheduler has no event for it
        run.outcome == "succeeded" for run in scheduler.get_runs(job_id)
    ):
        await asyncio.sleep(0.01)


def test_jobs_that_are_added_before_the_store_is_there_are_kept_and_run():
    store = Away()

    async def work():
        scheduler = AsyncIOScheduler(timezone="UTC", jobstores={"default": store})
        scheduler.add_job(answer, "interval", seconds=0.05, id="before")
        scheduler.start()
        assert scheduler.running
        assert not scheduler.started.done()
        job = scheduler.add_job(answer, "interval", seconds=0.05, id="meanwhile")
        assert job.pending
        scheduler.modify_job("meanwhile", name="renamed")
        with pytest.warns(StoreNotOpenWarning, match="the start still goes on"):
            assert {one.id for one in scheduler.get_jobs()} == {"before", "meanwhile"}
        with pytest.warns(StoreNotOpenWarning, match="the start still goes on"):
            assert scheduler.get_job("nowhere") is None
        health = scheduler.health()
        assert (health.state, health.ok) == ("starting", False)
        assert health.store_errors == {"default": "it can't be reached"}
        store.may_start.set()
        await ended(scheduler)
        assert scheduler.health().ok
        for job_id in ("before", "meanwhile"):
            await asyncio.wait_for(ran(scheduler, job_id), PATIENCE)
        assert scheduler.get_job("meanwhile").name == "renamed"
        await scheduler.shutdown()

    on_loop(work)


def test_a_start_that_fails_is_told_of_and_another_one_may_follow(caplog):
    store = Away(ValueError("no such database"))
    store.may_start.set()

    async def work():
        scheduler = AsyncIOScheduler(timezone="UTC", jobstores={"default": store})
        scheduler.start()
        with pytest.raises(ValueError, match="no such database"):
            await ended(scheduler)
        assert not scheduler.running
        health = scheduler.health()
        assert (health.state, health.ok) == ("stopped", False)
        assert health.store_errors == {"default": "ValueError: no such database"}
        scheduler.add_job(answer, "interval", seconds=0.05, id="kept")
        store.error = None
        scheduler.start()
        await ended(scheduler)
        assert scheduler.health().ok
        await asyncio.wait_for(ran(scheduler, "kept"), PATIENCE)
        await scheduler.shutdown()

    on_loop(work)
    told = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.getMessage() for record in told] == [
        "The scheduler could not be started: no such database"
    ]
    assert told[0].exc_info is None


def test_a_start_that_takes_too_long_is_given_up():
    async def work():
        scheduler = AsyncIOScheduler(timezone="UTC", jobstores={"default": Away()}, start_timeout=0.1)
        scheduler.start()
        with pytest.raises(TimeoutError, match="given up"):
            await ended(scheduler)
        with pytest.raises(SchedulerNotRunningError):
            scheduler.shutdown()

    on_loop(work)


def test_a_shutdown_while_it_starts_comes_back_at_once():
    store = Away()

    async def work():
        scheduler = AsyncIOScheduler(timezone="UTC", jobstores={"default": store})
        scheduler.start()
        await scheduler.shutdown()
        with pytest.raises(TimeoutError, match="given up"):
            await ended(scheduler)
        assert store.was_shut_down.wait(PATIENCE)
        assert not scheduler.running
        assert scheduler.health().store_errors == {}

    on_loop(work)


def test_a_store_that_is_there_in_a_moment_is_waited_for():
    store = Away()
    store.trouble_told = None

    async def work():
        scheduler = AsyncIOScheduler(timezone="UTC", jobstores={"default": store})
        scheduler.start()
        threading.Timer(0.05, store.may_start.set).start()
        assert scheduler.get_jobs() == []  # waits a moment, since there is no other way to know
        assert scheduler.state == STATE_RUNNING
        scheduler.add_job(answer, "interval", hours=1, id="once")
        with pytest.raises(ConflictingIdError):
            scheduler.add_job(answer, "interval", hours=1, id="once")
        await scheduler.shutdown()

    on_loop(work)


def test_a_job_that_cannot_be_stored_keeps_no_other_from_it(caplog):
    store = Away()

    async def work():
        scheduler = AsyncIOScheduler(timezone="UTC", jobstores={"default": store})
        scheduler.start()
        store.may_start.set()
        await ended(scheduler)
        scheduler.add_job(answer, "interval", hours=1, id="taken")
        await scheduler.shutdown()
        store.may_start.clear()
        scheduler.start()
        scheduler.add_job(answer, "interval", hours=1, id="taken")
        scheduler.add_job(answer, "interval", hours=1, id="free")
        store.may_start.set()
        await ended(scheduler)
        assert {job.id for job in scheduler.get_jobs()} == {"taken", "free"}
        await scheduler.shutdown()

    on_loop(work)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == [
        (
            "Job \"answer\", which was added while its job store 'default' was being started, could not be added: "
            "Job identifier (taken) conflicts with an existing job; give another id, or replace_existing=True to replace it [job taken]"
        )
    ]


def test_a_store_that_is_added_while_it_runs_keeps_the_loop_and_others_running():
    store, broken = Away(), Away(ValueError("no such role"))
    broken.may_start.set()

    async def work():
        scheduler = AsyncIOScheduler(timezone="UTC")
        scheduler.start()
        assert scheduler.started.done()
        scheduler.add_jobstore(store, "late")
        scheduler.add_jobstore(broken, "broken")
        assert scheduler.add_job(answer, "interval", seconds=0.05, id="a", jobstore="late").pending
        scheduler.add_job(answer, "interval", seconds=0.05, id="b")
        await asyncio.wait_for(ran(scheduler, "b"), PATIENCE)
        health = scheduler.health()
        assert health.store_errors == {
            "late": "it can't be reached",
            "broken": "ValueError: no such role",
        }
        store.may_start.set()
        await asyncio.wait_for(ran(scheduler, "a"), PATIENCE)
        assert scheduler.health().store_errors == {"broken": "ValueError: no such role"}
        await scheduler.shutdown()

    on_loop(work)


def test_what_was_added_is_stored_before_a_shutdown_that_follows_at_once():
    store = Away()
    store.trouble_told = None

    async def work():
        scheduler = AsyncIOScheduler(timezone="UTC", jobstores={"default": store})
        scheduler.add_job(answer, "interval", hours=1, id="kept")
        scheduler.start()
        threading.Timer(0.05, store.may_start.set).start()
        await scheduler.shutdown()
        await ended(scheduler)
        scheduler.start()
        assert scheduler.get_job("kept") is not None
        await scheduler.shutdown()

    on_loop(work)


@pytest.mark.parametrize("value", [-1, "soon", None, float("inf"), float("nan")])
def test_a_time_for_the_start_that_is_none_is_refused(value):
    with pytest.raises(ConfigurationError, match="start_timeout must be a number of seconds, 0 or more"):
        AsyncIOScheduler(start_timeout=value)
