"""The sun's events: the sentence of a `SunTrigger`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mainspring.triggers.explaining import details
from mainspring.triggers.explaining.clauses import Clause, Phrase
from mainspring.triggers.explaining.durations import spoken_duration

if TYPE_CHECKING:
    from mainspring.triggers.sun import SunTrigger

__all__ = ["spoken_sun"]

#: Of civil dawn and dusk, which are meant where nothing is said.
_CIVIL = 6


def spoken_sun(trigger: SunTrigger) -> Phrase:
    """Which event, where, and how long before or after it."""
    event = Clause(f"sun.{trigger.event}")
    place = {"latitude": trigger.latitude, "longitude": trigger.longitude}
    if trigger.offset:
        key = "sun.before" if trigger.offset < timedelta(0) else "sun.after"
        what = Clause(key, event=event, distance=spoken_duration(abs(trigger.offset)), **place)
    else:
        what = Clause("sun", event=event, **place)
    told = []
    if trigger.event in ("dawn", "dusk") and trigger.depression != _CIVIL:
        told.append(Clause("sun.depression", angle=trigger.depression))
    if trigger.elevation and trigger.event != "noon":
        told.append(Clause("sun.elevation", metres=trigger.elevation))
    told += details.bounds(trigger.start_date, trigger.end_date, trigger.timezone)
    return Phrase(what, trigger.timezone, (*told, *details.jitter(trigger.jitter)))
