"""When queued runs of a store in memory are looked at."""

from datetime import UTC, datetime, timedelta

import pytest

from mainspring.engine.decision import Decision, decide_queued
from mainspring.engine.grouping import Capacity
from mainspring.jobstores.local.run_queue import RunQueue
from mainspring.jobstores.local.runs import LocalRuns
from mainspring.model import Group, JobOptions, JobRecord, QueuedRun, Submission
from mainspring.triggers.date import DateTrigger

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def run(number=0, job_id="a"):
    return QueuedRun(job_id, START, number + 1, START, "manual")


def due(queue, seconds=0.0):
    return queue.due((START + seconds * SECOND).timestamp())


@pytest.fixture
def queue():
    """A queue with one run that is due and has been taken."""
    queue = RunQueue()
    queue.add(run())
    assert due(queue) == [run()]
    return queue


@pytest.mark.parametrize(
    ("group", "release"),
    [
        (None, lambda queue: queue.release("a", None)),
        (None, lambda queue: queue.release_job("a")),
        ("g", lambda queue: queue.release("b", "g")),
        ("g", lambda queue: queue.release_group("g")),
        ("g", lambda queue: queue.release_job("a")),
    ],
    ids=["its own instance", "its own job", "its group's instance", "its group", "its job in a group"],
)
@pytest.mark.parametrize("until", [None, START + 5 * SECOND])
def test_a_run_that_is_held_is_looked_at_when_what_it_waits_for_has_ended(queue, group, release, until):
    held = queue.runs[run().key]
    queue.hold(held, group, until)
    assert due(queue) == []
    assert queue.next_time() == until
    release(queue)
    assert queue.next_time() == START
    assert due(queue) == [held]
    assert not queue.held


@pytest.mark.parametrize("group", [None, "g"])
def test_a_run_that_is_held_is_looked_at_at_its_time(queue, group):
    queue.hold(queue.runs[run().key], group, START + 5 * SECOND)
    assert due(queue, 4.9) == []
    assert due(queue, 5) == [run()]
    assert due(queue, 60) == []  # once


def test_what_others_wait_for_is_nothing_to_a_run_that_is_held(queue):
    queue.hold(queue.runs[run().key], "g", None)
    assert not queue.release("a", None)
    assert not queue.release("a", "h")
    queue.release_job("b")
    assert due(queue) == []


def test_a_run_that_is_gone_is_held_for_nobody(queue):
    queue.hold(queue.runs[run().key], None, START + SECOND)
    queue.remove(run().key)
    assert not queue.release("a", None)
    assert due(queue, 60) == []
    assert queue.next_time() is None


def test_runs_that_are_held_again_and_again_take_no_more_room(queue):
    for number in range(1, 20):
        queue.add(run(number))
    due(queue)
    for _ in range(200):
        for held in list(queue.runs.values()):
            queue.hold(held, None, START + 60 * SECOND)
        queue.release("a", None)
        assert len(due(queue)) == 20
    assert len(queue._heap) < 200


def record(group):
    return JobRecord(
        "a", "a", print, "there:work", (), {}, DateTrigger(START), JobOptions(group=group), START
    )


def full(job, one, running):
    decision = (
        Decision(job) if one is None else decide_queued(job, one, running, capacity=Capacity(0, None, None))
    )
    decision.waits, decision.full_group = True, "g"
    return decision


def test_room_that_a_group_gets_while_it_is_decided_on_is_not_waited_for():
    runs = LocalRuns(10)
    runs.groups["g"] = Group("g", 1, None, SECOND)
    job, other = record("g"), record("g")._replace(id="b")
    begun = Decision(other)
    begun.submit = [START]
    runs.begin(begun, START)
    budget = runs.budget(START)
    runs.queue.add(run())
    runs.end(Submission(other, "default", begun.submit), lambda: START)
    (one,) = due(runs.queue)
    assert (
        runs.claim(one, job, START, lambda job, running, run, capacity: full(job, run, running), budget)
        is None
    )
    runs.wait(full(job, None, 0))
    assert due(runs.queue) == [one]
    assert not runs.has_waiting
    # The next claim knows of it; who waits then waits for the next that ends.
    budget = runs.budget(START)
    assert budget.capacity("g").instances == 1
    runs.wait(full(job, None, 0))
    assert runs.has_waiting
