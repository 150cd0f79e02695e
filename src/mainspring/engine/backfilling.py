"""Which runs a backfill comes to."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from mainspring.model import QueuedRun

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from mainspring.model import Cause, JobRecord, RunRecord

#: Of a run that ended so, nothing was done, or it isn't known what.
_NOT_RUN = frozenset({"missed", "skipped", "cancelled", "lost"})


def missing_runs(
    job: JobRecord, times: Iterable[datetime], known: Iterable[RunRecord], now: datetime, cause: Cause
) -> list[QueuedRun]:
    """Runs for those due times at which the job has not been run, nor is about to be.

    Args:
        times: in their order; from the job's next run time on its schedule has them, and what is still to come isn't to be run before.
        known: the runs that there are, in any order.
        now: from when on the new ones may be run.
    """
    latest: dict[datetime, RunRecord] = {}
    for run in known:
        # In UTC, since times of one zone are alike where an hour is repeated.
        scheduled = run.scheduled_run_time.astimezone(UTC)
        before = latest.get(scheduled)
        if before is None or before.attempt < run.attempt:
            latest[scheduled] = run
    missing = []
    for time in times:
        moment = time.astimezone(UTC)
        if moment > now.astimezone(UTC) or (
            job.next_run_time is not None and moment >= job.next_run_time.astimezone(UTC)
        ):
            break
        before = latest.get(moment)
        if before is None:
            missing.append(QueuedRun(job.id, time, 1, now, cause))
        elif before.outcome in _NOT_RUN:
            missing.append(QueuedRun(job.id, time, before.attempt + 1, now, cause))
    return missing
