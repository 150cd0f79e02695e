"""Distances and delays, in the units that say them shortest."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mainspring.triggers.explaining.clauses import Clause, Count

if TYPE_CHECKING:
    from datetime import tzinfo

__all__ = ["every", "spoken_duration", "spoken_elapsed"]

_DAY, _WEEK = 86_400, 7
_UNITS = ((3600, "hour"), (60, "minute"), (1, "second"))
#: Up to so many of a unit are told as they are: "90 seconds", "36 hours".
_MANY = 120
#: From so many hours on, whole days are told as days of 24 hours.
_HOURS = 72


def every(distance: tuple[Count, ...]) -> Clause:
    """A distance as a clause: "every 5 minutes"."""
    if len(distance) == 1:
        return Clause("every.one", distance=distance[0])
    return Clause("every.sum", distances=distance)


def spoken_elapsed(distance: timedelta, zone: tzinfo | None) -> tuple[Count, ...]:
    """A distance of elapsed time.

    In a zone whose clocks change, a day of 24 hours isn't always from one time of the day to the same on the next: there it isn't called a day.
    """
    if zone is None or zone.utcoffset(None) is None:
        if distance.seconds or distance.microseconds or distance <= timedelta(hours=_HOURS):
            return spoken_duration(distance)
        return (Count(distance.days, "elapsed_day"),)
    if distance.days and not distance.seconds and not distance.microseconds:
        weeks, days = divmod(distance.days, _WEEK)
        return (Count(distance.days, "day"),) if days else (Count(weeks, "week"),)
    whole_hours = distance.seconds % 3600 == 0 and not distance.microseconds
    if distance.days and not (whole_hours and distance <= timedelta(hours=_HOURS)):
        return (Count(distance.days, "day"), *_split(timedelta(0, distance.seconds, distance.microseconds)))
    return spoken_duration(distance)


def spoken_duration(duration: timedelta) -> tuple[Count, ...]:
    """A duration: in one unit where that says it well, such as "90 seconds", or else in several."""
    if not duration.microseconds:
        seconds = duration.days * _DAY + duration.seconds
        for size, unit in _UNITS:
            if seconds and seconds % size == 0 and (seconds // size <= _MANY):
                return (Count(seconds // size, unit),)
    return _split(duration)


def _split(duration: timedelta) -> tuple[Count, ...]:
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    exact: float = seconds + duration.microseconds / 1_000_000 if duration.microseconds else seconds
    counts = (Count(duration.days * 24 + hours, "hour"), Count(minutes, "minute"), Count(exact, "second"))
    return tuple(count for count in counts if count.number) or (Count(0, "second"),)
