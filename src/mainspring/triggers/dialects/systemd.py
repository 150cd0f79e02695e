"""Calendar events of systemd's timers, as ``OnCalendar=`` has them (systemd.time(7))."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfoNotFoundError

from mainspring.coercion import nearest
from mainspring.timezones import astimezone
from mainspring.triggers.combining import OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.cron.expressions import FULL_WEEKDAYS, WEEKDAYS
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.dialects.cursor import Cursor
from mainspring.triggers.shifting import ShiftedTrigger

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mainspring.triggers.base import BaseTrigger

__all__ = ["read"]

_SECOND = 1_000_000
#: The names for whole calendar events, as month, day, weekday, hour and minute.
_NAMES = {
    "minutely": ("*", "*", "*", "*", "*"),
    "hourly": ("*", "*", "*", "*", "0"),
    "daily": ("*", "*", "*", "0", "0"),
    "weekly": ("*", "*", "mon", "0", "0"),
    "monthly": ("*", "1", "*", "0", "0"),
    "quarterly": ("1,4,7,10", "1", "*", "0", "0"),
    "semiannually": ("1,7", "1", "*", "0", "0"),
    "semi-annually": ("1,7", "1", "*", "0", "0"),
    "biannually": ("1,7", "1", "*", "0", "0"),
    "bi-annually": ("1,7", "1", "*", "0", "0"),
    "annually": ("1", "1", "*", "0", "0"),
    "yearly": ("1", "1", "*", "0", "0"),
}
_WEEKDAY = "|".join(full for full in FULL_WEEKDAYS) + "|" + "|".join(WEEKDAYS)
#: Of a time span, such as ``OnUnitActiveSec=1h 30min`` has.
_SPAN = (
    r"(?:\w+Sec\s*=\s*)?(?:\d+(?:\.\d+)?\s*(?:us(?:ec)?|ms(?:ec)?|s(?:ec(?:onds?)?)?|m(?:in(?:utes?)?|onths?)?|h(?:r|ours?)?|"
    r"d(?:ays?)?|w(?:eeks?)?|y(?:ears?)?)\s*)+\Z"
)
_WHOLE = r"\d{1,9}(?!\d)"
_DECIMAL = r"(\d{1,9})(?:\.(\d+))?(?!\d|\.\d)"
_ZONE = r"(?<=\s)[a-z][\w+-]*(?:/[\w+-]+)*(?=\s*\Z)"
#: More digits are far beyond the last year.
_MOST_DIGITS = 15
_ANYTHING = "a weekday, a date, a time such as '09:30', or a name such as 'daily'"
#: What comes more often in a second is no schedule.
_MOST_FRACTIONS = 100


class _Unit(NamedTuple):
    """A unit of time in a calendar event.

    Attributes:
        lowest, highest: its values.
        scale: by how much they are greater than what is written.
    """

    name: str
    lowest: int
    highest: int
    scale: int = 1


_YEAR = _Unit("year", 1970, 2199)
_MONTH = _Unit("month", 1, 12)
_DAY = _Unit("day", 1, 31)
#: Counted from the last day of the month, which is 1; each month has so many.
_DAY_FROM_END = _Unit("day from the month's end", 1, 28)
_HOUR = _Unit("hour", 0, 23)
_MINUTE = _Unit("minute", 0, 59)
_SECONDS_OF_MINUTE = 60
_SECONDS = _Unit("second", 0, _SECONDS_OF_MINUTE * _SECOND - 1, _SECOND)


class _Part(NamedTuple):
    """``first``, ``first..last``, either with ``/step``; of seconds in microseconds.

    Attributes:
        last, step: ``None`` where the text has none.
        position: where it stands in the text.
    """

    first: int
    last: int | None
    step: int | None
    position: int


#: The parts of a list, or ``None`` for ``*``.
_Chain = list[_Part] | None


def read(text: str) -> BaseTrigger:
    """The trigger that a calendar event means; ``OnCalendar=`` may stand before it.

    Raises:
        CronSyntaxError: it can't be read, or is a time span.
    """
    return _read(Cursor(text))


def _read(cursor: Cursor) -> BaseTrigger:
    cursor.take(r"OnCalendar\s*=\s*")
    if cursor.sees(_SPAN):
        raise cursor.error(
            "a time span of a monotonic timer, such as OnUnitActiveSec= has, is no calendar event: for runs at equal "
            "distances use IntervalTrigger, such as IntervalTrigger(minutes=5)"
        )
    zone = _take_zone(cursor)
    if match := cursor.take(r"([a-z-]+)\s*\Z"):
        if match[1].lower() in _NAMES:
            return _of_name(match[1].lower(), zone)
        cursor.position = match.start()
    if match := cursor.take(r"@(\d+)\s*\Z"):
        return _at_epoch(cursor, match)
    fields: dict[str, Any] = {}
    has_weekdays = _take_weekdays(cursor, fields)
    has_date = _take_date(cursor, fields)
    if not cursor.is_at_end():
        return _with_time(cursor, fields, zone)
    if not has_weekdays and not has_date:
        raise cursor.expected(_ANYTHING)
    return CronTrigger(**fields, hour=0, minute=0, timezone=zone)


def _take_zone(cursor: Cursor) -> tzinfo | None:
    """The time zone at the end of a text, if there is one; reading ends before it then."""
    match = re.search(_ZONE, cursor.text[cursor.position :], re.IGNORECASE | re.ASCII)
    if match is None or re.fullmatch(_WEEKDAY, match[0], re.IGNORECASE):
        return None
    at = cursor.position + match.start()
    try:
        zone = astimezone(match[0])
    except ZoneInfoNotFoundError as error:
        if cursor.corrected(_read, cursor.text[at:], [""], at) is None:
            return None  # it is no calendar event, whatever its last word is
        raise cursor.error(str(error.args[0]), at=at) from None
    cursor.end = at
    return zone


def _of_name(name: str, zone: tzinfo | None) -> CronTrigger:
    month, day, weekday, hour, minute = _NAMES[name]
    given = {"month": month, "day": day, "day_of_week": weekday}
    dates: dict[str, Any] = {field: value for field, value in given.items() if value != "*"}
    return CronTrigger(**dates, hour=hour, minute=minute, timezone=zone)


def _at_epoch(cursor: Cursor, match: re.Match[str]) -> DateTrigger:
    """``@1395716396``: once, so many seconds after 1970 in UTC."""
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(match[1][:_MOST_DIGITS]))
    except OverflowError:
        moment = datetime.max.replace(tzinfo=UTC)
    if moment.year > _YEAR.highest:
        raise cursor.error(f"the year must not be after {_YEAR.highest}", at=match.start())
    return DateTrigger(moment)


def _take_weekdays(cursor: Cursor, fields: dict[str, Any]) -> bool:
    """Read a list of weekdays, and ranges of them, that stands before the date."""
    if not cursor.sees(r"[a-z]"):
        return False
    chosen: set[int] = set()
    while True:
        at = cursor.position
        first = _weekday(cursor)
        last = _weekday(cursor) if cursor.take(r"\.\.|-") else first
        if last < first:
            found = cursor.text[at : cursor.position]
            names = (WEEKDAYS[first].title(), WEEKDAYS[last].title())
            meant = f"{names[0]}..Sun,Mon" if last == 0 else f"{names[0]}..Sun,Mon..{names[1]}"
            hint = cursor.corrected(_read, found, [meant], at)
            raise cursor.error(
                "weekdays go from Monday to Sunday, and a range doesn't wrap around", at=at, hint=hint
            )
        chosen.update(range(first, last + 1))
        if not cursor.take(",") or cursor.sees(r"\s|\Z"):
            break
    if not cursor.sees(r"\s|\Z"):
        raise cursor.expected("',', '..', or a space and a date or a time")
    cursor.skip_space()
    if len(chosen) < len(WEEKDAYS):
        fields["day_of_week"] = _runs(chosen, WEEKDAYS)
    return True


def _weekday(cursor: Cursor) -> int:
    if match := cursor.take(f"(?:{_WEEKDAY})(?![a-z])"):
        return WEEKDAYS.index(match[0][:3].lower())
    at = cursor.position
    word = cursor.take(r"[a-z-]*")
    found = word[0] if word else ""
    cursor.position = at
    names = [*_NAMES, *WEEKDAYS, *FULL_WEEKDAYS]
    alike = [name for name in names if name[0] == found[:1].lower()]
    meant = [found[:3], nearest(found.lower(), alike), nearest(found.lower(), names)]
    if found.lower().startswith(
        ("bi", "fort", "semi")
    ):  # two readings, and neither is the name that looks alike
        meant = []
    hint = cursor.corrected(_read, found, meant)
    raise cursor.expected("a weekday, such as 'Mon', or a name such as 'daily'", hint=hint)


def _runs(values: Collection[int], names: Sequence[str]) -> str:
    """Values as a cron field has them, with three and more in a row as a range."""
    texts: list[str] = []
    for first in sorted(values):
        if first - 1 in values:
            continue
        last = first
        while last + 1 in values:
            last += 1
        run = names[first : last + 1]
        texts += run if len(run) < 3 else [f"{run[0]}-{run[-1]}"]  # noqa: PLR2004 - see above
    return ",".join(texts)


def _take_date(cursor: Cursor, fields: dict[str, Any]) -> bool:
    """Read ``year-month-day`` or ``month-day``, the day after ``~`` counted from the month's end."""
    if not cursor.sees(r"[\d*]"):
        return False
    start = cursor.position
    chains = [_chain(cursor, _WHOLE)]
    if cursor.sees(r":"):
        cursor.position = start
        return False  # it is a time
    is_from_end = False
    while (match := cursor.take("[-~]")) and len(chains) < 3:  # noqa: PLR2004 - year, month, day
        if is_from_end:
            raise cursor.error("'~' stands before the day, and nothing after that", at=match.start())
        is_from_end = match[0] == "~"
        chains.append(_chain(cursor, _WHOLE))
    if len(chains) == 1 or not cursor.sees(r"\s|\Z"):
        if len(chains) > 1:
            raise cursor.expected("a space and a time, or the end")
        # Fields with spaces between them are another dialect's: of those nothing was understood.
        raise cursor.expected(
            "'-', '~' or ':'" if cursor.is_at_end() else _ANYTHING, at=None if cursor.is_at_end() else start
        )
    cursor.skip_space()
    if len(chains) < 3:  # noqa: PLR2004 - as above
        chains.insert(0, None)
    year, month, day = chains
    named = {
        "year": _text(cursor, year and [_with_century(part) for part in year], _YEAR),
        "month": _text(cursor, month, _MONTH),
    }
    named["day"] = _days_from_end(cursor, day) if is_from_end else _text(cursor, day, _DAY)
    fields.update({name: text for name, text in named.items() if text != "*"})
    return True


