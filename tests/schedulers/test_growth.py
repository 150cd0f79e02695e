"""What a program has after an hour is what it had after a minute."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from weakref import WeakSet

import pytest

import mainspring
from mainspring import AfterJob, MemoryJobStore, current, current_run
from mainspring.events import EVENT_JOB_EXECUTED
from mainspring.testing import EventRecorder

HERE = Path(__file__).parent
MB = 2**20


def grown(url, seconds, every):
    """What `growing.py` says of itself."""
    paths = f"{HERE}:{HERE.parent}:{Path(mainspring.__path__[0]).parent}"
    done = subprocess.run(
        [sys.executable, str(HERE / "growing.py"), url, str(seconds), str(every)],
        capture_output=True,
        text=True,
        timeout=seconds + 120,
        env={**os.environ, "PYTHONPATH": paths},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_ten_minutes(kind, tmp_path):
    first, *later = grown(f"sqlite:///{tmp_path}/jobs.sqlite" if kind == "sqlite" else "", 600, 58)
    last = later[-1]
    print(first, *later, sep="\n")
    warm = later[0]
    assert last["moment"] - warm["moment"] > 300
    assert last["rss"] - warm["rss"] < 5 * MB
    assert last["threads"] <= warm["threads"] + 1  # the worker that a moment has needed
    # A look may fall into a moment in which a node of SQLite holds its turn, or a call has a connection of its own: two files more.
    assert min(facts["fds"] for facts in later[-3:]) <= warm["fds"] + 1
    for facts in later:
        assert facts["alarms"] < 600
        assert facts["undelivered"] < 1000
        assert facts["jobs"] <= first["jobs"] + 2
        assert facts["stuck"] == 0
    if kind == "sqlite":
        # Old history is removed once a minute: what that leaves, and what ends until the next time.
        assert last["rows"] <= later[0]["rows"] * 2 + 2000


@pytest.mark.parametrize("keeps_time", [True, False])
def test_a_job_that_is_changed_again_and_again_is_there_once(make_scheduler, keeps_time):
    store = MemoryJobStore()
    scheduler = make_scheduler(jobstores={"default": store}, start=True)
    for number in range(1000):
        if keeps_time:
            scheduler.add_job(_log, "interval", hours=1, id="replaced", replace_existing=True)
        else:
            scheduler.add_job(
                _log, "interval", hours=1 + number, start_date="2100-01-01", id="moved", replace_existing=True
            )
    assert len(store._heap) < 100


@pytest.mark.parametrize("how", ["remove", "replace", "reschedule"])
def test_who_came_after_a_job_is_forgotten_with_it(make_scheduler, how):
    store = MemoryJobStore()
    scheduler = make_scheduler(jobstores={"default": store}, start=True)
    for number in range(50):
        scheduler.add_job(_log, "interval", hours=1, id=f"first-{number}")
        scheduler.add_job(_log, AfterJob(f"first-{number}"), id="then", replace_existing=True)
        if how == "remove":
            scheduler.remove_job("then")
        elif how == "reschedule":
            scheduler.reschedule_job("then", trigger="interval", hours=1)
        scheduler.remove_job(f"first-{number}")
    assert len(store._followers) <= 1


def test_what_was_warned_of_is_not_remembered_for_ever(make_scheduler):
    scheduler = make_scheduler(start=True)
    for number in range(1500):
        scheduler.add_job(
            _log, "interval", hours=1, executor=f"of-customer-{number}", id="a", replace_existing=True
        )
    assert len(scheduler._doubtful_jobs._seen) <= 1000


@pytest.mark.one_python
def test_what_is_there_after_many_runs(make_scheduler):
    """A short form: the sizes of what has grown once."""
    heard = EventRecorder()
    scheduler = make_scheduler(jobstores={"default": MemoryJobStore(keep_runs=5)}, start=True)
    scheduler.add_listener(heard, EVENT_JOB_EXECUTED)
    count = 1500
    for number in range(count):
        scheduler.add_job(_log, timeout=3600, capture_log=number % 10 == 0, group=f"customer-{number}")
    heard.wait_for(EVENT_JOB_EXECUTED, count=count, timeout=120)
    heard.wait_until(lambda: not scheduler.health().running_runs)
    runs = scheduler._stores["default"]._runs
    assert len(scheduler._alarms) < 600
    assert not scheduler._in_flight.unsettled()
    assert not runs.ledger.running
    assert not runs._group_running
    assert not scheduler._awaited_runs._events
    assert not scheduler._event_queue._queue
    assert scheduler.get_jobs() == []


def _log():
    current_run().log.info("a line")


def test_a_program_can_set_its_log_up_when_no_run_is_going_on(make_scheduler, monkeypatch):
    monkeypatch.setattr(current, "_captured", WeakSet())  # runs of other tests may go on
    before, logging.root.handlers[:] = logging.root.handlers[:], []
    try:
        heard = EventRecorder()
        scheduler = make_scheduler(start=True)
        scheduler.add_listener(heard, EVENT_JOB_EXECUTED)
        scheduler.add_job(_log, capture_log=True)
        heard.wait_for(EVENT_JOB_EXECUTED)
        assert logging.root.handlers == []
        logging.basicConfig(handlers=[logging.NullHandler()])
        assert len(logging.root.handlers) == 1
    finally:
        logging.root.handlers[:] = before
