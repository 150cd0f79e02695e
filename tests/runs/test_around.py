"""Context managers round each run."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime

import run_work as work

from mainspring import AsyncIOScheduler, current_run

LATER = datetime(2100, 1, 1, tzinfo=UTC)


@contextmanager
def outer():
    work.seen.append(f"outer of {current_run().job_id}")
    yield
    work.seen.append("outer left")


def test_a_run_is_run_in_the_schedulers_and_the_jobs_context_managers(make_scheduler, make_store):
    scheduler = make_scheduler(jobstores={"default": make_store()}, around_run=outer, start=True)
    job = scheduler.add_job(
        work.note, "date", run_date=LATER, args=["run"], id="a", around_run=work.surrounded
    )
    assert job.run_now().wait(30).outcome == "succeeded"
    assert [one[0] if isinstance(one, tuple) else one for one in work.seen] == [
        "outer of a",
        "enter",
        "run",
        "leave",
        "outer left",
    ]
    assert scheduler.get_job("a").around_run == ("run_work:surrounded",)


def test_they_see_what_the_function_raises(scheduler):
    job = scheduler.add_job(work.fail, "date", run_date=LATER, around_run="run_work:surrounded")
    assert job.run_now().wait(30).outcome == "failed"
    assert work.seen == ["enter", "error", "leave"]


def test_one_that_fails_fails_the_run(make_scheduler):
    def broken():
        raise OSError("no database")

    scheduler = make_scheduler(around_run=[broken], start=True)
    record = scheduler.add_job(work.add, "date", run_date=LATER, args=[1, 2]).run_now().wait(30)
    assert (record.outcome, record.error) == ("failed", "OSError: no database")


def test_in_a_process_they_are_entered_there(make_scheduler):
    scheduler = make_scheduler(executors={"default": {"type": "processpool"}}, start=True)
    job = scheduler.add_job(work.seen_there, "date", run_date=LATER, around_run=work.surrounded)
    assert job.run_now().wait(30).result == '["enter"]'
    assert work.seen == []


def test_round_coroutines_they_may_be_asynchronous():
    @asynccontextmanager
    async def connected():
        await asyncio.sleep(0)
        work.seen.append("connected")
        yield
        work.seen.append("closed")

    async def main():
        async with AsyncIOScheduler(around_run=[connected, outer]) as scheduler:
            handle = scheduler.add_job(work.look_async, "date", run_date=LATER, id="a").run_now()
            assert (await handle).outcome == "succeeded"

    asyncio.run(main())
    assert [one for one in work.seen if isinstance(one, str)] == [
        "connected",
        "outer of a",
        "outer left",
        "closed",
    ]
