"""A node that was declared dead though it lives: what it runs goes on, and nothing is run a second time beside it here."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from mainspring import BackgroundScheduler
from mainspring.events import EVENT_JOB_EXECUTED, EVENT_JOB_LOST, EVENT_JOB_SUBMITTED
from mainspring.executors.pool import ThreadPoolExecutor
from mainspring.testing import EventRecorder
from stores import MONGODB, open_store

GATES: dict[str, threading.Event] = {}
BEGUN: list[str] = []


def work(gate: str) -> None:
    BEGUN.append(gate)
    assert GATES[gate].wait(60)


def nothing() -> None:
    pass


@pytest.fixture(params=["sqlite", "postgres", "mariadb", "redis", MONGODB])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.sqlite"
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def gate(tablename):
    GATES[tablename] = threading.Event()
    yield tablename
    GATES.pop(tablename).set()


@pytest.fixture
def scheduler(url, tablename):
    made = BackgroundScheduler(
        timezone="UTC", jobstores={"default": open_store(url, tablename, lease=60, node_name="node")}
    )
    made.recorder = EventRecorder()
    made.add_listener(made.recorder, EVENT_JOB_EXECUTED | EVENT_JOB_SUBMITTED)
    made.start()
    yield made
    made.shutdown()


@pytest.fixture
def one_worker(url, tablename):
    """A scheduler that begins one run at a time."""
    made = BackgroundScheduler(
        timezone="UTC",
        executors={"default": ThreadPoolExecutor(1)},
        jobstores={"default": open_store(url, tablename, lease=60, node_name="node")},
    )
    made.recorder = EventRecorder()
    made.add_listener(made.recorder, EVENT_JOB_EXECUTED | EVENT_JOB_SUBMITTED | EVENT_JOB_LOST)
    made.start()
    yield made
    made.shutdown()


@pytest.fixture
def other(url, tablename, started):
    made = started(open_store(url, tablename, lease=60, node_name="other"))
    made._apply_status = lambda *_: None  # it collects when a test wants it
    return made


def declare_dead(store, other):
    """Have `other` take `store` for dead, and `store` find that out."""
    (known,) = [
        one for one in other._backend.cluster_status(0).living if one.token == store._node_context.token
    ]
    assert other._backend.declare_dead(known.token, known.heartbeat)


def outcomes(store, job_id="long"):
    return [(run.attempt, run.outcome) for run in reversed(store.list_runs(job_id, None, None, 10))]


def wait_for_outcomes(store, wanted, job_id="long"):
    """Wait until these outcomes are there: they are written a moment after a run is told to have ended."""
    waiting = threading.Event()
    for _ in range(600):
        if outcomes(store, job_id) == wanted:
            return
        waiting.wait(0.05)
    assert outcomes(store, job_id) == wanted


def begin_long_run(scheduler, gate, **options):
    scheduler.add_job(work, id="long", args=[gate], on_lost="rerun", **options)
    scheduler.recorder.wait_for(EVENT_JOB_SUBMITTED, "long", timeout=30)
    return scheduler._lookup_jobstore("default")


def run_something_else(scheduler, name):
    """Claims go on: whatever could be claimed before is claimed by now."""
    scheduler.add_job(nothing, id=name, next_run_time=datetime(2020, 1, 1, tzinfo=UTC))
    scheduler.recorder.wait_for(EVENT_JOB_EXECUTED, name, timeout=30)


def test_what_runs_here_is_never_called_lost_here(scheduler, other, gate):
    store = begin_long_run(scheduler, gate)
    declare_dead(store, other)
    store._membership.renew()  # it finds out, and goes on under another lease
    store._outcomes.collect_lost(store._own_runs)
    assert outcomes(store) == [(1, None)]
    GATES[gate].set()
    scheduler.recorder.wait_for(EVENT_JOB_EXECUTED, "long", timeout=30)
    wait_for_outcomes(store, [(1, "succeeded")])  # nobody had taken it over


def test_an_outcome_on_its_way_is_not_called_lost_here(scheduler, other, gate, monkeypatch):
    store = begin_long_run(scheduler, gate)
    monkeypatch.setattr(store._backend, "finish", lambda *_: (_ for _ in ()).throw(OSError("away")))
    declare_dead(store, other)
    store._membership.renew()
    GATES[gate].set()
    scheduler.recorder.wait_for(EVENT_JOB_EXECUTED, "long", timeout=30)
    store._outcomes.collect_lost(store._own_runs)
    assert outcomes(store) == [(1, None)]
    monkeypatch.undo()
    wait_for_outcomes(store, [(1, "succeeded")])


def test_what_others_call_lost_is_not_run_again_beside_itself(scheduler, other, gate):
    store = begin_long_run(scheduler, gate)
    scheduler.pause()  # so that nothing is claimed between the two
    declare_dead(store, other)
    other._outcomes.collect_lost(set)
    store._membership.renew()
    scheduler.resume()
    assert outcomes(store) == [(1, "lost"), (2, None)]
    run_something_else(scheduler, "else")
    store._agenda.note_queue_due(datetime(2020, 1, 1, tzinfo=UTC))
    run_something_else(scheduler, "else again")
    assert BEGUN.count(gate) == 1
    GATES[gate].set()
    scheduler.recorder.wait_for(EVENT_JOB_EXECUTED, "long", count=2, timeout=30)
    assert BEGUN.count(gate) == 2


def test_what_runs_here_counts_among_the_instances_though_others_call_it_lost(scheduler, other, gate):
    store = begin_long_run(scheduler, gate, trigger="interval", hours=1, next_run_time=datetime.now(UTC))
    scheduler.pause()
    declare_dead(store, other)
    other._outcomes.collect_lost(set)
    store._membership.renew()
    scheduler.run_job("long")
    scheduler.resume()
    run_something_else(scheduler, "else")
    assert BEGUN.count(gate) == 1
    GATES[gate].set()
    scheduler.recorder.wait_for(EVENT_JOB_EXECUTED, "long", count=3, timeout=30)


def test_what_was_not_begun_because_of_an_outage_is_run_when_it_is_over(one_worker, gate, monkeypatch):
    scheduler = one_worker
    store = begin_long_run(scheduler, gate)
    scheduler.add_job(
        nothing, "interval", hours=1, id="waits", next_run_time=datetime(2020, 1, 1, tzinfo=UTC)
    )
    scheduler.recorder.wait_for(EVENT_JOB_SUBMITTED, "waits", timeout=30)
    for method in ("renew", "release", "finish", "claim", "poll"):
        monkeypatch.setattr(store._backend, method, away)
    lease = store._membership.lease
    lease._become(lease._state._replace(asked=-1e9))  # its time has passed
    GATES[gate].set()
    scheduler.recorder.wait_for(EVENT_JOB_EXECUTED, "long", timeout=30)
    deadline = threading.Event()
    while not store._unbegun:  # skipped, and to be given back
        deadline.wait(0.01)
    monkeypatch.undo()
    scheduler.recorder.wait_for(EVENT_JOB_EXECUTED, "waits", timeout=30)
    wait_for_outcomes(store, [(1, "succeeded")], "waits")
    wait_for_outcomes(store, [(1, "succeeded")])
    assert not scheduler.recorder.of(EVENT_JOB_LOST)


def test_what_was_not_begun_of_several_due_times_is_run_after_an_outage(one_worker, gate, monkeypatch):
    scheduler = one_worker
    now = datetime.now(UTC)
    scheduler.add_job(
        work,
        "interval",
        hours=1,
        id="long",
        args=[gate],
        misfire_policy="all",
        start_date=now - timedelta(hours=3, minutes=30),
        next_run_time=now - timedelta(hours=3, minutes=30),
    )
    store = scheduler._lookup_jobstore("default")
    waiting = threading.Event()
    while not BEGUN.count(gate):
        waiting.wait(0.01)
    for method in ("renew", "release", "finish", "claim", "poll"):
        monkeypatch.setattr(store._backend, method, away)
    lease = store._membership.lease
    lease._become(lease._state._replace(asked=-1e9))  # its time has passed
    GATES[gate].set()
    while not store._unbegun:
        waiting.wait(0.01)
    monkeypatch.undo()
    scheduler.recorder.wait_for(EVENT_JOB_EXECUTED, "long", count=4, timeout=30)
    wait_for_outcomes(store, [(1, "succeeded")] * 4)
    assert BEGUN.count(gate) == 4
    assert not scheduler.recorder.of(EVENT_JOB_LOST)


def away(*_args):
    raise OSError("the server is away")
