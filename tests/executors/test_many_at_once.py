"""What is due together is handed out together, where an executor takes many at once; and each by itself where somebody has a hand in that."""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from mainspring.events import EVENT_JOB_EXECUTED, EVENT_JOB_MISSED, EVENT_JOB_REMOVED, EVENT_JOB_SUBMITTED
from mainspring.executors.base import BaseExecutor, run_job
from mainspring.executors.event_loop import _BEGUN_AT_ONCE
from mainspring.executors.pool import PoolClosedError, ThreadPoolExecutor
from mainspring.executors.workers import WorkerThreads
from mainspring.schedulers.asyncio import AsyncIOScheduler
from mainspring.schedulers.background import BackgroundScheduler
from mainspring.testing import ManualScheduler
from waiting import wait_for

PAST = datetime.now(UTC) - timedelta(minutes=1)
MANY = 20


def due(scheduler, calls, count=MANY):
    """Add so many jobs that are due; each notes its call."""
    for number in range(count):
        scheduler.add_job(
            calls.append, "date", run_date=PAST, args=[number], id=str(number), misfire_grace_time=None
        )


@pytest.fixture
def scheduler():
    made = BackgroundScheduler(timezone="UTC")
    yield made
    if made.running:
        made.shutdown()


def test_due_jobs_are_queued_together_and_each_is_called_once(scheduler, monkeypatch):
    taken, calls = [], []
    queue_all = WorkerThreads.submit_all
    monkeypatch.setattr(
        WorkerThreads, "submit_all", lambda self, items: taken.append(len(items)) or queue_all(self, items)
    )
    scheduler.start(paused=True)
    due(scheduler, calls)
    scheduler.resume()
    wait_for(lambda: len(calls) >= MANY)
    scheduler.shutdown()
    assert taken == [MANY]
    assert sorted(calls) == list(range(MANY))


@pytest.mark.parametrize("name", ["submit", "_submit"])
def test_who_replaces_how_one_is_submitted_is_asked_for_each(scheduler, name):
    asked, calls = [], []

    class Counting(ThreadPoolExecutor): ...

    def counted(self, submission, reporter):
        asked.append(submission.job.id)
        getattr(ThreadPoolExecutor, name)(self, submission, reporter)

    setattr(Counting, name, counted)
    scheduler.add_executor(Counting())
    scheduler.start(paused=True)
    due(scheduler, calls)
    scheduler.resume()
    wait_for(lambda: len(calls) >= MANY)
    assert sorted(asked) == sorted(str(number) for number in range(MANY))


def test_a_method_of_that_name_of_somebody_elses_executor_is_theirs(scheduler):
    calls = []

    class Other(BaseExecutor):
        def submit_together(self, *_):
            raise AssertionError("it means something else there")

        def _do_submit_job(self, job, run_times):
            self._run_job_success(job.id, run_job(job, job._jobstore_alias, run_times, self._logger.name))

    scheduler.add_executor(Other())
    scheduler.start(paused=True)
    due(scheduler, calls)
    scheduler.resume()
    wait_for(lambda: len(calls) >= MANY)
    assert sorted(calls) == list(range(MANY))


def test_coroutines_that_are_due_together_wait_together_on_their_loop():
    async def program():
        async def job():
            loops.append(asyncio.get_running_loop())
            await go_on.wait()

        loops, go_on = [], asyncio.Event()
        scheduler = AsyncIOScheduler(timezone="UTC")
        scheduler.start(paused=True)
        for _ in range(MANY):  # more than there are threads
            scheduler.add_job(job, "date", run_date=PAST, misfire_grace_time=None)
        scheduler.resume()
        await asyncio.to_thread(wait_for, lambda: len(loops) == MANY)
        go_on.set()
        assert set(loops) == {asyncio.get_running_loop()}
        await asyncio.to_thread(wait_for, lambda: not scheduler.get_runs(outcome="running"))
        scheduler.shutdown()

    asyncio.run(asyncio.wait_for(program(), 60))


def test_a_burst_of_coroutines_leaves_the_loop_its_turns():
    async def program():
        async def job():
            begun.append(None)

        def look():
            seen.append(len(begun))
            if len(begun) < burst:
                asyncio.get_running_loop().call_soon(look)

        begun, seen, burst = [], [], 5 * _BEGUN_AT_ONCE
        scheduler = AsyncIOScheduler(timezone="UTC")
        scheduler.start(paused=True)
        for _ in range(burst):
            scheduler.add_job(job, "date", run_date=PAST, misfire_grace_time=None)
        look()
        scheduler.resume()
        await asyncio.to_thread(wait_for, lambda: len(begun) == burst)
        seen.append(len(begun))
        assert max(later - earlier for earlier, later in pairwise(seen)) <= _BEGUN_AT_ONCE
        scheduler.shutdown()

    asyncio.run(asyncio.wait_for(program(), 60))


