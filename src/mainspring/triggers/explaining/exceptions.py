"""What is left out, by its name."""

from __future__ import annotations

from datetime import date, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from mainspring.triggers.business_calendar import BusinessCalendar
from mainspring.triggers.cron.expressions import WEEKDAYS
from mainspring.triggers.event_calendar import EventCalendar
from mainspring.triggers.excluding import DateRange, Window
from mainspring.triggers.explaining.clauses import Clause, Weekday
from mainspring.triggers.explaining.details import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["closed_days", "spoken_exceptions"]

#: More dates than these aren't told one by one.
_LISTED = 6


def spoken_exceptions(exclusions: Iterable[Any], zone: tzinfo | None) -> Clause:
    """What an `ExcludingTrigger` leaves out.

    Args:
        exclusions: as it has them.
        zone: the one that the sentence names.
    """
    exclusions = list(exclusions)
    days = [(one, one) for one in exclusions if isinstance(one, date)]
    days += [(one.first, one.last) for one in exclusions if isinstance(one, DateRange)]
    said = list(_of_days(days))
    for one in exclusions:
        if isinstance(one, Window):
            first, last = moment(one.first, zone), moment(one.last, zone)
            is_moment = one.first == one.last
            said.append(
                Clause("except.moments", moments=(first,))
                if is_moment
                else Clause("except.window", first=first, last=last)
            )
        elif isinstance(one, BusinessCalendar):
            said.append(Clause("except.closed", days=closed_days(one)))
        elif isinstance(one, EventCalendar):
            said.append(Clause("except.events"))
        elif not isinstance(one, date | DateRange):
            said.append(_named(one))
    return Clause("except", exceptions=tuple(dict.fromkeys(said)))


def _of_days(days: list[tuple[date, date]]) -> Iterator[Clause]:
    """Dates and stretches of them: those that touch are one, and many are counted."""
    stretches: list[tuple[date, date]] = []
    for first, last in sorted(days):
        if stretches and (stretches[-1][1] == date.max or first <= stretches[-1][1] + timedelta(days=1)):
            stretches[-1] = (stretches[-1][0], max(last, stretches[-1][1]))
        else:
            stretches.append((first, last))
    # Two days in a row are two dates, not a stretch.
    dates = [
        day
        for first, last in stretches
        if (last - first).days < 2  # noqa: PLR2004
        for day in ([first] if first == last else [first, last])
    ]
    longer = [(first, last) for first, last in stretches if (last - first).days >= 2]  # noqa: PLR2004
    if len(dates) + len(longer) > _LISTED:
        number = sum((last - first).days + 1 for first, last in stretches)
        yield Clause(
            "except.many", number=number, first=stretches[0][0], last=max(last for _, last in stretches)
        )
        return
    if dates:
        yield Clause("except.dates", dates=tuple(dates))
    for first, last in longer:
        yield Clause("except.span", first=first, last=last)


def closed_days(calendar: BusinessCalendar) -> tuple[Clause, ...]:
    """The days that are no business days, as a list of nouns."""
    closed = [Clause("closed.weekday", weekday=Weekday(WEEKDAYS.index(name))) for name in calendar.weekend]
    if not isinstance(calendar.holidays, frozenset) or calendar.holidays:
        closed.append(_holidays(calendar.holidays))
    return tuple(closed)


def _holidays(holidays: Any) -> Clause:
    place = _place_of(holidays)
    return Clause("closed.holidays") if place is None else Clause("closed.holidays_of", place=place)


def _named(exclusion: Any) -> Clause:
    """Something of the program's own, by its name."""
    place = _place_of(exclusion)
    if place is not None:
        return Clause("except.closed", days=(Clause("closed.holidays_of", place=place),))
    name = _name_of(exclusion)
    if hasattr(exclusion, "__contains__"):
        return Clause("except.days_of", name=name) if name else Clause("except.some_days")
    return Clause("except.function", name=name) if name else Clause("except.some_function")


def _place_of(holidays: Any) -> str | None:
    """Whose holidays an object of the ``holidays`` package has, such as "DE" or "DE-BY"."""
    for name in ("country", "market"):
        place = getattr(holidays, name, None)
        if isinstance(place, str) and place:
            part = getattr(holidays, "subdiv", None)
            return f"{place}-{part}" if isinstance(part, str) and part else place
    return None


def _name_of(named: Any) -> str | None:
    """The name of a function, or of an object's class; ``None`` if it has none that says anything."""
    while hasattr(named, "func"):  # functools.partial
        named = named.func
    name = getattr(named, "__name__", None)
    if not isinstance(name, str):
        name = type(named).__name__
    return None if name.startswith("<") or name in ("dict", "set", "frozenset", "list", "tuple") else name
