"""The time zones of calendars: by the name that they have in the time zone database, or by what the calendar says of them."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Any

from mainspring.errors import TriggerError
from mainspring.timezones import astimezone, offset_text

__all__ = ["zone_of"]

_WEEKDAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")


def zone_of(name: str, component: Any) -> tzinfo:
    """The zone that a calendar calls `name`.

    It is looked for in the time zone database, also under the names that Windows has, and at the end of names such as
    ``/example.org/Europe/Berlin``. Else it is what the calendar has under that name, if that is a rule for all years or a fixed offset.

    Args:
        component: the calendar's ``VTIMEZONE``, if it has one.

    Raises:
        TriggerError: none of this is there.
    """
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    parts = name.strip("/").split("/")
    for candidate in (name, WINDOWS_TO_OLSON.get(name, name), "/".join(parts[-2:]), "/".join(parts[-3:])):
        try:
            zone = astimezone(candidate)
        except (LookupError, ValueError, OSError):
            continue
        if zone is not None:
            return zone
    if component is None:
        raise TriggerError(
            f"no time zone is named {name[:100]!r}, and the calendar has no VTIMEZONE of that name"
        )
    zone = astimezone(_rule_of(component, name))
    if zone is None:
        raise TriggerError(f"the time zone {name[:100]!r} can't be read")
    return zone


def _rule_of(component: Any, name: str) -> str:
    """An offset, or a rule as in ``TZ`` (POSIX), from the last that a ``VTIMEZONE`` says of standard and of daylight time."""
    latest: dict[str, Any] = {}
    for part in component.subcomponents:
        known = latest.get(part.name)
        if known is None or part["DTSTART"].dt > known["DTSTART"].dt:
            latest[part.name] = part
    standard, daylight = latest.get("STANDARD"), latest.get("DAYLIGHT")
    if standard is None and daylight is None:
        raise TriggerError(f"the time zone {name[:100]!r} has neither standard nor daylight time")
    if daylight is None or standard is None or not all(_still_changes(part) for part in (standard, daylight)):
        last = max(latest.values(), key=lambda part: part["DTSTART"].dt)
        return offset_text(_offset(last, "TZOFFSETTO"))
    winter, summer = _offset(standard, "TZOFFSETTO"), _offset(daylight, "TZOFFSETTO")
    return f"STD{_posix(-winter)}DST{_posix(-summer)},{_change(daylight, name)},{_change(standard, name)}"


def _still_changes(part: Any) -> bool:
    rule = part.get("RRULE")
    return rule is not None and not rule.get("UNTIL") and not rule.get("COUNT")


def _offset(part: Any, name: str) -> timedelta:
    offset: timedelta = part[name].td
    return offset


def _posix(offset: timedelta) -> str:
    """An offset as ``TZ`` has it."""
    seconds = abs(offset) // timedelta(seconds=1)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"-{text}" if offset < timedelta(0) else text


def _change(part: Any, name: str) -> str:
    """When the clocks change every year, as ``TZ`` has it."""
    rule, begin = part["RRULE"], part["DTSTART"].dt
    months = rule.get("BYMONTH") or [begin.month]
    days = [str(day) for day in rule.get("BYDAY") or ()]
    if (
        str(rule.get("FREQ", [""])[0]) != "YEARLY"
        or len(months) != 1
        or len(days) != 1
        or not isinstance(begin, datetime)
    ):
        raise TriggerError(
            f"the time zone {name[:100]!r} changes its clocks by a rule that can't be read: {rule.to_ical().decode()}"
        )
    at, weekday = days[0][:-2], days[0][-2:].upper()
    week = {"": 0, "-1": 5}.get(at, int(at or 0))
    if not week:  # the weekday on or after some day of the month
        first = min((int(day) for day in rule.get("BYMONTHDAY") or ()), default=0)
        week = (first - 1) // 7 + 1 if first and (first - 1) % 7 == 0 else 0
    if not 1 <= week <= 5:  # noqa: PLR2004 - 5 is the last
        raise TriggerError(
            f"the time zone {name[:100]!r} changes its clocks by a rule that can't be read: {rule.to_ical().decode()}"
        )
    clock = timedelta(hours=begin.hour, minutes=begin.minute, seconds=begin.second)
    return f"M{int(months[0])}.{week}.{_WEEKDAYS.index(weekday)}/{_posix(clock)}"
