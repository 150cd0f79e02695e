"""Runs that are asked for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import run_work as work
from run_work import eventually

from mainspring import AsyncIOScheduler
from mainspring.errors import JobLookupError, RunLookupError, SchedulerNotRunningError

LATER = datetime(2100, 1, 1, tzinfo=UTC)


def test_a_run_that_is_asked_for_leaves_the_schedule_alone(scheduler):
    job = scheduler.add_job(work.add, "interval", days=1, start_date=LATER, args=[1, 2], id="sum")
    record = scheduler.run_job("sum").wait(30)
    assert (record.outcome, record.result, record.cause) == ("succeeded", "3", "manual")
    assert scheduler.get_job("sum").next_run_time == job.next_run_time == LATER


def test_a_paused_job_can_be_run(scheduler):
    job = scheduler.add_job(work.add, "interval", days=1, args=[1, 2], next_run_time=None)
    assert job.run_now().wait(30).outcome == "succeeded"
    assert scheduler.get_job(job.id).next_run_time is None


def test_it_counts_toward_the_instances_and_waits_for_its_turn(scheduler):
    job = scheduler.add_job(work.wait, "date", run_date=LATER, id="slow")
    first = job.run_now()
    assert work.begun.wait(30)
    second = job.run_now()
    with pytest.raises(TimeoutError, match="has not ended"):
        second.wait(0.3)
    assert second.record().outcome is None
    assert [run.id for run in scheduler.get_runs("slow", "running")] == [first.id]
    assert [run.id for run in scheduler.get_runs("slow", "queued")] == [second.id]
    work.gate.set()
    assert second.wait(30).outcome == "succeeded"
    assert first.record().finished <= second.record().started
    assert first.id != second.id


def test_ten_that_are_asked_for_at_once_are_ten(scheduler):
    job = scheduler.add_job(work.add, "date", run_date=LATER, args=[1, 2], max_instances=3)
    handles = [job.run_now() for _ in range(10)]
    assert [handle.wait(20).outcome for handle in handles] == ["succeeded"] * 10
    assert len({handle.id for handle in handles}) == 10


def test_many_that_wait_for_their_turn_keep_no_others_from_theirs(scheduler):
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    scheduler.add_job(work.wait, "interval", days=1, start_date=begin, next_run_time=LATER, id="slow")
    scheduler.run_job("slow")
    assert work.begun.wait(30)
    assert len(scheduler.backfill("slow", begin, begin + timedelta(days=299))) == 300
    quick = scheduler.add_job(work.add, "date", run_date=LATER, args=[1, 2])
    assert quick.run_now().wait(30).outcome == "succeeded"
    assert len(scheduler.get_runs("slow", "queued", limit=1000)) == 300


def test_what_is_queued_can_be_cancelled_and_ends_with_its_job(scheduler):
    job = scheduler.add_job(work.wait, "date", run_date=LATER, id="slow")
    job.run_now()
    assert work.begun.wait(30)
    second, third = job.run_now(), job.run_now()
    second.cancel()
    record = second.wait(30)
    assert (record.outcome, record.error) == ("cancelled", "cancelled before it was begun")
    with pytest.raises(RunLookupError, match="has ended"):
        second.cancel()
    job.remove()
    work.gate.set()
    record = third.wait(30)
    assert (record.outcome, record.error) == ("skipped", "its job was removed")


def test_what_can_not_be_run_is_refused(scheduler, make_scheduler):
    with pytest.raises(JobLookupError):
        scheduler.run_job("nobody")
    with pytest.raises(RunLookupError):
        scheduler.cancel_run("nobody/2026-01-01T00:00:00Z/1")
    with pytest.raises(RunLookupError):
        scheduler.wait_for_run("nobody/2026-01-01T00:00:00Z/1", 1)
    stopped = make_scheduler()
    job = stopped.add_job(work.add, args=[1, 2])
    with pytest.raises(SchedulerNotRunningError):
        job.run_now()


def test_a_run_can_be_awaited(make_store):
    async def main():
        async with AsyncIOScheduler(jobstores={"default": make_store()}) as scheduler:
            job = await scheduler.aadd_job(work.add, "date", run_date=LATER, args=[1, 2])
            handle = await scheduler.arun_job(job.id)
            record = await handle
            assert (record.outcome, record.result) == ("succeeded", "3")
            assert (await scheduler.aget_run(handle.id)).outcome == "succeeded"
            (listed,) = await scheduler.aget_runs(job.id)
            assert listed.id == handle.id
            assert (await scheduler.await_for_run(handle.id)).id == handle.id

    asyncio.run(main())


def test_another_node_runs_it_and_is_waited_for(make_scheduler, make_store, request):
    if request.node.callspec.params["make_store"] in ("memory", "adapted"):
        pytest.skip("what is in memory is one process's")
    asking = make_scheduler(jobstores={"default": make_store()}, executors={"other": {"type": "threadpool"}})
    asking.start()
    working = make_scheduler(jobstores={"default": make_store()}, executors={"far": {"type": "threadpool"}})
    working.start()
    job = asking.add_job(work.add, "date", run_date=LATER, args=[1, 2], executor="far")
    assert job.run_now().wait(30).outcome == "succeeded"


def test_queued_runs_outlast_a_restart(make_scheduler, make_store, request):
    if request.node.callspec.params["make_store"] in ("memory", "adapted"):
        pytest.skip("what is in memory ends with the process")
    first = make_scheduler(jobstores={"default": make_store()})
    first.start(paused=True)
    handle = first.add_job(work.add, "date", run_date=LATER, args=[1, 2]).run_now()
    first.shutdown()
    second = make_scheduler(jobstores={"default": make_store()}, start=True)
    assert second.wait_for_run(handle.id, 10).outcome == "succeeded"


def test_the_last_run_of_a_schedule_does_not_take_the_job_from_those_that_are_queued(scheduler):
    job = scheduler.add_job(work.wait, "date", run_date=LATER, id="slow")
    job.run_now()
    assert work.begun.wait(30)
    second = job.run_now()
    job.modify(next_run_time=datetime.now(UTC) - timedelta(seconds=1))
    work.gate.set()
    assert second.wait(30).outcome == "succeeded"
    eventually(lambda: scheduler.get_job("slow") is None)
    eventually(lambda: len(scheduler.get_runs("slow", "succeeded")) == 3)


def test_a_schedule_that_ends_on_one_node_leaves_what_another_has_queued(make_scheduler, make_store, request):
    if request.node.callspec.params["make_store"] in ("memory", "adapted"):
        pytest.skip("what is in memory is one process's")
    one, other = (make_scheduler(jobstores={"default": make_store()}, start=True) for _ in range(2))
    other.pause()
    job = one.add_job(work.wait, "date", run_date=LATER, id="slow")
    one.run_job("slow")
    assert work.begun.wait(30)
    queued = other.run_job("slow")  # by a node that begins nothing itself
    job.modify(next_run_time=datetime.now(UTC) - timedelta(seconds=1))
    work.gate.set()
    assert queued.wait(20).outcome == "succeeded"


def test_waiting_on_the_loop_itself_is_refused():
    async def ask():
        scheduler = AsyncIOScheduler()
        scheduler.start()
        scheduler.add_job(asyncio.sleep, "date", run_date=LATER, args=[0], id="a")
        handle = scheduler.run_job("a")
        with pytest.raises(RuntimeError, match="await the handle"):
            handle.wait()
        assert (await handle).outcome == "succeeded"
        assert handle.wait().outcome == "succeeded"  # nothing is to be waited for
        await scheduler.shutdown()

    asyncio.run(ask())
