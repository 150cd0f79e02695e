"""The one place where it is decided what becomes of a job that is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.engine.due import due_times
from mainspring.engine.misfire import is_misfired

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mainspring.model import JobRecord, Lease


class Decision:
    """What is to be done about one due job. Whoever carries it out does so for all parts that are set.

    Attributes:
        job: the record that was decided on; if the store has another by now, the decision is void.
        submit: due times to run, oldest first.
        missed: due times past their grace, not to be run.
        overlapping: due times skipped, because as many instances run as may.
        dropped: the oldest due time beyond the backlog's limit, or ``None``.
        following: the job's record from now on, or ``None`` when the job has ended.
        waits: nothing is done and nothing moves until an instance of the job ends.
        reason: why the job can't be run here for now, or ``None``; nothing moves, and it is tried again later.
        error: what was raised, where that is the reason.
        retry_at: when it is tried again; filled in by the store, which counts the attempts.
        attempt: which attempt at its times this is.
        lease: under which `submit` was claimed; filled in by a store that nodes share.
    """

    submit: Sequence[datetime] = ()
    missed: Sequence[datetime] = ()
    overlapping: Sequence[datetime] = ()
    dropped: datetime | None = None
    following: JobRecord | None = None
    waits = False
    reason: str | None = None
    error: Exception | None = None
    retry_at: datetime | None = None
    attempt: int = 1
    lease: Lease | None = None

    def __init__(self, job: JobRecord) -> None:
        self.job = job


def decide(job: JobRecord, now: datetime, running: int, *, executor_known: bool = True) -> Decision:
    """What to do about `job`, whose next run time has come.

    Args:
        job: its record; ``next_run_time`` is not ``None`` and not after `now`.
        now: the time of dispatch: lateness is judged by it, once. Waiting for a free worker later on counts no more.
        running: how many instances of the job run at present.
        executor_known: whether this node has the job's executor.

    Anything that the trigger raises becomes part of the decision: one bad trigger is no reason to stop.
    """
    decision = Decision(job)
    first = job.next_run_time
    if first is None:
        raise ValueError(f"job {job.id!r} is paused: it can't be due")
    options = job.options
    if not executor_known:
        decision.reason = f"no executor {options.executor!r} here"
        return decision
    if job.func is None:
        decision.reason = f"no function {job.func_ref!r} here"
        return decision
    try:
        times, following_time, dropped = due_times(job.trigger, first, now, coalesce=options.coalesce)
    except Exception as error:  # noqa: BLE001 - triggers are users' code
        decision.reason, decision.error = "its trigger failed", error
        return decision

    grace = options.misfire_grace_time
    missed: list[datetime] = (
        [] if grace is None else [time for time in times if is_misfired(time, now, grace)]
    )
    times = times[len(missed) :]
    if not times or running < options.max_instances:
        decision.submit = times
    elif following_time is None:
        # No later time would make up for this one, so it keeps its turn instead of being skipped.
        decision.waits = True
        return decision
    else:
        decision.overlapping = times
    if missed:
        decision.missed = missed
    if dropped is not None:
        decision.dropped = dropped
    if following_time is not None:
        decision.following = job.rescheduled(following_time)
    return decision
