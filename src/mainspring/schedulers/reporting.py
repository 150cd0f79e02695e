"""Receives what executors report, and passes it on to the listeners."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from mainspring.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_STARTED,
    JobExecutionEvent,
    JobRunEvent,
)
from mainspring.model import run_id

if TYPE_CHECKING:
    from datetime import datetime

    from mainspring.clock import Clock
    from mainspring.model import Submission
    from mainspring.schedulers.in_flight import InFlight
    from mainspring.schedulers.listeners import Listeners

_TIMED = EVENT_JOB_STARTED | EVENT_JOB_EXECUTED | EVENT_JOB_ERROR


class Reporter:
    """The `RunReporter` of a scheduler. Its methods never raise; events that nobody listens to are not made."""

    def __init__(
        self,
        clock: Clock,
        listeners: Listeners,
        in_flight: InFlight,
    ) -> None:
        self._clock = clock
        self._listeners = listeners
        self._in_flight = in_flight

    def started(self, submission: Submission, scheduled_run_time: datetime) -> datetime | None:
        """A run begins on the calling thread; its start time, if anybody will want to know."""
        self._in_flight.entered(submission)
        mask = self._listeners.mask
        if not mask & _TIMED:
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
                    run_id(job_id, scheduled_run_time),
                    started,
                )
            )
        return started

    def succeeded(
        self, submission: Submission, scheduled_run_time: datetime, started: datetime | None, retval: Any
    ) -> None:
        """A run has ended well."""
        if self._listeners.mask & EVENT_JOB_EXECUTED:
            self._ended(EVENT_JOB_EXECUTED, submission, scheduled_run_time, started, retval=retval)

    def failed(
        self,
        submission: Submission,
        scheduled_run_time: datetime,
        started: datetime | None,
        error: BaseException,
        traceback: str,
    ) -> None:
        """A run has ended with an error."""
        if self._listeners.mask & EVENT_JOB_ERROR:
            self._ended(
                EVENT_JOB_ERROR, submission, scheduled_run_time, started, exception=error, traceback=traceback
            )

    def _ended(
        self,
        code: int,
        submission: Submission,
        scheduled_run_time: datetime,
        started: datetime | None,
        **outcome: Any,
    ) -> None:
        job_id = submission.job.id
        self._listeners.post(
            JobExecutionEvent(
                code,
                job_id,
                submission.jobstore,
                scheduled_run_time,
                run_id=run_id(job_id, scheduled_run_time),
                started=started,
                finished=self._clock.now(scheduled_run_time.tzinfo or UTC),
                **outcome,
            )
        )

    def done(self, submission: Submission) -> None:
        """The instance has ended: its place is to be freed."""
        self._in_flight.end(submission)
