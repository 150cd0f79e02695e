"""Runs that take too long, or are cancelled."""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import UTC, datetime
from functools import partial

import pytest
import run_work as work
from run_work import eventually

from mainspring import AsyncIOScheduler, Retry
from mainspring.errors import SchedulerNotRunningError
from mainspring.events import (
    EVENT_JOB_CANCELLED,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_PAUSED,
    EVENT_JOB_TIMED_OUT,
)
from mainspring.executors.base import BaseExecutor, run_job
from mainspring.executors.debug import DebugExecutor
from mainspring.schedulers import stopping
from mainspring.schedulers.stopping import Alarms
from mainspring.testing import EventRecorder, SettableClock

LATER = datetime(2100, 1, 1, tzinfo=UTC)
OUTCOMES = ("timed_out", "cancelled")


def stopped(scheduler, job, outcome):
    """The record of a run of `job` that is stopped one way or the other."""
    handle = job.run_now()
    if outcome == "cancelled":
        assert work.begun.wait(20)
        scheduler.cancel_run(handle.id)
    return handle.wait(20)


def options(outcome, seconds=0.3):
    return {"timeout": seconds} if outcome == "timed_out" else {}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_function_in_a_thread_is_told_by_its_token(scheduler, heard, outcome):
    job = scheduler.add_job(work.wait_for_token, "date", run_date=LATER, **options(outcome))
    record = stopped(scheduler, job, outcome)
    assert record.outcome == outcome
    eventually(lambda: work.ended == ["token"])
    code = EVENT_JOB_TIMED_OUT if outcome == "timed_out" else EVENT_JOB_CANCELLED
    (event,) = heard.wait_for(code, job.id)
    assert event.run_id == record.id


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_one_that_obeys_by_returning_has_been_stopped(scheduler, heard, outcome):
    retry = Retry(2, delay=3600)
    job = scheduler.add_job(work.return_when_told, "date", run_date=LATER, retry=retry, **options(outcome))
    handle = job.run_now()
    if outcome == "cancelled":
        assert work.begun.wait(20)
        handle.cancel()
    code = EVENT_JOB_TIMED_OUT if outcome == "timed_out" else EVENT_JOB_CANCELLED
    (event,) = heard.wait_for(code, job.id)
    assert (event.run_id, event.retval) == (handle.id, None)
    eventually(lambda: scheduler.get_run(handle.id).outcome == outcome)
    record = scheduler.get_run(handle.id)
    told = "TimeoutError: it took longer than 0:00:00.300000" if outcome == "timed_out" else "cancelled"
    assert (record.result, record.error) == (None, told)
    eventually(lambda: len(scheduler.get_runs(job.id, "queued")) == (outcome == "timed_out"))


class Apscheduler3Executor(BaseExecutor):
    """One as third parties have written them: it tells what became of a run when that has ended."""

    def _do_submit_job(self, job, run_times):
        def run():
            self._run_job_success(job.id, run_job(job, job._jobstore_alias, run_times, self._logger.name))

        threading.Thread(target=run).start()


