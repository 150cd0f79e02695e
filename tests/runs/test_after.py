"""Jobs that come after others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import run_work as work
from run_work import eventually

from mainspring import AfterJob, Retry
from mainspring.errors import TriggerError
from mainspring.events import EVENT_JOB_EXECUTED
from pickle_store import PickleStore

PAST = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


def test_a_run_follows_from_each_run_that_succeeds(scheduler, heard):
    first = scheduler.add_job(work.add, "date", run_date=LATER, args=[1, 2], id="first")
    scheduler.add_job(work.note, AfterJob(first), args=["second"], id="second")
    scheduler.add_job(work.note, AfterJob("second"), args=["third"], id="third")
    scheduler.add_job(work.note, AfterJob("first", on="failure"), args=["never"], id="never")
    begun = [first.run_now().wait(30) for _ in range(2)]
    heard.wait_for(EVENT_JOB_EXECUTED, "third", count=2)
    times = [record.scheduled_run_time for record in begun]
    assert sorted(work.seen) == [(name, time) for name in ("second", "third") for time in times]
    eventually(lambda: [run.outcome for run in scheduler.get_runs("second")] == ["succeeded"] * 2)
    assert {run.cause for run in scheduler.get_runs("third")} == {"after"}


class Following(AfterJob):
    """A program's own, which changes nothing."""


def test_a_subclass_is_followed_too(scheduler, heard):
    first = scheduler.add_job(work.add, "date", run_date=LATER, args=[1, 2], id="first")
    scheduler.add_job(work.note, Following(first), args=["second"], id="second")
    begun = first.run_now().wait(30)
    heard.wait_for(EVENT_JOB_EXECUTED, "second")
    assert work.seen == [("second", begun.scheduled_run_time)]


def test_a_failure_is_followed_when_it_is_final(scheduler, heard):
    job = scheduler.add_job(work.fail, "date", run_date=LATER, id="bad", retry=Retry(3, delay=0.02))
    scheduler.add_job(work.note, AfterJob("bad", on="failure"), args=["mend"], id="mend")
    scheduler.add_job(work.note, AfterJob("bad", on="any"), args=["tell"], id="tell")
    scheduler.add_job(work.note, AfterJob("bad"), args=["never"], id="never")
    record = job.run_now().wait(30)
    assert record.attempt == 3
    heard.wait_for(EVENT_JOB_EXECUTED, "mend")
    heard.wait_for(EVENT_JOB_EXECUTED, "tell")
    assert sorted(work.seen) == [("mend", record.scheduled_run_time), ("tell", record.scheduled_run_time)]


