"""Which attempt at its due time a run is.

A job may be due again at a time at which it has been run, or was dropped: it was moved back, asked for at that very moment, or removed and added
again. Each due time counts its own attempts, so that no two runs have the same identifier, and none is left out.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from mainspring.model import QueuedRun


def next_attempts(times: Iterable[datetime], latest: Mapping[datetime, int]) -> dict[datetime, int]:
    """Which attempts runs at these due times are, by the time in UTC; those that are the first are left out.

    Args:
        latest: the latest attempt at each time of which the job has had runs, whatever became of them; by the time in UTC.
    """
    # In UTC, since times of one zone are alike where an hour is repeated.
    return {utc: latest[utc] + 1 for utc in (time.astimezone(UTC) for time in times) if utc in latest}


def attempt_of(attempts: Mapping[datetime, int], time: datetime) -> int:
    """Which attempt a run at a due time is, by what `next_attempts` has found."""
    return attempts.get(time.astimezone(UTC), 1) if attempts else 1


def in_line(runs: Iterable[QueuedRun], latest: Mapping[str, Mapping[datetime, int]]) -> list[QueuedRun]:
    """Runs that follow from others, as the attempts that come next at their due times.

    Several may follow at one due time, since several attempts at it have failed, or were lost, together: each is an attempt of its own.

    Args:
        latest: by job, the latest attempt at each due time in UTC, whatever became of it.
    """
    reached: dict[tuple[str, datetime], int] = {}
    found = []
    for run in runs:
        time = run.key.scheduled_run_time.astimezone(UTC)
        before = reached.get((run.job_id, time), latest.get(run.job_id, {}).get(time, 0))
        attempt = reached[run.job_id, time] = max(run.attempt, before + 1)
        found.append(run._replace(attempt=attempt))
    return found
