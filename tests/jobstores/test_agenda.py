"""What a node asks of the database, and when: no database, no clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mainspring.jobstores.contract import ParkedJob
from mainspring.jobstores.shared.agenda import Agenda, Step, is_put_off

START = datetime(2026, 1, 1, tzinfo=UTC)
#: Two hours: as far as clocks are set.
FAR = timedelta(hours=2)


def after(seconds):
    return START + timedelta(seconds=seconds)


def claimed(agenda, next_time=None, waiting=(), now=START, *, found=True, queue=None, blocked=False):
    """A claim comes by, after which it is known when the next job is due."""
    agenda.next_is_asked()
    agenda.claiming()
    agenda.queue_claimed(queue, now, looked=True, is_blocked=blocked)
    return agenda.claimed(next_time, dict(waiting), now, found=found)


POLL_AND_LOOK, POLL, CLAIM = Step(False, True), Step(False, False), Step(True, False)


def nothing(_):
    pass


@pytest.mark.parametrize(
    ("happened", "seconds", "step"),
    [
        (nothing, 0, POLL_AND_LOOK),
        (lambda agenda: agenda.looked(100.0), 0, POLL),
        (lambda agenda: agenda.looked(98.6), 0, POLL),
        (lambda agenda: agenda.looked(98.5), 0, POLL_AND_LOOK),
        (lambda agenda: claimed(agenda, after(10)), 9, POLL_AND_LOOK),
        (lambda agenda: claimed(agenda, after(10)), 10, CLAIM),
        (lambda agenda: (claimed(agenda, after(10)), agenda.next_is_unknown()), 10, POLL_AND_LOOK),
        (lambda agenda: claimed(agenda, after(-1)), 0, CLAIM),
        (lambda agenda: claimed(agenda, after(-1), found=False), 0, POLL_AND_LOOK),
        (lambda agenda: claimed(agenda, after(-1), found=False), 0.02, CLAIM),
        (lambda agenda: claimed(agenda, queue=after(5)), 4, POLL_AND_LOOK),
        (lambda agenda: claimed(agenda, queue=after(5)), 5, CLAIM),
        (lambda agenda: claimed(agenda, blocked=True), 0.9, POLL_AND_LOOK),
        (lambda agenda: claimed(agenda, blocked=True), 1, CLAIM),
        (lambda agenda: claimed(agenda, queue=after(0.2), blocked=True), 0.1, POLL_AND_LOOK),
        (lambda agenda: claimed(agenda, queue=after(0.2), blocked=True), 0.2, CLAIM),
        (lambda agenda: claimed(agenda, queue=after(5), blocked=True), 1, CLAIM),
        (lambda agenda: agenda.may_not_claim(START), 0.9, POLL_AND_LOOK),
        (lambda agenda: agenda.may_not_claim(START), 1, CLAIM),
        (lambda agenda: (agenda.looked(100.0), agenda.changed_elsewhere()), 0, POLL_AND_LOOK),
        (lambda agenda: agenda.note_queue_due(START), -FAR.total_seconds(), POLL_AND_LOOK),
    ],
    ids=[
        "first",
        "looked just now",
        "looked less than three quarters of the time ago",
        "looked three quarters of the time ago",
        "before the next is due",
        "the next is due",
        "changed meanwhile",
        "more is there",
        "others have locked it",
        "others had locked it",
        "before a queued run is available",
        "a queued run is available",
        "queued runs are blocked",
        "queued runs were blocked a second ago",
        "another queued run comes soon",
        "another queued run has come",
        "another queued run comes late",
        "without a lease",
        "without a lease a second ago",
        "another node has changed something",
        "the clock was set back",
    ],
)
def test_what_a_pass_asks(happened, seconds, step):
    agenda = Agenda(looks_every=2.0)
    happened(agenda)
    assert agenda.step(after(seconds), 100.0) == step


@pytest.mark.parametrize(
    ("first", "claims"),
    [(None, False), (1, False), (0, True), (-1, True)],
    ids=["none", "later", "now", "overdue"],
)
def test_a_poll_is_followed_by_a_claim_if_something_is_due(first, claims):
    agenda = Agenda()
    agenda.step(START, 0)
    due = None if first is None else after(first)
    assert agenda.polled(due, START) is claims
    if not claims:
        assert agenda.wake_at([]) == due


@pytest.mark.parametrize(
    ("follows", "elapsed", "is_due"),
    [("polls", 2.0, False), ("polls", 2.2, True), ("claims", 1.6, False), ("claims", 1.8, True)],
)
def test_when_a_node_looks_by_itself(follows, elapsed, is_due):
    agenda = Agenda(looks_every=2.0)
    agenda.looked(100.0)
    if follows == "polls":
        agenda.polled(None, START)
    else:
        agenda.claiming()
    assert agenda.is_look_due(100.0 + elapsed) is is_due


def test_how_often_is_looked_may_change():
    agenda = Agenda(looks_every=2.0)
    agenda.looked(100.0)
    agenda.look_every(0.5)
    assert agenda.is_look_due(101.0)


def parked(seconds):
    return ParkedJob("parked", "why", 1, after(seconds))


@pytest.mark.parametrize(
    ("waiting", "retry", "seconds", "set_aside"),
    [
        ({}, 5, 0, ["parked"]),
        ({}, 5, 5, []),
        ({"a": None}, 5, 0, ["parked", "a"]),
        ({"a": None}, 5, 0.9, ["parked", "a"]),
        ({"a": None}, 5, 1, ["parked"]),
        ({"a": after(0.5)}, 5, 0.5, ["parked"]),
        ({"a": after(30)}, 5, 1, ["parked"]),
        ({"a": None}, 5, -FAR.total_seconds(), []),
    ],
    ids=[
        "parked",
        "to be tried again",
        "waits",
        "waits for less than a second",
        "waited for a second",
        "has room",
        "will have room later",
        "the clock was set back",
    ],
)
def test_what_is_set_aside(waiting, retry, seconds, set_aside):
    agenda = Agenda()
    claimed(agenda, waiting=waiting)
    assert agenda.set_aside([parked(retry)], after(seconds)) == set_aside


def test_what_waits_no_more():
    agenda = Agenda()
    claimed(agenda, waiting={"a": None, "b": None})
    assert agenda.has_waiting
    assert agenda.waits_no_more("a")
    assert not agenda.waits_no_more("a")
    assert agenda.set_aside([], START) == ["b"]
    assert agenda.nothing_waits()
    assert not agenda.nothing_waits()
    assert not agenda.has_waiting


def test_runs_that_end_make_what_is_next_unknown_only_where_something_waits():
    agenda = Agenda()
    claimed(agenda, after(100))
    agenda.step(START, 0)
    agenda.runs_ended()
    assert agenda.knows_next
    claimed(agenda, after(100), waiting={"a": None})
    agenda.runs_ended()
    assert not agenda.knows_next


def test_blocked_runs_wait_for_an_instance():
    agenda = Agenda()
    claimed(agenda, queue=START, blocked=True)
    assert agenda.has_waiting
    assert agenda.is_queue_blocked
    claimed(agenda, queue=START, blocked=False)
    assert not agenda.has_waiting
    # A claim that hasn't looked into the queue says nothing of it.
    claimed(agenda, queue=START, blocked=True)
    agenda.claiming()
    agenda.queue_claimed(None, START, looked=False, is_blocked=False)
    assert agenda.is_queue_blocked


def test_the_queue_is_due_at_the_earliest_time_that_was_heard_of():
    agenda = Agenda()
    for moment in (None, after(5), after(3), None, after(4)):
        agenda.note_queue_due(moment)
    assert agenda.queue_due == after(3)
    assert not agenda.is_queue_due(after(2))
    assert agenda.is_queue_due(after(3))
    assert agenda.claiming() == after(3)
    assert agenda.queue_due is None


@pytest.mark.parametrize(
    ("seconds", "is_due"),
    [(0, False), (1.9, False), (2, True), (-FAR.total_seconds(), True)],
    ids=["at once", "soon", "two seconds later", "the clock was set back"],
)
def test_when_unclaimable_jobs_are_looked_for(seconds, is_due):
    agenda = Agenda()
    assert agenda.is_unclaimable_due(START)
    assert agenda.is_unclaimable_due(after(seconds)) is is_due


def test_outcomes_wait_for_claims_as_long_as_they_follow_one_another():
    agenda = Agenda()
    assert agenda.flushes()
    claimed(agenda, after(-1))
    assert not agenda.flushes()
    assert agenda.flushes()  # none has come since
    claimed(agenda, after(-1))
    assert not agenda.flushes()
    claimed(agenda, after(5))
    assert agenda.flushes()


def test_when_there_is_something_to_be_claimed():
    agenda = Agenda()
    assert agenda.wake_at([]) is None
    claimed(agenda, after(9), waiting={"a": after(8), "b": None})
    agenda.note_queue_due(after(7))
    assert agenda.wake_at([]) == after(7)
    assert agenda.wake_at([parked(6)]) == after(6)
    agenda.claiming()
    assert agenda.wake_at([]) == after(8)
    agenda.claimed(after(9), {}, START, found=True)
    assert agenda.wake_at([]) == after(9)


def test_room_that_nobody_waits_for_any_more_wakes_nobody():
    agenda = Agenda()
    claimed(agenda, None, waiting={"a": after(8)})
    agenda.polled(None, after(7))
    assert agenda.wake_at([]) == after(8)
    agenda.polled(None, after(8))  # the job was paused meanwhile
    assert agenda.wake_at([]) is None


@pytest.mark.parametrize(("until", "put_off"), [(1, True), (0, False), (-1, False), (60, True), (61, False)])
def test_what_is_put_off_is_so_for_as_long_as_it_was_meant_to(until, put_off):
    assert is_put_off(after(until), START, timedelta(seconds=60)) is put_off


def test_before_the_first_pass_a_look_beside_comes_as_beside_claims():
    made, began = Agenda(looks_every=10.0), 100.0
    made.looked(began)
    assert not made.is_look_due(began + 8.4)
    assert made.is_look_due(began + 9.0)


def test_who_may_not_claim_does_not_come_back_at_once_for_a_queued_run_that_is_due():
    agenda = Agenda()
    agenda.note_queue_due(after(-1))
    agenda.may_not_claim(START)
    assert agenda.wake_at([]) == after(1)
    assert agenda.is_queue_due(START)  # it is looked for as soon as it may
    agenda.step(START, 0.0)
    assert agenda.wake_at([]) == after(-1)