def test_where_submissions_are_listened_for_each_is_told_before_its_end(scheduler):
    told, calls = [], []
    scheduler.add_listener(
        lambda event: told.append((event.job_id, event.code)), EVENT_JOB_SUBMITTED | EVENT_JOB_EXECUTED
    )
    scheduler.start(paused=True)
    due(scheduler, calls)
    scheduler.resume()
    wait_for(lambda: len(told) >= 2 * MANY)
    for number in range(MANY):
        assert [code for job_id, code in told if job_id == str(number)] == [
            EVENT_JOB_SUBMITTED,
            EVENT_JOB_EXECUTED,
        ]


def test_what_was_missed_is_told_before_what_ran(scheduler):
    told = []
    scheduler.add_listener(
        lambda event: told.append((event.job_id, event.code)), EVENT_JOB_MISSED | EVENT_JOB_EXECUTED
    )
    scheduler.start(paused=True)
    for name in "ab":  # of three due times two are missed
        scheduler.add_job(
            int,
            "interval",
            seconds=25,
            id=name,
            start_date=PAST,
            next_run_time=PAST,
            coalesce=False,
            misfire_grace_time=20,
        )
    scheduler.resume()
    wait_for(lambda: sum(code == EVENT_JOB_EXECUTED for _, code in told) >= 2)
    for name in "ab":
        codes = [code for job_id, code in told if job_id == name]
        assert codes == [EVENT_JOB_MISSED] * (len(codes) - 1) + [EVENT_JOB_EXECUTED]
        assert len(codes) > 1


def test_a_closed_pool_takes_none_and_each_is_tried_again(scheduler):
    calls = []
    scheduler.start(paused=True)
    due(scheduler, calls)
    executor = scheduler._executors["default"]
    executor._workers.close()
    with pytest.raises(PoolClosedError):
        executor._workers.submit(None)
    assert executor._workers.submit_all([None]) is False
    scheduler.resume()
    wait_for(lambda: len(scheduler.get_parked_jobs()) == MANY)
    assert calls == []


def test_workers_are_started_for_many_as_for_each():
    begun, go_on = [], threading.Event()

    def work(item):
        begun.append(item)
        go_on.wait(30)

    pool = WorkerThreads(work, 4, name="many", logger=logging.getLogger(__name__))
    assert pool.submit_all(range(3))
    wait_for(lambda: len(begun) == 3)
    assert len(pool) == 3
    assert pool.submit_all(range(3, 9))
    wait_for(lambda: len(begun) == 4)
    assert (len(pool), pool.waiting) == (4, 5)
    go_on.set()
    wait_for(lambda: len(begun) == 9)
    assert sorted(begun) == list(range(9))
    pool.close()
    pool.join()


def test_sleeping_workers_are_woken_for_many():
    done = []
    pool = WorkerThreads(done.append, 3, name="woken", logger=logging.getLogger(__name__))
    for first in range(0, 30, 3):
        assert pool.submit_all(range(first, first + 3))
        wait_for(lambda: pool.waiting == 0 and len(pool._idle) == len(pool))
    assert sorted(done) == list(range(30))
    pool.close()
    pool.join()


@pytest.mark.parametrize("when", ["before", "in between", "afterwards"])
def test_an_interrupt_among_many_runs_nothing_twice_and_loses_nothing(when, monkeypatch):
    """The program is interrupted before an executor has taken anything, when it has taken half, or when all of it was taken and is told of."""
    calls, waiting = [], []
    scheduler = ManualScheduler(start=PAST)
    scheduler.start()
    executor = scheduler._executors["default"]
    interrupts = [KeyboardInterrupt()]

    def submit_together(submissions, reporter):
        if not interrupts:
            return False
        if when == "in between":
            for one in submissions[: MANY // 2]:
                executor.submit(one, reporter)  # which runs it
        if when == "afterwards":
            waiting.extend((one, reporter) for one in submissions)
            return True
        raise interrupts.pop()

    def tell_following(*_):
        if interrupts:
            raise interrupts.pop()

    monkeypatch.setattr(executor, "submit_together", submit_together)
    monkeypatch.setattr(scheduler._dispatch, "_tell_following", tell_following)
    scheduler.add_listener(lambda _: None, EVENT_JOB_REMOVED)
    due(scheduler, calls)
    with pytest.raises(KeyboardInterrupt):
        scheduler.run_due()
    # What workers have, they may be about to begin.
    assert (
        len(scheduler.get_parked_jobs()) == {"before": MANY, "in between": MANY // 2, "afterwards": 0}[when]
    )
    for one in waiting:
        executor.submit(*one)
    scheduler.advance(timedelta(minutes=5))
    assert sorted(calls) == list(range(MANY))
    scheduler.shutdown()
