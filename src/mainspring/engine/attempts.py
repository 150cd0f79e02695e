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
