"""One pass over the job stores: claims what is due, and carries out what the engine decided about it."""

from __future__ import annotations

from datetime import UTC, timedelta
from logging import DEBUG, ERROR, INFO, WARNING
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any, Literal

from mainspring.clock import slices_of
from mainspring.engine.decision import Decision, decide, decide_queued
from mainspring.engine.failures import has_paused_itself
from mainspring.engine.reasons import executor_full, refused_by
from mainspring.engine.waiting import UNPLANNED, Planned, retry_delay
from mainspring.errors import (
    MaxInstancesReachedError,
    RunError,
    SerializationError,
    kind_of,
    repr_of,
    safe_str,
)
from mainspring.events import (
    EVENT_JOB_BACKLOG_DROPPED,
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    EVENT_JOB_PARKED,
    EVENT_JOB_PAUSED,
    EVENT_JOB_REMOVED,
    EVENT_JOB_SUBMITTED,
    JobBacklogEvent,
    JobEvent,
    JobExecutionEvent,
    JobParkedEvent,
    JobPausedEvent,
    JobSubmissionEvent,
)
from mainspring.executors.native import NativeExecutor
from mainspring.model import JobRecord, QueuedRun, RunResult, Submission, run_id
from mainspring.safe_logging import SafeLogger, safe_logger
from mainspring.schedulers.prefetch import PrefetchBudget
from mainspring.storable import kept_error
from mainspring.triggers.after import WAITS
from mainspring.triggers.standard import shifted

if TYPE_CHECKING:
    import logging
    from collections import deque
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, tzinfo

    from mainspring.clock import Clock
    from mainspring.engine.grouping import Capacity
    from mainspring.executors.base import BaseExecutor
    from mainspring.jobstores.contract import RunStore
    from mainspring.model import CompactSuccess, Outcome
    from mainspring.schedulers.handing_over import HandingOver
    from mainspring.schedulers.in_flight import InFlight
    from mainspring.schedulers.listeners import Listeners
    from mainspring.schedulers.reporting import Reporter

#: After this a store that has failed once is tried again.
_FIRST_PAUSE = timedelta(milliseconds=100)


