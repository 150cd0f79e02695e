"""A job that is claimed faster than somebody can change it: by its nodes, again and again."""

from __future__ import annotations

import time

import pytest

from mainspring import BackgroundScheduler
from mainspring.events import EVENT_JOB_SUBMITTED
from mainspring.testing import EventRecorder
from stores import open_store
from waiting import wait_for

pytestmark = pytest.mark.one_python

#: Seconds for which a change takes longer than from one claim to the next, and tries after which it would be said to starve.
_LONG, _MANY = 0.5, 10


@pytest.fixture
def heard():
    return EventRecorder()


@pytest.fixture
def node(store_url, tablename, heard):
    """A scheduler that claims a job twenty times a second."""
    scheduler = BackgroundScheduler(timezone="UTC", jobstores={"default": open_store(store_url, tablename)})
    scheduler.add_listener(heard, EVENT_JOB_SUBMITTED)
    scheduler.start()
    scheduler.add_job(
        "operator:add", "interval", seconds=0.05, args=[1, 2], id="often", max_instances=100, name="first"
    )
    wait_for(lambda: heard.events)
    yield scheduler
    scheduler.shutdown(wait=False)


@pytest.fixture
def other(store_url, tablename, node):
    """Another one, which runs nothing."""
    scheduler = BackgroundScheduler(timezone="UTC", jobstores={"default": open_store(store_url, tablename)})
    scheduler.start(paused=True)
    yield scheduler
    scheduler.shutdown(wait=False)


def test_a_job_that_is_claimed_faster_than_it_is_changed_is_changed_all_the_same(node, other, heard):
    store = other._stores["default"]

    def slowly_renamed(name):
        tries = []

        def renamed(before):
            tries.append(before.version)
            assert len(tries) < _MANY, "it is always another by the time at which it is written"
            known, end = len(heard.events), time.monotonic() + _LONG
            while len(heard.events) == known and time.monotonic() < end:
                # Until it is another one, or so long that somebody has seen to it that it isn't.
                time.sleep(0.005)
            return before.changed(name=name)

        return renamed

    assert store.change("often", slowly_renamed("changed")).name == "changed"
    assert node.get_job("often").name == "changed"
    replacing = slowly_renamed("replaced")
    (after,) = store.add_records([store.get_record("often")], lambda old, _: replacing(old))
    assert after.name == "replaced"
    assert node.get_job("often").name == "replaced"
    # It is run on as before.
    known = len(heard.events)
    wait_for(lambda: len(heard.events) > known + 3)
