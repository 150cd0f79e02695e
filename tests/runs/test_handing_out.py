"""What was claimed together is carried out one by one: what can't be keeps nothing else from being run."""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import ClassVar

import pytest
import run_work as work
from run_work import eventually

from mainspring.errors import MaxInstancesReachedError
from mainspring.events import (
    EVENT_JOB_BACKLOG_DROPPED,
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_PARKED,
    EVENT_JOB_PAUSED,
)
from mainspring.executors.pool import ThreadPoolExecutor
from mainspring.testing import ManualScheduler

PAST = datetime(2026, 1, 1, tzinfo=UTC)


class Refusing(ThreadPoolExecutor):
    """Takes all jobs but those whose id says what is raised instead."""

    errors: ClassVar = {
        "exit": SystemExit("no"),
        "cancelled": asyncio.CancelledError("no"),
        "error": OSError("no"),
        "limit": None,
    }
    refuses = True

    def submit(self, submission, reporter):
        name = submission.job.id.split(" ")[0]
        if self.refuses and name in self.errors:
            raise self.errors[name] or MaxInstancesReachedError(SimpleNamespace(id=name, max_instances=1))
        super().submit(submission, reporter)


def states(scheduler, job_id):
    return [run.state for run in reversed(scheduler.get_runs(job_id))]


def add_together(scheduler, *jobs):
    """Add jobs that are claimed together, those that run well round each of the others."""
    scheduler.pause()
    for number, (job_id, options) in enumerate(jobs):
        for name in (f"before {number}", f"after {number}"):
            when = PAST + timedelta(seconds=10 * number + (5 if name.startswith("after") else 0))
            scheduler.add_job(work.add, "interval", hours=1, next_run_time=when, args=[1, 2], id=name)
        when = options.pop("when", PAST + timedelta(seconds=10 * number + 2))
        scheduler.add_job(work.add, args=[3, 4], id=job_id, next_run_time=when, **options)
    scheduler.resume()


def the_others_run(scheduler, count):
    for number in range(count):
        for name in (f"before {number}", f"after {number}"):
            eventually(lambda name=name: states(scheduler, name)[:1] == ["succeeded"])


def test_a_backlog_of_which_nothing_is_run_now_is_told_like_any_other(scheduler, heard):
    scheduler.add_job(
        work.wait,
        "interval",
        hours=1,
        start_date=PAST,
        id="buffers",
        next_run_time=PAST,
        overlap="buffer_all",
    )
    assert work.begun.wait(30)
    every_hour = {"trigger": "interval", "hours": 1, "start_date": PAST}
    scheduler.add_job(work.add, id="spent", max_runs=1, args=[1, 2], next_run_time=PAST, **every_hour)
    eventually(lambda: states(scheduler, "spent") == ["succeeded"])
    scheduler.pause()
    for job_id in ("buffers", "spent"):
        scheduler.modify_job(job_id, next_run_time=PAST, coalesce=False, catch_up_limit=2)
    add_together(scheduler)
    for name in ("one", "other"):
        scheduler.add_job(work.add, "date", run_date=PAST, args=[1, 2], id=name)
    scheduler.resume()
    for job_id in ("buffers", "spent"):
        event = heard.wait_for(EVENT_JOB_BACKLOG_DROPPED, job_id)[0]
        assert event.first == PAST < event.before
    for name in ("one", "other"):
        eventually(lambda name=name: states(scheduler, name) == ["succeeded"])
    heard.wait_for(EVENT_JOB_PAUSED, "spent", count=2)
    work.gate.set()
    scheduler.shutdown()


@pytest.mark.parametrize("name", ["exit", "cancelled", "error"])
def test_whatever_an_executor_raises_others_are_run(scheduler, heard, name):
    executor = Refusing()
    scheduler.add_executor(executor, "refusing")
    add_together(scheduler, (name, {"trigger": "interval", "hours": 1, "executor": "refusing"}))
    the_others_run(scheduler, 1)
    event = heard.wait_for(EVENT_JOB_PARKED, name)[0]
    assert "refused" in event.reason
    assert states(scheduler, name) == []
    executor.refuses = False
    eventually(lambda: states(scheduler, name) == ["succeeded"])
    assert scheduler.get_runs(name)[0].attempt == 1


def test_a_run_that_an_executor_has_no_place_for_is_skipped(scheduler, heard):
    scheduler.add_executor(Refusing(), "refusing")
    add_together(scheduler, ("limit", {"trigger": "interval", "hours": 1, "executor": "refusing"}))
    the_others_run(scheduler, 1)
    heard.wait_for(EVENT_JOB_MAX_INSTANCES, "limit")
    eventually(lambda: states(scheduler, "limit") == ["skipped"])
    assert "as many instances" in scheduler.get_runs("limit")[0].error


