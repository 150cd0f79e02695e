"""Calendars in iCalendar's format (RFC 5545), from a text, a file or a feed, as events for triggers.

What is read is read once, when the calendar is made: the events are kept, also in job stores, and the file or feed isn't looked at again. Whoever
wants its changes reads it anew, and gives the job the new trigger.

It needs the package ``icalendar``: ``pip install "mainspring[ics]"``.
"""

from __future__ import annotations

import warnings
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mainspring.clock import REAL_CLOCK  # noqa: TID251 - a server takes real time
from mainspring.errors import TriggerError
from mainspring.extras import library_missing
from mainspring.ics.zones import zone_of
from mainspring.triggers.clock_changes import moment_of
from mainspring.triggers.event_calendar import CalendarEvent, EventCalendar
from mainspring.triggers.recurrence import RecurrenceTrigger
from mainspring.triggers.recurrence.rules import date_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["IcsCalendar"]

_MEBIBYTE = 1 << 20
_CHUNK = 1 << 16
_DAY = timedelta(days=1)
#: Properties without which an event would be another one; what is wrong with others doesn't matter.
_NEEDED = frozenset(
    {"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "STATUS"}
)


class IcsCalendar(EventCalendar):
    """A calendar that was read: see `EventCalendar` for what can be done with it.

    Its events are those with a beginning, but for cancelled ones. A changed occurrence of an event (``RECURRENCE-ID``) takes the place of the original
    one.
    """

    __slots__ = ()

    @classmethod
    def from_text(cls, text: str | bytes) -> Self:
        """The calendar that a text in iCalendar's format has.

        Raises:
            TriggerError: it is none, or an event in it can't be read; the message names the event.
            ImportError: the package ``icalendar`` isn't installed.
        """
        return cls(_events_of(text))

    @classmethod
    def from_file(cls, path: str | Path, *, max_bytes: int = 10 * _MEBIBYTE) -> Self:
        """The calendar of a file, read now.

        Args:
            max_bytes: no longer file is read.

        Raises:
            OSError: the file can't be read.
            TriggerError, ImportError: as of `from_text`.
        """
        with Path(path).open("rb") as file:
            content = file.read(max_bytes + 1)
        return cls.from_text(_bounded(content, max_bytes, str(path)))

    @classmethod
    def from_url(cls, url: str, *, timeout_seconds: float = 10, max_bytes: int = 10 * _MEBIBYTE) -> Self:
        """The calendar of a feed, read now; ``webcal:`` is read as ``https:``.

        Args:
            timeout_seconds: how long all of it may take.
            max_bytes: no longer feed is read.

        Raises:
            OSError: the feed can't be had, or not in time.
            TriggerError, ImportError: as of `from_text`; or the URL isn't one of a feed.
        """
        return cls.from_text(_fetched(url, timeout_seconds, max_bytes))


def _bounded(content: bytes, max_bytes: int, source: str) -> bytes:
    if len(content) > max_bytes:
        raise TriggerError(
            f"{source} is longer than max_bytes={max_bytes}: is it a calendar? If so, give a higher one"
        )
    return content


def _fetched(url: str, timeout_seconds: float, max_bytes: int) -> bytes:
    from urllib.error import HTTPError
    from urllib.parse import urlsplit
    from urllib.request import (
        HTTPDefaultErrorHandler,
        HTTPErrorProcessor,
        HTTPHandler,
        HTTPRedirectHandler,
        HTTPSHandler,
        OpenerDirector,
        ProxyHandler,
        Request,
    )

    scheme = urlsplit(url).scheme.lower()
    if scheme == "webcal":
        url, scheme = f"https{url[len(scheme) :]}", "https"
    if scheme not in ("http", "https"):
        raise TriggerError(
            f"url must begin with https:, http: or webcal:, got {url[:100]!r}; a file is read by from_file"
        )
    opener = (
        OpenerDirector()
    )  # without the handlers for files, FTP and data, to which a server could redirect
    for handler in (
        ProxyHandler,
        HTTPHandler,
        HTTPSHandler,
        HTTPRedirectHandler,
        HTTPErrorProcessor,
        HTTPDefaultErrorHandler,
    ):
        opener.add_handler(handler())
    end = REAL_CLOCK.monotonic() + timeout_seconds
    request = Request(url, headers={"Accept": "text/calendar, */*;q=0.1", "User-Agent": "mainspring"})  # noqa: S310 - seen to above
    content = b""
    try:
        response = opener.open(request, timeout=timeout_seconds)
    except HTTPError as error:
        error.close()  # it holds the connection
        raise
    with response:
        # `read1` comes back with what there is, so that a server that sends a byte now and then is noticed.
        while len(content) <= max_bytes and (chunk := response.read1(_CHUNK)):
            content += chunk
            if REAL_CLOCK.monotonic() >= end:
                raise TimeoutError(f"{url} took longer than timeout_seconds={timeout_seconds:g}")
    return _bounded(content, max_bytes, url)


def _events_of(text: str | bytes) -> Iterator[CalendarEvent]:
    try:
        from icalendar import Calendar
    except ImportError as error:
        raise library_missing("reading calendars", "icalendar", "icalendar", "ics", error) from None
    if isinstance(text, str):
        text = text.removeprefix("\ufeff")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it guesses zones, which we look up ourselves
            calendars = Calendar.from_ical(text, multiple=True)
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        raise TriggerError(f"this is no calendar in iCalendar's format: {str(error)[:200]}") from error
    calendars = [each for each in calendars if each.name == "VCALENDAR"]
    if not calendars:
        raise TriggerError(
            "this is no calendar in iCalendar's format: expected BEGIN:VCALENDAR … END:VCALENDAR"
        )
    for calendar in calendars:
        yield from _Reader(calendar).events()


class _Reader:
    """Reads the events of a calendar.

    Args:
        calendar: an `icalendar.Calendar`.
    """

    def __init__(self, calendar: Any) -> None:
        self._components = [
            each for each in calendar.walk("VEVENT") if each.get("DTSTART") is not None or each.errors
        ]
        self._zones = {str(each.get("TZID")): each for each in calendar.walk("VTIMEZONE")}
        self._known: dict[str, tzinfo] = {}

    def events(self) -> Iterator[CalendarEvent]:
        changed: dict[str, list[Any]] = {}
        for component in self._components:
            if component.get("RECURRENCE-ID") is not None:
                changed.setdefault(str(component.get("UID")), []).append(component)
        for component in self._components:
            name = _name_of(component)
            try:
                self._check(component)
                if str(component.get("STATUS", "")).upper() == "CANCELLED":
                    continue
                is_changed = component.get("RECURRENCE-ID") is not None
                replaced = () if is_changed else changed.get(str(component.get("UID")), ())
                yield self._event(component, [each for other in replaced for each in self._replaced(other)])
            except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
                raise TriggerError(f"event {name}: {error}") from error

    def _check(self, component: Any) -> None:
        wrong = [(name, reason) for name, reason in component.errors if name in _NEEDED or name is None]
        if wrong:
            raise TriggerError(f"its {wrong[0][0] or 'line'} can't be read: {wrong[0][1]}")
        if component.get("EXRULE") is not None:
            raise TriggerError("EXRULE is no longer part of iCalendar")

    def _replaced(self, component: Any) -> Iterator[date]:
        """The occurrence that a changed one takes the place of."""
        identifier = component["RECURRENCE-ID"]
        if str(identifier.params.get("RANGE", "")).upper() == "THISANDFUTURE":
            raise TriggerError(
                "RANGE=THISANDFUTURE is not supported: have the calendar split the event in two"
            )
        yield self._moment(identifier.dt, identifier.params)

    def _event(self, component: Any, replaced: list[date]) -> CalendarEvent:
        start = component["DTSTART"]
        zone = self._zone(start.dt, start.params)
        wall = start.dt.replace(tzinfo=None, fold=0) if isinstance(start.dt, datetime) else start.dt
        lines = [f"DTSTART:{date_text(wall)}"]
        lines += [f"RRULE:{rule.to_ical().decode()}" for rule in _several(component.get("RRULE"))]
        if component.get("RECURRENCE-ID") is not None:
            lines = lines[:1]
        added = list(self._dates(component, "RDATE"))
        excluded = [*self._dates(component, "EXDATE"), *replaced]
        lines += [f"RDATE:{date_text(each)}" for each in added]
        lines += [f"EXDATE:{date_text(each)}" for each in excluded]
        begins = RecurrenceTrigger(lines, timezone=zone)
        summary = str(component.get("SUMMARY", ""))
        if not isinstance(wall, datetime):
            return CalendarEvent(begins, days=self._days(component, wall), summary=summary)
        return CalendarEvent(
            begins, duration=self._duration(component, moment_of(wall, zone or UTC), zone), summary=summary
        )

    def _dates(self, component: Any, name: str) -> Iterable[date]:
        for several in _several(component.get(name)):
            for each in several.dts:
                value = (
                    each.dt[0] if isinstance(each.dt, tuple) else each.dt
                )  # a period begins with its start
                yield self._moment(value, several.params)

    def _moment(self, value: date, parameters: Any) -> date:
        """A date, a time without a zone, or a moment in UTC."""
        zone = self._zone(value, parameters)
        if not isinstance(value, datetime) or zone is None:
            return value
        return moment_of(value.replace(tzinfo=None, fold=0), zone)

    def _zone(self, value: date, parameters: Any) -> tzinfo | None:
        name = parameters.get("TZID")
        if isinstance(value, datetime) and name is None and value.tzinfo is not None:
            return UTC
        if not isinstance(value, datetime) or name is None:
            return None
        name = str(name)
        if name not in self._known:
            self._known[name] = zone_of(name, self._zones.get(name))
        return self._known[name]

    def _days(self, component: Any, first: date) -> int:
        end, duration = component.get("DTEND"), component.get("DURATION")
        length: timedelta = _DAY
        if end is not None:
            last = end.dt.date() if isinstance(end.dt, datetime) else end.dt
            length = last - first
        elif duration is not None:
            length = duration.dt
        return max(length.days, 1)

    def _duration(self, component: Any, begin: datetime, zone: tzinfo | None) -> timedelta:
        end, duration = component.get("DTEND"), component.get("DURATION")
        if end is not None:
            last = self._moment(end.dt, end.params)
            return max(moment_of(last, zone or UTC) - begin, timedelta(0))
        return max(duration.dt, timedelta(0)) if duration is not None else timedelta(0)


def _several(found: Any) -> list[Any]:
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _name_of(component: Any) -> str:
    return repr(str(component.get("SUMMARY") or component.get("UID") or "without a name")[:100])
