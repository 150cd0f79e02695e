"""Which runs follow from the outcomes of another job, and that jobs don't follow one another in a ring."""

from datetime import UTC, datetime, timedelta

import pytest

from mainspring.engine.following import cycle, followed_job, followers_among, following_runs
from mainspring.model import JobOptions, JobRecord, QueuedRun, RunResult
from mainspring.triggers.after import WAITS, AfterJob
from mainspring.triggers.date import DateTrigger

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(minutes=5)


def job(job_id, trigger, next_run_time=WAITS):
    return JobRecord(job_id, job_id, print, "builtins:print", (), {}, trigger, JobOptions(), next_run_time)


OUTCOMES = ["succeeded", "failed", "timed_out", "lost", "cancelled", "missed", "skipped"]


@pytest.mark.parametrize(
    ("on", "followed"),
    [
        ("success", {"succeeded"}),
        ("failure", {"failed", "timed_out", "lost"}),
        ("any", {"succeeded", "failed", "timed_out", "lost", "cancelled"}),
    ],
)
def test_which_outcomes_are_followed(on, followed):
    follower = job("next", AfterJob("first", on=on))
    assert {
        outcome for outcome in OUTCOMES if following_runs(follower, [RunResult(START, outcome)], NOW)
    } == followed


def test_a_run_that_follows_is_due_when_the_one_before_it_was_and_may_be_run_at_once():
    runs = following_runs(job("next", AfterJob("first")), [RunResult(START, "succeeded")], NOW)
    assert runs == [QueuedRun("next", START, 1, NOW, "after")]


def test_each_outcome_has_its_own():
    times = [START + timedelta(hours=hour) for hour in range(3)]
    results = [
        RunResult(times[0], "succeeded"),
        RunResult(times[1], "failed"),
        RunResult(times[2], "succeeded"),
    ]
    runs = following_runs(job("next", AfterJob("first")), results, NOW)
    assert [run.scheduled_run_time for run in runs] == [times[0], times[2]]


@pytest.mark.parametrize("on", ["failure", "any"])
def test_what_is_tried_again_has_not_ended(on):
    failed = RunResult(START, "failed", retry_at=NOW)
    assert following_runs(job("next", AfterJob("first", on=on)), [failed], NOW) == []


def test_a_paused_follower_does_not_follow():
    follower = job("next", AfterJob("first"), next_run_time=None)
    assert following_runs(follower, [RunResult(START, "succeeded")], NOW) == []


class Own(AfterJob):
    """A program's."""


def test_those_that_follow_are_found_also_by_a_trigger_of_a_programs_own():
    dated = job("dated", DateTrigger("2026-01-01", timezone="UTC"))
    after, own = job("after", AfterJob("dated")), job("own", Own("dated"))
    assert followers_among([dated, after, own]) == [after, own]


def test_a_job_of_another_trigger_follows_nobody():
    other = job("other", DateTrigger(START), START)
    assert following_runs(other, [RunResult(START, "succeeded")], NOW) == []
    assert followed_job(other) is None


def test_whom_a_job_follows():
    assert followed_job(job("next", AfterJob("first"))) == "first"


@pytest.mark.parametrize(
    ("others", "new", "after", "ring"),
    [
        ({}, "a", "b", []),  # the other need not be there yet
        ({"b": None}, "a", "b", []),
        ({"b": "c", "c": None}, "a", "b", []),
        ({"b": "a"}, "a", "b", ["a", "b", "a"]),
        ({"b": "c", "c": "a"}, "a", "b", ["a", "b", "c", "a"]),
        ({}, "a", "a", ["a", "a"]),
        ({"b": "c", "c": "b"}, "a", "b", []),  # others have one among themselves, which ends the search
        ({"b": "b"}, "a", "b", []),
        ({"b": "c", "c": "d", "d": "c"}, "a", "b", []),
        ({"b": "c", "c": "d", "d": "b"}, "a", "b", []),
        ({"b": "c", "c": "d", "d": "d"}, "a", "b", []),
    ],
)
def test_rings_are_found(others, new, after, ring):
    jobs = {
        name: job(name, DateTrigger(START) if follows is None else AfterJob(follows))
        for name, follows in others.items()
    }
    assert cycle(new, AfterJob(after), jobs.get) == ring


def test_a_job_that_follows_nobody_closes_no_ring():
    def find(job_id):
        raise AssertionError(f"nobody needs to look for {job_id}")

    assert cycle("a", DateTrigger(START), find) == []


@pytest.mark.parametrize(
    "others", [{"b": "b"}, {"b": "c", "c": "b"}, {"b": "c", "c": "d", "d": "c"}], ids=str
)
def test_each_job_of_a_ring_of_others_is_looked_for_once(others):
    asked = []

    def find(job_id):
        asked.append(job_id)
        return job(job_id, AfterJob(others[job_id]))

    assert cycle("a", AfterJob("b"), find) == []
    assert asked == list(others)
