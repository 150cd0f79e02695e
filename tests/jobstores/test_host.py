"""What stores and executors ask of their scheduler; and of nobody, where there is none."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import MagicMock

import pytest

import mainspring
from mainspring.executors import host as executors
from mainspring.jobstores import host as stores
from mainspring.jobstores.host import StoreHost, host_of
from mainspring.model import RunKey
from mainspring.schedulers import executor_host, store_host
from mainspring.schedulers.background import BackgroundScheduler
from mainspring.testing import SettableClock
from mainspring.testing.conformance import record

START = datetime(2026, 1, 1, tzinfo=UTC)


def asked(contract):
    return {name for name in vars(contract) if not name.startswith("_")}


@pytest.mark.parametrize(
    "stranger",
    [None, object(), MagicMock(), MagicMock(spec=BackgroundScheduler)],
    ids=["nobody", "something", "a stand-in", "a stand-in for a scheduler"],
)
def test_of_what_is_no_scheduler_of_ours_nobody_is_asked(stranger):
    assert isinstance(host_of(stranger), stores.NullHost)
    assert isinstance(executors.host_of(stranger), executors.NullHost)


def test_a_scheduler_says_what_its_stores_and_executors_may_ask(make_scheduler):
    clock = SettableClock(START)
    scheduler = make_scheduler(clock=clock, executors={"mine": {"type": "threadpool"}}, timezone="Asia/Tokyo")
    host = host_of(scheduler)
    assert host is scheduler.store_host
    assert (host.clock, str(host.timezone), host.is_running) == (clock, "Asia/Tokyo", False)
    assert list(host.executors()) == ["mine"]
    assert host.start_limit("default").seconds == scheduler.start_timeout
    assert executors.host_of(scheduler).clock is clock
    scheduler.start()
    assert host.is_running
    assert set(host.executors()) == {"mine", "default"}
    assert host.instead_of_waiting() is None


def test_a_host_is_taken_in_the_place_of_a_scheduler():
    host = stores.NullHost(SettableClock(START))
    assert host_of(host) is host
    assert host.clock.now() == START


def test_what_is_told_to_nobody_does_nothing():
    host = stores.NullHost()
    key = RunKey("a", START, 1)
    host.wake()
    host.wake_for(START, "default")
    host.notice_end_of_loop()
    host.cancel_here([key], "default")
    host.tell_lost(key, "there", None, "default", gave_up=False)
    host.tell_paused(record("a"), "default")
    assert (host.runs_here("default"), host.executors(), host.instead_of_waiting()) == ([], (), None)
    assert not host.start_limit("default").gives_up()
    none = executors.NullHost()
    assert (none.own, none.going_on()) == (None, ())


@pytest.mark.parametrize(
    ("contract", "fulfil"),
    [
        (StoreHost, [stores.NullHost, store_host.SchedulerHost]),
        (executors.ExecutorHost, [executors.NullHost, executor_host.SchedulerHost]),
    ],
    ids=["stores", "executors"],
)
def test_nothing_that_may_be_asked_is_left_to_the_protocol(contract, fulfil):
    for kind in fulfil:
        assert asked(contract) <= asked(kind), kind


#: By these names of APScheduler's people's own subclasses know a scheduler.
APSCHEDULERS = {"_dispatch_event", "_eventloop", "_reactor"}
#: By these an executor knows a scheduler of its own kind of event loop, when it is started.
LOOPS = {"_hub", "_caller"}


@pytest.mark.parametrize("package", ["jobstores", "executors"])
def test_nobody_reaches_into_a_scheduler(package):
    folder = Path(mainspring.__file__).parent / package
    reached = re.compile(r"""scheduler(?:\.|, ["'])(_[a-z_]+)""")
    found = {
        (path.name, name)
        for path in folder.rglob("*.py")
        for name in reached.findall(path.read_text())
        if name not in APSCHEDULERS | LOOPS
    }
    assert found == set()
    assert reached.findall('getattr(self._scheduler, "_wake", None); scheduler._start_limit(1)') == [
        "_wake",
        "_start_limit",
    ]
