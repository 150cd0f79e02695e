"""Receives what executors report, and passes it on to the listeners."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from mainspring.errors import words_of
from mainspring.events import (
    EVENT_JOB_CANCELLED,
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_STARTED,
    JobExecutionEvent,
    JobRunEvent,
)
from mainspring.model import RunResult, run_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mainspring.clock import Clock
    from mainspring.model import Submission
    from mainspring.schedulers.in_flight import InFlight
    from mainspring.schedulers.listeners import Listeners

_TIMED = EVENT_JOB_STARTED | EVENT_JOB_EXECUTED | EVENT_JOB_ERROR | EVENT_JOB_CANCELLED


class Reporter:
    """The `RunReporter` of a scheduler. Its methods never raise; events that nobody listens to are not made."""

    def __init__(
        self,
        clock: Clock,
        listeners: Listeners,
        in_flight: InFlight,
        progress: Callable[[Submission], None],
    ) -> None:
        self._clock = clock
        self._listeners = listeners
        self._in_flight = in_flight
        self._progress = progress

    def may_begin(self, submission: Submission) -> bool:
        """Whether the runs of `submission` are still this node's to run."""
        return submission.lease is None or submission.lease.is_held()

    def started(self, submission: Submission, scheduled_run_time: datetime) -> datetime | None:
        """A run begins on the calling thread; its start time, if anybody will want to know."""
        self._in_flight.entered(submission)
        mask = self._listeners.mask
        if not mask & _TIMED and submission.results is None:
            return None
        started = self._clock.now(scheduled_run_time.tzinfo or UTC)
        if mask & EVENT_JOB_STARTED:
            job_id = submission.job.id
            self._listeners.post(
                JobRunEvent(
                    EVENT_JOB_STARTED,
                    job_id,
                    submission.jobstore,
                    scheduled_run_time,
                    run_id(job_id, scheduled_run_time, submission.attempt),
                    started,
                )
            )
        return started

    def succeeded(
        self, submission: Submission, scheduled_run_time: datetime, started: datetime | None, retval: Any
    ) -> None:
        """A run has ended well."""
        finished = None
        if submission.results is not None:
            finished = self._clock.now(scheduled_run_time.tzinfo or UTC)
            self._record(
                submission, RunResult(scheduled_run_time, "succeeded", started, finished, None, retval)
            )
        if self._listeners.mask & EVENT_JOB_EXECUTED:
            self._ended(EVENT_JOB_EXECUTED, submission, scheduled_run_time, started, finished, retval=retval)

    def failed(
        self,
        submission: Submission,
        scheduled_run_time: datetime,
        started: datetime | None,
        error: BaseException,
        traceback: str,
    ) -> None:
        """A run has ended with an error."""
        finished = None
        if submission.results is not None:
            finished = self._clock.now(scheduled_run_time.tzinfo or UTC)
            told = f"{type(error).__name__}: {words_of(error)}"
            self._record(submission, RunResult(scheduled_run_time, "failed", started, finished, told))
        if self._listeners.mask & EVENT_JOB_ERROR:
            self._ended(
                EVENT_JOB_ERROR,
                submission,
                scheduled_run_time,
                started,
                finished,
                exception=error,
                traceback=traceback,
            )

    def cancelled(
        self, submission: Submission, scheduled_run_time: datetime, started: datetime | None
    ) -> None:
        """A run has been cancelled."""
        finished = None
        if submission.results is not None:
            finished = self._clock.now(scheduled_run_time.tzinfo or UTC)
            self._record(
                submission, RunResult(scheduled_run_time, "cancelled", started, finished, "cancelled")
            )
        if self._listeners.mask & EVENT_JOB_CANCELLED:
            self._ended(EVENT_JOB_CANCELLED, submission, scheduled_run_time, started, finished)

    def _record(self, submission: Submission, result: RunResult) -> None:
        """Keep a result for the store; where others follow, tell it at once: they may take long, or the node may die."""
        if submission.results is None:
            return
        submission.results.append(result)
        if submission.recorded + len(submission.results) < len(submission.run_times):
            self._progress(submission)

    def _ended(
        self,
        code: int,
        submission: Submission,
        scheduled_run_time: datetime,
        started: datetime | None,
        finished: datetime | None,
        **outcome: Any,
    ) -> None:
        job_id = submission.job.id
        if finished is None:
            finished = self._clock.now(scheduled_run_time.tzinfo or UTC)
        self._listeners.post(
            JobExecutionEvent(
                code,
                job_id,
                submission.jobstore,
                scheduled_run_time,
                run_id=run_id(job_id, scheduled_run_time, submission.attempt),
                started=started,
                finished=finished,
                **outcome,
            )
        )

    def done(self, submission: Submission) -> None:
        """The instance has ended: its place is to be freed."""
        self._in_flight.end(submission)
