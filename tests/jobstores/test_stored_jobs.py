"""Jobs in a database, through a scheduler."""

from __future__ import annotations

import logging
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from types import ModuleType

import pytest

from mainspring import BackgroundScheduler, MemoryJobStore
from mainspring.errors import JobLookupError, TransientJobError
from mainspring.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_JOB_PARKED
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.testing import EventRecorder
from stores import MONGODB, open_store

START = datetime(2026, 3, 1, tzinfo=UTC)
release = threading.Event()


def work(*args):
    return {"worked on": list(args)}


def fail():
    raise ValueError("no such luck")


def wait():
    assert release.wait(20)


class Counter:
    def __init__(self, start):
        self.start = start

    def __getstate__(self):
        return {"start": self.start}

    def count(self, by):
        return self.start + by


@pytest.fixture(params=["memory", "sqlite", "postgres", "mariadb", "redis", MONGODB])
def any_store(request, tmp_path, tablename):
    if request.param == "memory":
        return MemoryJobStore()
    if request.param == "sqlite":
        return SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite")
    return open_store(request.getfixturevalue(f"{request.param}_url"), tablename)


@pytest.fixture
def stored(make_scheduler, tmp_path):
    """A scheduler with a store in a file."""
    return make_scheduler(
        jobstores={"default": {"type": "sqlalchemy", "url": f"sqlite:///{tmp_path}/jobs.sqlite"}}
    )


def runs_of(scheduler, job_id, count):
    """The runs of a job, when so many have ended and are recorded."""
    for _ in range(400):
        runs = [run for run in scheduler.get_runs(job_id) if run.outcome is not None]
        if len(runs) >= count:
            return runs
        threading.Event().wait(0.05)
    raise AssertionError(f"{job_id}: {scheduler.get_runs(job_id)}")


def test_what_became_of_a_run_is_recorded(stored):
    stored.start()
    before = datetime.now(UTC)
    stored.add_job(work, args=[1, "two"], id="good")
    stored.add_job(fail, id="bad")
    (good,) = runs_of(stored, "good", 1)
    assert good.outcome == "succeeded"
    assert good.result == '{"worked on":[1,"two"]}'
    assert good.error is None
    assert before <= good.scheduled_run_time <= good.claimed <= good.started <= good.finished
    (bad,) = runs_of(stored, "bad", 1)
    assert (bad.outcome, bad.error, bad.result) == ("failed", "ValueError: no such luck", None)
    assert stored.get_jobs() == []
    assert [run.job_id for run in stored.get_runs(outcome="failed")] == ["bad"]
    assert stored.get_runs(since=datetime.now(UTC) + timedelta(hours=1)) == []
    assert len(stored.get_runs(limit=1)) == 1


def test_a_run_that_is_not_run_is_recorded_too(stored):
    stored.start(paused=True)
    late = datetime.now(UTC) - timedelta(hours=1)
    stored.add_job(work, "date", run_date=late, misfire_grace_time=5, id="missed")
    stored.add_job(wait, "interval", seconds=0.2, id="slow")
    release.clear()
    stored.resume()
    (missed,) = runs_of(stored, "missed", 1)
    assert missed.outcome == "missed"
    assert missed.error.endswith("late")
    skipped = runs_of(stored, "slow", 2)
    release.set()
    assert {run.outcome for run in skipped} == {"skipped"}
    assert skipped[0].error == "1 instances were running"


def test_jobs_survive_the_scheduler(stored, make_scheduler, tmp_path):
    stored.start()
    stored.add_job(work, "cron", hour=9, id="daily", args=[1], kwargs=None, name="Every day")
    before = stored.get_job("daily")
    stored.shutdown()
    again = make_scheduler(
        jobstores={"default": {"type": "sqlalchemy", "url": f"sqlite:///{tmp_path}/jobs.sqlite"}}
    )
    again.start()
    after = again.get_job("daily")
    assert (after.name, after.args, after.next_run_time) == (before.name, before.args, before.next_run_time)
    assert after.trigger == before.trigger
    assert after.func is work


def test_a_method_is_stored_with_its_object(stored):
    stored.start()
    stored.add_job(Counter(5).count, args=[2], id="method")
    (run,) = runs_of(stored, "method", 1)
    assert run.result == "7"


