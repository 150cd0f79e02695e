"""The interface of an executor, as APScheduler 3 defined it and as our own schedulers use it.

Third parties subclass `BaseExecutor` and implement `_do_submit_job`: run `run_job` somewhere, then call
`_run_job_success` or `_run_job_error`. Our own executors implement `submit` instead, and report each run as it happens.
"""

from __future__ import annotations

import logging
import sys
import traceback as traceback_module
from collections import Counter, defaultdict, deque
from collections.abc import MutableMapping
from datetime import UTC, datetime
from logging import ERROR, INFO, WARNING
from threading import RLock
from typing import TYPE_CHECKING, Any

from mainspring.clock import clock_of
from mainspring.coercion import NamesParameters
from mainspring.definition import grace_as_timedelta
from mainspring.engine.misfire import is_misfired
from mainspring.errors import MaxInstancesReachedError, RunError
from mainspring.events import (
    EVENT_JOB_CANCELLED,
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MISSED,
    JobExecutionEvent,
)
from mainspring.executors.host import NullHost, host_of
from mainspring.executors.run import (
    close_worker,
    finished,
    is_good_exit,
    log_failure,
    traceback_text,
    with_work_done,
)
from mainspring.forks import deep_copied, leaves_to_parent
from mainspring.job import Job, is_ours
from mainspring.masking import scrubber
from mainspring.model import Submission, run_id
from mainspring.overrides import is_home, replaced
from mainspring.safe_logging import SafeLogger, safe_logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from mainspring.executors.around import Hooks
    from mainspring.executors.host import ExecutorHost
    from mainspring.executors.report import RunReporter

__all__ = ["BaseExecutor", "MaxInstancesReachedError", "datetime", "run_coroutine_job", "run_job"]


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
                log.of_run(ERROR, identifier, said, job_id, exc, below=text.rstrip())
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


#: What subclasses of APScheduler's executors override to have a hand in how a job is run.
_HOOKS = frozenset({"submit_job", "_do_submit_job", "_run_job_success", "_run_job_error"})


class InstanceCounts(MutableMapping[str, int]):
    """How many runs of each job an executor has, by its id; 0 where it has none, as in APScheduler's `defaultdict`.

    Args:
        counted: those that are counted here, which is what changes.
        running: those that are known otherwise.
    """

    def __init__(self, counted: dict[str, int], running: Callable[[], Mapping[str, int]]) -> None:
        self._counted = counted
        self._running = running

    def __getitem__(self, job_id: str) -> int:
        return self._counted.get(job_id, 0) + self._running().get(job_id, 0)

    def __setitem__(self, job_id: str, count: int) -> None:
        self._counted[job_id] = count - self._running().get(job_id, 0)
        if not self._counted[job_id]:
            del self._counted[job_id]

    def __delitem__(self, job_id: str) -> None:
        self._counted.pop(job_id, None)

    def get(self, job_id: str, default: Any = None) -> Any:
        """See `dict.get`."""
        return self[job_id] if job_id in self else default  # noqa: SIM401 - which would call this

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._counted or job_id in self._running()

    def __iter__(self) -> Iterator[str]:
        return iter({**self._counted, **self._running()})

    def __len__(self) -> int:
        return len({**self._counted, **self._running()})

    def __repr__(self) -> str:
        return repr(dict(self))


