"""Which runs come first of those that could begin together."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainspring.engine.precedence import Turn, by_priority, in_turn, turn_of_job, turn_of_run
from mainspring.model import JobOptions, JobRecord, QueuedRun
from mainspring.triggers.date import DateTrigger

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_those_of_a_higher_priority_come_first_and_the_others_in_their_order():
    things = [("a", 0), ("b", 5), ("c", 0), ("d", -1), ("e", 5)]
    assert [name for name, _ in by_priority(things, lambda thing: thing[1])] == ["b", "e", "a", "c", "d"]


def turn(name, due, priority=0, attempt=1):
    """Of the job whose id is the first letter of its name."""
    return name, Turn(priority, name[0], due, due, attempt)


@pytest.mark.parametrize(
    ("turns", "order"),
    [
        ([], ""),
        ([turn("a", 3), turn("b", 1), turn("c", 2)], "b c a"),
        ([turn("a", 3), turn("b", 1, priority=-1), turn("c", 9, priority=1)], "c a b"),
        # A job's next run time comes before what is queued at the same moment.
        ([turn("a", 1), turn("b", 1, attempt=0)], "b a"),
        # Jobs take turns.
        ([turn("a1", 1), turn("a2", 2), turn("a3", 3), turn("b1", 9)], "a1 b1 a2 a3"),
        ([turn("a1", 1), turn("a2", 2), turn("b1", 9), turn("b2", 10)], "a1 b1 a2 b2"),
        ([turn("a2", 2), turn("a1", 1)], "a1 a2"),
        ([turn("a1", 1), turn("a2", 2), turn("b1", 9, priority=-1)], "a1 a2 b1"),
    ],
)
def test_jobs_take_turns_by_priority_and_time_due(turns, order):
    assert " ".join(name for name, _ in in_turn(turns, lambda one: one[1])) == order


@given(st.lists(st.tuples(st.integers(-1, 1), st.sampled_from("abc"), st.integers(0, 5)), max_size=30))
def test_a_job_waits_for_one_run_of_each_other_at_most(found):
    turns = [Turn(priority, job_id, due, due, place) for place, (priority, job_id, due) in enumerate(found)]
    ordered = in_turn(turns, lambda one: one)
    assert sorted(ordered) == sorted(turns)
    for priority in (-1, 0, 1):
        same = [one for one in ordered if one.priority == priority]
        assert [one.priority for one in ordered] == sorted((one.priority for one in ordered), reverse=True)
        for job_id in "abc":
            mine = [one for one in same if one.job_id == job_id]
            assert mine == sorted(mine, key=lambda one: one[2:])


def test_when_jobs_and_queued_runs_have_their_turn():
    later = START + timedelta(seconds=60)
    job = JobRecord("a", "a", print, None, (), {}, DateTrigger(START), JobOptions(priority=3), START)
    run = QueuedRun("a", START, 2, later, "retry")
    assert turn_of_job(job) == Turn(3, "a", START.timestamp(), START.timestamp(), 0)
    assert turn_of_run(run, job) == Turn(3, "a", later.timestamp(), START.timestamp(), 2)
    assert turn_of_run(run, None).priority == 0
