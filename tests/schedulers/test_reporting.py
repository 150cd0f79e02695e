"""What a run's outcome comes to, told once, by whoever comes first; without an executor."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from types import SimpleNamespace

import pytest

from mainspring import Retry
from mainspring.current import OWN
from mainspring.events import EVENT_EVERY, EVENT_JOB_GAVE_UP, EVENT_JOB_RETRYING
from mainspring.model import Submission, run_id
from mainspring.schedulers.reporting import Reporter
from mainspring.schedulers.stuck_runs import StuckRuns
from mainspring.testing import SettableClock
from mainspring.testing.conformance import SECOND, START, record


class Lease:
    token = 7

    def __init__(self, *, held):
        self.held = held
        self.gone = []

    def is_held(self):
        return self.held

    def skipped(self, submission):
        self.gone.append(submission)

    def now(self):
        return START


@pytest.fixture(autouse=True)
def _on_no_worker():
    """The test begins runs on its own thread, as a worker does, and leaves some of them."""
    yield
    OWN.set(None)


@pytest.fixture
def told():
    """What a reporter has told, to whom."""
    return SimpleNamespace(events=[], ended=[], progress=[], runs=[])


@pytest.fixture
def clock():
    return SettableClock(START)


@pytest.fixture
def reporter(told, clock):
    made = Reporter(
        clock,
        SimpleNamespace(mask=EVENT_EVERY, post=told.events.append),
        SimpleNamespace(end=told.ended.append),
        told.progress.append,
        lambda submission, seconds: None,
        lambda submission: None,
        lambda submission, text: None,
        StuckRuns(),
    )
    made.ended = told.runs.append
    return made


def submission_of(*, lease=None, times=(START,), success_log=None, **options):
    return Submission(record("a", **options), "default", list(times), lease=lease, success_log=success_log)


@pytest.mark.parametrize(
    ("lease", "is_abandoned", "may_begin", "gives_up"),
    [
        (None, False, True, False),
        (Lease(held=True), False, True, False),
        (Lease(held=False), False, False, True),
        (Lease(held=True), True, False, False),
        (None, True, False, False),
    ],
    ids=["no lease", "held", "not held any more", "abandoned", "abandoned, without a lease"],
)
def test_a_run_begins_only_while_its_node_may_trust_its_lease(
    reporter, lease, is_abandoned, may_begin, gives_up
):
    submission = submission_of(lease=lease)
    submission.is_abandoned = is_abandoned
    assert reporter.may_begin(submission) is may_begin
    if lease is not None:
        assert lease.gone == ([submission] if gives_up else [])


def succeed(reporter, submission, began):
    reporter.succeeded(submission, START, began, None)


def fail(reporter, submission, began):
    reporter.failed(submission, START, began, OSError("no"), "traceback")


def cancel(reporter, submission, began):
    reporter.cancelled(submission, START, began)


WAYS = {"succeeded": succeed, "failed": fail, "cancelled": cancel}


@pytest.mark.parametrize("late", WAYS)
@pytest.mark.parametrize("first", WAYS)
def test_an_outcome_is_told_once_whatever_comes_late(reporter, told, first, late):
    submission = submission_of(lease=Lease(held=True))
    began = reporter.started(submission, START)
    WAYS[first](reporter, submission, began)
    once = ([result.outcome for result in submission.results], len(told.events), list(told.runs))
    assert once == ([first], 2, [run_id("a", START)])  # events: it began, and it ended
    WAYS[late](reporter, submission, began)
    assert ([result.outcome for result in submission.results], len(told.events), told.runs) == once


@pytest.mark.parametrize("late", WAYS)
@pytest.mark.parametrize("stop", ["timed_out", "cancelled"])
def test_a_run_that_was_given_up_has_ended_and_what_it_does_after_that_changes_nothing(
    reporter, told, stop, late
):
    submission = submission_of(lease=Lease(held=True), times=(START, START + SECOND), timeout=SECOND)
    began = reporter.started(submission, START)
    submission.stop = stop
    assert submission.outcome_lock.acquire(False)
    reporter.abandon(submission)
    outcomes = [stop, "cancelled"]  # of the second, which has not begun
    assert [result.outcome for result in submission.results] == outcomes
    assert told.ended == [submission]
    WAYS[late](reporter, submission, began)
    reporter.done(submission)
    assert [result.outcome for result in submission.results] == outcomes
    assert told.ended == [submission]
    assert not reporter.may_begin(submission)


def test_a_late_success_is_not_put_into_the_outbox_either(reporter, told):
    reporter.ended = None
    reporter._listeners.mask = 0
    success_log = deque()
    submission = submission_of(success_log=success_log)
    began = reporter.started(submission, START)
    succeed(reporter, submission, began)
    succeed(reporter, submission, began)
    assert len(success_log) == 1
    assert submission.results == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stop", ["timed_out", "cancelled"])
def test_a_run_that_was_to_be_stopped_and_ends_has_obeyed(reporter, way, stop):
    submission = submission_of(lease=Lease(held=True), timeout=SECOND)
    began = reporter.started(submission, START)
    submission.stop = stop
    WAYS[way](reporter, submission, began)
    assert [result.outcome for result in submission.results] == [stop]


@pytest.mark.parametrize(
    ("retry", "retry_at", "code"),
    [(Retry(3, delay=60), START + 60 * SECOND, EVENT_JOB_RETRYING), (Retry(1), None, EVENT_JOB_GAVE_UP)],
)
def test_what_follows_from_a_failure_is_told_with_it(reporter, told, retry, retry_at, code):
    submission = submission_of(lease=Lease(held=True), retry=retry)
    fail(reporter, submission, reporter.started(submission, START))
    (result,) = submission.results
    assert result.retry_at == retry_at
    assert [event.code for event in told.events][-1] == code
    assert told.events[-1].retry_at == retry_at


def test_each_of_several_runs_is_told_at_once_and_the_last_with_the_instance(reporter, told):
    times = [START, START + SECOND]
    submission = submission_of(lease=Lease(held=True), times=times)
    for time in times:
        reporter.succeeded(submission, time, reporter.started(submission, time), None)
        assert told.progress == [submission]
    assert told.ended == []
    reporter.done(submission)
    assert told.ended == [submission]


def test_a_run_takes_its_time_from_the_stores_clock(reporter, clock):
    clock.advance(timedelta(hours=3))
    submission = submission_of(lease=Lease(held=True))
    succeed(reporter, submission, reporter.started(submission, START))
    (result,) = submission.results
    assert (result.started, result.finished) == (START, START)
