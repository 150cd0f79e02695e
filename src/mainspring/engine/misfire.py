"""Whether a run is too late to be run at all."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta


def is_misfired(scheduled: datetime, now: datetime, grace: timedelta | None) -> bool:
    """Whether a run due at `scheduled` and dispatched at `now` is later than its `grace`; ``None`` forgives all."""
    # From UTC, since times of one zone differ by the wall clock.
    return grace is not None and now.astimezone(UTC) - scheduled > grace
