"""What is done about runs that overlap, and when a job has had enough of them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
import run_work as work
from run_work import eventually

from mainspring import DateTrigger, SQLAlchemyJobStore
from mainspring.engine.reasons import had_all
from mainspring.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    EVENT_JOB_PAUSED,
)

PAST = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


def outcomes(scheduler, job_id):
    """The outcomes of a job's runs, the earliest first."""
    return [run.outcome for run in reversed(scheduler.get_runs(job_id))]


def occupied(scheduler, **options):
    """A job of which a run goes on, and which is due again in a moment."""
    job = scheduler.add_job(work.wait, "interval", hours=1, next_run_time=PAST, id="busy", **options)
    assert work.begun.wait(30)
    return job


def due(job, seconds=0):
    """Have a job be due again."""
    return job.modify(next_run_time=datetime.now(UTC) - timedelta(seconds=seconds))


def test_an_overlapping_run_is_skipped_unless_something_else_is_asked_for(scheduler, heard):
    job = occupied(scheduler)
    due(job)
    heard.wait_for(EVENT_JOB_MAX_INSTANCES, "busy")
    work.gate.set()
    eventually(lambda: outcomes(scheduler, "busy") == ["succeeded", "skipped"])


def test_one_run_is_kept_until_the_other_has_ended(scheduler, heard):
    job = occupied(scheduler, overlap="buffer_one")
    due(job)
    eventually(lambda: len(scheduler.get_runs("busy", "queued")) == 1)
    due(job)
    heard.wait_for(EVENT_JOB_MAX_INSTANCES, "busy")
    assert len(scheduler.get_runs("busy", "queued")) == 1
    work.gate.set()
    heard.wait_for(EVENT_JOB_EXECUTED, "busy", count=2)
    eventually(lambda: outcomes(scheduler, "busy") == ["succeeded", "succeeded", "skipped"])
    assert [run.cause for run in reversed(scheduler.get_runs("busy"))][1] == "buffered"


def test_all_runs_are_kept_until_the_others_have_ended(scheduler, heard):
    job = occupied(scheduler, overlap="buffer_all", catch_up_limit=3)
    for number in range(1, 5):
        due(job)
        eventually(lambda number=number: len(scheduler.get_runs("busy")) == 1 + number)
    assert len(scheduler.get_runs("busy", "queued")) == 3
    work.gate.set()
    heard.wait_for(EVENT_JOB_EXECUTED, "busy", count=4)
    eventually(lambda: outcomes(scheduler, "busy") == ["succeeded"] * 4 + ["skipped"])
    runs = list(reversed(scheduler.get_runs("busy", "succeeded")))
    assert all(one.finished <= other.started for one, other in itertools.pairwise(runs))


def test_the_newer_run_takes_the_place_of_the_older(scheduler):
    job = scheduler.add_job(
        work.wait_for_token, "interval", hours=1, next_run_time=PAST, id="busy", overlap="cancel_running"
    )
    assert work.begun.wait(30)
    due(job)
    eventually(lambda: outcomes(scheduler, "busy") == ["cancelled", None])
    eventually(lambda: len(scheduler.get_runs("busy", "running")) == 1)
    eventually(lambda: work.ended == ["token"])


def test_runs_may_be_let_overlap(scheduler):
    job = occupied(scheduler, overlap="allow")
    due(job)
    eventually(lambda: len(scheduler.get_runs("busy", "running")) == 2)


def test_a_buffered_run_of_a_job_that_has_ended_is_still_run(scheduler, heard):
    job = occupied(scheduler, overlap="buffer_one")
    job.modify(trigger=DateTrigger(PAST), next_run_time=datetime.now(UTC))
    eventually(lambda: scheduler.get_runs("busy", "queued") != [])
    eventually(lambda: scheduler.get_job("busy") is None)
    work.gate.set()
    heard.wait_for(EVENT_JOB_EXECUTED, "busy", count=2)


