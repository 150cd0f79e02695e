"""The checker of histories: clean ones pass, and of each kind of fault one that is planted is found."""

import random
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mainspring import AfterJob, DateTrigger, IntervalTrigger, Retry
from mainspring.engine.reasons import BACKLOG_DROPPED
from mainspring.events import (
    EVENT_EVERY,
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    JobExecutionEvent,
)
from mainspring.model import JobOptions, RunRecord
from mainspring.testing import EventRecorder, ManualScheduler
from mainspring.testing.checker import (
    Call,
    Change,
    Diary,
    FaultKind,
    GroupLimits,
    NodeLife,
    Observed,
    ObservedJob,
    Span,
    assert_faultless,
    check,
    read_diary,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


def after(seconds):
    return START + timedelta(seconds=seconds)


def ran(job_id, due, begin=None, end=None, *, attempt=1, outcome="succeeded", node="n1", **values):
    """The record of a run; all times in seconds."""
    begin = due if begin is None else begin
    started = None if outcome in ("missed", "skipped") else after(begin)
    finished = None if outcome is None else after(begin + 1 if end is None else end)
    return RunRecord(
        job_id,
        after(due),
        attempt,
        node=node,
        claimed=started,
        started=started,
        finished=finished,
        outcome=outcome,
        **values,
    )


def called(run, **values):
    """The call that a record tells of."""
    known = {
        "began": run.started,
        "ended": run.finished,
        "scheduled_run_time": run.scheduled_run_time,
        "attempt": run.attempt,
        "node": run.node,
    }
    return Call(run.job_id, **{**known, **values})


def told(run, code=EVENT_JOB_EXECUTED):
    return JobExecutionEvent(code, run.job_id, "default", run.scheduled_run_time, run_id=run.id)


def every_ten_seconds():
    return IntervalTrigger(seconds=10, start_date=after(10), timezone=UTC)


ALL = JobOptions(coalesce=False)


def observed(job, runs, *, jobs=(), **values):
    """100 seconds in which a job is due at 10, 20, … 90, unless something else is said."""
    given = {"since": START, "until": after(95), "patience": timedelta(seconds=2), **values}
    return Observed(jobs=[job, *jobs], runs=runs, **given)


def ten(job_id="a", **values):
    """The job that is due every ten seconds, and runs as they should be."""
    return ObservedJob(job_id, every_ten_seconds(), ALL, **values), [
        ran(job_id, due) for due in range(10, 100, 10)
    ]


def kinds(history):
    return [fault.kind for fault in check(history)]


def clean():
    """A history in which much happens, all of it right."""
    retried = JobOptions(coalesce=False, retry=Retry(attempts=3, delay=2, backoff=1))
    graceful = JobOptions(misfire_grace_time=timedelta(seconds=5))
    jobs = [
        ten("plain")[0],
        ObservedJob("retried", [after(30)], retried),
        ObservedJob("later", AfterJob("retried"), ALL),
        ObservedJob("late", [after(20), after(60)], graceful, is_prompt=False),
        ObservedJob("busy", [after(10), after(20)], ALL),
        ObservedJob(
            "paused",
            every_ten_seconds(),
            ALL,
            changes=[Change(after(25), "paused"), Change(after(65), "resumed")],
        ),
        ObservedJob("limited", every_ten_seconds(), JobOptions(max_runs=2)),
        ObservedJob("one", every_ten_seconds(), JobOptions(group="g")),
        ObservedJob("two", [after(11)], JobOptions(group="g")),
        ObservedJob("rerun", [after(50)], JobOptions(on_lost="rerun")),
    ]
    runs = [
        *ten("plain")[1],
        ran("retried", 30, outcome="failed"),
        ran("retried", 30, 33, attempt=2, outcome="timed_out", cause="retry"),
        ran("retried", 30, 36, attempt=3, cause="retry"),
        ran("later", 30, 37.5, cause="after"),
        ran("late", 20, 40, 40, outcome="missed"),
        ran("late", 60),
        ran("busy", 10, 10, 25),
        ran("busy", 20, 20, 20, outcome="skipped"),
        *(ran("paused", due) for due in (10, 20, 70, 80, 90)),
        *(ran("limited", due) for due in (10, 20)),
        *(ran("one", due) for due in range(20, 100, 10)),
        ran("one", 10, 10, 14),
        ran("two", 11, 14, 15),
        ran("rerun", 50, 50, 75, outcome="lost", node="n2"),
        ran("rerun", 50, 75, 80, attempt=2, cause="rerun"),
    ]
    codes = {
        "succeeded": EVENT_JOB_EXECUTED,
        "failed": EVENT_JOB_ERROR,
        "timed_out": 1 << 21,
        "missed": 1 << 14,
        "lost": 1 << 24,
    }
    events = [told(run, codes[run.outcome]) for run in runs if run.outcome != "skipped"]
    events.append(
        type(
            "Skipped", (), {"code": 1 << 16, "run_ids": [run.id for run in runs if run.outcome == "skipped"]}
        )()
    )
    return Observed(
        since=START,
        until=after(95),
        jobs=jobs,
        runs=runs,
        calls=[
            called(run, ended=None if run.outcome == "lost" else run.finished)
            for run in runs
            if run.started is not None
        ],
        nodes=[NodeLife(START, name="n1"), NodeLife(START, after(70), name="n2")],
        groups=[GroupLimits("g", limit=1, rate=2, per=timedelta(seconds=10))],
        events=events,
        patience=timedelta(seconds=2),
    )


def test_a_clean_history_has_no_faults():
    assert check(clean()) == []
    assert_faultless(clean())


def without(history, job_id, due, attempt=1):
    return replace(
        history,
        runs=[
            run
            for run in history.runs
            if (run.job_id, run.scheduled_run_time, run.attempt) != (job_id, after(due), attempt)
        ],
        calls=None,
        events=None,
    )


def with_run(history, *runs):
    return replace(history, runs=[*history.runs, *runs], calls=None, events=None)


def changed(history, job_id, due, attempt=1, **values):
    """The history with other values in one record, which is all that is known of it."""
    return replace(
        history,
        runs=[
            replace(run, **values)
            if (run.job_id, run.scheduled_run_time, run.attempt) == (job_id, after(due), attempt)
            else run
            for run in history.runs
        ],
        calls=None,
        events=None,
    )


def with_options(history, job_id, options):
    return replace(
        history, jobs=[replace(job, options=options) if job.id == job_id else job for job in history.jobs]
    )


def with_call(history, job_id, due, attempt=1, *, more=(), **values):
    """The history with other values in the call of one run, and more calls."""

    def change(call):
        is_it = (call.job_id, call.scheduled_run_time, call.attempt) == (job_id, after(due), attempt)
        return replace(call, **values) if is_it else call

    return replace(history, calls=[*map(change, history.calls), *more])


PLANTED = [
    ("miss", "no later time", lambda h: without(h, "plain", 90)),
    ("miss", "doesn't coalesce", lambda h: without(h, "plain", 50)),
    ("miss", "time enough", lambda h: with_options(without(h, "plain", 50), "plain", JobOptions())),
    ("miss", "attempt 3", lambda h: without(h, "retried", 30, 3)),
    ("miss", "attempt 2", lambda h: without(h, "rerun", 50, 2)),
    ("unscheduled", "has no such time", lambda h: with_run(h, ran("plain", 55))),
    ("unscheduled", "paused then", lambda h: with_run(h, ran("paused", 40))),
    ("double", "was due once", lambda h: with_run(h, ran("plain", 50, 52, attempt=2))),
    ("double", "that has been run", lambda h: with_run(h, ran("plain", 50, 52, attempt=2, cause="backfill"))),
    ("due_times", "are 1,", lambda h: changed(h, "plain", 50, due_times=2)),
    ("due_times", "are 2,", lambda h: with_options(without(h, "plain", 50), "plain", JobOptions())),
    ("same_id", "2 records", lambda h: with_run(h, ran("plain", 50, 52, cause="manual"))),
    ("attempts", "1, 3", lambda h: with_run(h, ran("plain", 50, 52, attempt=3, cause="manual"))),
    ("attempts", "no retries", lambda h: with_run(h, ran("plain", 50, 52, attempt=2, cause="retry"))),
    ("attempts", "only 3", lambda h: with_run(changed(h, "retried", 30, 3, outcome="failed"), ran("retried", 30, 50, attempt=4, cause="retry"))),
    ("attempts", "not lost", lambda h: with_run(h, ran("plain", 50, 52, attempt=2, cause="rerun"))),
    ("early", "before it was due", lambda h: changed(h, "plain", 50, claimed=after(49), started=after(49))),
    ("early", "earliest for a retry", lambda h: changed(h, "retried", 30, 2, started=after(31.5))),
    ("early", "was to wait", lambda h: changed(h, "retried", 30, 2, available=after(34))),
    ("early", "comes after had ended", lambda h: changed(h, "later", 30, claimed=after(32), started=after(32))),
    ("times", "before it began", lambda h: changed(h, "plain", 50, finished=after(49))),
    ("instances", "2 runs of job 'plain'", lambda h: changed(h, "plain", 50, finished=after(60.5))),
    ("group_limit", "2 runs of group 'g'", lambda h: changed(h, "two", 11, claimed=after(13), started=after(13))),
    ("group_rate", "more than 2", lambda h: with_run(h, ran("one", 15, 15, cause="manual"))),
    ("max_runs", "run 3 of the schedule", lambda h: with_run(h, ran("limited", 30))),
    ("not_allowed", "nothing is too late", lambda h: changed(h, "plain", 50, outcome="missed", started=None)),
    ("not_allowed", "are forgiven", lambda h: changed(h, "late", 20, finished=after(24))),
    ("not_allowed", "0 runs of job", lambda h: changed(h, "plain", 50, outcome="skipped", started=None)),
    ("not_allowed", "lets its runs overlap", lambda h: with_options(h, "busy", JobOptions(coalesce=False, overlap="allow"))),
    ("after", "has no run for that", lambda h: without(h, "later", 30)),
    ("after", "none of that time", lambda h: with_run(h, ran("later", 20, 40, cause="after"))),
    ("after", "2 runs", lambda h: with_run(h, ran("later", 30, 50, attempt=2, cause="after"))),
    ("called_twice", "2 times", lambda h: with_call(h, "plain", 50, more=[called(ran("plain", 50, 50.5), node="n3")])),
    ("called_twice", "and its node lives", lambda h: with_call(h, "rerun", 50, node="n1")),
    ("no_record", "no record knows", lambda h: with_call(h, "plain", 50, more=[called(ran("plain", 55))])),
    ("no_record", "'skipped'", lambda h: with_call(h, "busy", 10, ended=after(19), more=[called(ran("busy", 20))])),
    ("no_call", "no call", lambda h: replace(h, calls=h.calls[1:])),
    ("no_call", "not noted an end", lambda h: with_call(h, "plain", 90, ended=None)),
    ("left_running", "its node n2 ended", lambda h: changed(without(h, "rerun", 50, 2), "rerun", 50, outcome=None, finished=None)),
    ("left_running", "its function ended", lambda h: replace(changed(h, "plain", 90, outcome=None, finished=None), until=after(99), calls=h.calls)),
    ("lost_alive", "n1 lived", lambda h: changed(h, "rerun", 50, node="n1")),
    ("untold", "EVENT_JOB_EXECUTED", lambda h: replace(h, events=h.events[1:])),
    ("told_wrong", "EVENT_JOB_ERROR was told", lambda h: replace(h, events=[told(h.runs[0], EVENT_JOB_ERROR), *h.events[1:]])),
    ("told_wrong", "EVENT_JOB_EXECUTED and EVENT_JOB_EXECUTED", lambda h: replace(h, events=[*h.events, told(h.runs[0])])),
    ("told_wrong", "there is no record", lambda h: replace(h, events=[*h.events, told(ran("plain", 51))])),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "words", "plant"), PLANTED, ids=[f"{kind}: {words}" for kind, words, _ in PLANTED]
)
def test_a_planted_fault_is_found_and_explained(kind, words, plant):
    faults = check(plant(clean()))
    assert [fault for fault in faults if fault.kind == kind and words in fault.sentence], faults
    with pytest.raises(AssertionError, match=kind):
        assert_faultless(plant(clean()))


