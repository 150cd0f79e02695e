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


def turn(name, due, priority=0, attempt=1, scheduled=None):
    """Of the job whose id is the first letter of its name."""
    return name, Turn(priority, name[0], due, due if scheduled is None else scheduled, attempt)


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
        # Who has been due for longest counts, not whose due time is the oldest: a retry waits for its own moment.
        ([turn("a", 5, scheduled=1), turn("b", 4, scheduled=2)], "b a"),
        ([turn("a1", 5, scheduled=1), turn("a2", 4, scheduled=2)], "a2 a1"),
        # Those that are due at the same moment: the older due time, then the earlier attempt, then the first id.
        ([turn("a", 5, scheduled=2, attempt=1), turn("b", 5, scheduled=1, attempt=3)], "b a"),
        ([turn("a", 5, attempt=3), turn("b", 5, attempt=2)], "b a"),
        ([turn("b", 5), turn("a", 5), turn("c", 5)], "a b c"),
        # Three jobs, one of which has no more.
        (
            [turn("a1", 1), turn("a2", 2), turn("a3", 3), turn("b1", 4), turn("c1", 5), turn("c2", 6)],
            "a1 b1 c1 a2 c2 a3",
        ),
    ],
)
def test_jobs_take_turns_by_priority_and_time_due(turns, order):
    assert " ".join(name for name, _ in in_turn(turns, lambda one: one[1])) == order


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.integers(0, 5)), max_size=30))
def test_a_job_waits_for_one_run_of_each_other_at_most(found):
    priorities = {"a": 0, "b": 0, "c": 1}
    turns = [Turn(priorities[job], job, due, scheduled, 1) for job, due, scheduled in found]
    ordered = in_turn(turns, lambda one: one)
    assert sorted(ordered) == sorted(turns)
    assert [one.priority for one in ordered] == sorted((one.priority for one in ordered), reverse=True)
    for job_id in "abc":
        mine = [one for one in ordered if one.job_id == job_id]
        assert mine == sorted(mine, key=lambda one: one[2:])
    same = [one for one in ordered if one.priority == 0]
    rounds = [sum(other.job_id == one.job_id for other in same[:place]) for place, one in enumerate(same)]
    assert rounds == sorted(rounds)
    for this_round in set(rounds):
        of_round = [one for one, number in zip(same, rounds, strict=True) if number == this_round]
        assert of_round == sorted(of_round, key=lambda one: one[2:])


def test_things_that_have_no_order_of_their_own_are_put_in_turn():
    things = [object(), object(), object()]
    assert in_turn(things, lambda _: Turn(0, "a", 1.0, 1.0, 1)) == things


def test_when_jobs_and_queued_runs_have_their_turn():
    later = START + timedelta(seconds=60)
    job = JobRecord("a", "a", print, None, (), {}, DateTrigger(START), JobOptions(priority=3), START)
    run = QueuedRun("a", START, 2, later, "retry")
    assert turn_of_job(job) == Turn(3, "a", START.timestamp(), START.timestamp(), 0)
    assert turn_of_run(run, job) == Turn(3, "a", later.timestamp(), START.timestamp(), 2)
    assert turn_of_run(run, None).priority == 0


def test_a_job_without_a_next_run_time_and_a_run_that_waits_for_no_moment_are_due_for_longest():
    long_ago = datetime(1, 1, 2, tzinfo=UTC)
    paused = JobRecord("a", "a", print, None, (), {}, DateTrigger(START), JobOptions(), None)
    waiting = QueuedRun("b", START, 1, None, "buffered")
    due = paused.changed(id="c", next_run_time=long_ago)
    assert turn_of_job(paused) == Turn(0, "a", float("-inf"), float("-inf"), 0)
    assert turn_of_run(waiting, None) == Turn(0, "b", float("-inf"), START.timestamp(), 1)
    assert in_turn([turn_of_job(due), turn_of_run(waiting, None), turn_of_job(paused)], lambda one: one) == [
        turn_of_job(paused),
        turn_of_run(waiting, None),
        turn_of_job(due),
    ]