class Dispatch:
    """Carries out decisions for one scheduler.

    Attributes:
        store_errors: by alias, what a store last raised, until it works again.
        is_full: whether more was due than this node wanted to take.
        asks: the job store that is being asked now, and may take long to answer; ``None``: none is.
    """

    def __init__(
        self,
        clock: Clock,
        listeners: Listeners,
        in_flight: InFlight,
        reporter: Reporter,
        executors: Mapping[str, BaseExecutor],
        may_submit: Callable[[], bool],
        stop: Callable[[Submission, Literal["cancelled"]], None],
        unhanded: HandingOver,
        *,
        submits_missed: bool = False,
    ) -> None:
        self._slices = slices_of(clock)
        self.store_errors: dict[str, Exception] = {}
        self.is_full = False
        self.asks: str | None = None
        self._failures: dict[str, int] = {}
        self._told: set[str] = set()  # the stores that tell of their failures themselves
        self._prefetch = PrefetchBudget()
        self._clock = clock
        self._listeners = listeners
        self._in_flight = in_flight
        self._reporter = reporter
        self._executors = executors
        self._may_submit = may_submit
        self._stop = stop
        self._unhanded = unhanded
        self._submits_missed = submits_missed

    def use_executors(self, executors: Mapping[str, BaseExecutor]) -> None:
        """Hand out to these from now on."""
        self._executors = executors

    def leave_to_parent(self) -> None:
        """In a forked process: what was claimed is the parent's, also where an executor has forked that was just handed a part of it."""
        for name, answer in (("_submit", False), ("_refused", False), ("_undo", None), ("_guarded", None)):
            setattr(self, name, lambda *_, answer=answer: answer)

    def run(
        self, stores: Mapping[str, RunStore], timezone: tzinfo, retry_interval: float, logger: logging.Logger
    ) -> Planned:
        """Claim and hand out all that is due in `stores`; when to come back, if nothing changes.

        A store that raises doesn't keep the others from being served; it is tried again after a pause that is doubled each
        time in a row, up to `retry_interval` seconds.
        """
        self.is_full = False
        planned = UNPLANNED
        log = SafeLogger(logger)
        for alias, store in stores.items():
            try:
                try:
                    comes_back = self._serve(alias, store, timezone, log)
                finally:
                    self.asks = None
            except Exception as error:
                if not self._may_submit():
                    log.debug("Job store %r was closed while due jobs were asked for", alias, exc_info=error)
                elif store.has_told(error):
                    self._told.add(alias)
                    log.debug("Error getting due jobs from job store %r; trying again", alias, exc_info=error)
                elif alias not in self.store_errors:
                    log.exception("Error getting due jobs from job store %r; trying again", alias)
                else:
                    log.warning("Error getting due jobs from job store %r: %s; trying again", alias, error)
                self.store_errors[alias] = error
                failures = self._failures[alias] = self._failures.get(alias, 0) + 1
                longest = timedelta(seconds=retry_interval)
                pause = retry_delay(failures, _FIRST_PAUSE, longest)
                comes_back = Planned(monotonic=self._clock.monotonic() + pause.total_seconds())
            else:
                if self._failures and store.trouble is None:  # with one, nothing may have been asked
                    self._works_again(alias, log)
            planned = planned.or_sooner(comes_back)
        return planned

    def _works_again(self, alias: str, log: SafeLogger) -> None:
        self._failures.pop(alias, None)
        if self.store_errors.pop(alias, None) is not None and alias not in self._told:
            log.info("Job store %r works again", alias)
        self._told.discard(alias)

    def _serve(self, alias: str, store: RunStore, timezone: tzinfo, log: SafeLogger) -> Planned:
        executors = self._executors
        slices = self._slices
        while True:
            self._in_flight.settle()
            # What is due is judged by the store's clock, whatever this machine's says; and in UTC, since a sum in another zone
            # forgets which of two hours it is in where one is repeated. Triggers are given the time as it is here.
            now = store.store_time(self._clock)
            passed = self._clock.monotonic()
            here = now.astimezone(timezone)

            def decide_now(
                job: JobRecord,
                running: int,
                run: QueuedRun | None = None,
                buffered: int = 0,
                capacity: Capacity | None = None,
                now: datetime = here,
            ) -> Decision:
                is_known = job.options.executor in executors
                if run is not None:
                    return decide_queued(
                        job, run, running, executor_known=is_known, capacity=capacity, now=now
                    )
                return decide(job, now, running, is_known, buffered, capacity, slices)

            limit = store.claim_limit
            if store.poll_interval is not None:
                # Said before it is looked at: what ends from here on has the loop come back.
                self.is_full = True
                self._in_flight.settle()
                limit = min(limit, self._room())
                if not limit:
                    return Planned(monotonic=passed + store.poll_interval.total_seconds())
                self.is_full = False
            # Before the claim: from there on nothing may fail that more than one decision needs.
            success_log = store.success_log
            self.asks = alias
            batch = store.claim(now, decide_now, limit, executors.keys())
            self.asks = None
            self._hand_out(batch.decisions, success_log, alias, store, now, log)
            if store.has_waiting:
                self._in_flight.settle()  # what they wait for may have ended before they were seen to wait
            if not batch.more or not self._may_submit():
                # Asked only now, when all that was claimed has been handed out: a store that fails here loses nothing.
                self.asks = alias
                next_time = store.next_time()
                if store.poll_interval is not None:
                    # So many seconds from now, whatever the wall clock does meanwhile.
                    latest = shifted(now, store.poll_interval)
                    next_time = latest if next_time is None else min(next_time, latest)
                    return Planned(monotonic=passed + (next_time - now).total_seconds())
                if next_time is None or next_time >= WAITS:
                    return UNPLANNED
                return Planned(wall=next_time.astimezone(UTC) - store.clock_offset)

    def _room(self) -> int:
        workers = sum(getattr(executor, "places", 1) for executor in self._executors.values())
        return self._prefetch.room(self._in_flight.count, workers, self._clock.monotonic())

    def ended(self, count: int) -> bool:
        """So many submissions have ended; whether that makes room for more that is due."""
        if not self._prefetch.limit:
            return False  # no store that others share was served: nobody asks for what is counted, or has it forgotten
        self._prefetch.ended(count, self._clock.monotonic())
        return self.is_full and self._prefetch.should_refill(self._in_flight.count - count)

    def _hand_out(
        self,
        decisions: Sequence[Decision],
        success_log: deque[CompactSuccess] | None,
        alias: str,
        store: RunStore,
        now: datetime,
        log: SafeLogger,
    ) -> None:
        """Carry out what was claimed. What can't be is told, and undone, and keeps nothing else from being carried out."""
        carried_out = 0
        submissions: list[Submission | None] = []
        together: set[str] = set()  # the executors that have taken all of theirs at once
        try:
            submissions += [_submission_of(decision, alias, success_log) for decision in decisions]
            self._in_flight.begin(filter(None, submissions))
            for decision in decisions:
                if decision.is_eventful:
                    self._guarded(self._tell_not_run, decision, alias, now, log)
            all_are_taken = self._submit_together(decisions, submissions, together)
            tells_of_ends = log.isEnabledFor(INFO) or bool(self._listeners.mask & EVENT_JOB_REMOVED)
            for decision, submission in zip(decisions, submissions, strict=True):
                carried_out += 1
                if (
                    not all_are_taken
                    and submission is not None
                    and decision.job.options.executor not in together
                    and not self._submit(decision, submission, store, log)
                ):
                    continue
                following = decision.following
                # Of most jobs there is nothing to be told, and it is seen here.
                if tells_of_ends if following is None else following.next_run_time is None:
                    self._guarded(self._tell_following, decision, alias, log)
        except BaseException:
            # The program was interrupted. What no executor has got by now, none will get.
            for place, decision in enumerate(decisions):
                unsubmitted = (
                    submissions[place] if submissions else _submission_of(decision, alias, success_log)
                )
                if (
                    place >= carried_out
                    and unsubmitted is not None
                    and unsubmitted.run_time is None
                    and decision.job.options.executor not in together
                ):
                    self._undo(decision, unsubmitted, store, lambda _: None)
            raise

    def _submit_together(
        self, decisions: Sequence[Decision], submissions: Sequence[Submission | None], together: set[str]
    ) -> bool:
        """Hand submissions to those executors that take many at once, whose names go into `together`; whether all are handed out.

        Not where somebody listens for each submission, which is told of when it has been taken.
        """
        if len(decisions) == 1 or self._listeners.mask & EVENT_JOB_SUBMITTED:
            return False
        chosen: dict[str, list[Submission]] = {}
        for decision, submission in zip(decisions, submissions, strict=True):
            if submission is not None:
                chosen.setdefault(decision.job.options.executor, []).append(submission)
        for name, some in chosen.items():
            executor = self._executors.get(name)
            if isinstance(executor, NativeExecutor) and executor.submit_together(some, self._reporter):
                together.add(name)
        return len(together) == len(chosen)

    def _guarded(self, tell: Callable[..., None], decision: Decision, *arguments: Any) -> None:
        """Say something of a decision. If that can't be said, it is carried out all the same."""
        try:
            tell(decision, *arguments)
        except Exception as error:  # noqa: BLE001 - listeners' and handlers' code, told below
            log: SafeLogger = arguments[-1]
            said = 'Error telling what becomes of job "%s"'
            log.of_job(ERROR, decision.job.id, said, decision.job.id, exc_info=error)

    def _tell_not_run(self, decision: Decision, alias: str, now: datetime, log: SafeLogger) -> None:
        """Say what is not run now, and why; and end what is to be cancelled."""
        job = decision.job
        if decision.reason is not None:
            self._tell_parked(decision, alias, log)
            return
        if decision.dropped is not None:
            self._tell_dropped(decision, alias, log)
        # Where programs filter for it, by this name and text.
        if decision.missed and self._submits_missed and self._listeners.mask & EVENT_JOB_SUBMITTED:
            self._listeners.post(_submission_event(EVENT_JOB_SUBMITTED, decision, alias, decision.missed))
        missed_log = SafeLogger(safe_logger(f"apscheduler.executors.{job.options.executor}"))
        for missed in decision.missed:
            attempt = decision.attempt_of(missed)
            identifier = run_id(job.id, missed, attempt)
            missed_log.of_run(
                WARNING,
                identifier,
                'Run time of job "%s" was missed by %s',
                job.name,
                now - missed,
                outcome="missed",
            )
            if self._listeners.mask & EVENT_JOB_MISSED:
                self._listeners.post(
                    JobExecutionEvent(
                        EVENT_JOB_MISSED, job.id, alias, missed, run_id=identifier, attempt=attempt
                    )
                )
        if decision.cancels:
            self._cancel_running(job.id, alias)
        if decision.overlapping:
            self._tell_overlapping(decision, decision.overlapping, alias, log)

    def _tell_following(self, decision: Decision, alias: str, log: SafeLogger) -> None:
        """Say that a job has ended, or has paused itself, with what was decided."""
        job = decision.job
        if decision.reason is not None:
            return
        if decision.following is None:
            log.of_job(INFO, job.id, "Removed job %s, which will not run again", job.id)
            if self._listeners.mask & EVENT_JOB_REMOVED:
                self._listeners.post(JobEvent(EVENT_JOB_REMOVED, job.id, alias))
        elif has_paused_itself(job, decision.following):
            self.tell_paused(decision.following, alias, log)

    def _cancel_running(self, job_id: str, alias: str) -> None:
        """Cancel what runs of a job here; where others run it, its store has told them."""
        for submission in self._in_flight.all():
            if submission.job.id == job_id and submission.jobstore == alias:
                self._stop(submission, "cancelled")

    def _submit(self, decision: Decision, submission: Submission, store: RunStore, log: SafeLogger) -> bool:
        """Hand a claimed submission to its executor; whether the claim stands."""
        if not self._listeners.mask & EVENT_JOB_SUBMITTED:
            try:
                self._executors[decision.job.options.executor].submit(submission, self._reporter)
            except BaseException as error:  # noqa: BLE001 - executors are third parties' code
                return self._refused(error, decision, submission, store, log)
            return True
        # The place is taken before the executor can report anything, and given up if it refuses.
        place = self._listeners.reserve()
        event = None
        try:
            event = _submission_event(EVENT_JOB_SUBMITTED, decision, submission.jobstore, decision.submit)
            self._executors[decision.job.options.executor].submit(submission, self._reporter)
        except BaseException as error:  # noqa: BLE001 - as above
            event = None
            return self._refused(error, decision, submission, store, log)
        finally:
            if event is None:
                self._listeners.cancel(place)
            else:
                self._listeners.fill(place, event)
        return True

    def _undo(
        self,
        decision: Decision,
        submission: Submission,
        store: RunStore,
        then: Callable[[datetime | None], None],
    ) -> None:
        """Give a claim back that no executor has.

        Args:
            then: called with the time at which it is tried again, or ``None`` if the claim stands; later, if the store can't say at once.
        """
        # Should a worker have it all the same, it isn't begun.
        submission.is_abandoned, submission.stop = True, "cancelled"
        self._in_flight.withdraw(submission)
        self._unhanded.give_back(submission.jobstore, store, decision, then)

    def _refused(
        self,
        error: BaseException,
        decision: Decision,
        submission: Submission,
        store: RunStore,
        log: SafeLogger,
    ) -> bool:
        """What becomes of a claim whose executor raised; whether the claim stands, its runs being accounted for."""
        job = decision.job
        executor = job.options.executor
        is_interrupt = isinstance(error, (KeyboardInterrupt, SystemExit)) and _is_main_thread()
        if submission.run_time is not None:
            # Its runs have been begun: they are told of by whoever runs them.
            if is_interrupt:
                raise error
            log.of_run(
                ERROR,
                submission.key.id,
                'Executor "%s" raised, having begun job "%s"',
                executor,
                job.name,
                exc_info=error,
            )
            return True
        if is_interrupt or not self._may_submit():

            def end_unless_undone(retry_at: datetime | None) -> None:
                if retry_at is None:
                    self._end_unbegun(error, decision, submission, log)

            self._undo(decision, submission, store, end_unless_undone)  # the job stays as it was
            if is_interrupt:
                raise error
            return False
        if isinstance(error, MaxInstancesReachedError) and _is_made_up_for(decision):
            # The executor has a limit of its own: as with max_instances, a later run makes up for this one.
            told = executor_full(executor)
            self._end_unbegun_as("skipped", told, submission)
            self._guarded(self._tell_overlapping, decision, decision.submit, submission.jobstore, log)
            return True
        decision.error = error if isinstance(error, Exception) else RunError(repr_of(error))
        decision.reason = refused_by(executor)

        def tell(retry_at: datetime | None) -> None:
            decision.retry_at = retry_at
            if retry_at is None:
                self._end_unbegun(error, decision, submission, log)
                return
            log.of_run(
                ERROR,
                submission.key.id,
                'Error submitting job "%s" to executor "%s"; trying again at %s',
                job.name,
                executor,
                retry_at,
                exc_info=error,
            )
            self._guarded(self._tell_parked, decision, submission.jobstore, log)

        self._undo(decision, submission, store, tell)
        return False

    def _end_unbegun(
        self, error: BaseException, decision: Decision, submission: Submission, log: SafeLogger
    ) -> None:
        """A claim can be neither carried out nor undone: its runs have failed."""
        job = decision.job
        self._end_unbegun_as("failed", kept_error(error, self._reporter.limits.error), submission)
        for time in decision.submit:
            attempt = decision.attempt_of(time)
            identifier = run_id(job.id, time, attempt)
            log.of_run(
                ERROR,
                identifier,
                'Error submitting job "%s" to executor "%s"; its claim can\'t be given back, so this run is given up',
                job.name,
                job.options.executor,
                exc_info=error,
                outcome="failed",
            )
            self._listeners.post(
                JobExecutionEvent(
                    EVENT_JOB_ERROR,
                    job.id,
                    submission.jobstore,
                    time,
                    exception=error,
                    run_id=identifier,
                    attempt=attempt,
                )
            )

    def _end_unbegun_as(self, outcome: Outcome, told: str, submission: Submission) -> None:
        now = self._clock.now()
        for time in submission.run_times:
            submission.add_result(RunResult(time, outcome, None, now, told))
        self._in_flight.begin([submission])  # it may have been withdrawn
        self._in_flight.end(submission)

    def _tell_parked(self, decision: Decision, alias: str, log: SafeLogger) -> None:
        job = decision.job
        reason = decision.reason or ""
        retry_at: Any = decision.retry_at
        error = decision.error
        if isinstance(error, SerializationError) and safe_str(error) in reason:
            error = None  # all of it has been said
        log.of_job(
            DEBUG if decision.is_told else WARNING,
            job.id,
            'Job "%s" can\'t be run for now: %s%s; trying again at %s',
            job.name,
            reason,
            f" ({kind_of(error)}: {safe_str(error)})" if error else "",
            retry_at,
            exc_info=error,
        )
        self._listeners.post(
            JobParkedEvent(EVENT_JOB_PARKED, job.id, alias, reason, decision.error, retry_at)
        )

    def tell_paused(self, job: JobRecord, alias: str, log: SafeLogger) -> None:
        """Say that a job has paused itself."""
        note = "" if job.counters is None else job.counters.note or ""
        log.of_job(WARNING, job.id, 'Job "%s" has paused itself: %s', job.name, note)
        self._listeners.post(JobPausedEvent(EVENT_JOB_PAUSED, job.id, alias, note))

    def _tell_overlapping(
        self, decision: Decision, times: Sequence[datetime], alias: str, log: SafeLogger
    ) -> None:
        job = decision.job
        first, more = times[0], len(times) - 1
        log.of_run(
            WARNING,
            run_id(job.id, first, decision.attempt_of(first)),
            'Execution of job "%s" skipped: maximum number of running instances reached (%d)%s',
            job.name,
            job.options.max_instances,
            f", and so {more} later ones" if more else "",
            outcome="skipped",
        )
        self._listeners.post(_submission_event(EVENT_JOB_MAX_INSTANCES, decision, alias, times))

    def _tell_dropped(self, decision: Decision, alias: str, log: SafeLogger) -> None:
        job, first, before = decision.job, decision.dropped, decision.kept_from
        if first is not None and before is not None:
            log.of_run(
                WARNING,
                run_id(job.id, first, decision.attempt_of(first)),
                'Job "%s" was overdue too often: its runs due from %s to before %s are dropped',
                job.name,
                first,
                before,
            )
            self._listeners.post(JobBacklogEvent(EVENT_JOB_BACKLOG_DROPPED, job.id, alias, first, before))


