"""What can be learnt of runs while they go on, and afterwards."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import run_work as work
from run_work import eventually

from mainspring import MemoryJobStore, current_run
from mainspring.errors import ConfigurationError, NoRunError
from mainspring.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from mainspring.model import run_id, run_key
from mainspring.testing import EventRecorder
from pickle_store import PickleStore

PAST = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_run_is_found_by_its_id(scheduler, heard):
    scheduler.add_job(work.add, "date", run_date=PAST, args=[1, 2], id="sum")
    (event,) = heard.wait_for(EVENT_JOB_EXECUTED, "sum")
    assert event.run_id == run_id("sum", PAST)
    run = scheduler.wait_for_run(event.run_id, timeout=30)
    assert (run.id, run.job_id, run.attempt, run.cause) == (event.run_id, "sum", 1, "schedule")
    assert (run.outcome, run.result, run.error) == ("succeeded", "3", None)
    assert run.scheduled_run_time == PAST
    assert run.started <= run.finished
    assert abs(run.started - event.started) < timedelta(seconds=1)
    assert scheduler.get_run(run_id("sum", PAST, 2)) is None
    assert [one.id for one in scheduler.get_runs("sum")] == [run.id]


def test_a_failure_is_kept_with_its_traceback(scheduler, heard):
    job = scheduler.add_job(work.fail, "date", run_date=PAST, id="bad")
    (event,) = heard.wait_for(EVENT_JOB_ERROR, "bad")
    run = scheduler.wait_for_run(event.run_id, timeout=30)
    assert (run.outcome, run.error) == ("failed", "ValueError: no such luck")
    assert "raise ValueError(text)" in run.traceback
    assert [one.outcome for one in job.runs()] == ["failed"]


@pytest.mark.parametrize("store", [MemoryJobStore, PickleStore])
def test_a_run_whose_end_was_told_is_known_before_it_is_settled(make_scheduler, monkeypatch, store):
    scheduler = make_scheduler(jobstores={"default": store()}, start=True)
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_JOB_ERROR | EVENT_JOB_EXECUTED)
    settled, end = threading.Event(), scheduler._in_flight.end
    monkeypatch.setattr(scheduler._in_flight, "end", lambda one: (settled.wait(30), end(one)))
    scheduler.add_job(work.fail, "date", run_date=PAST, id="bad")
    scheduler.add_job(work.add, "date", run_date=PAST, args=[1, 2], id="good")
    (failed,) = heard.wait_for(EVENT_JOB_ERROR, "bad")
    (succeeded,) = heard.wait_for(EVENT_JOB_EXECUTED, "good")
    run = scheduler.get_run(failed.run_id)
    assert (run.outcome, run.error) == ("failed", "ValueError: no such luck")
    assert scheduler.get_run(succeeded.run_id).result == "3"
    assert scheduler.get_runs(outcome="running") == []
    before = {run.key: run for run in scheduler.get_runs()}
    settled.set()
    eventually(lambda: not scheduler._in_flight.count)
    assert {run.key: run for run in scheduler.get_runs()} == before


def test_a_run_that_goes_on_says_how_far_it_is(scheduler):
    scheduler.add_job(work.wait, "date", run_date=PAST, id="long")
    assert work.begun.wait(30)
    (run,) = scheduler.get_runs("long", "running")
    assert run.outcome is None
    assert scheduler.get_run(run.id).outcome is None
    assert scheduler.get_runs("long", "queued") == []
    work.gate.set()
    assert scheduler.wait_for_run(run.id, timeout=30).outcome == "succeeded"
    assert scheduler.get_runs("long", "running") == []


def test_a_run_knows_itself(scheduler):
    job = scheduler.add_job(work.look, "date", run_date="2100-01-01", id="self", timeout=60)
    record = job.run_now().wait(30)
    (run,) = work.seen
    assert (run.job_id, run.run_id, run.attempt) == ("self", record.id, 1)
    assert run.scheduled_run_time == record.scheduled_run_time
    # The record is in the time of the database's clock, which is another.
    assert abs(run.deadline - record.started - timedelta(seconds=60)) < timedelta(seconds=5)
    assert not run.cancelled
    assert record.result == f'"{record.id}"'
    assert record.progress == (3, 10, "on the way")
    assert "looked at self" in record.log
    assert "not asked for" not in record.log


def test_what_a_run_logs_is_kept_if_its_job_asks_for_that(scheduler):
    job = scheduler.add_job(work.log_a_line, "date", run_date="2100-01-01", id="logs", capture_log=True)
    record = job.run_now().wait(30)
    assert "WARNING somebody: a line of logs" in record.log


def test_results_need_not_be_kept(scheduler):
    job = scheduler.add_job(work.add, "date", run_date="2100-01-01", args=[1, 2], keep_result=False)
    assert job.run_now().wait(30).result is None


def test_outside_of_a_run_there_is_none():
    with pytest.raises(NoRunError, match="current_run"):
        current_run()


def test_a_coroutine_knows_its_run(scheduler):
    job = scheduler.add_job(work.look_async, "date", run_date="2100-01-01", id="coroutine")
    record = job.run_now().wait(30)
    assert record.result == f'"{record.id}"'


def test_a_run_in_a_process_knows_itself(make_scheduler, make_store):
    scheduler = make_scheduler(
        jobstores={"default": make_store()}, executors={"default": {"type": "processpool"}}, start=True
    )
    job = scheduler.add_job(work.look_remotely, "date", run_date="2100-01-01", id="far")
    record = job.run_now().wait(30)
    assert record.result == f'["far","{record.id}",1,true,false]'
    assert record.progress == (1, 2, "half")
    assert "from afar" in record.log


def test_the_memory_store_remembers_so_many_runs_of_each_job(make_scheduler, monkeypatch):
    monkeypatch.setattr("mainspring.jobstores.history._AT_LEAST", 10)
    store = MemoryJobStore(keep_runs=3)
    scheduler = make_scheduler(jobstores={"default": store}, start=True)
    rare = scheduler.add_job(work.add, "date", run_date="2100-01-01", args=[0, 0])
    first = rare.run_now().wait(30)
    often = scheduler.add_job(work.add, "date", run_date="2100-01-01", args=[1, 1])
    ended = [often.run_now().wait(30) for _ in range(60)]
    assert [run.id for run in rare.runs()] == [first.id]
    assert [run.id for run in often.runs()] == [run.id for run in reversed(ended[-3:])]
    assert scheduler.get_run(ended[0].id) is None
    work.eventually(lambda: len(store._runs.history._all()) <= 20)


@pytest.mark.parametrize("keep_runs", [-1, "5", 1.5, True])
def test_how_many_runs_are_remembered_is_a_whole_number(keep_runs):
    with pytest.raises(ConfigurationError, match="keep_runs must be a whole number of 0 or more"):
        MemoryJobStore(keep_runs=keep_runs)


def test_runs_are_listed_latest_first_and_chosen(scheduler):
    job = scheduler.add_job(work.add, "date", run_date="2100-01-01", args=[1, 2], id="sum")
    bad = scheduler.add_job(work.fail, "date", run_date="2100-01-01", id="bad")
    first, second = job.run_now().wait(30), job.run_now().wait(30)
    failed = bad.run_now().wait(30)
    assert [run.id for run in scheduler.get_runs()] == [failed.id, second.id, first.id]
    assert [run.id for run in scheduler.get_runs(outcome="failed")] == [failed.id]
    assert [run.id for run in job.runs(1)] == [second.id]
    assert [run.id for run in scheduler.get_runs(since=second.scheduled_run_time)] == [failed.id, second.id]


def test_what_no_run_can_be_is_not_looked_for(make_scheduler):
    scheduler = make_scheduler(start=True)
    with pytest.raises(ValueError, match="did you mean 'failed'"):
        scheduler.get_runs(outcome="faild")
    for limit in (-1, None, "3", True):
        with pytest.raises(ValueError, match="limit must be a whole number of 0 or more"):
            scheduler.get_runs(limit=limit)
    assert scheduler.get_runs(limit=0) == []


def test_missed_and_skipped_runs_are_recorded(scheduler, heard):
    scheduler.add_job(work.add, "date", run_date=PAST, args=[1, 2], id="late", misfire_grace_time=1)
    eventually(lambda: scheduler.get_runs("late"))
    (run,) = scheduler.get_runs("late")
    assert (run.outcome, run.started) == ("missed", None)
    scheduler.add_job(work.wait, "interval", seconds=0.05, id="busy")
    eventually(lambda: scheduler.get_runs("busy", "skipped"))
    assert scheduler.get_runs("busy", "skipped")[0].error == "1 instances were running"


def test_identifiers_of_runs_can_be_read():
    for job_id in ("a", "with/slashes/2026", "1"):
        identifier = run_id(job_id, PAST, 3)
        assert tuple(run_key(identifier)) == (job_id, PAST, 3)
    wrong = ("x", "0", "-1", "10000000000")
    for text in (
        *("", "a", "a/b", "a/yesterday/1", "a/2026-01-01T00:00:00/1", "/2026-01-01T00:00:00Z/1", None, 5),
        *(f"a/2026-01-01T00:00:00Z/{attempt}" for attempt in wrong),
    ):
        with pytest.raises(ValueError, match="identifier of a run"):
            run_key(text)


def test_a_long_history_in_memory_is_asked_once_for_many_runs(make_scheduler):
    scheduler = make_scheduler(start=True, timezone="UTC")
    store = scheduler._stores["default"]
    looked = []
    history = store._runs.history
    all_of_it = history._all
    history._all = lambda: looked.append(1) or all_of_it()
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    scheduler.add_job(
        work.add, "interval", days=1, start_date=begin, next_run_time=None, args=[1, 2], id="sum"
    )
    looked.clear()
    assert len(scheduler.backfill("sum", begin, begin + timedelta(days=199))) == 200
    assert len(looked) < 20
    eventually(lambda: len(scheduler.get_runs("sum", "succeeded", limit=1000)) == 200)
    assert scheduler.backfill("sum", begin, begin + timedelta(days=199)) == []
