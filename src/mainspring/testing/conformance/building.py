"""Jobs, claims and outcomes for tests of stores, at times that are seconds after one moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mainspring.engine.decision import Decision, decide, decide_queued
from mainspring.model import JobOptions, JobRecord, QueuedRun, RunResult, Submission
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mainspring.engine.grouping import Capacity
    from mainspring.jobstores.contract import ClaimedBatch, Decide, RunStore
    from mainspring.model import Outcome
    from mainspring.triggers.base import BaseTrigger

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def record(
    job_id: str, after: float = 0, *, every: int | None = None, paused: bool = False, **options: Any
) -> JobRecord:
    """A job that is due so many seconds after `START`, once or every so many seconds."""
    due = START + after * SECOND
    trigger: BaseTrigger = (
        DateTrigger(due) if every is None else IntervalTrigger(seconds=every, start_date=due, timezone=UTC)
    )
    return JobRecord(
        job_id,
        job_id,
        print,
        "builtins:print",
        (),
        {},
        trigger,
        JobOptions(**options),
        None if paused else due,
    )


def deciding(now: datetime, decide_with: Callable[..., Decision] = decide) -> Decide:
    """What a scheduler gives a store to decide with, at a time."""

    def decide_now(
        job: JobRecord,
        running: int,
        run: QueuedRun | None = None,
        buffered: int = 0,
        capacity: Capacity | None = None,
    ) -> Decision:
        if run is not None:
            return decide_queued(job, run, running, capacity=capacity, now=now)
        if decide_with is decide:
            return decide(job, now, running, buffered=buffered, capacity=capacity)
        return decide_with(job, now, running)

    return decide_now


def claim(
    store: RunStore, after: float, limit: int = 100, decide_with: Callable[..., Decision] = decide
) -> ClaimedBatch:
    """What the store gives so many seconds after `START`."""
    now = START + after * SECOND
    return store.claim(now, deciding(now, decide_with), limit, {"default"})


def claim_all(store: RunStore, after: float) -> list[Decision]:
    """All that the store gives then, in as many claims as that takes."""
    decisions: list[Decision] = []
    while given := claim(store, after).decisions:
        decisions += given
    return decisions


def submission(decision: Decision) -> Submission:
    """What an executor would be given."""
    return Submission(
        decision.job,
        "default",
        decision.submit,
        decision.attempt,
        decision.lease,
        decision.following,
        decision.cause,
        None,
        decision.claimed,
        bool(decision.buffered),
        0 if decision.run is None else decision.run.reruns,
        decision.attempts or None,
        decision.due_times,
    )


def ids(records: Iterable[JobRecord]) -> list[str]:
    """Their ids, in their order."""
    return [record.id for record in records]


def refuse(job: JobRecord, now: datetime, running: int) -> Decision:
    """As if this node didn't have the job's executor."""
    return decide(job, now, running, executor_known=False)


def manual_run(job_id: str, after: float, attempt: int = 1) -> QueuedRun:
    """A run that somebody has asked for so many seconds after `START`, available at once."""
    time = START + after * SECOND
    return QueuedRun(job_id, time, attempt, time, "manual")


def result(decision: Decision, outcome: Outcome = "succeeded", **more: Any) -> RunResult:
    """How the first run of a decision has ended, at the moment at which it was due."""
    time = decision.submit[0]
    return RunResult(time, outcome, time, time, **more)
