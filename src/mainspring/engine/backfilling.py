"""Which runs a backfill comes to."""

from __future__ import annotations

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
        times: in their order; from the job's next run time on its schedule has them.
        known: the runs that there are, in any order.
        now: from when on the new ones may be run.
    """
    latest: dict[datetime, RunRecord] = {}
    for run in known:
        before = latest.get(run.scheduled_run_time)
        if before is None or before.attempt < run.attempt:
            latest[run.scheduled_run_time] = run
    missing = []
    for time in times:
        if job.next_run_time is not None and time >= job.next_run_time:
            break
        before = latest.get(time)
        if before is None:
            missing.append(QueuedRun(job.id, time, 1, now, cause))
        elif before.outcome in _NOT_RUN:
            missing.append(QueuedRun(job.id, time, before.attempt + 1, now, cause))
    return missing
