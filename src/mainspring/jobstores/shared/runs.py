"""Runs on their way into a store that several nodes share, and out of it: claimed, ended, lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.engine.attempts import attempt_of
from mainspring.engine.failures import is_final_failure
from mainspring.engine.following import followed_job
from mainspring.engine.reasons import LOST_TOUCH, NODE_IS_SILENT
from mainspring.engine.retrying import after_loss
from mainspring.engine.transitions import next_attempt
from mainspring.errors import SerializationError, safe_str
from mainspring.jobstores.history import read_progress
from mainspring.jobstores.shared.rows import read_time
from mainspring.model import QueuedRun, RunKey, RunRecord, RunResult
from mainspring.serializers.results import kept_result
from mainspring.storable import DEFAULT_LIMITS, is_progress, is_storable, storable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from mainspring.engine.decision import Decision
    from mainspring.model import Cause, JobRecord, Outcome, Submission


class JobUpdate(NamedTuple):
    """A job goes on to its next run time, if it is still at `version`."""

    job_id: str
    version: int
    next_run_time: datetime | None
    state: str


class NewRun(NamedTuple):
    """A run that is claimed, or that was decided not to be run.

    Attributes:
        due_times: as of `written_due_times`.
    """

    job_id: str
    scheduled: datetime
    attempt: int
    instances: int
    finished: datetime | None = None
    outcome: str | None = None
    error: str | None = None
    cause: str | None = None
    group_name: str | None = None
    due_times: int | None = None


class TakenRun(NamedTuple):
    """A run that was queued, and is claimed."""

    job_id: str
    scheduled: datetime
    attempt: int
    group_name: str | None


class EndedRun(NamedTuple):
    """The outcome of a run that is in the hands of `token`."""

    job_id: str
    scheduled: datetime
    attempt: int
    token: int
    started: datetime | None
    finished: datetime | None
    outcome: str
    error: str | None
    result: str | None
    traceback: str | None
    log: str | None


class Ended(NamedTuple):
    """The outcome of one run that this node claimed."""

    job: JobRecord
    attempt: int
    token: int
    cause: Cause
    result: RunResult
    reruns: int = 0
    due_times: int | None = 1

    @property
    def key(self) -> RunKey:
        """Which run."""
        return RunKey(self.job.id, self.result.scheduled_run_time, self.attempt)

    def written(self) -> EndedRun:
        """As it is kept."""
        result = self.result
        return EndedRun(
            self.job.id,
            result.scheduled_run_time,
            self.attempt,
            self.token,
            result.started,
            result.finished,
            result.outcome,
            result.error,
            result.result,
            result.traceback,
            result.log,
        )

    @property
    def may_pause_follower(self) -> bool:
        """Whether it may pause its job, which comes after another one: what of that has ended before is followed all the same."""
        return (
            self.job.options.pause_after_failures is not None
            and is_final_failure(self.result.outcome, self.result.retry_at)
            and followed_job(self.job) is not None
        )

    @property
    def may_be_needed(self) -> bool:
        """Whether the job of the run may have stayed when its schedule had ended."""
        options = self.job.options
        return (
            options.outlasts_schedule or options.overlap not in ("skip", "allow") or self.cause != "schedule"
        )


class Finished(NamedTuple):
    """What writing outcomes came to.

    Attributes:
        refused: those that were refused, because the runs were others' by then.
        queued_from: when a run that follows from them is available; ``None``: none does.
        paused: the jobs that have paused themselves because of them.
    """

    refused: Sequence[Ended] = ()
    queued_from: datetime | None = None
    paused: Sequence[JobRecord] = ()


class Counted(NamedTuple):
    """How a run has ended, for its job to remember, which has `pause_after_failures`."""

    key: RunKey
    token: int
    outcome: Outcome
    retry_at: datetime | None


def counted_of(ended: Iterable[Ended]) -> list[Counted]:
    """What the jobs of these runs are to remember."""
    return [
        Counted(one.key, one.token, one.result.outcome, one.result.retry_at)
        for one in ended
        if one.job.options.pause_after_failures is not None
    ]


def claimed_runs(decision: Decision, now: datetime) -> list[NewRun]:
    """The runs that a decision comes to: those to be run, and those that are not."""
    job_id, attempts = decision.job.id, decision.attempts
    last = len(decision.submit) - 1
    group = decision.job.options.group
    count = None if decision.due_times == 1 else written_due_times(decision.due_times)
    runs = [
        NewRun(
            job_id,
            time,
            attempt_of(attempts, time) if attempts else 1,
            int(at == last),
            group_name=group,
            due_times=count,
        )
        for at, time in enumerate(decision.submit)
    ]
    if decision.is_eventful:
        runs += [
            NewRun(
                job_id,
                time,
                attempt_of(attempts, time),
                0,
                now,
                outcome,
                told,
                due_times=written_due_times(stands_for),
            )
            for time, outcome, told, stands_for in decision.not_run(now)
        ]
    return runs


#: What is written of a run that stands for more due times than could be counted.
_UNCOUNTED = 0


def written_due_times(count: int | None) -> int | None:
    """How many due times a run stands for, as it is kept: nothing of the one that most stand for."""
    return None if count == 1 else _UNCOUNTED if count is None else count


def read_due_times(written: Any) -> int | None:
    """The inverse of `written_due_times`."""
    return 1 if written is None else int(written) or None


def ended_of(submission: Submission, now: Callable[[], datetime], *, is_over: bool) -> list[Ended]:
    """The outcomes of a submission that are new; once it is over, what was not run at all is lost.

    Args:
        now: tells the time of the store's clock, in which outcomes are told.
    """
    lease = submission.lease
    if lease is None:
        return []
    results = [_as_text(result) for result in submission.results]
    submission.results = []
    submission.recorded += len(results)
    if is_over and submission.recorded < len(submission.run_times):
        left = submission.run_times[submission.recorded :]  # they are run one after another
        results += [_not_begun(submission, time, now()) for time in left]
        submission.recorded = len(submission.run_times)
    attempt_of = submission.attempt_of
    return [
        Ended(
            submission.job,
            attempt_of(result.scheduled_run_time),
            lease.token,
            submission.cause,
            result,
            submission.reruns,
            submission.due_times,
        )
        for result in results
    ]


def _as_text(result: RunResult) -> RunResult:
    """A result all of whose parts are texts that a database takes.

    Those that the scheduler makes are, and are let pass; some other caller's might keep the rest from being written.
    """
    _, _, _, _, error, value, traceback, log, _, progress = result
    if error is value is traceback is log is progress is None:
        return result  # as of most
    texts = (error, value, traceback, log, progress)
    if all(text is None or (type(text) is str and is_storable(text)) for text in texts):
        return result
    return result._replace(
        error=None if error is None else storable(safe_str(error)),
        result=storable(value) if isinstance(value, str) else kept_result(value, DEFAULT_LIMITS.result),
        traceback=None if traceback is None else storable(safe_str(traceback)),
        log=None if log is None else storable(safe_str(log)),
        progress=progress if is_progress(progress, DEFAULT_LIMITS.progress) else None,
    )


def _not_begun(submission: Submission, scheduled: datetime, now: datetime) -> RunResult:
    key = RunKey(submission.job.id, scheduled, submission.attempt_of(scheduled))
    again = after_loss(
        submission.job.options,
        key,
        submission.reruns,
        now,
        was_begun=False,
        due_times=submission.due_times,
    )
    retry_at = None if again is None else again.available
    return RunResult(scheduled, "lost", finished=now, error=LOST_TOUCH, retry_at=retry_at)


def outcome_of_lost(key: RunKey, token: int, now: datetime) -> EndedRun:
    """The outcome of a run that was found in the hands of a dead node."""
    return EndedRun(*key, token, None, now, "lost", NODE_IS_SILENT, None, None, None)


class LostRun(NamedTuple):
    """A run whose node died.

    Attributes:
        job_removed: whether its job was removed while it went on: nothing follows from it.
    """

    job_id: str
    scheduled: datetime
    attempt: int
    node: str
    reruns: int = 0
    job_removed: bool = False
    due_times: int | None = 1

    @property
    def key(self) -> RunKey:
        """Which run."""
        return RunKey(self.job_id, self.scheduled, self.attempt)


def retries_of(ended: Iterable[Ended]) -> list[QueuedRun]:
    """The runs by which those that failed are tried again, and those that this node itself says are lost."""
    runs = []
    for one in ended:
        result = one.result
        if result.outcome == "lost":
            was_begun = result.started is not None
            again = after_loss(
                one.job.options,
                one.key,
                one.reruns,
                result.finished,
                was_begun=was_begun,
                due_times=one.due_times,
            )
            if again is not None:
                runs.append(again)
        elif result.retry_at is not None:
            runs.append(next_attempt(one.key, result.retry_at, "retry", one.reruns, one.due_times))
    return runs


def run_record(values: Mapping[str, Any]) -> RunRecord:
    """A run as it is read, by the names of what is kept of it; times as any store has them.

    Raises:
        SerializationError: it has no due time.
    """
    scheduled = read_time(values["scheduled"])
    if scheduled is None:
        raise SerializationError(f"a run of job {values['job_id']!r} without a due time")
    token = values.get("token")
    return RunRecord(
        values["job_id"],
        scheduled,
        int(values["attempt"]),
        node=values.get("node"),
        token=None if token is None else int(token),
        claimed=read_time(values.get("claimed")),
        started=read_time(values.get("started")),
        finished=read_time(values.get("finished")),
        outcome=values.get("outcome"),
        error=values.get("error"),
        result=values.get("result"),
        cause=values.get("cause") or "schedule",
        available=read_time(values.get("available")),
        traceback=values.get("traceback"),
        log=values.get("log"),
        progress=read_progress(values.get("progress")),
        reruns=int(values.get("reruns") or 0),
        due_times=read_due_times(values.get("due_times")),
    )


def queued_record(values: Mapping[str, Any], now: datetime) -> QueuedRun:
    """A queued run as it is read; one that was given back is available at once."""
    run = run_record(values)
    available = run.available or now
    return QueuedRun(*run.key, available, run.cause, run.reruns, run.due_times)
