"""Outcomes that a store can't take, or can't take now: they hold nothing back, and are written as soon as that is possible."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

import hostile_work
import pytest
import run_work as work
from run_work import eventually
from sqlalchemy import event

from mainspring import MemoryJobStore
from mainspring.events import EVENT_JOB_EXECUTED
from mainspring.jobstores.shared import store as store_module
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.model import RunResult
from mainspring.testing.conformance import START, claim, record, submission
from pickle_store import PickleStore

pytestmark = pytest.mark.one_python

PAST = datetime(2026, 1, 1, tzinfo=UTC)
RUN = "2026-01-01T00:00:00.000000Z/1"
OF_ONE_PROCESS = (MemoryJobStore, PickleStore)


class Backend:
    """Has a method of a store's database raise, as long as it is asked to."""

    def __init__(self, store, monkeypatch):
        self.backend = store._backend
        self.monkeypatch = monkeypatch
        self.calls = 0

    def fails(self, method, error, when=lambda _: True):
        """From now on `method` raises if its first argument is such."""
        real = getattr(self.backend, method)

        def call(first, *others):
            self.calls += 1
            if when(first):
                raise error
            return real(first, *others)

        self.monkeypatch.setattr(self.backend, method, call)

    def works(self):
        self.monkeypatch.undo()


@pytest.fixture
def backend(scheduler, make_store, monkeypatch):
    if make_store in OF_ONE_PROCESS:
        pytest.skip("what is in memory is always written")
    return Backend(scheduler._stores["default"], monkeypatch)


def outcome(scheduler, job_id):
    run = scheduler.get_run(f"{job_id}/{RUN}")
    return None if run is None else run.outcome


@pytest.mark.parametrize("error", [OSError("of no known kind"), ValueError("the database is read-only")])
def test_outcomes_are_written_as_soon_as_the_store_works_again(scheduler, backend, error):
    backend.fails("finish", error)
    backend.fails("claim", error, when=lambda request: request.ended)
    backend.fails("renew", error)
    backend.fails("report_progress", error)
    scheduler.add_job(hostile_work.say_and_wait, "date", run_date=PAST, id="slow")
    scheduler.add_job(work.add, "date", run_date=PAST, args=[1, 2], id="a")
    eventually(lambda: backend.calls > 5)
    assert outcome(scheduler, "a") is None
    backend.works()
    eventually(lambda: outcome(scheduler, "a") == "succeeded", 10)
    kept = scheduler.get_run(f"a/{RUN}")
    assert (kept.result, kept.error) == ("3", None)  # nothing was left out
    eventually(lambda: scheduler.get_run(f"slow/{RUN}").progress == (1, 2, "half"))
    work.gate.set()
    eventually(lambda: outcome(scheduler, "slow") == "succeeded")


def test_claims_go_on_while_outcomes_can_not_be_written(scheduler, backend):
    backend.fails("finish", OSError("of no known kind"))
    backend.fails("claim", OSError("of no known kind"), when=lambda request: request.ended)
    backend.fails("renew", OSError("of no known kind"))
    for number in range(5):
        count = len(work.seen)
        scheduler.add_job(work.note, "date", run_date=PAST, args=[number], id=f"job {number}")
        eventually(lambda count=count: len(work.seen) > count)  # claimed and run, though none is written
    backend.works()
    eventually(lambda: [outcome(scheduler, f"job {number}") for number in range(5)] == ["succeeded"] * 5, 10)