def _with_century(part: _Part) -> _Part:
    """A part of the list of years, of which two digits mean 1970 to 2069."""
    first, last = (
        number if number is None or number >= 100 else number + (2000 if number < 70 else 1900)  # noqa: PLR2004 - see above
        for number in part[:2]
    )
    return part._replace(first=first or 0, last=last)


def _with_time(cursor: Cursor, fields: dict[str, Any], zone: tzinfo | None) -> BaseTrigger:
    """The trigger of a text that has a time, ``hour:minute`` or ``hour:minute:second``, from here on."""
    if not cursor.sees(r"[\d*]"):
        raise cursor.expected("a time such as '09:30'" if fields else _ANYTHING)
    chains = [_chain(cursor, _WHOLE)]
    if not cursor.take(":"):
        raise cursor.expected("':' and minutes")
    chains.append(_chain(cursor, _WHOLE))
    seconds: _Chain = [_Part(0, None, None, cursor.position)]
    if cursor.take(":"):
        seconds = _chain(cursor, _DECIMAL)
    if not cursor.is_at_end():
        raise cursor.expected("the end, or a space and a time zone such as 'Europe/Berlin'")
    fields["hour"] = _text(cursor, chains[0], _HOUR)
    fields["minute"] = _text(cursor, chains[1], _MINUTE)
    triggers: list[BaseTrigger] = []
    for fraction, text in _seconds(cursor, seconds).items():
        trigger = CronTrigger(**fields, second=None if text == "0" else text, timezone=zone)
        shift = timedelta(microseconds=fraction)
        triggers.append(ShiftedTrigger(trigger, shift) if fraction else trigger)
    return triggers[0] if len(triggers) == 1 else OrTrigger(triggers)