@pytest.mark.parametrize("func", [lambda: None, threading.Lock().acquire], ids=["lambda", "of a lock"])
def test_a_function_without_a_reference_is_refused(stored, func):
    stored.start()
    with pytest.raises((TransientJobError, ValueError)):
        stored.add_job(func, "interval", hours=1, id="x")
    assert stored.get_jobs() == []


DECORATED = """
@scheduler.scheduled_job("interval", hours=1, id="decorated")
def decorated():
    pass
"""


@pytest.mark.parametrize("is_running", [False, True])
def test_a_function_can_be_decorated_while_its_module_is_imported(stored, is_running):
    module = ModuleType("decorated_module")
    module.scheduler = stored
    sys.modules["decorated_module"] = module
    try:
        if is_running:
            stored.start()
        exec(DECORATED, vars(module))
        if not is_running:
            stored.start()
        assert stored.get_job("decorated").func is module.decorated
    finally:
        del sys.modules["decorated_module"]


def test_a_decorated_function_without_an_id_is_the_same_job_at_every_start(tmp_path):
    ids = []
    for _ in range(2):
        scheduler = BackgroundScheduler(timezone="UTC")
        scheduler.add_jobstore("sqlalchemy", url=f"sqlite:///{tmp_path}/jobs.sqlite")
        scheduler.scheduled_job("interval", hours=1)(work)
        scheduler.scheduled_job("interval", hours=2)(work)
        scheduler.start()
        ids.append(sorted(job.id for job in scheduler.get_jobs()))
        scheduler.shutdown()
    assert ids[0] == ids[1]
    assert len(ids[0]) == 2


def test_adding_a_job_without_an_id_that_is_stored_already_is_warned_about(stored, caplog):
    stored.start()
    stored.add_job(work, "interval", hours=1, args=[1])
    stored.add_job(work, "interval", hours=2, args=[1])
    stored.add_job(work, "interval", hours=1, args=[2])
    stored.add_job(work, args=[1])
    with caplog.at_level(logging.WARNING):
        assert "an equal one is stored" not in caplog.text
        stored.add_job(work, "interval", hours=1, args=[1])
    assert "an equal one is stored" in caplog.text


def test_parked_jobs_are_announced_and_listed(stored):
    heard = EventRecorder()
    stored.add_listener(heard, EVENT_JOB_PARKED)
    stored.start()
    stored.add_job(work, "interval", hours=1, id="a", next_run_time=datetime.now(UTC))
    stored.add_job(work, "interval", hours=1, id="gpu", executor="gpu", next_run_time=datetime.now(UTC))
    runs_of(stored, "a", 1)
    assert stored.get_job("gpu").executor == "gpu"


def test_jobs_are_listed_by_state_executor_and_words(make_scheduler, any_store):
    scheduler = make_scheduler(jobstores={"default": any_store}, start=True)
    for number in range(6):
        scheduler.add_job(
            work, "date", run_date=f"2040-01-0{number + 1}", id=f"job{number}", name=f"Report {number}"
        )
    scheduler.pause_job("job1")
    scheduler.pause_job("job4")
    scheduler.modify_job("job2", executor="other", tags=["nightly", 'the "old" one'])
    scheduler.modify_job("job3", tags=("Nightly", "ä%"))

    def found(**query):
        return [job.id for job in scheduler.get_jobs(**query)]

    assert found() == ["job0", "job2", "job3", "job5", "job1", "job4"]
    assert found(state="paused") == ["job1", "job4"]
    assert found(state="scheduled", limit=2) == ["job0", "job2"]
    assert found(executor="other") == ["job2"]
    assert found(tag="nightly") == ["job2"]
    assert found(tag="Nightly") == ["job3"]
    assert found(tag='the "old" one', state="scheduled") == ["job2"]
    assert found(tag="ä%") == ["job3"]
    assert found(tag="night") == found(tag="%") == found(tag='"') == []
    assert found(search="report 3") == ["job3"]
    assert found(search="OB5") == ["job5"]
    assert found(search="test_stored_jobs:WORK") == found()
    assert found(search="100%") == []
    pages = []
    after = None
    while page := found(limit=2, after=after):
        pages.append(page)
        after = page[-1]
    assert pages == [["job0", "job2"], ["job3", "job5"], ["job1", "job4"]]
    with pytest.raises(JobLookupError):
        found(after="nobody")
    with pytest.raises(ValueError, match="unknown state"):
        found(state="running")


