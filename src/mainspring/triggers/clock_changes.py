"""From wall-clock times to instants, across the changes of a zone's clocks.

One rule serves every trigger that names wall-clock times. A time that doesn't exist, because the clocks were put
forward over it, is either skipped, or read with the offset in force before the change (as RFC 5545 and TC39 Temporal's
"compatible" do). A time that exists twice fires at its first occurrence, at its second, or at both.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from datetime import tzinfo

Gap = Literal["shift", "skip"]
Fold = Literal["first", "second", "both"]

# No zone has moved its clocks by more than a day.
_LONGEST_CHANGE = timedelta(hours=25)
_SECOND = timedelta(seconds=1)
_TICK = timedelta(microseconds=1)


class Walls(Protocol):
    """A set of naive datetimes."""

    def after(self, moment: datetime) -> datetime | None:
        """The first one after `moment`, or ``None``."""


def next_instant(walls: Walls, after: datetime, zone: tzinfo, gap: Gap, fold: Fold) -> datetime | None:
    """The first instant after `after` at which `zone`'s clocks show one of `walls`, by the rule chosen.

    Args:
        after: aware, in any zone.

    Returns:
        an aware datetime in `zone`, or ``None`` when there is none.
    """
    start = after.astimezone(UTC)
    local = start.astimezone(zone)
    wall = local.replace(tzinfo=None, fold=0)
    best = _ordinary(walls, wall, start, zone, gap, fold)
    if gap == "shift":
        best = _earlier(best, _moved_over_gap(walls, wall, start, local, zone))
    if fold != "first" and local.fold == 0:
        best = _earlier(best, _in_second_pass(walls, wall, start, local, zone))
    return None if best is None else best.astimezone(zone)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _instants(wall: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """What `wall` is in UTC by the offset before and after a change: in that order unless it falls into a gap."""
    aware = wall.replace(tzinfo=zone)
    first = aware.astimezone(UTC)
    return first, aware.replace(fold=1).astimezone(UTC)


def _ordinary(
    walls: Walls, wall: datetime, start: datetime, zone: tzinfo, gap: Gap, fold: Fold
) -> datetime | None:
    """The earliest instant of the walls after `wall`."""
    best: datetime | None = None
    following = walls.after(wall)
    while following is not None:
        try:
            first, second = _instants(following, zone)
        except OverflowError:
            return best  # beyond the year 9999 in UTC
        if first == second:
            if first > start:
                return _earlier(best, first)
        elif first > second:  # a gap: the offset before the change is the smaller one
            if gap == "shift" and first > start:
                best = _earlier(best, first)
        elif fold != "second" and first > start:
            return _earlier(best, first)
        elif fold != "first" and second > start:
            return _earlier(best, second)
        following = walls.after(following)
    return best


def _moved_over_gap(
    walls: Walls, wall: datetime, start: datetime, local: datetime, zone: tzinfo
) -> datetime | None:
    """The earliest instant of a wall before `wall` that doesn't exist, and is moved to after `start`."""
    before = (start - _LONGEST_CHANGE).astimezone(zone).utcoffset()
    now = local.utcoffset()
    if before is None or now is None or now <= before:
        return None
    following = walls.after(wall - (now - before))
    if following is None or following > wall:
        return None
    first, second = _instants(following, zone)
    return first if first > second and first > start else None


def _in_second_pass(
    walls: Walls, wall: datetime, start: datetime, local: datetime, zone: tzinfo
) -> datetime | None:
    """During the first pass of a repeated stretch: the earliest instant of the second."""
    repeated = local.replace(fold=1).utcoffset()
    now = local.utcoffset()
    if repeated is None or now is None or repeated >= now:
        return None
    begin = _first_repeated(wall, zone, now - repeated)
    following = walls.after(begin - _TICK)
    if following is None:
        return None
    first, second = _instants(following, zone)
    return second if first < second and second > start else None


def _first_repeated(wall: datetime, zone: tzinfo, length: timedelta) -> datetime:
    """The first wall time of the repeated stretch, `length` long, that `wall` is in; on a whole second."""
    low, high = wall.replace(microsecond=0) - length, wall.replace(microsecond=0)
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        if middle in (low, high):
            break
        first, second = _instants(middle, zone)
        if first < second:
            high = middle
        else:
            low = middle
    return high
