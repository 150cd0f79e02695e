from __future__ import annotations

from datetime import UTC, datetime
from threading import Condition

import pytest

from mainspring.definition import new_record
from mainspring.model import JobOptions, Submission
from mainspring.triggers.date import DateTrigger

DUE = datetime(2026, 1, 1, tzinfo=UTC)


class Reports:
    """A `RunReporter` that remembers what it is told, in order."""

    #: Executors of third parties call back when all is over, with a start that they noted themselves.
    is_start_handed_back = True

    def __init__(self):
        self.told = []
        self._changed = Condition()

    def _tell(self, *what):
        with self._changed:
            self.told.append(what)
            self._changed.notify_all()

    def may_begin(self, submission):
        return True

    def started(self, submission, scheduled_run_time):
        self._tell("started", submission.job.id, scheduled_run_time)
        return DUE

    def succeeded(self, submission, scheduled_run_time, started, retval):
        assert started is DUE or not self.is_start_handed_back
        self._tell("succeeded", submission.job.id, retval)

    def failed(self, submission, scheduled_run_time, started, error, traceback):
        assert started is DUE or not self.is_start_handed_back
        self._tell("failed", submission.job.id, error, traceback)

    def done(self, submission):
        self._tell("done", submission.job.id)

    def of(self, kind, job_id=None):
        with self._changed:
            return [told for told in self.told if told[0] == kind and job_id in (None, told[1])]

    def wait(self, kind, job_id=None, count=1, timeout=30):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.of(kind, job_id)) >= count, timeout), self.told
        return self.of(kind, job_id)


@pytest.fixture
def reports():
    return Reports()


@pytest.fixture
def submission():
    def make(func, *args, id="job", times=1, **kwargs):  # noqa: A002 - as add_job has it
        record = new_record(id, func, DateTrigger(DUE), args, kwargs, None, JobOptions())
        return Submission(record, "default", [DUE] * times)

    return make


@pytest.fixture
def started():
    """Starts executors, and shuts them down when the test has ended."""
    running = []

    def start(executor):
        executor.start(None, "default")
        running.append(executor)
        return executor

    yield start
    for executor in running:
        executor.shutdown()