def test_each_kind_of_fault_is_planted():
    assert {kind for kind, _, _ in PLANTED} == set(get_args(FaultKind))


def test_an_unbegun_due_time_at_the_very_end_is_under_way():
    job, runs = ten()
    assert kinds(observed(job, runs[:-1], until=after(91))) == []
    assert kinds(observed(job, runs[:-1], until=after(93))) == ["miss"]


def test_what_is_due_while_nobody_is_there_is_not_missed_but_later():
    job, runs = ten()
    nodes = [NodeLife(START, after(50), "n1"), NodeLife(after(85), None, "n1")]
    late = [ran("a", due, 80 + due / 10) for due in (50, 60, 70, 80)]
    assert kinds(observed(job, [*runs[:4], *late, runs[8]], nodes=nodes)) == []
    assert kinds(observed(job, [*runs[:4], *late[1:], runs[8]], nodes=nodes)) == ["miss"]
    coalesced = replace(job, options=JobOptions())
    at_once = replace(late[3], due_times=4)
    assert kinds(observed(coalesced, [*runs[:4], at_once, runs[8]], nodes=nodes)) == []
    assert kinds(observed(coalesced, [*runs[:4], late[3], runs[8]], nodes=nodes)) == ["due_times"]
    assert (
        kinds(observed(coalesced, [*runs[:4], replace(at_once, due_times=None), runs[8]], nodes=nodes)) == []
    )
    five = replace(at_once, due_times=5)
    assert kinds(observed(coalesced, [*runs[:3], five, runs[8]], nodes=nodes)) == ["miss"]
    away = [Span(after(50), after(85))]
    assert kinds(observed(coalesced, [*runs[:4], at_once, runs[8]], outages=away)) == []