def test_one_outcome_that_is_refused_is_written_as_far_as_it_can_be_and_the_others_whole(
    scheduler, backend, caplog
):
    caplog.set_level(logging.WARNING)
    refused = UnicodeEncodeError("utf-8", "x", 0, 1, "refused by the driver")

    def has_it(ended):
        return any(one.job.id == "bad" and one.result.result is not None for one in ended)

    backend.fails("finish", refused, when=has_it)
    backend.fails("claim", refused, when=lambda request: has_it(request.ended))
    for name in ("one", "bad", "two"):
        scheduler.add_job(work.add, "date", run_date=PAST, args=[1, 2], id=name)
    eventually(lambda: [outcome(scheduler, name) for name in ("one", "bad", "two")] == ["succeeded"] * 3)
    kept = scheduler.get_run(f"bad/{RUN}")
    assert kept.result is None
    assert kept.error.startswith("[the result, 1 bytes, could not be stored: UnicodeEncodeError: ")
    assert (scheduler.get_run(f"one/{RUN}").result, scheduler.get_run(f"two/{RUN}").error) == ("3", None)
    assert 'Not all of the outcome of job "bad"' in caplog.text


def test_an_outcome_that_is_refused_whatever_is_left_out_keeps_no_other_from_being_written(
    scheduler, backend
):
    def has_it(ended):
        return any(one.job.id == "bad" for one in ended)

    backend.fails("finish", RuntimeError("refused"), when=has_it)
    backend.fails("claim", RuntimeError("refused"), when=lambda request: has_it(request.ended))
    scheduler.add_job(work.add, "date", run_date=PAST, args=[1, 2], id="bad")
    for number in range(3):
        scheduler.add_job(work.add, "date", run_date=PAST, args=[1, number], id=f"good {number}")
        eventually(lambda number=number: outcome(scheduler, f"good {number}") == "succeeded")
    assert outcome(scheduler, "bad") is None
    backend.works()
    eventually(lambda: outcome(scheduler, "bad") == "succeeded", 10)


def test_what_could_not_be_written_is_put_back_in_its_place(scheduler, backend):
    store = scheduler._stores["default"]
    taken = []
    backend.fails(
        "finish", OSError("away"), when=lambda ended: taken.append([one.job.id for one in ended]) or True
    )
    backend.fails("claim", OSError("away"), when=lambda request: request.ended)
    backend.fails("renew", OSError("away"))
    scheduler.add_job(work.add, "date", run_date=PAST, args=[1, 2], id="first")
    eventually(lambda: len(taken) > 1)
    scheduler.add_job(work.add, "date", run_date=PAST, args=[1, 2], id="second")
    eventually(lambda: ["first", "second"] in taken)
    assert {key[0] for key in store._outcomes.unwritten()} == {"first", "second"}
    backend.works()
    eventually(lambda: outcome(scheduler, "second") == "succeeded")
    assert outcome(scheduler, "first") == "succeeded"


def test_outcomes_that_could_not_be_written_are_written_at_the_shutdown(
    make_scheduler, make_store, monkeypatch
):
    if make_store in OF_ONE_PROCESS:
        pytest.skip("what is in memory ends with the process")
    scheduler = make_scheduler(jobstores={"default": make_store()}, start=True)
    backend = Backend(scheduler._stores["default"], monkeypatch)
    failures = iter([True] * 12)
    backend.fails("finish", OSError("away"), when=lambda _: next(failures, False))
    backend.fails("claim", OSError("away"), when=lambda request: request.ended)
    scheduler.add_job(work.add, "date", run_date=PAST, args=[1, 2], id="a")
    eventually(lambda: backend.calls > 2)
    scheduler.shutdown()
    after = make_scheduler(jobstores={"default": make_store()})
    after.start(paused=True)
    assert outcome(after, "a") == "succeeded"


