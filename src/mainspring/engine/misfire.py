"""Whether a run is too late to be run at all."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from mainspring.engine.reasons import lateness

if TYPE_CHECKING:
    from datetime import datetime

    from mainspring.model import QueuedRun


def is_misfired(scheduled: datetime, now: datetime, grace: timedelta | None) -> bool:
    """Whether a run due at `scheduled` and dispatched at `now` is later than its `grace`; ``None`` forgives all."""
    # From UTC, since times of one zone differ by the wall clock.
    return grace is not None and now.astimezone(UTC) - scheduled > grace


#: So long after its grace is over a run is too late, however its time was rounded.
_ROUNDING = timedelta(milliseconds=1)


def too_late_at(since: datetime | None, grace: timedelta | None) -> datetime | None:
    """When a run that waits is too late; ``None``: it never is.

    Args:
        since: since when it is late.
    """
    if since is None or grace is None:
        return None
    try:
        return since.astimezone(UTC) + grace + _ROUNDING
    except OverflowError:
        return None


def late_since(run: QueuedRun) -> datetime | None:
    """Since when a queued run is late; ``None``: it never is.

    What had to wait for its turn is late since it was due. What follows from the end of a run (a retry, a rerun, the run of a job that
    comes after another) is due when it may begin. And what somebody has asked for, be it of long ago, is wanted however long it waits.
    """
    if run.cause in ("schedule", "buffered"):
        return run.scheduled_run_time
    return run.available if run.cause in ("retry", "rerun", "after") else None


def is_too_late(run: QueuedRun, now: datetime, grace: timedelta | None) -> bool:
    """Whether a queued run has waited for longer than its job's grace time lets it."""
    if grace is None:
        return False
    since = late_since(run)
    return since is not None and is_misfired(since, now, grace)


def how_late(run: QueuedRun, now: datetime) -> str:
    """What is said of a queued run that is too late."""
    return lateness(late_since(run) or now, now)
