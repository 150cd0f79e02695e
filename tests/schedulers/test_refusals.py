"""What an executor refuses is tried again at its time: not before, and not by looking for it all the while."""

from datetime import UTC, datetime, timedelta

import pytest

from mainspring import DateTrigger, MemoryJobStore, SQLAlchemyJobStore
from mainspring.events import EVENT_JOB_PARKED
from mainspring.executors.debug import DebugExecutor
from mainspring.testing import EventRecorder, ManualScheduler
from pickle_store import PickleStore

START = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = START + timedelta(seconds=5)


class Refusing(DebugExecutor):
    """Refuses so many submissions, and keeps the others for later."""

    refusals = 1

    def __init__(self):
        super().__init__()
        self.kept = []

    def _submit(self, submission, reporter):
        if self.refusals:
            self.refusals -= 1
            raise OSError("not now")
        self.kept.append((submission, reporter))

    def end(self):
        super()._submit(*self.kept.pop(0))


@pytest.fixture(params=["memory", "adapted", "sqlite"])
def scheduler(request, tmp_path):
    stores = {
        "memory": MemoryJobStore,
        "adapted": PickleStore,
        "sqlite": lambda: SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite", lease=3600),
    }
    scheduler = ManualScheduler(start=START, jobstores={"default": stores[request.param]()})
    scheduler.executor = Refusing()
    scheduler.add_executor(scheduler.executor, "default")
    scheduler.heard = EventRecorder()
    scheduler.add_listener(scheduler.heard, EVENT_JOB_PARKED)
    scheduler.start()
    yield scheduler
    while scheduler.executor.kept:
        scheduler.executor.end()
    scheduler.shutdown()


def is_due_now(scheduler):
    """Whether the scheduler would look again at once."""
    upcoming = scheduler._upcoming()
    return upcoming is not None and upcoming <= scheduler.now


def test_a_job_that_runs_after_a_refusal_is_not_looked_for_any_more(scheduler):
    scheduler.add_job(print, DateTrigger(FIRST), id="a")
    scheduler.advance_to(FIRST)
    assert [parked.job_id for parked in scheduler.get_parked_jobs()] == ["a"]
    scheduler.clock.advance(1)
    scheduler._look()
    assert len(scheduler.executor.kept) == 1
    assert not is_due_now(scheduler)
    assert scheduler.get_parked_jobs() == []  # it runs


def test_a_run_now_that_was_refused_parks_its_job(scheduler):
    scheduler.executor.refusals = 2
    scheduler.add_job(print, DateTrigger(FIRST), id="a")
    scheduler.run_job("a")
    scheduler.run_due()
    (parked,) = scheduler.get_parked_jobs()
    assert (parked.reason, parked.retry_at) == ("executor 'default' refused it", START + timedelta(seconds=1))
    scheduler.advance(1)
    (parked,) = scheduler.get_parked_jobs()
    assert (parked.attempts, parked.retry_at) == (2, START + timedelta(seconds=3))
    reasons = {event.reason for event in scheduler.heard.events}
    assert reasons == {"executor 'default' refused it"}
    scheduler.clock.advance(2)
    scheduler._look()
    assert len(scheduler.executor.kept) == 1
    assert not is_due_now(scheduler)


def test_a_refused_run_that_is_cancelled_leaves_nothing_to_be_looked_for(scheduler):
    scheduler.add_job(print, DateTrigger(START + timedelta(days=1)), id="a")
    handle = scheduler.run_job("a")
    scheduler.run_due()
    scheduler.cancel_run(handle.id)
    scheduler.clock.advance(5)
    scheduler._look()
    assert not is_due_now(scheduler)


def test_a_run_that_ends_does_not_have_its_job_looked_for_before_its_time(scheduler):
    scheduler.executor.refusals = 0
    scheduler.add_job(print, "interval", seconds=5, id="a", max_instances=2)
    scheduler.advance_to(FIRST)
    scheduler.executor.refusals = 1
    scheduler.clock.advance(5)
    scheduler._look()
    scheduler.executor.end()
    scheduler._look()
    assert not is_due_now(scheduler)
    assert [parked.job_id for parked in scheduler.get_parked_jobs()] == ["a"]
    scheduler.clock.advance(1)
    scheduler._look()
    assert len(scheduler.executor.kept) == 1
