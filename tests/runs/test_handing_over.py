"""A store that raises when it is told of runs, before or after it has taken that: it is told again, and each run counts once."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
import run_work as work
from run_work import eventually

from mainspring import MemoryJobStore, Retry, current_run
from mainspring.events import EVENT_JOB_EXECUTED
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.testing import FaultyStore, ManualScheduler
from pickle_store import PickleStore

PAST = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    if request.param == "memory":
        return FaultyStore(MemoryJobStore())
    return FaultyStore(SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite"))


@pytest.fixture
def manual(store):
    scheduler = ManualScheduler(jobstores={"default": store}, timezone="UTC")
    scheduler.start()
    yield scheduler
    store.mend()
    scheduler.shutdown()


def succeed():
    return 1


def fail():
    raise ValueError("no such luck")


def say():
    current_run().progress(1, 2, "half")


def outcomes(scheduler, job_id=None):
    runs = scheduler.get_runs(job_id, limit=100)
    return [(run.scheduled_run_time, run.attempt, run.outcome) for run in reversed(runs)]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_run_whose_end_could_not_be_told_is_told_of_before_the_next_claim(manual, store, when, times):
    job = manual.add_job(succeed, "interval", seconds=10, id="job")
    first = job.next_run_time
    store.fail("finish", OSError("no such luck"), when=when, times=times)
    manual.advance(125)
    expected = [(first + timedelta(seconds=10) * number, 1, "succeeded") for number in range(12)]
    assert outcomes(manual) == expected
    assert not manual._stores.unhanded
    assert manual._in_flight.count == 0


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_ends_twice_for_a_store_counts_once(manual, store, when):
    job = manual.add_job(fail, "interval", seconds=10, id="job", pause_after_failures=4)
    retried = manual.add_job(
        fail,
        "date",
        run_date=manual.clock.now() + timedelta(seconds=5),
        id="retried",
        retry=Retry(attempts=3, delay=1),
    )
    store.fail("finish", OSError("no such luck"), when=when, times=2)
    manual.advance(35)
    assert [outcome for _, _, outcome in outcomes(manual, "job")] == ["failed"] * 3
    assert manual.get_job("job").next_run_time is not None  # three failures, of which none was counted twice
    manual.advance(10)
    assert manual.get_job("job").next_run_time is None
    assert [attempt for _, attempt, _ in outcomes(manual, retried.id)] == [1, 2, 3]
    del job


@pytest.mark.parametrize("when", ["before", "after"])
def test_places_are_counted_once(make_scheduler, store, when):
    scheduler = make_scheduler(jobstores={"default": store}, start=True)
    scheduler.add_job(work.wait, "date", run_date=PAST, id="slow", max_instances=2)
    eventually(lambda: work.begun.is_set())
    store.fail("finish", OSError("no such luck"), when=when)
    scheduler.add_job(work.add, "date", run_date=PAST, args=[1, 2], id="quick")
    eventually(lambda: not scheduler._stores.unhanded and scheduler._in_flight.count == 1)
    behind = store.store
    held = (
        behind._held
        if isinstance(behind, SQLAlchemyJobStore)
        else sum(map(behind._ledger.count, ("slow", "quick")))
    )
    assert held == 1
    work.gate.set()
    eventually(lambda: {run.outcome for run in scheduler.get_runs()} == {"succeeded"})


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_a_run_says_is_told_again(make_scheduler, store, when, heard_of):
    scheduler = make_scheduler(jobstores={"default": store}, start=True)
    store.fail("report_progress", OSError("no such luck"), when=when, times=3)
    store.fail("progress", OSError("no such luck"), when=when, times=2)
    since = datetime.now(UTC) - timedelta(hours=1)
    job = scheduler.add_job(
        say,
        "interval",
        seconds=899,
        start_date=since,
        next_run_time=since,
        coalesce=False,
        id="job",
    )
    eventually(lambda: len(scheduler.get_runs(job.id, outcome="succeeded")) == 5)
    assert {run.progress for run in scheduler.get_runs(job.id)} == {(1, 2, "half")}
    eventually(lambda: not scheduler._stores.unhanded)


@pytest.fixture
def heard_of(caplog):
    caplog.set_level(logging.INFO)
    return caplog


def test_it_is_said_once_and_when_it_is_over(manual, store, heard_of):
    manual.add_job(succeed, "interval", seconds=10, id="job")
    store.fail("finish", OSError("no such luck"), times=4)
    manual.advance(65)
    said = [
        record.levelname
        for record in heard_of.records
        if "told what has become of runs" in record.getMessage()
    ]
    assert said == ["ERROR", "INFO"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_it_is_told_at_the_shutdown(make_scheduler, tmp_path, when):
    url = f"sqlite:///{tmp_path}/jobs.sqlite"
    store = FaultyStore(SQLAlchemyJobStore(url))
    scheduler = make_scheduler(jobstores={"default": store}, start=True)
    scheduler.add_job(work.wait, "date", run_date=PAST, id="job")
    eventually(lambda: work.begun.is_set())
    store.fail("finish", OSError("no such luck"), when=when, times=5)
    work.gate.set()
    scheduler.shutdown()
    after = make_scheduler(jobstores={"default": SQLAlchemyJobStore(url)})
    after.start(paused=True)
    assert [run.outcome for run in after.get_runs()] == ["succeeded"]


def test_a_shutdown_does_not_wait_for_ever_for_a_store_that_takes_nothing(make_scheduler, heard_of):
    store = FaultyStore(MemoryJobStore())
    scheduler = make_scheduler(jobstores={"default": store}, start=True)
    scheduler.add_job(work.wait, "date", run_date=PAST, id="job")
    eventually(lambda: work.begun.is_set())
    store.fail("finish", OSError("no such luck"), times=10_000)
    work.gate.set()
    eventually(lambda: scheduler._in_flight.count == 0)
    scheduler.shutdown(wait=False)
    assert "could not be told that 1 submissions have ended" in heard_of.text


class Raising(PickleStore):
    """A store of APScheduler's kind that raises now and then, before or after it has done what it was asked."""

    def __init__(self):
        super().__init__()
        self.faults = []

    def update_job(self, job):
        when = self.faults.pop() if self.faults else None
        if when == "before":
            raise OSError("no such luck")
        super().update_job(job)
        if when == "after":
            raise OSError("no such luck")


def fail_with(store, faults):
    store.faults = list(faults)
    raise ValueError("no such luck")


@pytest.mark.parametrize("faults", [["before"], ["after"], ["after", "before", "after"]])
def test_failures_are_counted_once_in_a_store_of_another_kind(faults):
    store = Raising()
    scheduler = ManualScheduler(jobstores={"default": store}, timezone="UTC")
    scheduler.start()
    scheduler.add_job(fail, "interval", seconds=10, id="job", pause_after_failures=3)
    scheduler.add_listener(
        lambda _: store.faults.extend(faults) if not outcomes(scheduler) else None, EVENT_JOB_EXECUTED
    )
    scheduler.advance(10)
    finish = scheduler._stores["default"].finish

    def finish_with_faults(submissions):
        if faults:
            store.faults, faults[:] = list(faults), []
        return finish(submissions)

    scheduler._stores["default"].finish = finish_with_faults
    scheduler.advance(11)
    assert scheduler.get_job("job").next_run_time is not None
    assert [outcome for _, _, outcome in outcomes(scheduler)] == ["failed"] * 2
    scheduler.advance(10)
    assert scheduler.get_job("job").next_run_time is None
    assert len(outcomes(scheduler)) == 3
    scheduler.shutdown()
