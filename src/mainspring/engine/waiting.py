"""How long to wait: for the next due time, and before something that failed is tried again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

#: A wait is cut into pieces of at most this many seconds, because the wall clock may be set or the machine suspended
#: in between, and a timer notices neither.
LONGEST_WAIT = 1.0

_FIRST_RETRY = timedelta(seconds=1)
#: The longest pause before something that failed is tried again.
LONGEST_RETRY = timedelta(minutes=5)


def seconds_until(moment: datetime, now: datetime) -> float:
    """Seconds from `now` to `moment`, not below zero."""
    return max((moment - now).total_seconds(), 0.0)


def retry_delay(
    attempt: int, first: timedelta = _FIRST_RETRY, longest: timedelta = LONGEST_RETRY
) -> timedelta:
    """The pause before trying again after the `attempt`-th failure in a row, counted from 1: `first`, doubled, to `longest`."""
    return min(first * 2.0 ** min(attempt - 1, 30), longest)