def test_a_job_has_so_many_runs_and_no_more(scheduler, heard):
    job = scheduler.add_job(work.add, "interval", seconds=0.02, args=[1, 2], id="thrice", max_runs=3)
    heard.wait_for(EVENT_JOB_EXECUTED, "thrice", count=3)
    (paused,) = heard.wait_for(EVENT_JOB_PAUSED, "thrice")
    assert scheduler.get_job("thrice").next_run_time is None
    assert scheduler.get_job("thrice").note == had_all(3)
    assert (paused.jobstore, paused.note) == ("default", had_all(3))
    eventually(lambda: outcomes(scheduler, "thrice") == ["succeeded"] * 3)
    # A program that is started again and adds the job in its place doesn't get three more.
    job = scheduler.add_job(
        work.add,
        "interval",
        seconds=0.02,
        args=[1, 2],
        id="thrice",
        max_runs=3,
        replace_existing=True,
    )
    assert scheduler.get_job("thrice").next_run_time is None
    assert job.run_now().wait(30).outcome == "succeeded"  # what is asked for doesn't count
    job.modify(max_runs=4)
    job.resume()
    heard.wait_for(EVENT_JOB_EXECUTED, "thrice", count=5)
    heard.wait_for(EVENT_JOB_PAUSED, "thrice", count=2)
    assert scheduler.get_job("thrice").next_run_time is None


def test_a_job_that_fails_too_often_is_paused_with_a_note(scheduler, heard):
    job = scheduler.add_job(
        work.fail, "interval", seconds=0.05, id="broken", pause_after_failures=3, overlap="buffer_all"
    )
    heard.wait_for(EVENT_JOB_ERROR, "broken", count=3)
    (paused,) = heard.wait_for(EVENT_JOB_PAUSED, "broken")
    assert scheduler.get_job("broken").next_run_time is None
    assert scheduler.get_job("broken").note == "paused after 3 failed runs in a row"
    assert (paused.jobstore, paused.note) == ("default", "paused after 3 failed runs in a row")
    job.resume()
    heard.wait_for(EVENT_JOB_ERROR, "broken", count=6)
    heard.wait_for(EVENT_JOB_PAUSED, "broken", count=2)
    assert scheduler.get_job("broken").next_run_time is None


def test_a_success_begins_the_count_anew(scheduler, heard):
    job = scheduler.add_job(work.fail, "date", run_date=LATER, id="mixed", pause_after_failures=2)
    assert job.run_now().wait(30).outcome == "failed"
    job.modify(func=work.add, args=[1, 2])
    assert job.run_now().wait(30).outcome == "succeeded"
    job.modify(func=work.fail, args=[])
    assert job.run_now().wait(30).outcome == "failed"
    assert scheduler.get_job("mixed").next_run_time == LATER
    assert job.run_now().wait(30).outcome == "failed"
    assert scheduler.get_job("mixed").next_run_time is None


def test_jobs_are_paused_resumed_and_removed_by_tag(scheduler):
    for name, tags in (("a", ["red"]), ("b", ["red", "blue"]), ("c", ["blue"]), ("d", [])):
        scheduler.add_job(work.add, "date", run_date=LATER, args=[1, 2], id=name, tags=tags)
    paused = scheduler.pause_jobs(tag="red", note="the red ones are ill")
    assert sorted(job.id for job in paused) == ["a", "b"]
    assert sorted(job.id for job in scheduler.get_jobs(state="paused")) == ["a", "b"]
    assert scheduler.get_job("a").note == "the red ones are ill"
    assert sorted(job.id for job in scheduler.resume_jobs(tag="red")) == ["a", "b"]
    assert scheduler.get_jobs(state="paused") == []
    assert scheduler.get_job("a").note is None
    scheduler.remove_jobs(tag="blue")
    assert sorted(job.id for job in scheduler.get_jobs()) == ["a", "d"]


def test_metadata_is_kept_as_it_was_given(scheduler):
    about = {"owner": "Ünal", "links": ["https://example.org"], "cost": 1.5}
    scheduler.add_job(work.add, "date", run_date=LATER, args=[1, 2], id="a", metadata=about, priority=7)
    job = scheduler.get_job("a")
    assert (job.metadata, job.priority) == (about, 7)
    job.modify(metadata=None)
    assert scheduler.get_job("a").metadata == {}


@pytest.fixture
def one_by_one(make_scheduler, make_store):
    """A paused scheduler with one worker, so that runs begin in the order in which they are submitted."""
    scheduler = make_scheduler(
        jobstores={"default": make_store()},
        executors={"default": {"type": "threadpool", "max_workers": 1}},
    )
    scheduler.start(paused=True)
    return scheduler


