"""The interface of an executor, as APScheduler 3 defined it and as our own schedulers use it.

Third parties subclass `BaseExecutor` and implement `_do_submit_job`: run `run_job` somewhere, then call
`_run_job_success` or `_run_job_error`. Our own executors are in `native.py`: they implement `submit` instead, and report each run as it happens.
"""

from __future__ import annotations

import traceback as traceback_module
from collections import defaultdict, deque
from datetime import datetime
from logging import ERROR
from threading import RLock
from typing import TYPE_CHECKING, Any

from mainspring.coercion import NamesParameters
from mainspring.errors import MaxInstancesReachedError, RunError
from mainspring.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MISSED,
    JobExecutionEvent,
)
from mainspring.executors.by_function import run_coroutine_job, run_job
from mainspring.executors.host import NullHost, host_of
from mainspring.forks import deep_copied, leaves_to_parent
from mainspring.job import Job
from mainspring.model import Submission, run_id
from mainspring.safe_logging import SafeLogger, safe_logger

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from collections.abc import Set as AbstractSet

    from mainspring.executors.host import ExecutorHost
    from mainspring.executors.report import RunReporter

# Programs import these from here.
__all__ = [
    "EVENT_JOB_ERROR",
    "EVENT_JOB_EXECUTED",
    "EVENT_JOB_MISSED",
    "BaseExecutor",
    "JobExecutionEvent",
    "MaxInstancesReachedError",
    "datetime",
    "run_coroutine_job",
    "run_job",
]