class NativeExecutor(BaseExecutor):
    """An executor that implements `submit`; `submit_job` goes through it when it is called directly.

    One of which somebody has replaced one of APScheduler's methods is called through them, as there.
    """

    #: Whether somebody has; it is looked for when the executor is started.
    _is_hooked = False
    #: The scheduler's context managers, in which each function is called.
    _around: Hooks = ()

    def start(self, scheduler: Any, alias: str) -> None:
        """Called when the scheduler starts, or when the executor is added to a running one."""
        super().start(scheduler, alias)
        self._around = getattr(scheduler, "around_run", ())
        self._is_hooked = (bool(replaced(self, _HOOKS)) or self._has_other_function()) and not replaced(
            self, ("submit",)
        )

    def _has_other_function(self) -> bool:
        """Whether somebody has put a function in the place of `run_job`, where the executor's class is at home."""
        return function_of(type(self), "run_job") is not run_job

    @property
    def places(self) -> int:
        """How many submissions it runs at a time, about."""
        return 1

    @property
    def _instances(self) -> MutableMapping[str, int]:
        return InstanceCounts(self._counted, self._running)

    @_instances.setter
    def _instances(self, counts: MutableMapping[str, int]) -> None:
        self._counted = dict(counts)

    def _running(self) -> Mapping[str, int]:
        """How many runs of each job go on that were submitted by the short way."""
        if self._is_hooked:
            return {}
        return Counter(one.job.id for one in self._host.going_on() if one.job.options.executor == self._alias)

    def submit(self, submission: Submission, reporter: RunReporter) -> None:
        """Run a submission, and tell `reporter`; returns without waiting for it."""
        if self._is_hooked:
            super().submit(submission, reporter)
        else:
            self._submit(submission, reporter)

    def _submit(self, submission: Submission, reporter: RunReporter) -> None:
        raise NotImplementedError

    def interrupt(self, submission: Submission) -> None:
        """Have a run that goes on end, where that can be done, and what was not begun not be begun.

        Its outcome is told as always. A function in a thread can't be ended: it is told by its token.
        """

    def leave_running(self, submission: Submission) -> None:
        """A run that was told to end goes on, and its outcome has been told: go on without what runs it."""

    def take_back(self) -> list[Submission]:
        """What was submitted under a lease and has not been begun; it won't be begun, nor reported, any more."""
        return []

    def _do_submit_job(self, job: Job, run_times: list[datetime]) -> None:
        if self._has_other_function() or not is_ours(job):
            self._run_by_function(job, run_times)
            return
        reporter = _EventReporter(self)
        due = []
        for time, missed in _due_events(job, job._jobstore_alias, run_times, self._logger):  # noqa: SLF001 - handles are ours
            if missed is None:
                due.append(time)
            else:
                reporter.events.append(missed)
        submission = Submission(job._record, job._jobstore_alias or "", due)  # noqa: SLF001 - as above
        self._submit(submission, reporter)

    def _run_by_function(self, job: Job, run_times: list[datetime]) -> None:
        """Run a job as APScheduler does, by `run_job` or what somebody has put in its place: one that only looks like a job can't be run otherwise."""
        function = function_of(type(self), "run_job")
        try:
            events = function(job, job._jobstore_alias, run_times, self._logger.name)  # noqa: SLF001 - APScheduler's interface
        except BaseException as error:  # noqa: BLE001 - somebody's own function
            self._run_job_error(job.id, error, error.__traceback__)
        else:
            self._run_job_success(job.id, events)


def function_of(kind: type, name: str) -> Any:
    """What is called `name` in the module of an executor's class, where programs written for APScheduler put another in its place."""
    for definer in kind.__mro__:
        if is_home(definer.__module__):
            found = vars(sys.modules[definer.__module__]).get(name)
            if found is not None:
                return found
    return None


class _EventReporter:
    """Turns what is reported about a directly submitted job into APScheduler's events."""

    def __init__(self, executor: BaseExecutor) -> None:
        self._executor = executor
        self.holds_back = False
        self.events: list[JobExecutionEvent] = []

    def may_begin(self, submission: Submission) -> bool:  # noqa: ARG002
        return True

    def started(self, submission: Submission, scheduled_run_time: datetime) -> datetime | None:  # noqa: ARG002
        return clock_of(self._executor._scheduler).now(scheduled_run_time.tzinfo or UTC)  # noqa: SLF001 - made for it

    def succeeded(
        self, submission: Submission, scheduled_run_time: datetime, started: datetime | None, retval: Any
    ) -> None:
        self._add(EVENT_JOB_EXECUTED, submission, scheduled_run_time, started, retval=retval)

    def failed(
        self,
        submission: Submission,
        scheduled_run_time: datetime,
        started: datetime | None,
        error: BaseException,
        traceback: str,
    ) -> None:
        self._add(
            EVENT_JOB_ERROR, submission, scheduled_run_time, started, exception=error, traceback=traceback
        )

    def cancelled(
        self, submission: Submission, scheduled_run_time: datetime, started: datetime | None
    ) -> None:
        self._add(EVENT_JOB_CANCELLED, submission, scheduled_run_time, started)

    def _add(
        self, code: int, submission: Submission, time: datetime, started: datetime | None, **outcome: Any
    ) -> None:
        self.events.append(
            JobExecutionEvent(
                code,
                submission.job.id,
                submission.jobstore,
                time,
                run_id=run_id(submission.job.id, time),
                started=started,
                finished=clock_of(self._executor._scheduler).now(time.tzinfo or UTC),  # noqa: SLF001 - made for it
                **outcome,
            )
        )

    def done(self, submission: Submission) -> None:
        self._executor._run_job_success(submission.job.id, self.events)  # noqa: SLF001 - made for it


