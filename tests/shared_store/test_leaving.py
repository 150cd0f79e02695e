"""A node that is shut down leaves to others what it has claimed and not begun."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from mainspring import ThreadPoolExecutor
from mainspring.events import EVENT_EVERY, EVENT_JOB_EXECUTED, EVENT_JOB_STARTED
from mainspring.testing import EventRecorder
from stores import open_store

DUE = datetime(2026, 1, 1, tzinfo=UTC)
release = threading.Event()


def hold():
    assert release.wait(30)


def work():
    return "done"


@pytest.fixture
def node(make_scheduler, store_url, tablename):
    """Makes schedulers on one database, each with one worker and what it has heard."""

    def make():
        scheduler = make_scheduler(
            jobstores={"default": open_store(store_url, tablename)},
            executors={"default": ThreadPoolExecutor(1)},
        )
        heard = EventRecorder()
        scheduler.add_listener(heard, EVENT_EVERY)
        scheduler.start()  # only now: what is due runs at once
        return scheduler, heard

    release.clear()
    yield make
    release.set()


def leave_with_a_claim(scheduler, heard, add, between=lambda: None):
    """Shut a scheduler down whose one worker is busy, while the run that `add` adds waits for it; a function that lets it end."""
    scheduler.add_job(hold, "date", run_date=DUE, id="holds")
    heard.wait_for(EVENT_JOB_STARTED, "holds")
    add(scheduler)
    waiting = threading.Event()
    for _ in range(1000):
        if any(run.job_id == "waits" and run.node for run in scheduler.get_runs(outcome="running")):
            break
        waiting.wait(0.01)
    else:
        raise TimeoutError("not claimed")
    between()
    ending = threading.Thread(target=scheduler.shutdown)
    ending.start()

    def end():
        release.set()
        ending.join(20)
        assert not ending.is_alive()

    return end


@pytest.mark.parametrize("trigger", ["date", "interval"])
@pytest.mark.parametrize("on_lost", ["record", "rerun"])
def test_what_was_not_begun_is_run_by_another_node_at_once(node, trigger, on_lost):
    first, heard = node()
    when = {"run_date": DUE} if trigger == "date" else {"weeks": 5000, "next_run_time": DUE}
    end = leave_with_a_claim(
        first, heard, lambda scheduler: scheduler.add_job(work, trigger, id="waits", on_lost=on_lost, **when)
    )
    second, heard_there = node()
    (event,) = heard_there.wait_for(EVENT_JOB_EXECUTED, "waits")
    assert event.scheduled_run_time == DUE
    end()
    assert heard.of(EVENT_JOB_STARTED, "waits") == []
    second.shutdown()  # writes the outcomes
    third, _ = node()
    assert [(run.job_id, run.outcome, run.attempt) for run in third.get_runs("waits")] == [
        ("waits", "succeeded", 1)
    ]
    assert [run.outcome for run in third.get_runs("holds")] == ["succeeded"]
    assert (third.get_job("waits") is None) == (trigger == "date")


def test_a_run_whose_job_was_changed_since_is_run_all_the_same(node):
    first, heard = node()

    def change():
        first.modify_job("waits", name="another")

    end = leave_with_a_claim(
        first,
        heard,
        lambda scheduler: scheduler.add_job(work, "interval", weeks=5000, next_run_time=DUE, id="waits"),
        change,
    )
    _, heard_there = node()
    heard_there.wait_for(EVENT_JOB_EXECUTED, "waits")
    end()


def test_a_run_whose_job_was_removed_since_is_skipped(node):
    first, heard = node()

    end = leave_with_a_claim(
        first,
        heard,
        lambda scheduler: scheduler.add_job(work, "interval", weeks=5000, next_run_time=DUE, id="waits"),
        lambda: first.remove_job("waits"),
    )
    second, heard_there = node()
    second.add_job(work, "date", run_date=DUE, id="next")
    heard_there.wait_for(EVENT_JOB_EXECUTED, "next")
    (run,) = second.get_runs("waits")
    assert (run.outcome, run.error) == ("skipped", "its job was removed")
    assert heard_there.of(EVENT_JOB_STARTED, "waits") == []
    end()
