"""Receives what executors report, and passes it on to the store and the listeners."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from mainspring.clock import SystemClock, system_timestamp
from mainspring.current import OWN, begin_run, release_capture
from mainspring.engine.reasons import CANCELLED, CANCELLED_UNBEGUN, GIVEN_UP
from mainspring.engine.retrying import after_loss, retry_time
from mainspring.errors import NodeLostError, WorkerDiedError, safe_str
from mainspring.events import (
    EVENT_JOB_CANCELLED,
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_GAVE_UP,
    EVENT_JOB_LOST,
    EVENT_JOB_RETRYING,
    EVENT_JOB_STARTED,
    EVENT_JOB_TIMED_OUT,
    JobExecutionEvent,
    JobRunEvent,
)
from mainspring.masking import scrubber
from mainspring.model import RunKey, RunResult, run_id
from mainspring.serializers.results import kept_result
from mainspring.storable import (
    DEFAULT_LIMITS,
    error_line,
    is_progress,
    kept_end,
    kept_ends,
    kept_error,
    kept_start,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainspring.clock import Clock
    from mainspring.model import Outcome, Submission
    from mainspring.schedulers.in_flight import InFlight
    from mainspring.schedulers.listeners import Listeners
    from mainspring.schedulers.stuck_runs import StuckRuns
    from mainspring.storable import RunLimits

_CODES = {
    "succeeded": EVENT_JOB_EXECUTED,
    "failed": EVENT_JOB_ERROR,
    "cancelled": EVENT_JOB_CANCELLED,
    "timed_out": EVENT_JOB_TIMED_OUT,
}
_RETRIED = EVENT_JOB_RETRYING | EVENT_JOB_GAVE_UP
_TIMED = (
    EVENT_JOB_STARTED
    | EVENT_JOB_EXECUTED
    | EVENT_JOB_ERROR
    | EVENT_JOB_CANCELLED
    | EVENT_JOB_TIMED_OUT
    | _RETRIED
)


class _Teller:
    """What `report_progress` of a reporter is called by, with what its runs may hand in: one attribute of each submission, and not two."""

    __slots__ = ("_report_progress", "limits")

    def __init__(self, report_progress: Callable[[Submission, str], None]) -> None:
        self._report_progress = report_progress
        self.limits = DEFAULT_LIMITS

    def __call__(self, submission: Submission, text: str) -> None:
        self._report_progress(submission, text)


def _nothing(*_: Any, **__: Any) -> None: ...


class Reporter:
    """The `RunReporter` of a scheduler. Its methods never raise; events that nobody listens to are not made.

    Args:
        progress: told when a run has ended, and others of its submission are still to come.
        watch: given a submission whose run has begun and may take only so many seconds.
        press: given a submission whose run has begun though it is to be stopped.
        report_progress: given a submission whose run has said how far it is.
        stuck: the runs that go on though it was told that they have ended.

    Attributes:
        ended: called with the identifier of each run that has ended; ``None``: nobody waits for one.
        holds_back: whether nothing more is to begin that can be left to other nodes, since this one is shutting down.
    """

    def __init__(
        self,
        clock: Clock,
        listeners: Listeners,
        in_flight: InFlight,
        progress: Callable[[Submission], None],
        watch: Callable[[Submission, float], None],
        signal_stop: Callable[[Submission], None],
        report_progress: Callable[[Submission, str], None],
        stuck: StuckRuns,
    ) -> None:
        self._stuck = stuck
        self._clock = clock
        # The system's clock, asked for no more than a number, takes a fifth of the time.
        self._timestamp = (
            system_timestamp if isinstance(clock, SystemClock) else lambda: clock.now().timestamp()
        )
        self._listeners = listeners
        self._in_flight = in_flight
        self._progress = progress
        self._watch = watch
        self._signal_stop = signal_stop
        self._teller = _Teller(report_progress)
        self.ended: Callable[[str], None] | None = None
        self.holds_back = False

    def leave_to_parent(self) -> None:
        """In a forked process: a run that has forked goes on here; what becomes of it, and those that follow, is the parent's affair."""
        self.may_begin = lambda submission: False  # type: ignore[method-assign] # noqa: ARG005
        self._tell = self._progress = _nothing  # type: ignore[method-assign]

    @property
    def limits(self) -> RunLimits:
        """How much is kept of what runs hand in."""
        return self._teller.limits

    @limits.setter
    def limits(self, limits: RunLimits) -> None:
        self._teller.limits = limits

    def may_begin(self, submission: Submission) -> bool:
        """Whether the runs of `submission` are still this node's to run."""
        if submission.is_abandoned:
            return False
        lease = submission.lease
        if lease is None or (lease.is_held() and not self.holds_back):
            return True
        lease.skipped(submission)
        return False

    def started(self, submission: Submission, scheduled_run_time: datetime) -> Any:
        """A run begins on the calling thread; its start time, for whoever tells its outcome."""
        OWN.set(submission)
        submission.outcome_lock = Lock()
        submission.tell = self._teller
        if submission.details is not None:
            submission.details = None
        if submission.attempts is not None:
            submission.attempt = submission.attempt_of(scheduled_run_time)
        submission.run_time = scheduled_run_time  # the last, since it says that all of it is there
        mask = self._listeners.mask
        if submission.success_log is not None and submission.stop is None and not mask & _TIMED:
            # Most runs: of a plain job in memory, and nobody wants to be told that it has begun.
            read = self._timestamp
            submission.started = timestamp = read()
            return timestamp
        options = submission.job.options
        needs_care = submission.stop is not None or (
            not options.is_plain and (options.timeout is not None or options.capture_log)
        )
        if not mask & _TIMED and submission.lease is None and not needs_care:
            submission.started = timestamp = self._timestamp()
            return timestamp
        submission.started = started = self._now(submission, scheduled_run_time)
        if needs_care:
            # What it may take is told by the machine's clock, which the function sees.
            is_ours = submission.lease is None
            begin_run(submission, started if is_ours else self._clock.now(started.tzinfo or UTC))
            if options.timeout is not None:
                self._watch(submission, options.timeout.total_seconds())
            if submission.stop is not None:
                self._signal_stop(submission)  # it was to be stopped at this very moment
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
                    submission.attempt,
                )
            )
        return started

    def _now(self, submission: Submission, scheduled_run_time: datetime) -> datetime:
        """The present by the clock by which the run was due: the store's, where it has one."""
        timezone = scheduled_run_time.tzinfo or UTC
        lease = submission.lease
        if lease is None:
            return self._clock.now(timezone)
        now = lease.now()
        return now if timezone is UTC else now.astimezone(timezone)

    def succeeded(
        self, submission: Submission, scheduled_run_time: datetime, started: Any, retval: Any
    ) -> None:
        """A run has ended well; one that was to be stopped has obeyed, however it ended."""
        kept = None
        if retval is not None and submission.job.options.keep_result:
            # Before the outcome is this run's to tell: an object may take for ever to say what it is, and the run is stopped then.
            kept = kept_result(retval, self.limits.result)
        if not submission.outcome_lock.acquire(False):
            return  # it was told to have been stopped
        if submission.stop is not None:
            self._tell(submission, scheduled_run_time, submission.stop, started)
            return
        success_log = submission.success_log
        if (
            success_log is not None
            and submission.details is None
            and type(started) is float
            and self.ended is None
        ):
            # Most runs: in a fifth of the time that it takes to tell of one in full.
            read = self._timestamp
            success_log.append(
                (
                    submission.job.id,
                    submission.attempt,
                    submission.cause,
                    scheduled_run_time,
                    started,
                    read(),
                    kept,
                )
            )
            return
        self._tell(submission, scheduled_run_time, "succeeded", started, retval=retval, kept=kept)

    def failed(
        self,
        submission: Submission,
        scheduled_run_time: datetime,
        started: Any,
        error: BaseException,
        traceback: str,
    ) -> None:
        """A run has ended with an error; where it was to be stopped, that is why."""
        if submission.stop is not None and isinstance(error, WorkerDiedError):
            # Its process was ended to stop it: no error of its own.
            if submission.outcome_lock.acquire(False):
                self._tell(submission, scheduled_run_time, submission.stop, started)
            return
        job = submission.job
        scrub = scrubber(job.func, job.args, job.kwargs)
        traceback = scrub(safe_str(traceback))
        told = kept_start(scrub(error_line(error)), self.limits.error)
        if submission.outcome_lock.acquire(False):
            outcome = submission.stop or "failed"
            self._tell(
                submission, scheduled_run_time, outcome, started, error=error, traceback=traceback, told=told
            )

    def cancelled(self, submission: Submission, scheduled_run_time: datetime, started: Any) -> None:
        """A run has been cancelled; if `started` is ``None``, before it began."""
        if started is None:
            self._tell(submission, scheduled_run_time, "cancelled", None)
            return
        if submission.outcome_lock.acquire(False):
            self._tell(submission, scheduled_run_time, submission.stop or "cancelled", started)

    def abandon(self, submission: Submission) -> None:
        """A run was to end, and hasn't: tell that it did, and free its place. For whoever has acquired its outcome lock."""
        time: Any = submission.run_time
        submission.is_abandoned = True
        unbegun = submission.unended()[1:]  # asked now: the store may take over the first outcome at once
        self._tell(submission, time, submission.stop or "cancelled", submission.started)
        for left in unbegun:
            self._tell(submission, left, "cancelled", None)
        self._in_flight.end(submission)

    def lose(self, submission: Submission) -> None:
        """A run goes on, and its process is about to end: record it as lost. For whoever has acquired its outcome lock.

        Of a store that nodes share, the store tells of the loss, as of others.
        """
        time: Any = submission.run_time
        started: Any = submission.started
        job, lease = submission.job, submission.lease
        key = RunKey(job.id, time, submission.attempt_of(time))
        if type(started) is float:
            started = datetime.fromtimestamp(started, time.tzinfo or UTC)
        finished = self._now(submission, time)
        again = None
        if lease is not None:
            again = after_loss(job.options, key, submission.reruns, finished, due_times=submission.due_times)
        retry_at = None if again is None else again.available
        left = submission.unended()[1:]
        if submission.details is not None:
            release_capture(submission.details)
        submission.is_abandoned = True
        submission.add_result(RunResult(time, "lost", started, finished, GIVEN_UP, retry_at=retry_at))
        if lease is None:
            for scheduled in left:
                self._tell(submission, scheduled, "cancelled", None)
            if self._listeners.mask & EVENT_JOB_LOST:
                self._listeners.post(
                    JobExecutionEvent(
                        EVENT_JOB_LOST,
                        job.id,
                        submission.jobstore,
                        time,
                        exception=NodeLostError(GIVEN_UP),
                        run_id=key.id,
                        started=started,
                        finished=finished,
                        attempt=key.attempt,
                    )
                )
        elif left:
            lease.skipped(submission)  # they have not been begun: others run them
        if self.ended is not None:
            self.ended(key.id)
        self._in_flight.end(submission)

    def _tell(
        self,
        submission: Submission,
        scheduled_run_time: datetime,
        outcome: Outcome,
        started: Any,
        *,
        error: BaseException | None = None,
        traceback: str | None = None,
        told: str | None = None,
        retval: Any = None,
        kept: str | None = None,
    ) -> None:
        job = submission.job
        limits = self.limits
        attempt = submission.attempt_of(scheduled_run_time)
        finished = self._now(submission, scheduled_run_time)
        if type(started) is float:
            started = datetime.fromtimestamp(started, scheduled_run_time.tzinfo or UTC)
        if outcome == "timed_out" and error is None:
            error = TimeoutError(f"it took longer than {job.options.timeout}")
            told = kept_error(error, limits.error)
        retry_at = None
        is_retried = job.options.retry is not None and outcome in ("failed", "timed_out")
        if is_retried and job.options.retry is not None and error is not None:
            identifier = run_id(job.id, scheduled_run_time, attempt)
            kind = TimeoutError if outcome == "timed_out" else type(error)
            made = attempt - submission.reruns
            retry_at = retry_time(job.options.retry, made, kind, finished, identifier)
        if outcome == "cancelled":
            told = told or (CANCELLED if started is not None else CANCELLED_UNBEGUN)
        details = submission.details if started is not None else None
        logged = said = None
        if details is not None:
            logged, said = details.logged, details.said
            release_capture(details)
            if logged is not None:
                logged = scrubber(job.func, job.args, job.kwargs)(logged)
        submission.add_result(
            RunResult(
                scheduled_run_time,
                outcome,
                started,
                finished,
                told,
                kept,
                kept_ends(safe_str(traceback), limits.traceback) if traceback else None,
                None if logged is None else kept_end(logged, limits.log),
                retry_at,
                said if said is not None and is_progress(said, limits.progress) else None,
            )
        )
        if submission.success_log is None and submission.recorded + len(submission.results) < len(
            submission.run_times
        ):
            # Others are to come: this one is told at once, since they may take long, or the node may die.
            self._progress(submission)
        codes = [_CODES[outcome]]
        if is_retried:
            codes.append(EVENT_JOB_GAVE_UP if retry_at is None else EVENT_JOB_RETRYING)
        for code in codes:
            if self._listeners.mask & code:
                self._listeners.post(
                    JobExecutionEvent(
                        code,
                        job.id,
                        submission.jobstore,
                        scheduled_run_time,
                        retval,
                        error,
                        traceback,
                        run_id=run_id(job.id, scheduled_run_time, attempt),
                        started=started,
                        finished=finished,
                        attempt=attempt,
                        retry_at=retry_at,
                    )
                )
        if self.ended is not None:
            self.ended(run_id(job.id, scheduled_run_time, attempt))

    def done(self, submission: Submission) -> None:
        """The instance has ended: its place is to be freed."""
        OWN.set(None)
        if submission.stop is not None:
            self._stuck.discard(submission)
        if not submission.is_abandoned:
            self._in_flight.end(submission)
