"""What a scheduler that is paused does about runs that go on: it tells its store how they end."""

from __future__ import annotations

from threading import Event

import pytest

from stores import open_store
from waiting import wait_for

GATES = {"first": Event(), "second": Event()}


def waits(gate):
    GATES[gate].wait(30)


@pytest.fixture
def gates():
    for gate in GATES.values():
        gate.clear()
    yield GATES
    for gate in GATES.values():
        gate.set()


@pytest.mark.parametrize(
    "ends_before", [True, False], ids=["ended before it was paused", "ended while it was paused"]
)
def test_how_a_run_has_ended_is_written_though_another_goes_on(tmp_path, make_scheduler, gates, ends_before):
    url = f"sqlite:///{tmp_path}/jobs.sqlite"
    scheduler = make_scheduler(jobstores={"default": open_store(url, "jobs")}, start=True)
    for gate in ("first", "second"):
        scheduler.add_job(waits, "interval", args=[gate], hours=1, id=gate)
        scheduler.run_job(gate)
    outside = open_store(url, "jobs")
    wait_for(lambda: len(outside.list_runs(None, "running", None, 10)) == 2)
    if not ends_before:
        scheduler.pause()
    gates["first"].set()
    if ends_before:
        scheduler.pause()
    wait_for(lambda: outside.list_runs("first", "succeeded", None, 10), 10)
    assert len(outside.list_runs("second", "running", None, 10)) == 1
    outside.shutdown()
