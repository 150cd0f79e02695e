from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from mainspring import MemoryJobStore
from mainspring.events import EVENT_EVERY
from mainspring.jobstores.shared import agenda
from mainspring.jobstores.shared.store import SharedJobStore
from mainspring.testing import EventRecorder
from pickle_store import PickleStore
from stores import MONGODB, open_store

sys.path.insert(0, str(Path(__file__).parent))  # for what the jobs of these tests do


@pytest.fixture(autouse=True)
def _fresh_work():
    import run_work

    run_work.reset()
    yield
    run_work.gate.set()
    run_work.eventually(lambda: not run_work.busy)  # or it would be taken for the next test's


@pytest.fixture(params=["memory", "adapted", "sqlite", "postgres", "mariadb", "redis", MONGODB])
def make_store(request, tmp_path):
    """Makes job stores of one kind that share what they keep, where that kind can."""
    if request.param == "memory":
        return MemoryJobStore
    if request.param == "adapted":
        return PickleStore
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/jobs.sqlite"
    else:
        url = request.getfixturevalue(f"{request.param}_url")
    tablename = request.getfixturevalue("tablename")
    return lambda **options: open_store(url, tablename, **options)


@pytest.fixture
def scheduler(make_scheduler, make_store):
    """A scheduler on a store of each kind."""
    import run_work

    yield make_scheduler(jobstores={"default": make_store()}, start=True)
    run_work.gate.set()  # before the scheduler is shut down, which waits for its jobs


@pytest.fixture
def seldom_polls(monkeypatch):
    """The time after which stores that nodes share are asked again for what nobody has told of: so long that it is noticed."""
    interval = timedelta(seconds=10)
    monkeypatch.setattr(agenda, "POLL", interval)
    monkeypatch.setattr(SharedJobStore, "poll_interval", interval)
    return interval


@pytest.fixture
def heard(scheduler):
    """A recorder that hears everything."""
    recorder = EventRecorder()
    scheduler.add_listener(recorder, EVENT_EVERY)
    return recorder