@pytest.mark.parametrize("executor", [DebugExecutor, Apscheduler3Executor])
def test_one_that_obeys_by_returning_has_been_stopped_by_any_executor(make_scheduler, executor):
    scheduler = make_scheduler(executors={"default": executor()}, start=True)
    job = scheduler.add_job(work.wait_a_little, "date", run_date=LATER)
    handle = job.run_now()
    assert work.begun.wait(20)
    scheduler.cancel_run(handle.id)
    work.gate.set()
    assert handle.wait(20).outcome == "cancelled"


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_one_that_does_not_listen_gives_its_place_to_others(make_scheduler, make_store, outcome):
    scheduler = make_scheduler(
        jobstores={"default": make_store()},
        executors={"default": {"type": "threadpool", "max_workers": 1}},
        start=True,
    )
    job = scheduler.add_job(work.ignore_token, "date", run_date=LATER, **options(outcome))
    record = stopped(scheduler, job, outcome)
    assert (record.outcome, work.ended) == (outcome, [])
    # Neither the instances of the job nor the pool of one worker are full.
    job.modify(func=work.add, args=[1, 2])
    assert job.run_now().wait(20).outcome == "succeeded"
    work.gate.set()
    assert job.run_now().wait(20).outcome == "succeeded"
    assert scheduler.get_run(record.id).outcome == outcome


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_coroutine_in_a_thread_is_cancelled(scheduler, outcome):
    job = scheduler.add_job(work.wait_async, "date", run_date=LATER, **options(outcome))
    record = stopped(scheduler, job, outcome)
    assert (record.outcome, work.ended) == (outcome, ["cancelled"])
    job.modify(func=work.look_async)
    assert job.run_now().wait(20).outcome == "succeeded"  # by the same worker, and its loop


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_process_is_ended_and_its_neighbours_are_not(make_scheduler, make_store, outcome, tmp_path):
    scheduler = make_scheduler(
        jobstores={"default": make_store()},
        executors={"default": {"type": "processpool", "max_workers": 2}},
        start=True,
    )
    neighbour = scheduler.add_job(work.look_remotely, "date", run_date=LATER, args=[str(tmp_path / "go on")])
    beside = neighbour.run_now()
    job = scheduler.add_job(work.sleep_long, "date", run_date=LATER, **options(outcome, 1.5))
    handle = job.run_now()
    if outcome == "cancelled":
        _wait_until_running(scheduler, job.id)
        scheduler.cancel_run(handle.id)
    assert handle.wait(30).outcome == outcome
    (tmp_path / "go on").touch()
    assert beside.wait(30).outcome == "succeeded"
    job.modify(func=work.add, args=[1, 2])
    assert job.run_now().wait(30).outcome == "succeeded"


def test_a_shutdown_does_not_wait_for_a_thread_that_does_not_listen(make_scheduler):
    scheduler = make_scheduler(start=True)
    job = scheduler.add_job(work.ignore_token, "date", run_date=LATER, timeout=0.1)
    assert job.run_now().wait(20).outcome == "timed_out"
    scheduler.shutdown()
    assert work.ended == []
    work.gate.set()
    eventually(lambda: work.ended == ["ignored"])


def test_nobody_waits_for_a_run_that_will_not_begin(make_scheduler):
    scheduler = make_scheduler()
    scheduler.start(paused=True)
    handle = scheduler.add_job(work.add, "date", run_date=LATER, args=[1, 2]).run_now()
    scheduler.shutdown()
    with pytest.raises(SchedulerNotRunningError):
        handle.wait(30)


def _wait_until_running(scheduler, job_id):
    eventually(lambda: scheduler.get_runs(job_id, "running") != [])


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_coroutine_is_cancelled(make_store, outcome):
    async def main():
        async with AsyncIOScheduler(jobstores={"default": make_store()}) as scheduler:
            job = await scheduler.aadd_job(work.wait_async, "date", run_date=LATER, **options(outcome))
            handle = await scheduler.arun_job(job.id)
            if outcome == "cancelled":
                await asyncio.to_thread(work.begun.wait, 30)
                await scheduler.acancel_run(handle.id)
            assert (await handle).outcome == outcome
            assert work.ended == ["cancelled"]

    asyncio.run(main())


def test_a_run_that_took_too_long_is_tried_again(scheduler):
    job = scheduler.add_job(
        work.wait_for_token,
        "date",
        run_date=LATER,
        timeout=0.1,
        retry=Retry(2, delay=0.01, on=TimeoutError),
    )
    record = job.run_now().wait(20)
    assert (record.attempt, record.outcome) == (2, "timed_out")
    assert [run.outcome for run in job.runs()] == ["timed_out"] * 2


def test_a_run_in_time_is_left_alone(scheduler):
    job = scheduler.add_job(work.add, "date", run_date=LATER, args=[1, 2], timeout=60)
    assert job.run_now().wait(30).outcome == "succeeded"
    waits = scheduler.add_job(work.wait, "date", run_date=LATER, args=[0.5], timeout=30)
    handle = waits.run_now()
    assert work.begun.wait(30)
    work.gate.set()
    assert handle.wait(30).outcome == "succeeded"