def test_the_more_important_is_run_first(one_by_one):
    for number in range(40):
        one_by_one.add_job(
            work.note, "date", run_date=PAST + timedelta(seconds=number), args=[number], priority=number % 3
        )
    one_by_one.resume()
    eventually(lambda: len(work.seen) == 40)
    order = [number for number, _ in work.seen]
    assert order == sorted(range(40), key=lambda number: (-(number % 3), number))


def test_the_more_important_is_run_first_also_of_runs_that_wait(one_by_one):
    for number in range(6):
        one_by_one.add_job(
            work.note, "date", run_date=LATER, args=[number], id=str(number), priority=number % 3
        )
        one_by_one.run_job(str(number))
    for number in range(6, 9):
        one_by_one.add_job(work.note, "date", run_date=PAST, args=[number], priority=number % 3)
    one_by_one.resume()
    eventually(lambda: len(work.seen) == 9)
    order = [number for number, _ in work.seen]
    # Each kind for itself: a store that nodes share takes some of both at a time.
    assert [number % 3 for number in order if number < 6] == [2, 2, 1, 1, 0, 0]
    assert [number % 3 for number in order if number >= 6] == [2, 1, 0]


@pytest.mark.parametrize(
    ("policy", "grace", "late", "expected"),
    [
        ("skip", None, timedelta(seconds=165), ["missed"]),
        ("once", None, timedelta(seconds=165), ["succeeded"]),
        ("all", None, timedelta(seconds=165), ["succeeded"] * 3),
        ("all", timedelta(seconds=90), timedelta(seconds=165), ["missed"] * 2 + ["succeeded"]),
    ],
)
def test_overdue_runs_are_made_up_for_as_the_policy_says(scheduler, policy, grace, late, expected):
    options = {} if grace is None else {"misfire_grace_time": grace}
    start = datetime.now(UTC) - late
    scheduler.add_job(
        work.add,
        "interval",
        minutes=1,
        start_date=start,
        next_run_time=start,
        args=[1, 2],
        id="late",
        misfire_policy=policy,
        **options,
    )
    eventually(lambda: outcomes(scheduler, "late") == expected)


def test_a_policy_that_is_changed_takes_its_grace_time_along(make_scheduler):
    scheduler = make_scheduler(job_defaults={"misfire_policy": "skip"})
    job = scheduler.add_job(work.add, "interval", hours=1, args=[1, 2], id="a")
    assert job.misfire_grace_time == 30
    assert scheduler.modify_job("a", misfire_policy="once").misfire_grace_time is None
    assert scheduler.add_job(work.add, args=[1, 2], misfire_policy="all").misfire_grace_time is None
    window = scheduler.add_job(work.add, args=[1, 2], misfire_grace_time=600)
    assert window.modify(misfire_policy="all").misfire_grace_time == 600


def test_what_is_made_up_for_has_a_cap(scheduler):
    start = datetime.now(UTC) - timedelta(minutes=9, seconds=30)
    scheduler.add_job(
        work.add,
        "interval",
        minutes=1,
        start_date=start,
        next_run_time=start,
        args=[1, 2],
        id="late",
        misfire_policy="all",
        catch_up_limit=3,
    )
    eventually(lambda: outcomes(scheduler, "late") == ["missed", "succeeded", "succeeded", "succeeded"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"overlap": "queue"}, "overlap must be 'skip', 'buffer_one'"),
        ({"max_runs": 0}, "max_runs must be a whole number of 1 or more, or None"),
        ({"priority": "high"}, "priority must be a whole number"),
        ({"misfire_policy": "twice"}, "misfire_policy must be 'skip', 'once' or 'all'"),
        ({"metadata": {"a": object()}}, "metadata must hold what JSON can"),
        ({"metadata": "text"}, "metadata must be a dict"),
        ({"around_run": lambda: None}, "around_run of a job must be functions that can be imported"),
        ({"pause_after_failures": True}, "pause_after_failures must be a whole number"),
        ({"priority": 2**31}, "priority must be a whole number, of 2,147,483,647 at most"),
        ({"timeout": float("inf")}, "timeout must be None, a number of seconds"),
        ({"misfire_grace_time": float("nan")}, "misfire_grace_time must be None, a number of seconds"),
        ({"metadata": {"a": float("nan")}}, "metadata must hold what JSON can"),
    ],
)
def test_wrong_options_are_refused(make_scheduler, options, words):
    with pytest.raises(TypeError, match=words):
        make_scheduler().add_job(work.add, **options)