class BaseExecutor(metaclass=NamesParameters):
    """Runs jobs.

    A scheduler calls `start`, then `submit` from any thread, then `shutdown`; it may `start` it again after that.
    """

    _scheduler: Any = None
    #: What is asked of the scheduler; given by `start`.
    _host: ExecutorHost = NullHost()
    _alias: str | None = None
    _logger = safe_logger("apscheduler.executors")

    def __init__(self) -> None:
        self._begin_in_process()
        leaves_to_parent(self)

    def _begin_in_process(self) -> None:
        """Make what belongs to one process."""
        self._instances: MutableMapping[str, int] = defaultdict(int)
        self._handed: dict[str, deque[tuple[Submission, RunReporter]]] = {}
        self._lock = RLock()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return deep_copied(self, memo)

    def leave_to_parent(self) -> None:
        """In a forked process: what was submitted is run by the parent, whose threads and processes are not here."""
        self._begin_in_process()

    def start(self, scheduler: Any, alias: str) -> None:
        """Called when the scheduler starts, or when the executor is added to a running one."""
        self._scheduler = scheduler
        self._host = host_of(scheduler)
        self._alias = alias
        self._logger = safe_logger(f"apscheduler.executors.{alias}")

    def shutdown(self, wait: bool = True) -> None:
        """Take no more submissions.

        Args:
            wait: return when those that were taken have ended.
        """

    def submit(self, submission: Submission, reporter: RunReporter) -> None:
        """Run a submission, and tell `reporter`; returns without waiting for it.

        This one serves executors written for APScheduler: it calls their `_do_submit_job`.

        Raises:
            MaxInstancesReachedError: the executor has a limit of its own.
            Exception: whatever keeps it from being taken; it is then not run.
        """
        job = Job._from_record(submission.job, self._scheduler, submission.jobstore)  # noqa: SLF001 - handles are ours
        handed = (submission, reporter)
        with self._lock:
            self._handed.setdefault(job.id, deque()).append(handed)
        try:
            self.submit_job(job, list(submission.run_times))
        except BaseException:
            self._withdraw(job.id, handed)  # this one: others of the job may be running
            raise

    def submit_job(self, job: Job, run_times: list[datetime]) -> None:
        """Run a job for the given due times.

        Raises:
            MaxInstancesReachedError: as many instances of it run as may.
        """
        with self._lock:
            if self._instances.get(job.id, 0) >= job.max_instances:
                raise MaxInstancesReachedError(job)
            self._instances[job.id] += 1
        try:
            self._do_submit_job(job, run_times)
        except BaseException:
            self._one_less(job.id)
            raise

    def _do_submit_job(self, job: Job, run_times: list[datetime]) -> None:  # noqa: ARG002
        """Have `run_job` called somewhere, and then `_run_job_success` or `_run_job_error`."""
        raise TypeError(f"{type(self).__name__} must implement _do_submit_job(job, run_times), or submit")

    def _run_job_success(self, job_id: str, events: list[JobExecutionEvent]) -> None:
        """A job's runs have ended; `events` is what `run_job` returned: without any, all of them as they should."""
        self._one_less(job_id)
        handed = self._taken_back(job_id, {event.scheduled_run_time for event in events})
        if handed is None:
            for event in events:
                self._scheduler._dispatch_event(event)  # noqa: SLF001 - APScheduler's interface
            return
        submission, reporter = handed
        untold = list(submission.run_times)
        try:
            for event in events:
                if event.scheduled_run_time in untold:
                    untold.remove(event.scheduled_run_time)
                self._pass_on(event, submission, reporter)
            for time in untold:
                if not events:  # as of executors that hand a job on to another system, and don't wait for it
                    reporter.succeeded(submission, time, reporter.started(submission, time), None)
                    continue
                error = RunError(f"{type(self).__name__} reported no outcome of the run due at {time}")
                reporter.failed(submission, time, reporter.started(submission, time), error, str(error))
        finally:
            reporter.done(submission)

    def _pass_on(self, event: JobExecutionEvent, submission: Submission, reporter: RunReporter) -> None:
        time = event.scheduled_run_time
        if event.code not in (EVENT_JOB_EXECUTED, EVENT_JOB_ERROR):
            event.attempt = submission.attempt_of(time)
            event.run_id = run_id(submission.job.id, time, event.attempt)
            self._scheduler._dispatch_event(event)  # noqa: SLF001 - APScheduler's interface
            return
        started = reporter.started(submission, time)
        if event.code == EVENT_JOB_EXECUTED:
            reporter.succeeded(submission, time, event.started or started, event.retval)
        else:
            error = event.exception or RuntimeError("the executor reported an error without saying which")
            reporter.failed(submission, time, event.started or started, error, event.traceback or "")

    def _run_job_error(self, job_id: str, exc: BaseException, traceback: Any = None) -> None:
        """A job's runs could not be run, or not be reported."""
        self._one_less(job_id)
        text = "".join(traceback_module.format_exception(type(exc), exc, traceback or exc.__traceback__))
        handed = self._taken_back(job_id)
        log, said = SafeLogger(self._logger), "Error running job %s: %r"
        if handed is None:
            log.of_job(ERROR, job_id, f"{said}\n%s", job_id, exc, text.rstrip())
        else:
            submission = handed[0]
            for time in submission.run_times:
                identifier = run_id(job_id, time, submission.attempt_of(time))
                log.of_run(ERROR, identifier, said, job_id, exc, below=text.rstrip(), outcome="failed")
        if handed is None:
            return
        submission, reporter = handed
        try:
            for time in submission.run_times:
                reporter.failed(submission, time, reporter.started(submission, time), exc, text)
        finally:
            reporter.done(submission)

    def _one_less(self, job_id: str) -> None:
        with self._lock:
            self._instances[job_id] -= 1
            if self._instances[job_id] <= 0:
                del self._instances[job_id]

    def _taken_back(
        self, job_id: str, times: AbstractSet[datetime] = frozenset()
    ) -> tuple[Submission, RunReporter] | None:
        """The submission whose due times these are; the oldest of the job where that can't be told."""
        with self._lock:
            waiting = self._handed.get(job_id)
            if not waiting:
                return None
            found = next(
                (each for each in waiting if not times or times & set(each[0].run_times)), waiting[0]
            )
            self._withdraw(job_id, found)
            return found

    def _withdraw(self, job_id: str, handed: tuple[Submission, RunReporter]) -> None:
        with self._lock:
            waiting = self._handed.get(job_id, deque())
            if handed in waiting:
                waiting.remove(handed)
            if not waiting:
                self._handed.pop(job_id, None)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"