def _chain(cursor: Cursor, number: str) -> _Chain:
    """A list of values, ranges and steps from here on; ``*`` is ``None``."""
    if cursor.take(r"\*"):
        if cursor.sees("/"):
            at = cursor.position - 1
            hint = cursor.corrected(_read, "*", ["0", "1", "1970"], at)
            raise cursor.error("'*' takes no step: the first value stands before it", at=at, hint=hint)
        return None
    parts = []
    while True:
        at = cursor.position
        first = _value(cursor, number)
        last = _value(cursor, number) if cursor.take(r"\.\.") else None
        step = _value(cursor, number) if cursor.take("/") else None
        parts.append(_Part(first, last, step, at))
        if not cursor.take(","):
            return parts


def _value(cursor: Cursor, number: str) -> int:
    match = cursor.take(number)
    if match is None:
        raise cursor.expected("a number, or '*'")
    if number is _WHOLE:
        return int(match[0])
    fraction = (match[2] or "")[:7].ljust(7, "0")
    return int(match[1]) * _SECOND + (int(fraction) + 5) // 10


def _checked(cursor: Cursor, part: _Part, unit: _Unit) -> _Part:
    """A part with its last value and step made exact: both are ``None`` where there is a single value.

    Raises:
        CronSyntaxError: its values are none of `unit`, or out of order, or its step leads to no other.
    """
    first, last, step, _ = part
    if step == 0:
        raise cursor.error("the step must be above zero", at=part.position)
    if last is not None:
        if last < first:
            raise cursor.error(f"a range of {unit.name}s doesn't wrap around", at=part.position)
        if step is None and 0 < last - first < unit.scale:
            raise cursor.error("a range of less than a second needs a step, such as '/0.1'", at=part.position)
        step = unit.scale if step is None else step
        last -= (last - first) % step
        if last == first:
            last = step = None
    within = f"{unit.lowest} to {unit.highest // unit.scale}"
    if not unit.lowest <= first <= (first if last is None else last) <= unit.highest:
        raise cursor.error(f"the {unit.name} must be within {within}", at=part.position)
    if step is not None and last is None:
        following = first - step if unit is _DAY_FROM_END else first + step
        if not unit.lowest <= following <= unit.highest:
            raise cursor.error(f"the step must lead to another {unit.name} within {within}", at=part.position)
    return part._replace(last=last, step=step)