def test_what_is_beyond_what_is_caught_up_is_dropped():
    job, runs = ten()
    job = replace(job, options=JobOptions(coalesce=False, catch_up_limit=2))
    nodes = [NodeLife(START, after(35), "n1"), NodeLife(after(85), None, "n1")]
    dropped = ran("a", 40, 85, 85, outcome="missed", error=BACKLOG_DROPPED, due_times=3)
    caught_up = [ran("a", 70, 85), ran("a", 80, 86)]
    assert kinds(observed(job, [*runs[:3], dropped, *caught_up, runs[8]], nodes=nodes)) == []
    fewer = replace(dropped, due_times=1)
    assert kinds(observed(job, [*runs[:3], fewer, *caught_up, runs[8]], nodes=nodes)) == ["due_times"]
    assert kinds(
        observed(job, [*runs[:3], replace(dropped, due_times=4), caught_up[1], runs[8]], nodes=nodes)
    ) == ["miss"]


def test_of_a_time_that_came_twice_a_run_is_for_when_it_was_needed():
    limited = [GroupLimits("g", limit=1, span=Span(START, after(40)))]
    job, runs = ten(changes=[Change(after(45), "changed", next_run_time=after(30))])
    job = replace(job, options=replace(ALL, group="g"))
    late = ran("a", 30, 45)
    history = [*runs[:2], late, ran("a", 40, 46), *runs[4:]]
    assert set(kinds(observed(job, history))) == {"miss"}
    # As long as it waited for room, nothing was missed when it was moved back.
    assert kinds(observed(job, history, groups=limited)) == []