def test_the_first_job_with_a_priority_is_run_first_at_once(make_scheduler, tmp_path):
    scheduler = make_scheduler(
        jobstores={"default": SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite")},
        executors={"default": {"type": "threadpool", "max_workers": 1}},
        start=True,
    )
    scheduler.add_job(work.add, "date", run_date=LATER, args=[1, 2]).run_now().wait(
        10
    )  # it has looked by now
    scheduler.pause()
    for number in range(4):
        scheduler.add_job(work.note, "date", run_date=PAST, args=[number], priority=number)
    scheduler.resume()
    eventually(lambda: len(work.seen) == 4)
    assert [number for number, _ in work.seen] == [3, 2, 1, 0]


def test_truth_values_may_be_text(make_scheduler):
    job = make_scheduler().add_job(work.add, args=[1, 2], keep_result="no", capture_log="yes", coalesce="off")
    assert (job.keep_result, job.capture_log, job.coalesce) == (False, True, False)
    with pytest.raises(ValueError, match="yes/no"):
        job.modify(keep_result="perhaps")


def test_failures_pause_a_job_though_later_runs_of_the_same_catch_up_succeed(scheduler, heard):
    first = datetime.now(UTC) - timedelta(hours=6, minutes=30)
    scheduler.add_job(
        work.fail_three_times,
        "interval",
        hours=1,
        start_date=first,
        next_run_time=first,
        id="late",
        misfire_policy="all",
        pause_after_failures=3,
    )
    (event,) = heard.wait_for(EVENT_JOB_PAUSED, "late")
    assert event.note == "paused after 3 failed runs in a row"
    eventually(lambda: outcomes(scheduler, "late") == ["failed"] * 3 + ["succeeded"] * 4)
    assert scheduler.get_job("late").next_run_time is None


def test_a_run_that_overlapped_is_missed_when_it_has_waited_too_long(scheduler, heard):
    job = occupied(scheduler, overlap="buffer_all")
    due(job, seconds=3600)
    eventually(lambda: len(scheduler.get_runs("busy", "queued")) == 1)
    late = scheduler.get_runs("busy", "queued")[0]
    job.modify(misfire_grace_time=1)
    other = scheduler.run_job("busy")  # that is not late by its waiting
    asked_at = other.record().scheduled_run_time
    eventually(lambda: datetime.now(UTC) - asked_at > timedelta(seconds=1.2))
    work.gate.set()
    (event,) = heard.wait_for(EVENT_JOB_MISSED, "busy")
    assert event.run_id == late.id
    eventually(lambda: scheduler.get_run(late.id).outcome == "missed")
    missed = scheduler.get_run(late.id)
    assert (missed.cause, missed.started) == ("buffered", None)
    assert missed.error.endswith(" late")
    assert other.wait(30).outcome == "succeeded"


@pytest.mark.parametrize("limits", [{"limit": 1}, {"rate": 1, "per": 0.2}], ids=["limit", "rate"])
def test_in_a_full_group_runs_that_wait_and_jobs_that_are_due_take_turns(scheduler, limits):
    scheduler.set_group("one", **limits)
    scheduler.add_job(
        work.add, "interval", seconds=0.01, args=[1, 2], id="busy", group="one", misfire_policy="once"
    )
    asked = scheduler.add_job(work.add, "date", run_date=LATER, args=[1, 2], id="asked", group="one")
    for _ in range(3):
        before = len(scheduler.get_runs("busy", "succeeded", limit=1000))
        assert asked.run_now().wait(30).outcome == "succeeded"
        eventually(lambda before=before: len(scheduler.get_runs("busy", "succeeded", limit=1000)) > before)


def test_what_has_been_due_for_longest_comes_first(one_by_one):
    now = datetime.now(UTC)
    one_by_one.add_job(work.note, "date", run_date=LATER, args=["asked"], id="asked")
    for number in range(3):
        one_by_one.run_job("asked")
        when = now - timedelta(hours=number)
        one_by_one.add_job(work.note, "date", run_date=when, args=[number], misfire_grace_time=None)
    one_by_one.resume()
    eventually(lambda: len(work.seen) == 6)
    order = [name for name, _ in work.seen]
    # The first run that was asked for has its turn with the others, by when it was asked for; the second one after all of them.
    assert order == [2, 1, 0, "asked", "asked", "asked"]