def _text(cursor: Cursor, chain: _Chain, unit: _Unit) -> str:
    """The field of a cron trigger that a chain is."""
    texts: list[str] = []
    for part in chain or ():
        first, last, step, _ = _checked(cursor, part, unit)
        every = "" if step in (None, unit.scale) else f"/{step // unit.scale}"
        if last is not None:
            texts.append(f"{first // unit.scale}-{last // unit.scale}{every}")
        elif step is not None and first == unit.lowest:
            texts.append(f"*{every}")
        else:
            texts.append(f"{first // unit.scale}{every or ('/1' if step else '')}")
    return "*" if chain is None or "*" in texts else ",".join(texts)


def _days_from_end(cursor: Cursor, chain: _Chain) -> str:
    """The field for days whose parts count from the last day of the month, which is 1."""
    if chain is None:
        return "*"
    found: set[int] = set()
    for each in chain:
        part = _checked(cursor, each, _DAY_FROM_END)
        if part.step is None:
            found.add(part.first)
        elif part.last is None:
            found.update(range(part.first, 0, -part.step))
        else:
            found.update(range(part.first, part.last + 1, part.step))
    return ",".join(f"L-{number - 1}" if number > 1 else "last" for number in sorted(found, reverse=True))


def _seconds(cursor: Cursor, chain: _Chain) -> dict[int, str]:
    """The fields for seconds, by the fraction, in microseconds, that comes after them."""
    if not any(number % _SECOND for part in chain or () for number in (part.first, part.step or 0)):
        return {0: _text(cursor, chain, _SECONDS)}
    found: dict[int, set[int]] = {}
    for each in chain or ():
        part = _checked(cursor, each, _SECONDS)
        step, last = part.step, part.last
        if last is None:
            last = _SECONDS.highest if step else part.first
        values = range(part.first, last + 1, step or _SECOND)
        if len(values) > _SECONDS_OF_MINUTE * _MOST_FRACTIONS:
            raise cursor.error(
                f"more than {_MOST_FRACTIONS} times a second can't be scheduled", at=part.position
            )
        for value in values:
            found.setdefault(value % _SECOND, set()).add(value // _SECOND)
        if len(found) > _MOST_FRACTIONS:
            raise cursor.error(
                f"more than {_MOST_FRACTIONS} different fractions of a second can't be scheduled",
                at=part.position,
            )
    numbers = [str(number) for number in range(_SECONDS_OF_MINUTE)]
    return {
        fraction: "*" if len(seconds) == _SECONDS_OF_MINUTE else _runs(seconds, numbers)
        for fraction, seconds in sorted(found.items())
    }