def test_what_is_dropped_is_more_than_is_caught_up_whatever_becomes_of_that():
    job = ObservedJob("a", every_ten_seconds(), JobOptions(coalesce=False, catch_up_limit=2, max_runs=1))
    job = replace(job, changes=[Change(after(35), "resumed")])
    dropped = ran("a", 40, 85, 85, outcome="missed", error=BACKLOG_DROPPED, due_times=3)
    assert kinds(observed(job, [ran("a", 10), dropped])) == []
    early = replace(dropped, finished=after(45))
    assert kinds(observed(job, [ran("a", 10), early])) == ["not_allowed"]


def test_a_job_that_is_moved_back_runs_again():
    job, runs = ten(changes=[Change(after(45), "changed", next_run_time=after(30))])
    again = [ran("a", 30, 45, attempt=2), ran("a", 40, 46, attempt=2)]
    assert kinds(observed(job, [*runs, *again])) == []
    assert kinds(observed(job, runs)) == ["miss", "miss"]


def test_a_run_that_is_claimed_as_its_job_is_changed_may_be_of_what_it_was_before_or_is_then():
    changes = [
        Change(after(30), "added", every_ten_seconds(), JobOptions()),
        Change(after(30), "changed", next_run_time=after(29)),
    ]
    job = ObservedJob("a", [after(28)], JobOptions(), added=after(30), changes=changes)
    before = ran("a", 28, 30, 95, outcome=None)
    skipped = [ran("a", 30, 30, 30, attempt=number, outcome="skipped", due_times=number) for number in (1, 2)]
    others = [ran("a", due, due, due, outcome="skipped") for due in range(40, 100, 10)]
    assert kinds(observed(job, [before, *skipped, *others])) == []
    wrong = replace(others[3], due_times=2)
    assert kinds(observed(job, [before, *skipped, *others[:3], wrong, *others[4:]])) == ["due_times"]