@pytest.mark.parametrize(
    "options", [{"trigger": "date", "run_date": PAST}, {"trigger": "interval", "hours": 1, "max_runs": 1}]
)
def test_a_run_that_no_other_makes_up_for_waits_for_a_place(scheduler, heard, options):
    executor = Refusing()
    scheduler.add_executor(executor, "refusing")
    add_together(scheduler, ("limit", {"executor": "refusing", **options}))
    the_others_run(scheduler, 1)
    heard.wait_for(EVENT_JOB_PARKED, "limit")
    executor.refuses = False
    eventually(lambda: states(scheduler, "limit") == ["succeeded"])


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "afterwards"])
def test_what_a_store_can_not_take_back_at_once_is_given_back_when_it_can(
    scheduler, heard, monkeypatch, is_done
):
    store, calls = scheduler._stores["default"], []
    give_back = store.give_back

    def fail(*arguments):
        calls.append(arguments)
        if len(calls) < 3:
            if is_done and len(calls) == 1:
                give_back(*arguments)
            raise OSError("no network")
        return give_back(*arguments)

    monkeypatch.setattr(store, "give_back", fail)
    executor = Refusing()
    scheduler.add_executor(executor, "refusing")
    add_together(scheduler, ("error", {"trigger": "interval", "hours": 1, "executor": "refusing"}))
    the_others_run(scheduler, 1)
    heard.wait_for(EVENT_JOB_PARKED, "error")
    assert len(calls) == 3
    executor.refuses = False
    eventually(lambda: states(scheduler, "error") == ["succeeded"])
    assert scheduler.get_runs("error")[0].attempt == 1


def test_what_a_store_never_takes_back_is_told_of_at_the_end(scheduler, heard, monkeypatch, caplog):
    called = threading.Event()

    def fail(*_):
        called.set()
        raise OSError("no network")

    monkeypatch.setattr(scheduler._stores["default"], "give_back", fail)
    scheduler.add_executor(Refusing(), "refusing")
    add_together(scheduler, ("error", {"trigger": "interval", "hours": 1, "executor": "refusing"}))
    the_others_run(scheduler, 1)
    assert called.wait(30)
    scheduler.shutdown(timeout=0)
    assert "and that 1 are left to others" in caplog.text


def test_a_claim_that_stands_because_its_job_was_changed_has_failed(scheduler, heard):
    class Changing(ThreadPoolExecutor):
        def submit(self, submission, reporter):
            scheduler.pause_job(submission.job.id)
            raise OSError("no")

    scheduler.add_executor(Changing(), "changing")
    add_together(scheduler, ("changed", {"trigger": "interval", "hours": 1, "executor": "changing"}))
    heard.wait_for(EVENT_JOB_ERROR, "changed")
    the_others_run(scheduler, 1)
    eventually(lambda: states(scheduler, "changed") == ["failed"])
    scheduler.shutdown()


def test_a_log_that_raises_keeps_nothing_from_being_run(scheduler, heard, capsys):
    class Broken(logging.Handler):
        def emit(self, record):
            if threading.current_thread() is not threading.main_thread():  # which asks for things
                raise OSError("disk full")

    handler, logger = Broken(), logging.getLogger("apscheduler")
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        late = {"trigger": "interval", "hours": 1, "misfire_grace_time": 1}
        add_together(scheduler, ("late", late), ("last", {"trigger": "date", "run_date": PAST}))
        the_others_run(scheduler, 2)
        eventually(lambda: states(scheduler, "last") == ["succeeded"])
        heard.wait_for(EVENT_JOB_EXECUTED, "last")
        scheduler.shutdown()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def test_an_interrupt_gives_back_what_was_not_handed_out():
    class Interrupted(ThreadPoolExecutor):
        interrupts = True

        def submit(self, submission, reporter):
            if self.interrupts and submission.job.id == "1":
                raise KeyboardInterrupt
            super().submit(submission, reporter)

    scheduler = ManualScheduler(executors={"default": (executor := Interrupted())})
    scheduler.start()
    for number in range(3):
        scheduler.add_job(work.add, "date", run_date="2000-01-01", args=[number, 0], id=str(number))
    with pytest.raises(KeyboardInterrupt):
        scheduler.run_due()
    assert {job.id for job in scheduler.get_jobs()} == {"1", "2"}
    executor.interrupts = False
    scheduler.advance(timedelta(seconds=5))
    eventually(lambda: len(scheduler.get_runs(outcome="succeeded")) == 3)
    scheduler.shutdown()


def test_jobs_in_memory_that_are_due_at_the_same_instant_come_by_their_ids():
    scheduler = ManualScheduler(start=PAST)
    scheduler.start()
    for job_id in "cab":
        scheduler.add_job(len, "interval", hours=1, args=[job_id], id=job_id)
    ended = scheduler.advance(timedelta(hours=2))
    assert [event.job_id for event in ended] == ["a", "b", "c", "a", "b", "c"]
    scheduler.shutdown()
