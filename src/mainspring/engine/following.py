"""Which runs follow from runs that have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.model import QueuedRun
from mainspring.triggers.after import AfterJob, comes_after_another

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from mainspring.model import JobRecord, RunResult


def followed_job(job: JobRecord) -> str | None:
    """The id of the job that `job` comes after, or ``None``."""
    trigger = job.trigger
    return trigger.job_id if comes_after_another(trigger) else None


def followers_among(jobs: Sequence[JobRecord]) -> list[JobRecord]:
    """Those that come after another job."""
    # It is asked of whatever is added, many jobs at once: their triggers are of few kinds, and most come after none.
    kinds = {kind for kind in {type(job.trigger) for job in jobs} if AfterJob in kind.__mro__}
    return [job for job in jobs if type(job.trigger) in kinds] if kinds else []


def following_runs(follower: JobRecord, results: Iterable[RunResult], now: datetime) -> list[QueuedRun]:
    """The runs of `follower` that these outcomes of the job it comes after call for.

    Args:
        now: from when on they may be run.
    """
    trigger = follower.trigger
    if not comes_after_another(trigger) or follower.next_run_time is None:
        return []  # or it is paused
    return [
        QueuedRun(follower.id, result.scheduled_run_time, 1, now, "after")
        for result in results
        if result.retry_at is None and trigger.follows(result.outcome)
    ]


def cycle(job_id: str, trigger: object, find: Callable[[str], JobRecord | None]) -> list[str]:
    """The ids of jobs that would come after one another in a ring, if `job_id` had this trigger; none if there is no ring.

    Args:
        find: the job with an id, or ``None``.
    """
    chain = [job_id]
    followed = trigger.job_id if comes_after_another(trigger) else None
    while followed is not None:
        chain.append(followed)
        if followed == job_id:
            return chain
        if followed in chain[1:-1]:
            return []  # a ring of others, which `job_id` is no part of
        other = find(followed)
        followed = None if other is None else followed_job(other)
    return []