def test_what_was_asked_for_at_the_moment_of_another_run_has_taken_its_place():
    job, runs = ten(changes=[Change(after(30), "changed", next_run_time=after(30))])
    job = replace(job, options=replace(ALL, max_instances=2))
    first = ran("a", 30, 30, 35)
    asked = replace(
        first, scheduled_run_time=after(30) + timedelta(microseconds=1), claimed=None, started=None
    )
    asked = replace(asked, outcome=None, finished=None, cause="manual")
    skipped = ran("a", 30, 30, 30, attempt=2, outcome="skipped")
    others = [run for run in runs if run.scheduled_run_time != after(30)]
    history = [*others, first, skipped]
    assert kinds(observed(job, [*history, asked])) == []
    assert kinds(observed(job, history)) == ["not_allowed"]


def test_of_a_job_that_is_moved_back_the_options_count_that_it_has_then():
    moved = Change(after(47), "changed", next_run_time=after(20))
    switched_on = Change(after(44), "changed", options=JobOptions())
    job, runs = ten(changes=[switched_on, moved])
    skipped = ran("a", 30, 30, 30, outcome="skipped")
    before = [runs[0], ran("a", 20, 20, 41), skipped, ran("a", 40, 42)]
    newest = ran("a", 40, 47, attempt=2)
    assert kinds(observed(job, [*before, newest, *runs[4:]])) == []
    coalescing = replace(job, options=JobOptions())
    switched_off = replace(coalescing, changes=[replace(switched_on, options=ALL), moved])
    assert kinds(observed(switched_off, [*before, newest, *runs[4:]])) == ["miss", "miss"]


def test_a_job_that_is_removed_and_added_again_begins_anew():
    changes = [Change(after(45), "removed"), Change(after(75), "added", schedule=[after(80)])]
    job, runs = ten(changes=changes)
    assert kinds(observed(job, [*runs[:4], runs[7]])) == []
    assert kinds(observed(job, runs[:8])) == ["unscheduled"] * 3


def test_a_job_that_has_paused_itself_for_its_failures_is_due_no_more():
    options = JobOptions(coalesce=False, pause_after_failures=2)
    job, runs = ten(changes=[Change(after(75), "resumed")])
    job = replace(job, options=options)
    failed = [replace(run, outcome="failed") for run in runs[:3]]
    assert kinds(observed(job, [runs[0], *failed[1:], runs[7], runs[8]])) == []
    assert kinds(observed(job, [failed[0], runs[1], failed[2], runs[7], runs[8]])) == ["miss"] * 4


def test_a_job_whose_limit_of_runs_is_lowered_to_what_it_has_had_is_due_no_more():
    limited = JobOptions(coalesce=False, max_runs=8)
    lowered = Change(after(35), "changed", options=replace(limited, max_runs=3))
    job, runs = ten(changes=[lowered])
    job = replace(job, options=limited)
    assert kinds(observed(job, runs[:3])) == []
    assert set(kinds(observed(job, runs[:2]))) == {"miss"}


def test_runs_of_a_node_whose_clock_changed_zones_are_compared_in_utc():
    job, runs = ten()
    from zoneinfo import ZoneInfo

    elsewhere = [replace(run, started=run.started.astimezone(ZoneInfo("Asia/Kolkata"))) for run in runs]
    assert kinds(observed(job, elsewhere)) == []


def test_a_run_that_was_told_to_stop_may_go_on_in_its_thread():
    job, runs = ten()
    stopped = replace(runs[0], outcome="timed_out", finished=after(12))
    calls = [called(stopped, ended=after(35)), *map(called, runs[1:])]
    assert kinds(observed(job, [stopped, *runs[1:]], calls=calls)) == []