@pytest.mark.one_python
def test_an_idle_node_asks_three_questions_in_two_seconds(make_scheduler, database_url, tablename):
    store = SQLAlchemyJobStore(database_url, tablename=tablename)
    scheduler = make_scheduler(jobstores={"default": store}, start=True)
    scheduler.add_job(work, "date", run_date="2090-01-01")
    asked = []
    enough = threading.Event()
    entered = store._backend.database._entered

    def counted(gate):
        asked.append(time.monotonic())
        if len(asked) == 13:
            enough.set()
        return entered(gate)

    store._backend.database._entered = counted
    assert enough.wait(30)
    # What is due, each second; every other time, what nobody has the executor for. Eight seconds between thirteen questions, but that two may be
    # heartbeats, and the first may come at any time.
    assert asked[-1] - asked[0] > 5.5


def test_each_of_several_overdue_runs_is_recorded_when_it_has_ended(stored):
    begun = []

    def slow():
        begun.append(len(begun))
        if len(begun) == 3:
            wait()

    sys.modules[__name__].slow = slow
    release.clear()
    start = datetime.now(UTC) - timedelta(hours=2, minutes=30)
    stored.start()
    stored.add_job(
        f"{__name__}:slow", "interval", hours=1, start_date=start, next_run_time=start, coalesce=False, id="a"
    )
    looking = threading.Event()
    for _ in range(1000):
        outcomes = [run.outcome for run in stored.get_runs("a")]
        if outcomes == [None, "succeeded", "succeeded"]:
            break
        looking.wait(0.01)
    release.set()
    assert outcomes == [None, "succeeded", "succeeded"]
    stored.shutdown()
    stored.start(paused=True)
    assert [run.outcome for run in stored.get_runs("a")] == ["succeeded"] * 3


def test_a_scheduler_can_be_started_again(stored):
    heard = EventRecorder()
    stored.add_listener(heard, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    for turn in range(2):
        stored.start()
        stored.add_job(work, id=f"turn{turn}")
        runs_of(stored, f"turn{turn}", 1)
        stored.shutdown()
    stored.start()
    assert [run.job_id for run in stored.get_runs()] == ["turn1", "turn0"]


def test_runs_that_go_on_after_a_shutdown_are_recorded_all_the_same(stored, make_scheduler, tmp_path):
    release.clear()
    stored.start()
    stored.add_job(wait, id="slow")
    for _ in range(400):
        if stored.get_runs("slow", outcome="running"):
            break
        threading.Event().wait(0.05)
    stored.shutdown(wait=False)
    other = make_scheduler(
        jobstores={"default": {"type": "sqlalchemy", "url": f"sqlite:///{tmp_path}/jobs.sqlite"}}
    )
    other.start()
    assert [run.outcome for run in other.get_runs("slow")] == [None]
    release.set()
    assert runs_of(other, "slow", 1)[0].outcome == "succeeded"


@pytest.mark.parametrize("kind", ["sqlite", "redis", MONGODB])
def test_a_backfill_stays_known_while_history_is_pruned(make_scheduler, request, tmp_path, tablename, kind):
    url = f"sqlite:///{tmp_path}/jobs.sqlite" if kind == "sqlite" else request.getfixturevalue(f"{kind}_url")
    store = open_store(url, tablename, keep_runs=3)
    scheduler = make_scheduler(jobstores={"default": store}, start=True)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    scheduler.add_job(work, "interval", hours=1, start_date=long_ago, id="hourly")
    span = (long_ago, long_ago + timedelta(hours=9))
    for handle in scheduler.backfill("hourly", *span):
        handle.wait(30)
    store._outcomes._finished_jobs.add("hourly")
    store._outcomes.prune()
    assert len(scheduler.get_runs("hourly")) == 10
    assert scheduler.backfill("hourly", *span) == []
    store._outcomes._keep_for = timedelta(0)
    store._outcomes.prune()
    assert scheduler.get_runs("hourly") == []


def test_history_is_pruned(make_scheduler, tmp_path):
    store = SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite", keep_runs=3)
    scheduler = make_scheduler(jobstores={"default": store}, start=True)
    scheduler.add_job(work, "interval", seconds=0.05, id="often")
    runs_of(scheduler, "often", 6)
    scheduler.remove_job("often")
    threading.Event().wait(0.3)
    store._outcomes.prune()
    kept = scheduler.get_runs("often")
    assert len(kept) == 3
    store._outcomes._keep_for = timedelta(0)
    store._outcomes.prune()
    assert scheduler.get_runs("often") == []