def _is_main_thread() -> bool:
    """Whether what is raised here may be meant for the program: signal handlers are called on its main thread."""
    return current_thread() is main_thread()


def _submission_of(
    decision: Decision, alias: str, success_log: deque[CompactSuccess] | None
) -> Submission | None:
    """What an executor is given for a decision; ``None``: nothing."""
    times = decision.submit
    if not times or decision.reason is not None:
        return None
    job, attempts, run = decision.job, decision.attempts, decision.run
    # Of several runs one after another, each is told of at once, and others may follow from it. And there is more to be kept of one
    # that stands for several due times.
    if len(times) != 1 or decision.due_times != 1 or not job.options.is_plain:
        success_log = None
    return Submission(
        job,
        alias,
        times,
        decision.attempt if attempts else 1,
        decision.lease,
        decision.following,
        decision.cause,
        success_log,
        decision.claimed,
        bool(decision.buffered),
        0 if run is None else run.reruns,
        attempts or None,
        decision.due_times,
    )


def _is_made_up_for(decision: Decision) -> bool:
    """Whether a later run of the schedule makes up for those of a decision, if they are skipped."""
    return decision.run is None and decision.following is not None and decision.job.options.max_runs is None


def _submission_event(
    code: int, decision: Decision, alias: str, times: Sequence[datetime]
) -> JobSubmissionEvent:
    job_id = decision.job.id
    if decision.attempts:
        identifiers = [run_id(job_id, time, decision.attempt_of(time)) for time in times]
    else:
        identifiers = [run_id(job_id, time) for time in times]
    return JobSubmissionEvent(code, job_id, alias, list(times), identifiers)