def test_a_function_that_does_not_know_its_run_is_called_as_often_as_there_are_runs():
    job, runs = ten()
    calls = [called(run, attempt=None) for run in runs]
    assert kinds(observed(job, runs, calls=calls)) == []
    twice = [*calls, called(runs[0], attempt=None, began=after(12), ended=after(13))]
    assert kinds(observed(job, runs, calls=twice)) == ["called_twice"]


def side_by_side(*, begin=34, end=32):
    """A job that was moved back to its due time while it ran; the first of its runs has failed, and is retried beside the second."""
    options = JobOptions(coalesce=False, overlap="allow", retry=Retry(2, 2))
    changes = [Change(after(31), "changed", next_run_time=after(30))]
    job = ObservedJob("a", [after(30)], options, changes=changes)
    runs = [
        ran("a", 30, 30, 32, outcome="failed"),
        ran("a", 30, 31, 40, attempt=2),
        ran("a", 30, begin, 36, attempt=3, cause="retry"),
    ]
    calls = [called(runs[0], ended=after(end)), *map(called, runs[1:])]
    return observed(job, runs, calls=calls)


def test_a_retry_beside_another_run_for_its_due_time_is_not_called_twice():
    assert check(side_by_side()) == []
    assert kinds(side_by_side(end=35)) == ["called_twice"]  # what it is a retry of went on
    assert kinds(side_by_side(begin=33)) == ["early"]
    history = side_by_side()
    gone = replace(history, runs=history.runs[:2], calls=history.calls[:2])
    assert kinds(gone) == ["miss"]  # there is another attempt, which is no retry
    other = replace(history.runs[0], outcome="succeeded")
    assert "attempts" in kinds(replace(history, runs=[other, *history.runs[1:]]))  # of nothing that failed


def test_what_follows_from_a_run_goes_by_the_job_that_it_was_made_for():
    retried = JobOptions(retry=Retry(2, 2))
    job = ObservedJob(
        "a", [after(10)], retried, changes=[Change(after(20), "added", [after(50)], JobOptions())]
    )
    runs = [
        ran("a", 10, 10, 30, outcome="failed"),
        ran("a", 10, 30, 30, attempt=2, outcome="skipped", cause="retry"),
        ran("a", 50),
    ]
    events = [told(runs[0], EVENT_JOB_ERROR), told(runs[2])]
    assert kinds(observed(job, runs, events=events)) == []
    # The same, though nothing was done to the job.
    job = ObservedJob("a", [after(10), after(50)], retried)
    assert "untold" in kinds(observed(job, runs, events=events))
    job = ObservedJob("a", [after(10), after(50)])
    assert "attempts" in kinds(observed(job, runs))


def test_options_that_are_changed_while_a_run_goes_on_may_hold_for_it_or_not():
    changes = [Change(after(15), "changed", options=JobOptions(retry=Retry(2, 2)))]
    runs = [ran("a", 10, 10, 30, outcome="failed"), ran("a", 10, 32, attempt=2, cause="retry")]
    job = ObservedJob("a", [after(10)], changes=changes)
    assert kinds(observed(job, runs)) == kinds(observed(job, runs[:1])) == []
    before = replace(job, changes=[replace(changes[0], at=after(5))])
    assert kinds(observed(before, runs[:1])) == ["miss"]
    later = replace(job, changes=[replace(changes[0], at=after(40))])
    assert kinds(observed(later, runs)) == ["attempts"]


def test_runs_count_while_their_job_has_a_limit_of_them():
    changes = [Change(after(35), "changed", options=JobOptions(max_runs=2))]
    job, runs = ten(changes=changes)
    assert kinds(observed(job, runs[:5])) == []
    assert kinds(observed(job, runs[:6])) == ["max_runs"]
    # Anew, when another job gets the id.
    changes.append(Change(after(75), "added", every_ten_seconds(), JobOptions(max_runs=1)))
    assert kinds(observed(job, [*runs[:5], runs[7]])) == []
    assert kinds(observed(job, [*runs[:5], *runs[7:]])) == ["max_runs"]