def test_what_is_too_large_for_a_server_is_left_out_and_the_rest_written(make_scheduler, tmp_path):
    store = SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite")

    @event.listens_for(store.engine, "connect")
    def _limit(connection, _record):
        connection.setlimit(0, 300_000)  # SQLITE_LIMIT_LENGTH: of a text, a statement, a row

    scheduler = make_scheduler(jobstores={"default": store}, start=True)
    assert store._node_context.request_limit == 300_000
    scheduler.add_job(hostile_work.repeat, "date", run_date=PAST, args=["x", 1_000_000], id="large")
    scheduler.add_job(hostile_work.repeat, "date", run_date=PAST, args=["y", 100_000], id="small")
    for number in range(20):
        scheduler.add_job(hostile_work.repeat, "date", run_date=PAST, args=["z", 60_000], id=f"many {number}")
    eventually(lambda: len(scheduler.get_runs(outcome="succeeded")) == 22)
    kept = scheduler.get_run(f"large/{RUN}")
    assert kept.result is None
    assert kept.error.startswith("[the result, 1,000,002 bytes, could not be stored: ")
    assert len(json.loads(scheduler.get_run(f"small/{RUN}").result)) == 100_000
    assert len(json.loads(scheduler.get_run(f"many 7/{RUN}").result)) == 60_000


def test_many_large_results_that_come_together_are_all_written(scheduler, heard):
    for number in range(20):
        scheduler.add_job(
            hostile_work.repeat, "date", run_date=PAST, args=["\"'\\\n", 75_000], id=f"job {number}"
        )
    eventually(lambda: len([one for one in heard.events if one.code == EVENT_JOB_EXECUTED]) == 20, 60)
    eventually(lambda: scheduler.get_runs(outcome="running", limit=1) == [], 60)
    kept = scheduler.get_runs(limit=30)
    assert [run.outcome for run in kept] == ["succeeded"] * 20
    assert all(len(run.result) > 300_000 for run in kept)


def test_what_can_not_be_given_back_keeps_nothing_else_from_being(make_store, monkeypatch):
    if make_store in OF_ONE_PROCESS:
        pytest.skip("what is in memory ends with the process")
    monkeypatch.setattr(store_module, "_LEAVING", 1.0)
    store = make_store()
    store.start(None, "default")
    backend = Backend(store, monkeypatch)
    failures = iter([True] * 3)
    error = ValueError("of no known kind")
    backend.fails(
        "release",
        error,
        when=lambda submissions: any(one.job.id == "bad" for one in submissions) or next(failures, False),
    )
    store.add_records([record(name) for name in ("good", "bad", "well")], None)
    claimed = [submission(one) for one in claim(store, 0).decisions]
    assert len(claimed) == 3
    with pytest.raises(ValueError, match="no known kind"):
        store.release(claimed)
    running = store.list_runs(None, "running", None, 5)
    assert [run.job_id for run in running] == ["bad"]
    assert store._held == 0
    store.shutdown()


def test_a_claim_takes_the_light_outcomes_along_and_does_not_wait_for_the_heavy_ones(make_store):
    if make_store in OF_ONE_PROCESS:
        pytest.skip("what is in memory is always written")
    store = make_store()
    store.start(None, "default")
    outcomes = store._outcomes
    store.add_records([record(name) for name in ("heavy", "light", "later")], None)
    by_job = {one.job.id: submission(one) for one in claim(store, 0).decisions}
    written = []
    finish = store._backend.finish
    store._backend.finish = lambda part, give_up: (
        written.append([one.job.id for one in part]) or finish(part, give_up)
    )
    store._node_context.request_limit = 4 * 100_000
    outcomes._failures = 0
    with outcomes._writing:  # as while others are written
        for name, size in (("heavy", 200_000), ("light", 10), ("later", 10)):
            by_job[name].results.append(RunResult(START, "succeeded", START, START, None, "1" * size))
        outcomes.add([by_job[name] for name in ("heavy", "light", "later")])
        taken = outcomes._light_ones()
    assert [one.job.id for one in taken] == ["light", "later"]
    assert {key[0] for key in outcomes.unwritten()} == {"heavy", "light", "later"}
    assert [one.job.id for one in outcomes._ended] == ["heavy"]
    outcomes.requeue(taken)
    outcomes.write()
    assert sorted(name for part in written for name in part) == ["heavy", "later", "light"]
    store._held = 0
    store.shutdown()
