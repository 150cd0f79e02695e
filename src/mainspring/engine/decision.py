"""The one place where it is decided what becomes of a job that is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.engine.due import due_times
from mainspring.engine.misfire import is_misfired

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mainspring.model import JobRecord


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
    """

    __slots__ = (
        "dropped",
        "error",
        "following",
        "job",
        "missed",
        "overlapping",
        "reason",
        "retry_at",
        "submit",
        "waits",
    )

    def __init__(
        self,
        job: JobRecord,
        *,
        submit: Sequence[datetime] = (),
        missed: Sequence[datetime] = (),
        overlapping: Sequence[datetime] = (),
        dropped: datetime | None = None,
        following: JobRecord | None = None,
        waits: bool = False,
        reason: str | None = None,
        error: Exception | None = None,
    ) -> None:
        self.job = job
        self.submit = submit
        self.missed = missed
        self.overlapping = overlapping
        self.dropped = dropped
        self.following = following
        self.waits = waits
        self.reason = reason
        self.error = error
        self.retry_at: datetime | None = None


def decide(job: JobRecord, now: datetime, running: int, *, executor_known: bool = True) -> Decision:
    """What to do about `job`, whose next run time has come.

    Args:
        job: its record; ``next_run_time`` is not ``None`` and not after `now`.
        now: the time of dispatch: lateness is judged by it, once. Waiting for a free worker later on counts no more.
        running: how many instances of the job run at present.
        executor_known: whether this node has the job's executor.

    Anything that the trigger raises becomes part of the decision: one bad trigger is no reason to stop.
    """
    if not executor_known:
        return Decision(job, reason=f"no executor {job.options.executor!r} here")
    if job.func is None:
        return Decision(job, reason=f"no function {job.func_ref!r} here")
    first = job.next_run_time
    if first is None:
        raise ValueError(f"job {job.id!r} is paused: it can't be due")
    options = job.options
    try:
        times, following_time, dropped = due_times(job.trigger, first, now, coalesce=options.coalesce)
    except Exception as error:  # noqa: BLE001 - triggers are users' code
        return Decision(job, reason="its trigger failed", error=error)

    missed: list[datetime] = []
    if options.misfire_grace_time is not None:
        missed = [time for time in times if is_misfired(time, now, options.misfire_grace_time)]
        times = times[len(missed) :]
    if times and running >= options.max_instances:
        if following_time is None:
            # No later time would make up for this one, so it keeps its turn instead of being skipped.
            return Decision(job, waits=True)
        return Decision(
            job, missed=missed, overlapping=times, dropped=dropped, following=job.rescheduled(following_time)
        )
    return Decision(
        job,
        submit=times,
        missed=missed,
        dropped=dropped,
        following=None if following_time is None else job.rescheduled(following_time),
    )
