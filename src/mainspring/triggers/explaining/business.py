"""Business days: the sentence of a `BusinessDayTrigger`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.triggers.explaining import details
from mainspring.triggers.explaining.clauses import Clause, Phrase
from mainspring.triggers.explaining.days import spoken_scope
from mainspring.triggers.explaining.exceptions import closed_days
from mainspring.triggers.explaining.times import spoken_times

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mainspring.triggers.business_day import BusinessDayTrigger

__all__ = ["spoken_business_days"]


def spoken_business_days(trigger: BusinessDayTrigger) -> Phrase:
    """What days it fires on, and which are business days."""
    month, hour, minute, second = trigger.fields
    of, skips = spoken_scope(month, trigger._seed)
    days = Clause("days.of_month", items=tuple(_items(trigger.days)), of=of)
    what = Clause(
        "when", times=spoken_times(hour, minute, second, trigger._seed, wraps=False), days=days, **skips
    )
    closed = closed_days(trigger.calendar)
    told = (Clause("business", closed=closed),) if closed else (Clause("business.all"),)
    return Phrase(what, trigger.timezone, (*told, *details.common(trigger, trigger.start_date)))


def _items(days: Sequence[int]) -> Iterator[Clause]:
    """Those counted from the beginning together, with the last one; the others are counted from that."""
    places = [Clause("place.nth", nth=day) for day in days if day > 0]
    if -1 in days:
        places.append(Clause("place.last"))
    if places:
        yield Clause("item.business_days", places=tuple(places))
    for day in days:
        if day == -2:  # noqa: PLR2004 - the one before the last
            yield Clause("item.business_day_before_last")
        elif day < -1:
            yield Clause("item.nth_business_day_before_last", nth=-day - 1)
