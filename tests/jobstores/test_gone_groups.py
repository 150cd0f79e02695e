"""A run waits for room in its group, and the group's limits go, or the job leaves the group: the run begins."""

from __future__ import annotations

import threading

import pytest

from stores import open_store
from waiting import wait_for

pytestmark = pytest.mark.one_python

goes_on = threading.Event()


def hold():
    goes_on.wait(30)


def pass_by():
    pass


@pytest.fixture(autouse=True)
def held():
    goes_on.clear()
    yield
    goes_on.set()


@pytest.mark.parametrize("how", ["removed", "left"])
def test_a_queued_run_waits_for_no_group_that_is_gone(make_scheduler, store_url, tablename, how):
    scheduler = make_scheduler(jobstores={"default": open_store(store_url, tablename)}, start=True)
    scheduler.set_group("few", limit=1)
    scheduler.add_job(f"{__name__}:hold", "interval", days=1, id="first", group="few")
    scheduler.add_job(f"{__name__}:pass_by", "interval", days=1, id="second", group="few")
    first = scheduler.run_job("first")
    wait_for(lambda: scheduler.get_runs("first", outcome="running"))
    second = scheduler.run_job("second")
    with pytest.raises(TimeoutError):
        second.wait(0.3)
    if how == "removed":
        scheduler.remove_group("few")
    else:
        scheduler.modify_job("second", group=None)
    assert second.wait(30).outcome == "succeeded"
    assert scheduler.get_runs("first", outcome="running")
    goes_on.set()
    assert first.wait(30).outcome == "succeeded"
