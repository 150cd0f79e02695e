"""A run that was asked for, of a job that can't be run here: it waits, and that is said, as of a job that is due."""

from __future__ import annotations

import logging
import sys
from types import ModuleType

import pytest

from mainspring.events import EVENT_JOB_PARKED
from mainspring.testing import EventRecorder
from stores import open_store
from waiting import wait_for

pytestmark = pytest.mark.one_python

MODULE = "of_queued_obstacles"


@pytest.fixture
def module():
    """A module with a function that may go."""
    made = sys.modules[MODULE] = ModuleType(MODULE)
    exec("def work():\n    return 1", made.__dict__)
    yield made
    del sys.modules[MODULE]


def prepared(make_scheduler, url, tablename, **options):
    """A scheduler that looks, and what it hears."""
    scheduler = make_scheduler(jobstores={"default": open_store(url, tablename, **options)})
    recorder = EventRecorder()
    scheduler.add_listener(recorder, EVENT_JOB_PARKED)
    scheduler.start(paused=True)
    return scheduler, recorder


def said(caplog):
    return [line.getMessage() for line in caplog.records if "can't be run for now" in line.getMessage()]


def is_told_once(scheduler, recorder, caplog, reason):
    (event,) = recorder.wait_for(EVENT_JOB_PARKED, "job")[:1]
    assert reason in event.reason
    assert scheduler.health().parked_jobs == 1
    assert [job.job_id for job in scheduler.get_parked_jobs()] == ["job"]
    assert sum(reason in line for line in said(caplog)) == 1
    (run,) = scheduler.get_runs("job")
    assert run.state == "queued"  # it still waits


# Each kind of store finds the runs and their jobs in its own way, and this is decided in one place for all.
def test_a_function_that_is_gone(make_scheduler, store_url, tablename, module, caplog):
    scheduler, recorder = prepared(make_scheduler, store_url, tablename)
    scheduler.add_job(f"{MODULE}:work", "interval", days=1, id="job")
    handle = scheduler.run_job("job")
    work = module.__dict__.pop("work")
    with caplog.at_level(logging.WARNING):
        scheduler.resume()
        is_told_once(scheduler, recorder, caplog, f"no function '{MODULE}:work' here")
    module.work = work
    assert handle.wait(30).outcome == "succeeded"
    wait_for(lambda: scheduler.health().parked_jobs == 0)


def test_an_executor_that_nobody_has(make_scheduler, tmp_path, tablename, caplog):
    scheduler, recorder = prepared(make_scheduler, f"sqlite:///{tmp_path}/jobs.sqlite", tablename)
    scheduler.add_job("operator:add", "interval", days=1, id="job", args=[1, 2], executor="special")
    handle = scheduler.run_job("job")
    with caplog.at_level(logging.WARNING):
        scheduler.resume()
        is_told_once(scheduler, recorder, caplog, "special")
    scheduler.add_executor("threadpool", "special")
    assert handle.wait(30).outcome == "succeeded"
    wait_for(lambda: scheduler.health().parked_jobs == 0)


def test_a_job_that_is_not_signed(make_scheduler, tmp_path, tablename, caplog):
    url = f"sqlite:///{tmp_path}/jobs.sqlite"
    first, _ = prepared(make_scheduler, url, tablename)
    first.add_job("operator:add", "interval", days=1, id="job", args=[1, 2])
    handle = first.run_job("job")
    first.shutdown()
    scheduler, recorder = prepared(make_scheduler, url, tablename, signing_key="secret")
    with caplog.at_level(logging.WARNING):
        scheduler.resume()
        is_told_once(scheduler, recorder, caplog, "it is not signed")
    assert [one.job_id for one in scheduler._stores["default"].sign_jobs()] == ["job"]
    wait_for(lambda: scheduler.get_runs("job")[0].outcome == "succeeded")
    assert [run.id for run in scheduler.get_runs("job")] == [handle.id]
    wait_for(lambda: scheduler.health().parked_jobs == 0)
