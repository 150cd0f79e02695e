"""A store, an executor, a trigger or a listener of somebody else's fails: what is concerned is told of, and all the rest goes on."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from broken_parts import CALLED, TRIGGERS, Refusing, fail_once, work
from nodes import wait_for

from mainspring.events import EVENT_ALL, EVENT_JOB_EXECUTED
from mainspring.executors.pool import ThreadPoolExecutor
from mainspring.jobstores.memory import MemoryJobStore
from mainspring.testing import FaultyStore, ManualScheduler
from mainspring.testing.checker import Observed, ObservedJob, check
from stores import open_store

pytestmark = [pytest.mark.one_python, pytest.mark.timeout(120)]

START = datetime(2026, 1, 1, tzinfo=UTC)
#: What a scheduler asks by itself, and when that may fail so that nothing need be lost. What a claim has done, and didn't say,
#: only the store can know.
FAULTS = [
    (method, when)
    for method in ("finish", "next_time", "report_progress", "progress", "enqueue", "earliest", "parked")
    for when in ("before", "after")
] + [("claim", "before")]


@pytest.fixture(autouse=True)
def _forget():
    CALLED.clear()


@pytest.fixture(params=["memory", "sqlite"])
def faulty(request, tmp_path, tablename):
    if request.param == "memory":
        return FaultyStore(MemoryJobStore())
    return FaultyStore(open_store(f"sqlite:///{tmp_path}/jobs.sqlite", tablename))


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(("method", "when"), FAULTS)
def test_a_store_that_fails_now_and_then_loses_nothing(faulty, method, when, times):
    scheduler = ManualScheduler(start=START, jobstores={"default": faulty})
    scheduler.start()
    jobs = [
        scheduler.add_job(work, "interval", seconds=10, args=["all"], id="all", misfire_policy="all"),
        scheduler.add_job(work, "date", run_date=START + timedelta(seconds=25), args=["once"], id="once"),
        scheduler.add_job(
            fail_once,
            "date",
            run_date=START + timedelta(seconds=15),
            args=["retried"],
            id="retried",
            retry={"attempts": 2, "delay": 7},
        ),
    ]
    observed = [ObservedJob.of(job, keeps_diary=False) for job in jobs]
    for moment in (5, 12, 24):
        _advance_to(scheduler, moment)
        faulty.fail(method, OSError("a fault that was asked for"), when=when, times=times)
    for moment in range(25, 95, 5):
        _advance_to(scheduler, moment)
    faulty.mend()
    _advance_to(scheduler, 96)
    runs = scheduler.get_runs(limit=1000)
    assert [run.id for run in runs if run.outcome is None] == []
    assert {job_id: count for job_id, count in CALLED.items() if job_id != "all"} == {"once": 1, "retried": 2}
    assert CALLED["all"] == 9
    seen = Observed(
        since=START, until=scheduler.now, jobs=observed, runs=runs, patience=timedelta(seconds=10)
    )
    assert check(seen) == []
    assert scheduler.health().ok
    scheduler.shutdown()


class _Moody(MemoryJobStore):
    """Somebody's store over ours, one method of which fails for a while; ours asks it for jobs in the middle of a claim."""

    failing = None

    def get_record(self, job_id):
        self._fail("get_record")
        return super().get_record(job_id)

    def finish(self, submissions):
        self._fail("finish")
        return super().finish(submissions)

    def _fail(self, method):
        if self.failing == method:
            raise OSError("a fault that was asked for")


@pytest.mark.parametrize("method", ["get_record", "finish"])
def test_a_store_that_fails_for_long_loses_nothing_and_holds_nobody_up(method):
    store = _Moody()
    scheduler = ManualScheduler(start=START, jobstores={"default": store})
    scheduler.start()
    scheduler.add_job(work, "interval", seconds=10, args=["all"], id="all", max_instances=9)
    once = {"trigger": "date", "run_date": START + timedelta(seconds=15), "id": "retried"}
    scheduler.add_job(fail_once, args=["retried"], retry={"attempts": 2, "delay": 3}, **once)
    _advance_to(scheduler, 16)
    store.failing = method
    _advance_to(scheduler, 42)
    store.failing = None
    _advance_to(scheduler, 90)
    runs = scheduler.get_runs(limit=1000)
    assert [run.id for run in runs if run.outcome is None] == []
    assert sorted(run.outcome for run in scheduler.get_runs("retried")) == ["failed", "succeeded"]
    assert scheduler.health().ok
    scheduler.shutdown()