def test_a_job_comes_once_after_the_runs_of_a_due_time():
    first = ObservedJob("a", [after(30)], changes=[Change(after(40), "changed", next_run_time=after(30))])
    follower = ObservedJob("b", AfterJob("a"))
    runs = [ran("a", 30), ran("a", 30, 40, attempt=2)]
    once, again = ran("b", 30, 31, cause="after"), ran("b", 30, 41, attempt=2, cause="after")
    assert kinds(observed(first, [*runs, once], jobs=[follower])) == []
    assert kinds(observed(first, [*runs, once, again], jobs=[follower])) == ["after"]
    assert kinds(observed(first, runs, jobs=[follower])) == ["after"] * 2


def test_a_job_comes_after_another_for_as_long_as_its_trigger_says_so():
    first, runs = ten()
    follower = ObservedJob("b", AfterJob("a"), changes=[Change(after(45), "changed", [after(80)])])
    followed = [ran("b", due, due + 1, cause="after") for due in (10, 20, 30, 40)]
    assert kinds(observed(first, [*runs, *followed, ran("b", 80)], jobs=[follower])) == []
    assert kinds(observed(first, [*runs, *followed[1:], ran("b", 80)], jobs=[follower])) == ["after"]


def test_a_job_that_has_paused_itself_comes_after_nothing():
    first, runs = ten()
    follower = ObservedJob("b", AfterJob("a"), JobOptions(pause_after_failures=1))
    followed = [ran("b", due, due + 1, cause="after") for due in (10, 20, 30)]
    failed = replace(followed[2], outcome="failed")
    assert kinds(observed(first, [*runs, *followed[:2], failed], jobs=[follower])) == []
    assert kinds(observed(first, [*runs, *followed], jobs=[follower])) == ["after"] * 6


# Random histories

SEEDS = st.integers(0, 2**32)


def random_history(seed):
    """What a faultless scheduler leaves behind: three jobs, some of whose runs fail, are retried, are late or skipped."""
    rnd = random.Random(seed)
    jobs, runs, calls, events = [], [], [], []
    for number in range(rnd.randint(1, 3)):
        name = f"job{number}"
        retry = rnd.choice([None, Retry(attempts=rnd.randint(2, 3), delay=1, backoff=2)])
        options = JobOptions(coalesce=False, retry=retry, max_instances=1)
        every, first = rnd.randint(20, 40), rnd.randint(1, 9)
        trigger = IntervalTrigger(seconds=every, start_date=after(first), end_date=after(299), timezone=UTC)
        gone = rnd.choice([None, rnd.randint(100, 200)])
        changes = () if gone is None else [Change(after(gone), "removed")]
        jobs.append(ObservedJob(name, trigger, options, changes=changes))
        for due in range(first, 300 if gone is None else gone, every):
            begin = due + rnd.random()
            for attempt in range(1, 4):
                end = begin + rnd.random()
                is_last = retry is None or attempt == retry.attempts
                outcome = "succeeded" if rnd.random() < 0.7 else "failed"
                run = ran(
                    name, due, begin, end, attempt=attempt, outcome=outcome, cause="schedule" if attempt == 1 else "retry"
                )  # fmt: skip
                runs.append(run)
                calls.append(called(run))
                events.append(told(run, EVENT_JOB_EXECUTED if outcome == "succeeded" else EVENT_JOB_ERROR))
                if outcome == "succeeded" or is_last:
                    break
                begin = end + 2 ** (attempt - 1) + rnd.random()
    rnd.shuffle(runs)
    return Observed(
        START,
        after(330),
        jobs,
        runs,
        calls,
        [NodeLife(START, name="n1")],
        events=events,
        patience=timedelta(seconds=3),
    )


