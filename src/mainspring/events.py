"""What a scheduler tells its listeners: codes and classes.

Codes, classes, constructors and inheritance up to `EVENT_JOB_MAX_INSTANCES` are APScheduler 3's; `EVENT_ALL` keeps its
value, so that a listener written for it is not sent kinds that it doesn't know. `EVENT_EVERY` has all of them.

For each run the order is `EVENT_JOB_SUBMITTED`, `EVENT_JOB_STARTED`, then one of `EVENT_JOB_EXECUTED`, `EVENT_JOB_ERROR`,
`EVENT_JOB_TIMED_OUT` and `EVENT_JOB_CANCELLED`, and for a job with retries whose run failed `EVENT_JOB_RETRYING` or, after the last
attempt, `EVENT_JOB_GAVE_UP`. A run that is too late is never submitted: its one event is `EVENT_JOB_MISSED`. Of a run whose node
died another node tells: `EVENT_JOB_LOST`, and when it is run again, if it is. A job that pauses itself, because it has had its `max_runs`
or has failed too often (`pause_after_failures`), is told of by `EVENT_JOB_PAUSED`; one that a program pauses by `EVENT_JOB_MODIFIED`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

EVENT_SCHEDULER_STARTED = EVENT_SCHEDULER_START = 1 << 0
EVENT_SCHEDULER_SHUTDOWN = 1 << 1
EVENT_SCHEDULER_PAUSED = 1 << 2
EVENT_SCHEDULER_RESUMED = 1 << 3
EVENT_EXECUTOR_ADDED = 1 << 4
EVENT_EXECUTOR_REMOVED = 1 << 5
EVENT_JOBSTORE_ADDED = 1 << 6
EVENT_JOBSTORE_REMOVED = 1 << 7
EVENT_ALL_JOBS_REMOVED = 1 << 8
EVENT_JOB_ADDED = 1 << 9
EVENT_JOB_REMOVED = 1 << 10
EVENT_JOB_MODIFIED = 1 << 11
EVENT_JOB_EXECUTED = 1 << 12
EVENT_JOB_ERROR = 1 << 13
EVENT_JOB_MISSED = 1 << 14
EVENT_JOB_SUBMITTED = 1 << 15
EVENT_JOB_MAX_INSTANCES = 1 << 16
EVENT_ALL = (1 << 17) - 1

# From here on the codes are mainspring's own.
EVENT_JOB_STARTED = 1 << 17
EVENT_JOB_PARKED = 1 << 18
EVENT_JOB_BACKLOG_DROPPED = 1 << 19
EVENT_JOB_CANCELLED = 1 << 20
EVENT_JOB_TIMED_OUT = 1 << 21
EVENT_JOB_RETRYING = 1 << 22
EVENT_JOB_GAVE_UP = 1 << 23
EVENT_JOB_LOST = 1 << 24
EVENT_JOB_PAUSED = 1 << 25
EVENT_EVERY = (1 << 26) - 1


class SchedulerEvent:
    """Something that happened to the scheduler as a whole.

    Attributes:
        code: one of the ``EVENT_*`` numbers.
        alias: of the job store or executor that it is about, or ``None``.
    """

    def __init__(self, code: int, alias: str | None = None) -> None:
        self.code = code
        self.alias = alias

    def __repr__(self) -> str:
        return f"<{type(self).__name__} (code={self.code})>"


class JobEvent(SchedulerEvent):
    """Something that happened to a job.

    Attributes:
        job_id: identifier of the job.
        jobstore: alias of its job store.
    """

    def __init__(self, code: int, job_id: str, jobstore: str | None) -> None:
        super().__init__(code)
        self.job_id = job_id
        self.jobstore = jobstore

    def __repr__(self) -> str:
        return f"<{type(self).__name__} (code={self.code}, job_id={self.job_id!r})>"


class JobSubmissionEvent(JobEvent):
    """Runs of a job were handed to its executor, or (`EVENT_JOB_MAX_INSTANCES`) could not be.

    Attributes:
        scheduled_run_times: the due times concerned, oldest first.
        run_ids: identifiers of those runs, in the same order.
    """

    def __init__(
        self,
        code: int,
        job_id: str,
        jobstore: str | None,
        scheduled_run_times: list[datetime],
        run_ids: Sequence[str] = (),
    ) -> None:
        super().__init__(code, job_id, jobstore)
        self.scheduled_run_times = scheduled_run_times
        self.run_ids = list(run_ids)


class JobRunEvent(JobEvent):
    """A run began (`EVENT_JOB_STARTED`).

    Attributes:
        run_id: identifier of the run, the same in all of its events.
        scheduled_run_time: when the run was due.
        started: when its function was called, aware.
        attempt: counted from 1.
    """

    def __init__(
        self,
        code: int,
        job_id: str,
        jobstore: str | None,
        scheduled_run_time: datetime,
        run_id: str,
        started: datetime,
        attempt: int = 1,
    ) -> None:
        super().__init__(code, job_id, jobstore)
        self.attempt = attempt
        self.scheduled_run_time = scheduled_run_time
        self.run_id = run_id
        self.started = started


class JobExecutionEvent(JobEvent):
    """A run has ended, was missed, or is lost with its node.

    Attributes:
        scheduled_run_time: when the run was due.
        retval: what the function returned.
        exception: what it raised.
        traceback: the formatted traceback of `exception`, as text.
        run_id: identifier of the run, the same in all of its events.
        started, finished: when the function was called and when it ended, aware; ``None`` for a missed run.
        attempt: counted from 1.
        retry_at: when the next attempt is made (`EVENT_JOB_RETRYING`, `EVENT_JOB_LOST`), or ``None``.
    """

    def __init__(
        self,
        code: int,
        job_id: str,
        jobstore: str | None,
        scheduled_run_time: datetime,
        retval: Any = None,
        exception: BaseException | None = None,
        traceback: str | None = None,
        *,
        run_id: str | None = None,
        started: datetime | None = None,
        finished: datetime | None = None,
        attempt: int = 1,
        retry_at: datetime | None = None,
    ) -> None:
        super().__init__(code, job_id, jobstore)
        self.attempt = attempt
        self.retry_at = retry_at
        self.scheduled_run_time = scheduled_run_time
        self.retval = retval
        self.exception = exception
        self.traceback = traceback
        self.run_id = run_id
        self.started = started
        self.finished = finished

    @property
    def duration(self) -> timedelta | None:
        """How long the function ran, by the wall clock; ``None`` if it never did."""
        if self.started is None or self.finished is None:
            return None
        return self.finished - self.started


class JobParkedEvent(JobEvent):
    """A job can't be run here for now (`EVENT_JOB_PARKED`); it is kept and tried again.

    Attributes:
        reason: what is in the way.
        exception: the error behind it, where there is one.
        retry_at: when it is tried again.
    """

    def __init__(
        self,
        code: int,
        job_id: str,
        jobstore: str | None,
        reason: str,
        exception: BaseException | None,
        retry_at: datetime,
    ) -> None:
        super().__init__(code, job_id, jobstore)
        self.reason = reason
        self.exception = exception
        self.retry_at = retry_at


class JobPausedEvent(JobEvent):
    """A job has paused itself (`EVENT_JOB_PAUSED`): it is not run again until it is resumed.

    Attributes:
        note: why.
    """

    def __init__(self, code: int, job_id: str, jobstore: str | None, note: str) -> None:
        super().__init__(code, job_id, jobstore)
        self.note = note


class JobBacklogEvent(JobEvent):
    """More runs were overdue than may be caught up (`EVENT_JOB_BACKLOG_DROPPED`).

    Attributes:
        first: the oldest due time that will not be run.
        before: the oldest due time that still will; everything due from `first` up to it was dropped.
    """

    def __init__(
        self, code: int, job_id: str, jobstore: str | None, first: datetime, before: datetime
    ) -> None:
        super().__init__(code, job_id, jobstore)
        self.first = first
        self.before = before


__all__ = [name for name in dir() if name.startswith("EVENT_")] + [
    "JobBacklogEvent",
    "JobEvent",
    "JobExecutionEvent",
    "JobParkedEvent",
    "JobPausedEvent",
    "JobRunEvent",
    "JobSubmissionEvent",
    "SchedulerEvent",
]
