"""A run is begun only under a lease that is held, on every kind of executor."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from mainspring.executors.run import perform
from mainspring.model import JobOptions, JobRecord, Submission
from mainspring.schedulers.blocking import BlockingScheduler
from mainspring.triggers.date import DateTrigger

DUE = datetime(2026, 1, 1, tzinfo=UTC)


class Lease:
    token = 7

    def __init__(self, *held: bool) -> None:
        self._held = list(held)
        self.submissions: list[Submission] = []

    def is_held(self) -> bool:
        return self._held.pop(0)

    def is_lost(self) -> bool:
        return False

    def now(self) -> datetime:
        return DUE

    def skipped(self, submission: Submission) -> None:
        self.submissions.append(submission)


def submission(lease: Lease, runs: int) -> Submission:
    job = JobRecord("a", "a", print, "builtins:print", (), {}, DateTrigger(DUE), JobOptions(), DUE)
    return Submission(job, "default", [DUE] * runs, 1, lease)


@pytest.mark.parametrize(
    ("held", "calls"), [([True], 1), ([False], 0), ([True, True, False], 2), ([False, True], 0)]
)
def test_nothing_is_begun_without_the_lease(held, calls):
    scheduler = BlockingScheduler()
    lease = Lease(*held)
    one = submission(lease, len(held))
    called = []
    perform(one, scheduler._reporter, called.append, logging.getLogger("mainspring.test"))
    assert len(called) == calls
    assert lease.submissions == ([one] if False in held else [])


def test_what_was_abandoned_is_not_begun_though_the_lease_is_held():
    scheduler = BlockingScheduler()
    one = submission(Lease(True), 1)
    one.is_abandoned = True
    assert not scheduler._reporter.may_begin(one)