def _advance_to(scheduler, seconds):
    """As a loop does that is there for ever: what it raises isn't the end."""
    scheduler.advance_to(max(scheduler.now, START + timedelta(seconds=seconds)))


@pytest.fixture(
    params=[
        "memory",
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.soak),
        pytest.param("mariadb", marks=pytest.mark.soak),
        pytest.param("redis", marks=pytest.mark.soak),
        pytest.param("mongodb", marks=[pytest.mark.soak, pytest.mark.xdist_group("mongodb")]),
    ]
)
def store(request, tmp_path, tablename):
    if request.param == "memory":
        return MemoryJobStore()
    url = (
        f"sqlite:///{tmp_path}/jobs.sqlite"
        if request.param == "sqlite"
        else request.getfixturevalue(f"{request.param}_url")
    )
    return open_store(url, tablename, lease=2)


def test_what_cannot_be_carried_out_keeps_nothing_back(store, make_scheduler):
    scheduler = make_scheduler(
        jobstores={"default": store},
        executors={
            "default": ThreadPoolExecutor(10),
            "refusing": Refusing(RuntimeError("it takes nothing")),
            "worse": Refusing(ValueError(b"caf\xe9".decode("utf-8", "surrogateescape"))),
        },
        start=True,
    )
    scheduler.add_listener(_raise, EVENT_ALL)
    scheduler.pause()
    due = datetime.now(UTC)
    bad = [
        *({"trigger": trigger()} for trigger in TRIGGERS),
        *({"trigger": "date", "run_date": due, "executor": name} for name in ("refusing", "worse")),
        {"trigger": "date", "run_date": due, "max_instances": 1, "max_runs": 1},
    ]
    jobs = []
    for n in range(16):
        jobs.append(
            {"func": work, "args": [f"good{n}"], "id": f"good{n}", "trigger": "date", "run_date": due}
        )
        if n < len(bad):
            jobs.append({"func": work, "args": [f"bad{n}"], "id": f"bad{n}", **bad[n]})
    scheduler.add_jobs(jobs)
    scheduler.add_job(work, "interval", seconds=0.2, args=["tick"], id="tick")
    scheduler.resume()
    good = [f"good{n}" for n in range(16)]
    wait_for(lambda: all(CALLED[name] for name in good), "all the others", 20)
    wait_for(
        lambda: all([run.outcome for run in scheduler.get_runs(name)] == ["succeeded"] for name in good),
        "their outcomes",
        20,
    )
    before = CALLED["tick"]
    wait_for(lambda: CALLED["tick"] > before + 5, "next ticks", 20)
    assert {name: CALLED[name] for name in good} == dict.fromkeys(good, 1)
    begin = time.monotonic()
    scheduler.shutdown()
    assert time.monotonic() - begin < 10


def _raise(event):
    raise RuntimeError("a listener of somebody else's")


@pytest.mark.parametrize("how", ["plain", "nowait", "timeout"])
def test_a_listener_that_never_returns_keeps_nobody(make_scheduler, how):
    """Its scheduler runs jobs, and can be shut down."""
    scheduler = make_scheduler(start=True)
    ending = threading.Event()
    scheduler.add_listener(lambda event: ending.wait(60), EVENT_JOB_EXECUTED)
    scheduler.add_job(work, "interval", seconds=0.02, args=["tick"], id="tick")
    wait_for(lambda: CALLED["tick"] > 20, "ticks", 20)
    assert scheduler.health().undelivered_events > 5
    begin = time.monotonic()
    scheduler.shutdown(**{"plain": {"timeout": 3}, "nowait": {"wait": False}, "timeout": {"timeout": 1}}[how])
    took = time.monotonic() - begin
    ending.set()
    assert took < 10