def _add_two_overdue_runs(scheduler, **options):
    """Add the job "two", which was due twice, fails the first time, and then waits; when it was due first."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    scheduler.add_job(
        work.fail_then_wait,
        "interval",
        hours=1,
        start_date=start,
        end_date=start + timedelta(hours=1),
        next_run_time=start,
        coalesce=False,
        misfire_grace_time=None,
        max_instances=2,
        id="two",
        **options,
    )
    return start


def test_what_follows_from_one_of_several_runs_of_a_catch_up_waits_for_no_other(scheduler, make_store):
    if make_store is PickleStore:
        pytest.skip("an APScheduler store is asked only when an instance has ended: it may take its time")
    scheduler.add_job(work.note, AfterJob("two", on="failure"), args=["mend"], id="mend")
    start = _add_two_overdue_runs(scheduler)
    eventually(lambda: ("mend", start) in work.seen)
    assert "called" in work.seen
    assert [run.state for run in scheduler.get_runs("two")] == ["running", "failed"]
    work.gate.set()
    eventually(lambda: [run.state for run in scheduler.get_runs("two")] == ["succeeded", "failed"])
    eventually(lambda: [run.state for run in scheduler.get_runs("mend")] == ["succeeded"])


def test_a_run_of_a_catch_up_is_tried_again_while_the_next_goes_on(scheduler, make_store):
    if make_store is PickleStore:
        pytest.skip("an APScheduler store is asked only when an instance has ended: it may take its time")
    _add_two_overdue_runs(scheduler, retry=Retry(2, delay=0.01))
    eventually(lambda: work.seen.count("called") == 3)
    assert [(run.state, run.attempt) for run in scheduler.get_runs("two")] == [
        ("running", 1),
        ("running", 2),
        ("failed", 1),
    ]
    work.gate.set()
    eventually(lambda: {run.state for run in scheduler.get_runs("two")} == {"failed", "succeeded"})


def test_it_can_be_paused_resumed_and_given_another_trigger(scheduler, heard):
    first = scheduler.add_job(work.add, "date", run_date=LATER, args=[1, 2], id="first")
    second = scheduler.add_job(work.note, AfterJob("first"), args=["second"], id="second")
    assert scheduler.get_jobs(state="paused") == []
    assert "after[first: success], waits for the other job" in str(scheduler.get_job("second"))
    second.pause()
    first.run_now().wait(30)
    second.resume()
    followed = first.run_now().wait(30)
    heard.wait_for(EVENT_JOB_EXECUTED, "second")
    assert work.seen == [("second", followed.scheduled_run_time)]
    second.reschedule("date", run_date=PAST)
    heard.wait_for(EVENT_JOB_EXECUTED, "second", count=2)
    first.run_now().wait(30)
    eventually(lambda: scheduler.get_job("second") is None)


def test_a_job_may_come_before_the_one_it_follows_is_added(scheduler, heard):
    scheduler.add_job(work.note, AfterJob("later"), args=["second"], id="second")
    scheduler.add_job(work.add, "date", run_date=PAST, args=[1, 2], id="later")
    heard.wait_for(EVENT_JOB_EXECUTED, "second")
    assert work.seen == [("second", PAST)]


def test_rings_are_refused(scheduler):
    with pytest.raises(TriggerError, match="can't come after itself"):
        scheduler.add_job(work.add, AfterJob("a"), args=[1, 2], id="a")
    scheduler.add_job(work.add, AfterJob("b"), args=[1, 2], id="a")
    scheduler.add_job(work.add, AfterJob("c"), args=[1, 2], id="b")
    with pytest.raises(TriggerError, match="in a ring: c, a, b, c"):
        scheduler.add_job(work.add, AfterJob("a"), args=[1, 2], id="c")
    scheduler.add_job(work.add, "date", run_date=LATER, args=[1, 2], id="c")
    with pytest.raises(TriggerError, match="in a ring"):
        scheduler.modify_job("c", trigger=AfterJob("a"))
    with pytest.raises(TriggerError, match="in a ring"):
        scheduler.add_jobs(
            [
                {"func": work.add, "args": [1, 2], "trigger": AfterJob("y"), "id": "x"},
                {"func": work.add, "args": [1, 2], "trigger": AfterJob("x"), "id": "y"},
            ]
        )
    assert scheduler.get_job("x") is None


@pytest.mark.parametrize(
    "wrong", [{"job": None}, {"job": ""}, {"job": "a", "on": "error"}, {"job": "a", "on": ["any"]}]
)
def test_a_wrong_trigger_is_refused(wrong):
    with pytest.raises(TriggerError):
        AfterJob(**wrong)


def test_it_explains_itself():
    assert AfterJob("a").explain(PAST) == AfterJob("a").explain(PAST)
    assert "whenever a run of job 'a' has succeeded" in AfterJob("a").explain(PAST)


def test_what_follows_outlasts_a_restart(make_scheduler, make_store, request):
    if request.node.callspec.params["make_store"] in ("memory", "adapted"):
        pytest.skip("what is in memory ends with the process")
    first = make_scheduler(jobstores={"default": make_store()}, start=True)
    job = first.add_job(work.add, "date", run_date=LATER, args=[1, 2], id="first")
    first.add_job(work.note, AfterJob("first"), args=["second"], id="second", executor="elsewhere")
    followed = job.run_now().wait(30)
    eventually(lambda: first.get_runs("second", "queued") != [])
    first.shutdown()
    second = make_scheduler(
        jobstores={"default": make_store()}, executors={"elsewhere": {"type": "threadpool"}}, start=True
    )
    (run,) = second.get_runs("second")
    assert second.wait_for_run(run.id, 10).outcome == "succeeded"
    assert work.seen == [("second", followed.scheduled_run_time)]


def test_a_backfill_runs_what_has_not_been_run(scheduler, heard):
    job = scheduler.add_job(
        work.note, "interval", hours=1, start_date=PAST, next_run_time=LATER, args=["hour"], id="hourly"
    )
    queued = job_runs(scheduler.backfill("hourly", PAST, PAST + timedelta(hours=4)))
    assert queued == [PAST + timedelta(hours=hour) for hour in range(5)]
    heard.wait_for(EVENT_JOB_EXECUTED, "hourly", count=5)
    assert [time for _, time in work.seen] == queued
    eventually(lambda: len(scheduler.get_runs("hourly", "succeeded")) == 5)
    assert scheduler.backfill("hourly", PAST, PAST + timedelta(hours=4)) == []
    more = job_runs(scheduler.backfill("hourly", PAST, PAST + timedelta(hours=6), overlap="allow"))
    assert more == [PAST + timedelta(hours=5), PAST + timedelta(hours=6)]
    assert scheduler.get_job("hourly").next_run_time == job.next_run_time
    assert {run.cause for run in job.runs()} == {"backfill", "parallel"}


def job_runs(handles):
    return [handle.scheduled_run_time for handle in handles]


def test_a_backfill_makes_up_for_what_was_missed(scheduler, heard):
    start = datetime.now(UTC) - timedelta(hours=3, minutes=30)
    scheduler.add_job(
        work.note,
        "interval",
        hours=1,
        start_date=start,
        next_run_time=start,
        args=["hour"],
        id="hourly",
        misfire_policy="all",
        misfire_grace_time=60,
    )
    eventually(lambda: len(scheduler.get_runs("hourly", "missed")) == 4)
    handles = scheduler.backfill("hourly", start, start + timedelta(hours=2))
    assert [handle.wait(30).outcome for handle in handles] == ["succeeded"] * 3
    assert [handle.record().attempt for handle in handles] == [2, 2, 2]


def test_backfills_are_bounded(scheduler):
    scheduler.add_job(work.note, "interval", seconds=1, start_date=PAST, args=["often"], id="often")
    with pytest.raises(ValueError, match="more than 1000 due times"):
        scheduler.backfill("often", PAST, PAST + timedelta(days=1))
    with pytest.raises(ValueError, match="ends before it starts"):
        scheduler.backfill("often", PAST, PAST - timedelta(days=1))
    with pytest.raises(ValueError, match="overlap of a backfill"):
        scheduler.backfill("often", PAST, PAST, overlap="skip")
    with pytest.raises(ValueError, match="limit must be a whole number of 1 or more"):
        scheduler.backfill("often", PAST, PAST, limit=0)
    with pytest.raises(ValueError, match="needs a start and an end"):
        scheduler.backfill("often", None, PAST)
