"""A job store that is not open is not said to be empty: before the start and after the shutdown."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from io import StringIO

import pytest

from mainspring import BackgroundScheduler
from mainspring.errors import (
    JobLookupError,
    JobNotLookedUpError,
    SchedulerNotRunningError,
    StoreNotOpenError,
    StoreNotOpenWarning,
)

DUE = datetime(2030, 1, 1, tzinfo=UTC)
RUN = "stored/2026-01-01T00:00:00.000000Z/1"


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/jobs.sqlite"


@pytest.fixture(params=["before the start", "after the shutdown"])
def closed(request, url):
    first = make(url)
    first.start(paused=True)
    first.add_job(int, "date", run_date=DUE, id="stored", tags=["t"])
    first.shutdown()
    return first if request.param == "after the shutdown" else make(url)


def make(url):
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_jobstore("sqlalchemy", url=url)
    return scheduler


# What APScheduler has raises its error, what it hasn't says that the scheduler is not running.
OF_APSCHEDULER = {
    "pause_job": lambda s: s.pause_job("stored"),
    "resume_job": lambda s: s.resume_job("stored"),
    "modify_job": lambda s: s.modify_job("stored", name="x"),
    "reschedule_job": lambda s: s.reschedule_job("stored", trigger="interval", hours=1),
    "remove_job": lambda s: s.remove_job("stored"),
    "of one store": lambda s: s.remove_job("stored", "default"),
}
OF_OURS = {
    "get_runs": lambda s: s.get_runs(),
    "get_run": lambda s: s.get_run(RUN),
    "run_job": lambda s: s.run_job("stored"),
    "wait_for_run": lambda s: s.wait_for_run(RUN, timeout=1),
    "cancel_run": lambda s: s.cancel_run(RUN),
    "backfill": lambda s: s.backfill("stored", DUE, DUE),
    "get_parked_jobs": lambda s: s.get_parked_jobs(),
    "pause_jobs": lambda s: s.pause_jobs(tag="t"),
    "resume_jobs": lambda s: s.resume_jobs(tag="t"),
    "remove_jobs": lambda s: s.remove_jobs(tag="t"),
    "remove_group": lambda s: s.remove_group("g"),
    "export_jobs": lambda s: s.export_jobs(StringIO()),
}
LISTS = {
    "get_jobs": (lambda s: s.get_jobs(), []),
    "get_job": (lambda s: s.get_job("stored"), None),
    "print_jobs": (lambda s: s.print_jobs(out=StringIO()), None),
    "remove_all_jobs": (lambda s: s.remove_all_jobs(), None),
    "get_groups": (lambda s: s.get_groups(), []),
}


@pytest.mark.parametrize("call", OF_APSCHEDULER.values(), ids=OF_APSCHEDULER)
def test_a_job_that_was_not_looked_up_is_not_said_to_be_missing(closed, call):
    with pytest.raises(JobLookupError, match=r"'default' has not been asked.*start\(paused=True\)") as caught:
        call(closed)
    assert isinstance(caught.value, JobNotLookedUpError)
    assert caught.value.job_id == "stored"


@pytest.mark.parametrize("call", OF_OURS.values(), ids=OF_OURS)
def test_what_a_closed_store_knows_is_not_answered(closed, call):
    with pytest.raises(SchedulerNotRunningError, match=r"start\(paused=True\)"):
        call(closed)


@pytest.mark.parametrize(("call", "answer"), LISTS.values(), ids=LISTS)
def test_lists_are_apschedulers_with_a_warning(closed, call, answer):
    with pytest.warns(
        StoreNotOpenWarning, match=r"only what is pending.*'default' has not been asked"
    ) as told:
        assert call(closed) == answer
    assert [warning.filename for warning in told] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert closed.get_jobs(pending=True) == []


def test_handles_of_before_say_so_too(url):
    scheduler = make(url)
    scheduler.start(paused=True)
    job = scheduler.add_job(int, "date", run_date=DUE, id="stored")
    run = job.run_now()
    scheduler.shutdown()
    for call in (job.runs, run.record, lambda: run.wait(1), run.cancel):
        with pytest.raises(StoreNotOpenError, match=r"after shutdown\(\)"):
            call()
    for call in (job.pause, job.remove, lambda: job.modify(name="x")):
        with pytest.raises(JobNotLookedUpError, match=r"after shutdown\(\)"):
            call()
    with pytest.raises(SchedulerNotRunningError, match="has been shut down"):
        job.run_now()


def test_to_look_only_it_is_started_paused(url):
    scheduler = make(url)
    scheduler.start(paused=True)
    scheduler.add_job(int, "date", run_date=DUE, id="stored")
    scheduler.shutdown()
    scheduler.start(paused=True)
    assert [job.id for job in scheduler.get_jobs()] == ["stored"]
    assert scheduler.get_runs() == []
    scheduler.shutdown()


def test_pending_jobs_are_found_and_changed(closed):
    closed.add_job(int, "date", run_date=DUE, id="pending")
    assert closed.modify_job("pending", name="other").name == "other"
    assert closed.get_job("pending").name == "other"
    closed.remove_job("pending")
    with pytest.raises(JobNotLookedUpError):
        closed.remove_job("pending")


def test_what_is_in_memory_is_answered():
    scheduler = BackgroundScheduler(timezone="UTC")
    assert scheduler.get_runs() == []
    with pytest.raises(JobLookupError, match=r"was found$"):
        scheduler.remove_job("none")
    scheduler.start()
    scheduler.add_job(int, "date", run_date=DUE, id="one")
    scheduler.shutdown()
    assert [job.id for job in scheduler.get_jobs()] == ["one"]
    with pytest.raises(KeyError, match="did you mean 'default'"):
        scheduler.get_runs(jobstore="defualt")


def test_a_job_that_is_added_after_the_shutdown_is_warned_of(caplog):
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(int, "date", run_date=DUE, id="early")
    assert "after shutdown" not in caplog.text
    scheduler.start()
    scheduler.shutdown()
    scheduler.add_job(int, "date", run_date=DUE, id="late", name="l")
    assert 'Job "l" is added after shutdown()' in caplog.text
    scheduler.start(paused=True)
    assert scheduler.get_job("late").next_run_time == DUE
    scheduler.shutdown()


NEARLY = {
    "remove": lambda s: s.remove_job("reprot"),
    "remove from a store": lambda s: s.remove_job("reprot", "default"),
    "pause": lambda s: s.pause_job("Report"),
    "modify in a store": lambda s: s.modify_job("reports", "default", name="x"),
    "resume in a store": lambda s: s.resume_job("report_", "default"),
    "run in a store": lambda s: s.run_job("reprot", "default"),
    "backfill in a store": lambda s: s.backfill("reprot", DUE, DUE, jobstore="default"),
}


@pytest.mark.parametrize("call", NEARLY.values(), ids=NEARLY)
def test_a_job_of_nearly_that_id_is_named(call):
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(int, "date", run_date=DUE, id="report")
    scheduler.start()
    try:
        with pytest.raises(JobLookupError, match="was found; did you mean 'report'") as caught:
            call(scheduler)
    finally:
        scheduler.shutdown()
    assert caught.value.hint == "report"
