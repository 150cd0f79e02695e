"""The events of a calendar: the stretches of time that they take, and the moments at which they begin."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from mainspring.errors import TriggerError
from mainspring.timezones import LAST_IN_UTC, in_zone, zone_identity
from mainspring.triggers.clock_changes import moment_of
from mainspring.triggers.combining import OrTrigger
from mainspring.triggers.recurrence import RecurrenceTrigger
from mainspring.triggers.recurrence.rules import date_text
from mainspring.triggers.standard import TICK
from mainspring.triggers.stretches import Stretches
from mainspring.triggers.wrapping import days_around

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mainspring.triggers.base import BaseTrigger

__all__ = ["CalendarEvent", "EventCalendar"]

_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CalendarEvent(NamedTuple):
    """An event, which may come again and again.

    Attributes:
        begins: when. Of an all-day event, at midnight; whose, is left open.
        days: how many days each of it takes, if it is an all-day event; 0: it isn't.
        duration: how long it takes, if it isn't.
        summary: its title.
    """

    begins: RecurrenceTrigger
    days: int = 0
    duration: timedelta = timedelta(0)
    summary: str = ""

    @property
    def is_single(self) -> bool:
        """Whether it is once."""
        return not self.begins.recurrence.rules and not self.begins.recurrence.added

    def to_dict(self) -> dict[str, Any]:
        """The event as plain data."""
        values: dict[str, Any] = {"begins": self.begins.to_dict()}
        if self.days:
            values["days"] = self.days
        elif self.duration:
            values["seconds"] = self.duration.total_seconds()
        if self.summary:
            values["summary"] = self.summary
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> CalendarEvent:
        """The inverse of `to_dict`."""
        return cls(
            RecurrenceTrigger.from_dict(values["begins"]),
            values.get("days", 0),
            timedelta(seconds=values.get("seconds", 0)),
            values.get("summary", ""),
        )


class _Repeated:
    """Where an event that comes again and again takes time.

    Args:
        event: the event.
    """

    def __init__(self, event: CalendarEvent) -> None:
        self._event = event
        # What was found out about a trigger is kept in it, so it is bound once for each zone. Days are counted in UTC, where all have one length.
        self._begins: dict[Any, RecurrenceTrigger] = {}

    def _begins_in(self, zone: tzinfo) -> RecurrenceTrigger:
        begins = self._event.begins
        if begins.timezone is not None:
            return begins
        key = zone_identity(zone)
        known = self._begins.get(key)
        if known is None:
            known = self._begins[key] = begins.bind(timezone=zone, now=_EPOCH, job_id="")
        return known

    def has_day(self, day: date) -> bool:
        """Whether it is an all-day event that takes this day."""
        if not self._event.days:
            return False
        midnight = datetime.combine(day, time(), UTC)
        latest = self._begins_in(UTC).previous(midnight + TICK)
        return latest is not None and (midnight - latest).days < self._event.days

    def stretch_around(self, moment: datetime, zone: tzinfo) -> tuple[datetime, datetime] | None:
        """See `EventCalendar.stretch_around`."""
        if self._event.days:
            day = in_zone(moment, zone).date()
            return days_around(moment, day, day, zone) if self.has_day(day) else None
        latest = self._begins_in(zone).previous(moment + TICK)
        if latest is None:
            return None
        begin = latest.astimezone(UTC)
        end = _end_of(begin, max(self._event.duration, TICK))
        return (begin, end) if moment < end else None


class EventCalendar:
    """Events, for `BaseTrigger.excluding` and `BaseTrigger.on_business_days`, and as a trigger. `mainspring.ics` reads one.

    Excluded are the days that all-day events take, and the time that others take, from their beginning up to their end. ``date in calendar``
    tells whether an all-day event takes that day, so that it may be the holidays of a `BusinessCalendar`.

    Args:
        events: in any order.

    Attributes:
        events: as given.
    """

    __slots__ = ("_by_day", "_others", "_windows", "events")

    def __init__(self, events: Iterable[CalendarEvent] = ()) -> None:
        self.events = tuple(events)
        # Those that are once are found by halving, since calendars may have hundreds of them.
        days: list[tuple[date, date]] = []
        windows: list[tuple[datetime, datetime]] = []
        self._others: list[_Repeated] = []
        for event in self.events:
            begins = event.begins
            if event.days and event.is_single:
                first = begins.start_date.date()
                days.append((first, first + min((event.days - 1) * _DAY, date.max - first)))
            elif event.is_single and begins.timezone is not None:
                begin = moment_of(begins.start_date, begins.timezone)
                windows.append((begin, _end_of(begin, event.duration - TICK)))
            else:
                self._others.append(_Repeated(event))
        self._by_day = Stretches(days, _DAY)
        self._windows = Stretches(windows, TICK)

    def __contains__(self, day: object) -> bool:
        if isinstance(day, datetime):
            day = day.date()
        return isinstance(day, date) and (
            self._by_day.around(day) is not None or any(each.has_day(day) for each in self._others)
        )

    def stretch_around(self, moment: datetime, zone: tzinfo) -> tuple[datetime, datetime] | None:
        """The stretch around a moment that events take, from their beginning up to their end, which isn't in it; both in UTC.

        Args:
            moment: an aware time.
            zone: whose days all-day events take, and whose clock others are on that name none.
        """
        days = self._by_day.around(in_zone(moment, zone).date())
        if days is not None:
            return days_around(moment, *days, zone)
        window = self._windows.around(moment)
        if window is not None:
            return window[0], window[1] + TICK
        found = [
            stretch for event in self._others if (stretch := event.stretch_around(moment, zone)) is not None
        ]
        return (min(begin for begin, _ in found), max(end for _, end in found)) if found else None

    def where(self, wanted: Callable[[CalendarEvent], bool]) -> EventCalendar:
        """The calendar with those events alone for which `wanted` is true, such as ``lambda event: "backup" in event.summary``."""
        return EventCalendar(filter(wanted, self.events))

    def trigger(self) -> BaseTrigger:
        """What fires when an event begins; all-day events begin at midnight, in the zone of the scheduler.

        Raises:
            TriggerError: there are no events.
        """
        # Those that are once are dates of one trigger for each zone, which are found by halving.
        singles: dict[Any, list[RecurrenceTrigger]] = {}
        members: list[BaseTrigger] = []
        for event in self.events:
            if event.is_single:
                singles.setdefault(zone_identity(event.begins.timezone), []).append(event.begins)
            else:
                members.append(event.begins)
        members += map(_of_dates, singles.values())
        if not members:
            raise TriggerError("the calendar has no events, so nothing would ever fire")
        return members[0] if len(members) == 1 else OrTrigger(members)

    def to_dict(self) -> dict[str, Any]:
        """The events as plain data."""
        return {"events": [event.to_dict() for event in self.events]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(CalendarEvent.from_dict(event) for event in values["events"])

    def __reduce__(self) -> tuple[Any, ...]:
        return EventCalendar, (self.events,)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EventCalendar):
            return NotImplemented
        return sorted(map(_key, self.events)) == sorted(map(_key, other.events))

    def __hash__(self) -> int:
        return hash(len(self.events))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.events)} event{'' if len(self.events) == 1 else 's'}>"


def _key(event: CalendarEvent) -> str:
    """The same text of events that take the same time."""
    zone = None if event.begins.timezone is None else str(zone_identity(event.begins.timezone))
    return repr((event.begins.to_dict()["rule"], zone, event.days, event.duration))


def _end_of(begin: datetime, duration: timedelta) -> datetime:
    try:
        return begin + max(duration, timedelta(0))
    except OverflowError:
        return LAST_IN_UTC


def _of_dates(events: Sequence[RecurrenceTrigger]) -> RecurrenceTrigger:
    """What fires when events begin that are once, and of one zone."""
    zone = events[0].timezone
    starts = sorted({event.start_date for event in events})
    others = starts[1:] if zone is None else [moment_of(start, zone) for start in starts[1:]]
    lines = [f"DTSTART:{date_text(starts[0])}"]
    if others:
        lines.append(f"RDATE:{','.join(map(date_text, others))}")
    return RecurrenceTrigger(lines, timezone=zone)
