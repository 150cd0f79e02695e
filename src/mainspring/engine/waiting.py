"""How long to wait: for the next due time, and before something that failed is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

#: A wait is cut into pieces of at most this many seconds, because the wall clock may be set or the machine suspended
#: in between, and a timer notices neither.
LONGEST_WAIT = 1.0

_FIRST_RETRY = timedelta(seconds=1)
#: The longest pause before something that failed is tried again.
LONGEST_RETRY = timedelta(minutes=5)


#: The last moment that there is in every zone.
_LAST = datetime(9999, 12, 30, tzinfo=UTC)


def moment_after(moment: datetime, duration: timedelta) -> datetime:
    """The moment that is so much later, in UTC; one that would be beyond the last year is in that: it never comes either.

    A sum in another zone goes by the wall clock: wrongly where an hour is repeated or left out.
    """
    begin = moment.astimezone(UTC)
    return _LAST if duration > _LAST - begin else begin + duration


def seconds_until(moment: datetime, now: datetime) -> float:
    """Seconds from `now` to `moment`, not below zero."""
    return max((moment - now).total_seconds(), 0.0)


class Planned(NamedTuple):
    """When a loop comes back by itself: whichever of the two comes first.

    Attributes:
        wall: by the wall clock, where that says what is due: it may be set meanwhile.
        monotonic: by the clock that only goes on, where a store has a clock of its own, or is to be asked again after a time.
    """

    wall: datetime | None = None
    monotonic: float | None = None

    def seconds_left(self, now: datetime, monotonic: float) -> float | None:
        """How long that is, not below zero; ``None``: it doesn't."""
        left = [] if self.wall is None else [seconds_until(self.wall, now)]
        if self.monotonic is not None:
            left.append(max(self.monotonic - monotonic, 0.0))
        return min(left, default=None)

    def moment(self, now: datetime, monotonic: float) -> datetime | None:
        """When that is, in UTC."""
        moments = [] if self.wall is None else [self.wall.astimezone(UTC)]
        if self.monotonic is not None:
            moments.append(now.astimezone(UTC) + timedelta(seconds=max(self.monotonic - monotonic, 0.0)))
        return min(moments, default=None)

    def or_sooner(self, other: Planned) -> Planned:
        """Whatever of either comes first."""
        walls = [wall for wall in (self.wall, other.wall) if wall is not None]
        elapsed = [one for one in (self.monotonic, other.monotonic) if one is not None]
        return Planned(min(walls, default=None), min(elapsed, default=None))


#: It comes back when it is woken.
UNPLANNED = Planned()


def retry_delay(
    attempt: int, first: timedelta = _FIRST_RETRY, longest: timedelta = LONGEST_RETRY
) -> timedelta:
    """The pause before trying again after the `attempt`-th failure in a row, counted from 1: `first`, doubled, to `longest`."""
    return min(first * 2.0 ** min(attempt - 1, 30), longest)