def test_another_node_cancels_it(make_scheduler, make_store, request):
    if request.node.callspec.params["make_store"] in ("memory", "adapted"):
        pytest.skip("what is in memory is one process's")
    working = make_scheduler(jobstores={"default": make_store()}, start=True)
    asking = make_scheduler(jobstores={"default": make_store()}, executors={"other": {"type": "threadpool"}})
    asking.start(paused=True)
    handle = working.add_job(work.wait_for_token, "date", run_date=LATER).run_now()
    assert work.begun.wait(30)
    asking.cancel_run(handle.id)
    assert asking.wait_for_run(handle.id, 20).outcome == "cancelled"
    eventually(lambda: work.ended == ["token"])


def test_that_a_queued_run_is_cancelled_is_told(scheduler, heard):
    scheduler.add_job(work.wait, "date", run_date="2100-01-01", id="busy")
    first = scheduler.run_job("busy")
    assert work.begun.wait(30)
    second = scheduler.run_job("busy")
    second.cancel()
    (event,) = heard.wait_for(EVENT_JOB_CANCELLED, "busy")
    assert (event.run_id, event.started, event.attempt) == (second.id, None, 1)
    assert second.wait(30).outcome == "cancelled"
    work.gate.set()
    assert first.wait(30).outcome == "succeeded"


def test_what_is_submitted_and_not_begun_is_cancelled_too(make_scheduler, make_store):
    scheduler = make_scheduler(
        jobstores={"default": make_store()},
        executors={"default": {"type": "threadpool", "max_workers": 1}},
        start=True,
    )
    scheduler.add_job(work.wait, "date", run_date=LATER, id="first").run_now()
    assert work.begun.wait(30)
    second = scheduler.add_job(work.add, "date", run_date=LATER, args=[1, 2], id="second").run_now()
    _wait_until_running(scheduler, "second")
    second.cancel()
    assert second.wait(30).outcome == "cancelled"
    work.gate.set()


@pytest.mark.parametrize(
    ("value", "words"), [(0, "more than 0"), (-1, "more than 0"), ("1h", "not str '1h'")]
)
def test_a_wrong_timeout_is_refused(make_scheduler, value, words):
    with pytest.raises(TypeError, match=words):
        make_scheduler().add_job(work.add, timeout=value)


def test_a_job_whose_runs_get_stuck_again_and_again_is_paused_and_says_why(scheduler, heard):
    scheduler.add_job(
        work.ignore_token,
        "interval",
        seconds=0.2,
        id="stuck",
        timeout=0.1,
        max_instances=10,
        misfire_policy="skip",
    )
    (paused,) = heard.wait_for(EVENT_JOB_PAUSED, "stuck", timeout=60)
    assert "3 runs of it don't end" in paused.note
    job = scheduler.get_job("stuck")
    assert (job.next_run_time, job.note) == (None, paused.note)
    going_on = scheduler.health().stuck_runs
    assert going_on >= 3  # and those that had been begun by then
    work.gate.set()
    eventually(lambda: scheduler.health().stuck_runs == 0)
    job.modify(func=work.add, args=[1, 2])
    assert scheduler.resume_job("stuck").note is None
    heard.wait_for(EVENT_JOB_EXECUTED, "stuck")


def test_alarms_that_nobody_needs_are_removed(make_scheduler):
    scheduler = make_scheduler(start=True)
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_JOB_EXECUTED)
    for batch in range(1, 4):
        scheduler.add_jobs([{"func": work.add, "args": [1, 2], "timeout": 3600} for _ in range(1000)])
        heard.wait_for(EVENT_JOB_EXECUTED, count=1000 * batch, timeout=60)
    assert len(scheduler._alarms) <= 2000  # twice as many as were there at a time, of 3000


def test_alarms_that_are_needed_ring_in_their_order_whatever_is_removed(monkeypatch):
    clock = SettableClock(datetime(2026, 1, 1, tzinfo=UTC))
    monkeypatch.setattr(stopping, "REAL_CLOCK", clock)
    rung, over = [], threading.Event()
    alarms = Alarms(lambda: logging.getLogger(__name__))
    for number in range(2000):
        alarms.add(3600, over.set, lambda: False)
        if number % 500 == 0:
            alarms.add(0.3 - number / 10_000, partial(rung.append, number))
    alarms.add(0.4, over.set)
    assert len(alarms) < 600
    clock.advance(1)
    assert over.wait(20)
    assert rung == [1500, 1000, 500, 0]
    alarms.clear()
