"""A trigger but for some of its fire times: holidays, maintenance windows, whatever a function says."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from mainspring.errors import SerializationError, TriggerError
from mainspring.timezones import asdate, in_utc, in_zone
from mainspring.triggers.base import comparable
from mainspring.triggers.business_calendar import BusinessCalendar
from mainspring.triggers.common_fields import INNER, ZONE_BOUND
from mainspring.triggers.declared import Codec, positional
from mainspring.triggers.event_calendar import EventCalendar
from mainspring.triggers.naming import found_by, reference_to
from mainspring.triggers.standard import TICK, always_with, shifted
from mainspring.triggers.steps import SearchExhaustedError
from mainspring.triggers.stretches import Stretches
from mainspring.triggers.wrapping import (
    WrappingTrigger,
    are_too_many,
    count_within,
    days_around,
    last_of,
    next_of,
    parts_of_days,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.explaining import Phrase
    from mainspring.triggers.steps import Steps

__all__ = ["ExcludingTrigger"]

_PAIR = 2
#: A function is asked about each time, however many there are: for some minutes.
_MOST_SLICES = 20_000
_DAY = timedelta(days=1)


class ExcludingTrigger(WrappingTrigger):
    """Fires when another trigger does, but for what is excluded. `BaseTrigger.excluding` makes it.

    Days are those of the other trigger's zone.

    Args:
        trigger: the other.
        exclusions: see `BaseTrigger.excluding`.
    """

    __slots__ = ("_days", "_others", "_windows", "exclusions")

    kind = "excluding"
    fields_declared = (
        INNER,
        positional(
            "exclusions",
            codec=Codec(
                lambda exclusions: list(map(_plain, exclusions)),
                lambda values, _zone: list(map(_read_plain, values)),
            ),
            shown=lambda exclusions: repr(list(exclusions)),
        ),
        ZONE_BOUND,
    )
    shown_as = "<{name} ({fields})>"

    def __init__(self, trigger: BaseTrigger, exclusions: Iterable[Any]) -> None:
        self._wrap(trigger)
        self._set(tuple(_flat(exclusions)))

    def _set(self, exclusions: tuple[Any, ...]) -> None:
        self.exclusions = exclusions
        days = [(one, one) for one in exclusions if isinstance(one, date)]
        self._days = Stretches([*days, *(one for one in exclusions if isinstance(one, DateRange))], _DAY)
        self._windows = Stretches([one for one in exclusions if isinstance(one, Window)], TICK)
        known = (date, DateRange, Window)
        self._others = [one for one in exclusions if not isinstance(one, known)]

    def _restored(self) -> None:
        super()._restored()
        self._set(self.exclusions)

    def _around(self, trigger: BaseTrigger) -> Self:
        return type(self)(trigger, self.exclusions)

    def is_same_schedule(self, other: BaseTrigger) -> bool:
        return (
            type(other) is type(self)
            and comparable(self.exclusions) == comparable(other.exclusions)
            and self.trigger.is_same_schedule(other.trigger)
        )

    def _excluded_stretch(self, moment: datetime, zone: tzinfo) -> tuple[datetime, datetime] | None:
        """The stretch of time around `moment` that is excluded, its end not included; or ``None``."""
        window = self._windows.around(moment)
        if window is not None:
            return window[0], window[1] + TICK
        local = in_zone(moment, zone)
        day = local.date()
        days = self._days.around(day)
        if days is not None:
            return days_around(moment, *days, zone)
        for other in self._others:
            if isinstance(other, BusinessCalendar):
                is_whole_day, is_excluded = True, not other.is_business_day(day)
            elif isinstance(other, EventCalendar):
                taken = other.stretch_around(moment, zone)
                if taken is not None:
                    return taken
                continue
            elif hasattr(other, "__contains__"):
                is_whole_day, is_excluded = True, day in other
            else:
                is_whole_day, is_excluded = False, bool(other(local))
            if is_excluded:
                return days_around(moment, day, day, zone) if is_whole_day else (moment, moment + TICK)
        return None

    def count_between(self, first: datetime, last: datetime) -> int | None:
        """See `BaseTrigger.count_between`. It goes through what is excluded, and through the days where something tells of each."""
        tests: list[Callable[[date], bool]] = []
        for other in self._others:
            if isinstance(other, BusinessCalendar):
                tests.append(partial(_is_closed, other))
            elif isinstance(other, EventCalendar) or not hasattr(other, "__contains__"):
                return None  # it tells of each time
            else:
                tests.append(other.__contains__)
        count = self.trigger.count_between(first, last)
        if not count:
            return count
        zone = self._zone()
        low, high = in_zone(first, zone).date(), in_zone(last, zone).date()
        if tests and are_too_many((high - low).days, count):
            return None
        # The day before may be shown again.
        days = list(self._days.between(low - _DAY if low != date.min else low, high))
        for at in range((high - low).days + 1) if tests else ():
            day = low + at * _DAY
            if any(test(day) for test in tests):
                days.append((day, day))
        parts = [part for span in Stretches(days, _DAY).all() for part in parts_of_days(*span, zone)]
        windows = [(begin, shifted(end, TICK)) for begin, end in self._windows.between(first, last)]
        return count - count_within(self.trigger, Stretches(parts + windows, timedelta(0)).all(), first, last)

    def _most_slices(self) -> int:
        return _MOST_SLICES if self._others else super()._most_slices()

    def _after(self, moment: datetime, steps: Steps) -> datetime | None:
        zone = self._zone()
        try:
            while (found := next_of(self.trigger, moment, steps)) is not None:
                stretch = self._excluded_stretch(found, zone)
                if stretch is None:
                    return found
                moment = max(stretch[1] - TICK, found)
                steps.go_on()
        except SearchExhaustedError as error:
            raise error.not_before(moment) from None
        return None

    def _before(self, moment: datetime, steps: Steps) -> datetime | None:
        zone = self._zone()
        try:
            while (found := last_of(self.trigger, moment, steps)) is not None:
                stretch = self._excluded_stretch(found, zone)
                if stretch is None:
                    return found
                moment = min(stretch[0], found)
                steps.go_on()
        except SearchExhaustedError as error:
            raise error.not_after(moment) from None
        return None

    def _always_with(self) -> list[BaseTrigger]:
        return always_with(self.trigger)

    def _phrase(self) -> Phrase:
        from mainspring.triggers.explaining import phrase_of
        from mainspring.triggers.explaining.exceptions import spoken_exceptions

        phrase = phrase_of(self.trigger).by_days()
        return phrase.but(spoken_exceptions(self.exclusions, phrase.zone)) if self.exclusions else phrase

    def __str__(self) -> str:
        return f"{self.trigger} except {', '.join(map(_spoken, self.exclusions))}"


def _is_closed(calendar: BusinessCalendar, day: date) -> bool:
    return not calendar.is_business_day(day)


class DateRange(NamedTuple):
    """Days from the first to the last, both included."""

    first: date
    last: date


class Window(NamedTuple):
    """A stretch of time, both ends included, in UTC."""

    first: datetime
    last: datetime


def _flat(exclusions: Any) -> Iterable[Any]:
    """All exclusions, as dates, ranges, windows, calendars, containers and callables."""
    for one in exclusions:
        if isinstance(one, DateRange | Window | BusinessCalendar):
            yield one
        elif isinstance(one, datetime):
            if one.tzinfo is None:
                raise TriggerError(f"to exclude the moment {one!r}, give it a time zone; or give a date")
            yield Window(in_utc(one), in_utc(one))
        elif isinstance(one, date | str):
            yield asdate(one, "exclusions")
        elif isinstance(one, tuple) and len(one) == _PAIR:
            yield _range(*one)
        elif isinstance(one, list | tuple | set | frozenset):
            yield from _flat(one)
        elif hasattr(one, "__contains__") or callable(one):
            yield one
        else:
            raise TriggerError(
                "expected dates, pairs of dates or datetimes, a BusinessCalendar, something with `date in it`, or a "
                f"callable to exclude, got {type(one).__name__} {one!r}"
            )


def _range(first: Any, last: Any) -> DateRange | Window:
    if isinstance(first, datetime) and isinstance(last, datetime):
        if first.tzinfo is None or last.tzinfo is None:
            raise TriggerError(f"to exclude {first!r} to {last!r}, give both a time zone; or give dates")
        window = Window(in_utc(first), in_utc(last))
        if window.last < window.first:
            raise TriggerError(f"the end {last} is before the beginning {first}")
        return window
    days = DateRange(asdate(first, "exclusions"), asdate(last, "exclusions"))
    if days.last < days.first:
        raise TriggerError(
            f"exclusions: the last day {days.last} is before the first, {days.first}; did you mean ('{days.last}', '{days.first}')?"
        )
    return days


def _spoken(exclusion: Any) -> str:
    if isinstance(exclusion, DateRange | Window):
        return f"{exclusion.first} to {exclusion.last}"
    if isinstance(exclusion, BusinessCalendar):
        return "days that are no business days"
    if isinstance(exclusion, date):
        return str(exclusion)
    return getattr(exclusion, "__qualname__", type(exclusion).__name__)


def _plain(exclusion: Any) -> Any:
    if isinstance(exclusion, BusinessCalendar):
        return {"calendar": exclusion.to_dict()}
    if isinstance(exclusion, EventCalendar):
        return exclusion.to_dict()
    if isinstance(exclusion, DateRange):
        return {"days": [exclusion.first.isoformat(), exclusion.last.isoformat()]}
    if isinstance(exclusion, Window):
        return {"window": [exclusion.first.isoformat(), exclusion.last.isoformat()]}
    if isinstance(exclusion, date):
        return exclusion.isoformat()
    try:
        return {"function": reference_to(exclusion)}
    except SerializationError as error:
        raise SerializationError(
            f"an exclusion of type {type(exclusion).__name__} can't be written as plain data: "
            "give dates, or a function of a module"
        ) from error


def _read_plain(value: Any) -> Any:
    if isinstance(value, str):
        return date.fromisoformat(value)
    if "calendar" in value:
        return BusinessCalendar.from_dict(value["calendar"])
    if "events" in value:
        return EventCalendar.from_dict(value)
    if "days" in value:
        return DateRange(*map(date.fromisoformat, value["days"]))
    if "window" in value:
        return Window(*map(datetime.fromisoformat, value["window"]))
    return found_by(value["function"])