def _due_events(
    job: Job, jobstore_alias: str | None, run_times: list[datetime], logger: logging.Logger
) -> Iterator[tuple[datetime, JobExecutionEvent | None]]:
    """For each due time: the event that says it was missed, or ``None`` if it is to be run now."""
    grace = grace_as_timedelta(job.misfire_grace_time)
    for time in run_times:
        now = clock_of(job._scheduler).now(UTC)  # noqa: SLF001 - handles are ours
        if is_misfired(time, now, grace):
            SafeLogger(logger).of_run(
                WARNING, run_id(job.id, time), 'Run time of job "%s" was missed by %s', job, now - time
            )
            yield (
                time,
                JobExecutionEvent(
                    EVENT_JOB_MISSED, job.id, jobstore_alias, time, run_id=run_id(job.id, time)
                ),
            )
        else:
            yield time, None


class _Outcome:
    """Makes the event of one run."""

    def __init__(self, job: Job, jobstore_alias: str | None, time: datetime, logger: logging.Logger) -> None:
        self._job = job
        self._alias = jobstore_alias
        self._time = time
        self._logger = logger
        self._clock = clock_of(job._scheduler)  # noqa: SLF001 - handles are ours
        self._started = self._clock.now(time.tzinfo or UTC)

    def _event(self, code: int, **outcome: Any) -> JobExecutionEvent:
        return JobExecutionEvent(
            code,
            self._job.id,
            self._alias,
            self._time,
            run_id=run_id(self._job.id, self._time),
            started=self._started,
            finished=self._clock.now(self._time.tzinfo or UTC),
            **outcome,
        )

    def succeeded(self, retval: Any) -> JobExecutionEvent:
        identifier = run_id(self._job.id, self._time)
        SafeLogger(self._logger).of_run(INFO, identifier, 'Job "%s" executed successfully', self._job)
        return self._event(EVENT_JOB_EXECUTED, retval=retval)

    def failed(self, error: BaseException) -> JobExecutionEvent:
        text = traceback_text(error)
        job = self._job
        masked = scrubber(job.func, job.args, job.kwargs)(text)
        log_failure(
            str(job), run_id(job.id, self._time), error, masked, self._logger, is_masked=masked != text
        )
        # As there: whoever keeps the event, or the line of the log, doesn't keep what the function has worked on.
        traceback_module.clear_frames(error.__traceback__)
        return self._event(EVENT_JOB_ERROR, exception=error, traceback=masked)


def _finished_here(result: Any) -> Any:
    """`finished` on a thread that isn't ours, whose end we aren't told of: an event loop doesn't outlast the run."""
    try:
        return finished(result)
    finally:
        close_worker()


def run_job(
    job: Job, jobstore_alias: str | None, run_times: list[datetime], logger_name: str
) -> list[JobExecutionEvent]:
    """Call a job's function once for each due time, for executors written for APScheduler.

    Returns:
        for each due time an event: executed, error, or missed if it is later than the job's grace time.
    """
    logger = safe_logger(logger_name)
    events = []
    for time, missed in _due_events(job, jobstore_alias, run_times, logger):
        if missed is not None:
            events.append(missed)
            continue
        SafeLogger(logger).of_run(INFO, run_id(job.id, time), 'Running job "%s" (scheduled at %s)', job, time)
        outcome = _Outcome(job, jobstore_alias, time, logger)
        try:
            events.append(outcome.succeeded(_finished_here(job.func(*job.args, **job.kwargs))))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - jobs are users' code
            events.append(outcome.succeeded(None) if is_good_exit(error) else outcome.failed(error))
    return events


async def run_coroutine_job(
    job: Job, jobstore_alias: str | None, run_times: list[datetime], logger_name: str
) -> list[JobExecutionEvent]:
    """`run_job` for coroutine functions: awaits each run on the running event loop."""
    logger = safe_logger(logger_name)
    events = []
    for time, missed in _due_events(job, jobstore_alias, run_times, logger):
        if missed is not None:
            events.append(missed)
            continue
        SafeLogger(logger).of_run(INFO, run_id(job.id, time), 'Running job "%s" (scheduled at %s)', job, time)
        outcome = _Outcome(job, jobstore_alias, time, logger)
        function: Callable[..., Awaitable[Any]] = job.func
        try:
            events.append(outcome.succeeded(with_work_done(await function(*job.args, **job.kwargs))))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            events.append(outcome.succeeded(None) if is_good_exit(error) else outcome.failed(error))
    return events