CORRUPTIONS = {
    "a record is lost": lambda h, rnd: replace(h, runs=_but_one(h.runs, rnd)),
    "a record is there twice": lambda h, rnd: replace(h, runs=[*h.runs, rnd.choice(h.runs)]),
    "a call is not noted": lambda h, rnd: replace(h, calls=_but_one(h.calls, rnd)),
    "a call is there twice": lambda h, rnd: replace(h, calls=[*h.calls, rnd.choice(h.calls)]),
    "an event is lost": lambda h, rnd: replace(h, events=_but_one(h.events, rnd)),
    "an event is told twice": lambda h, rnd: replace(h, events=[*h.events, rnd.choice(h.events)]),
    "a run goes on for ever": lambda h, rnd: _with(h, rnd, outcome=None, finished=None),
    "a run is another's": lambda h, rnd: _with(h, rnd, scheduled_run_time=after(rnd.random())),
    "an attempt is left out": lambda h, rnd: _with(h, rnd, attempt=9),
    "a run was early": lambda h, rnd: _with(h, rnd, claimed=START, started=START),
    "a run is lost, and its node lives": lambda h, rnd: _with(h, rnd, outcome="lost"),
    "a run was skipped": lambda h, rnd: _with(h, rnd, outcome="skipped", started=None),
    "a run was missed": lambda h, rnd: _with(h, rnd, outcome="missed", started=None),
}  # fmt: skip


def _but_one(things, rnd):
    left = list(things)
    del left[rnd.randrange(len(left))]
    return left


def _with(history, rnd, **values):
    number = rnd.randrange(len(history.runs))
    runs = list(history.runs)
    runs[number] = replace(runs[number], **values)
    return replace(history, runs=runs)


@given(SEEDS)
@settings(max_examples=2000, deadline=None)
def test_random_faultless_histories_pass(seed):
    assert check(random_history(seed)) == []


@given(SEEDS, st.sampled_from(sorted(CORRUPTIONS)), SEEDS)
@settings(max_examples=200, deadline=None)
def test_a_single_corruption_is_found(seed, corruption, where):
    assert check(CORRUPTIONS[corruption](random_history(seed), random.Random(where))) != [], corruption


# What a real scheduler leaves behind


def _note(path):
    with Diary(path).noted():
        pass


def _fail(path):
    with Diary(path).noted():
        raise OSError("no network")


def test_a_scheduler_leaves_a_faultless_history(tmp_path):
    scheduler = ManualScheduler(start=START)
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_EVERY)
    scheduler.start()
    path = str(tmp_path / "diary")
    jobs = [
        scheduler.add_job(_note, "interval", seconds=7, args=[path], id="note"),
        scheduler.add_job(_fail, "interval", seconds=20, args=[path], id="fail", retry=Retry(3, 1)),
        scheduler.add_job(_note, AfterJob("fail", on="failure"), args=[path], id="mourn"),
        scheduler.add_job(_note, DateTrigger(after(50)), args=[path], id="once"),
    ]
    known = [ObservedJob.of(job) for job in jobs]
    scheduler.advance(100)

    def history(**values):
        given = {"runs": scheduler.get_runs(limit=1000), "events": heard.events, **values}
        return Observed(START, scheduler.now, known, **given)

    assert len(history().runs) > 30
    assert_faultless(history())
    # The diary goes by the machine's clock, which is not the scheduler's here.
    by_key = {run.key: run for run in history().runs}
    calls = [
        replace(call, began=run.started, ended=run.finished)
        for call in read_diary(path)
        for run in [by_key[call.job_id, call.scheduled_run_time, call.attempt]]
    ]
    assert_faultless(history(calls=calls))
    assert kinds(history(calls=calls[1:])) == ["no_call"]
    assert kinds(history(runs=scheduler.get_runs(limit=1000)[:-1])) != []


def test_a_diary_tells_of_calls_whose_process_was_ended(tmp_path):
    path = tmp_path / "diary"
    program = (
        "import os, sys\n"
        "from mainspring.testing import ManualScheduler\n"
        "from mainspring.testing.checker import Diary\n"
        "def work():\n"
        "    with Diary(sys.argv[1]).noted():\n"
        "        os.kill(os.getpid(), 9)\n"
        "scheduler = ManualScheduler()\n"
        "scheduler.start()\n"
        "scheduler.add_job(work, id='a')\n"
        "scheduler.run_due()\n"
    )
    source = Path(sys.modules["mainspring"].__path__[0]).parent
    process = subprocess.Popen([sys.executable, "-c", program, path], env={"PYTHONPATH": str(source)})
    process.wait(60)
    (call,) = read_diary(path)
    assert (call.job_id, call.attempt, call.ended, call.pids[0]) == ("a", 1, None, process.pid)
    path.write_text('{"note": "ended", "call": "7-7"}\n')
    with pytest.raises(ValueError, match="never began"):
        read_diary(path)
