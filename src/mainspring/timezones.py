"""Time zones and points in time, as users write them."""

from __future__ import annotations

import os
import re
import warnings
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from mainspring.coercion import nearest
from mainspring.printable import shown
from mainspring.timezone_rules import zone_of_rule

__all__ = [
    "UTC",
    "asdate",
    "astimezone",
    "convert_to_datetime",
    "datetime_repr",
    "in_utc",
    "in_zone",
    "local_timezone",
    "localize",
    "offset_text",
    "real_time",
    "zone_identity",
]


#: Zones of Python's own, which are as they should be.
_OWN_ZONES = (ZoneInfo, timezone)


def astimezone(value: Any) -> tzinfo | None:
    """A time zone from one, from a name, an offset or a rule, or from an object of pytz or dateutil; ``None`` stays ``None``.

    Raises:
        TypeError: it is of another kind.
        ZoneInfoNotFoundError: no zone has this name; the message names the nearest.
    """
    if value is None or type(value) in _OWN_ZONES:
        known: tzinfo | None = value
        return known
    if isinstance(value, str):
        return _zone_named(value)
    if not isinstance(value, tzinfo):
        hours = type(value) is int and abs(value) < _HALF_A_WORLD
        hint = f"; did you mean '{value:+03}:00'?" if hours else ""
        raise TypeError(
            f"timezone must be a time zone or the name of one, such as 'Europe/Berlin' or '+02:00', got {type(value).__name__} {value!r}{hint}"
        )
    zone = getattr(value, "zone", None)  # pytz keeps the name there, and is wrong without its own methods
    if isinstance(zone, str):
        return UTC if zone == "UTC" else _zone_named(zone)
    maker = type(value).__module__.partition(".")[0]
    if maker == "pytz":
        return UTC if str(value) == "UTC" else timezone(value.utcoffset(None) or timedelta(0))
    return _from_dateutil(value) if maker == "dateutil" else value


def _from_dateutil(zone: Any) -> tzinfo:
    """A zone of dateutil as one of Python's own, which has a name to be stored by; as it is, if it has none."""
    offset = zone.utcoffset(None)
    if offset is not None:
        return timezone(offset)
    if type(zone).__name__ == "tzlocal":
        return local_timezone()
    name = getattr(zone, "_filename", None) or getattr(zone, "_s", None)
    if isinstance(name, str):
        try:
            named = _zone_or_rule(name.rpartition("zoneinfo/")[2])
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return cast("tzinfo", zone)
        # It reads the sign of some rules the other way round.
        if all(named.utcoffset(moment) == zone.utcoffset(moment) for moment in _WINTER_AND_SUMMER):
            return named
    return cast("tzinfo", zone)


_WINTER_AND_SUMMER = datetime(2026, 1, 15), datetime(2026, 7, 15)  # noqa: DTZ001 - local times of any zone


def zone_identity(zone: tzinfo | None) -> Any:
    """What two zones share exactly if they mean the same: their offset, if it never changes, or their name.

    So all spellings of UTC are one, and so is ``+02:00`` however it is made.
    """
    if zone is None:
        return None
    offset = zone.utcoffset(None)
    if offset is not None:
        return offset
    return getattr(zone, "key", None) or zone


_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)(?::(\d\d))?", re.ASCII)


def offset_text(offset: timedelta) -> str:
    """A fixed offset as it is written for a zone: ``+02:00``."""
    seconds = abs(offset) // timedelta(seconds=1)
    text = f"{'-' if offset < timedelta(0) else '+'}{seconds // 3600:02}:{seconds // 60 % 60:02}"
    return f"{text}:{seconds % 60:02}" if seconds % 60 else text


def _zone_or_rule(name: str) -> tzinfo:
    """The zone of a name, an offset or a rule. A rule without dates is none, since ``CET+1`` is mostly meant the other way round."""
    if match := _OFFSET.fullmatch(name):
        sign, hours, minutes, seconds = match.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds or 0))
        return timezone(-offset if sign == "-" else offset)
    return zone_of_rule(name) if "," in name else ZoneInfo(name)


#: Hours from Greenwich as people write them, beside the name of a zone.
_MEANT_OFFSET = re.compile(
    r"(?P<name>[A-Z]{0,5})\s*(?P<sign>[+-]?)(?P<hours>\d{1,2})(?::?(?P<minutes>00|15|30|45))?", re.IGNORECASE
)
#: No zone is further from Greenwich, in hours.
_HALF_A_WORLD = 15
#: What people call the time of a place, in summer or in winter, where that is no name of a zone.
_ABBREVIATIONS = {
    "America/Los_Angeles": ("PST", "PDT", "PT", "PACIFIC"),
    "America/Denver": ("MDT", "MT", "MOUNTAIN"),
    "America/Chicago": ("CST", "CDT", "CT", "CENTRAL"),
    "America/New_York": ("EDT", "ET", "EASTERN"),
    "America/Anchorage": ("AKST", "AKDT"),
    "America/Halifax": ("AST", "ADT"),
    "America/St_Johns": ("NST", "NDT"),
    "America/Sao_Paulo": ("BRT",),
    "Europe/London": ("BST",),
    "Europe/Lisbon": ("WEST",),
    "Europe/Berlin": ("CEST", "MEZ", "MESZ"),
    "Europe/Helsinki": ("EEST",),
    "Europe/Moscow": ("MSK",),
    "Asia/Kolkata": ("IST",),
    "Asia/Shanghai": ("PRC",),
    "Asia/Hong_Kong": ("HKT",),
    "Asia/Singapore": ("SGT",),
    "Asia/Tokyo": ("JST",),
    "Asia/Seoul": ("KST",),
    "Australia/Sydney": ("AEST", "AEDT"),
    "Australia/Adelaide": ("ACST", "ACDT"),
    "Australia/Perth": ("AWST",),
    "Pacific/Auckland": ("NZST", "NZDT"),
    "UTC": ("Z", "ZULU"),
}
#: A shorter name is mistyped, or an abbreviation, which may be any.
_SHORTEST_NAME = 5


@cache
def zone_names() -> tuple[str, ...]:
    """The names of all zones, in order. Python looks through the files of all of them, so it is asked once."""
    return tuple(sorted(available_timezones()))


class _ZoneName(NamedTuple):
    """A name to be compared with: of a zone, or of its place alone."""

    low: str
    letters: frozenset[str]
    zone: str


@cache
def _names_to_compare() -> tuple[dict[str, str], list[_ZoneName]]:
    """The zones by their names in small letters, and by their places; and all these, to be compared."""
    zones: dict[str, str] = {}
    for zone in zone_names():
        zones.setdefault(zone.rpartition("/")[2].lower(), zone)
    zones.update({zone.lower(): zone for zone in zone_names()})
    return zones, [_ZoneName(low, frozenset(low), zone) for low, zone in zones.items()]


#: Of two names that one or two slips of the pen make different, no more letters are only in one, and no more are missing.
_MOST_OTHER_LETTERS, _MOST_MISSING = 4, 3


@lru_cache(maxsize=256)
def zone_called(name: str) -> str | None:
    """The zone that is meant by a name that is none: an abbreviation, its letters in any case, its place alone."""
    plain = "_".join(name.split())
    for zone, abbreviations in _ABBREVIATIONS.items():
        if plain.upper() in abbreviations:
            return zone
    return _names_to_compare()[0].get(plain.lower())


def nearest_zone(name: str) -> str | None:
    """The zone that was probably meant by a name that is none: as `zone_called` has it, or mistyped."""
    if found := zone_called(name):
        return found
    low = "_".join(name.split()).lower()
    size = len(low)
    zones, names = _names_to_compare()
    if size < _SHORTEST_NAME:
        return None
    letters = frozenset(low)
    alike = [
        one.low
        for one in names
        if -_MOST_MISSING <= len(one.low) - size <= _MOST_MISSING
        and len(one.letters ^ letters) <= _MOST_OTHER_LETTERS
    ]
    found = nearest(low, alike, 0.8)
    return None if found is None else zones[found]


_LONGEST_NAME = 200


def _zone_named(name: str) -> tzinfo:
    if name.upper() == "UTC":
        return UTC
    try:
        if len(name) > _LONGEST_NAME:
            raise ValueError("no zone, and no rule, is as long")  # noqa: TRY301 - zoneinfo imports a package for each part of it
        return _zone_or_rule(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        offset = _offset_meant(name.strip())
        if offset is not None:
            without = (
                "" if offset == "UTC" else " That has no summer time, as a place such as 'Europe/Berlin' has"
            )
            raise ZoneInfoNotFoundError(
                f"no time zone is named {name!r}; did you mean {offset!r}?{without}"
            ) from None
        candidate = nearest_zone(name) if len(name) <= _LONGEST_SHOWN else None
        if candidate is not None:
            hint = f"; did you mean {candidate!r}?"
        else:
            hint = "" if zone_names() else ": this machine has none; pip install tzdata"
        raise ZoneInfoNotFoundError(f"no time zone is named {name[:_LONGEST_SHOWN]!r}{hint}") from None


def _offset_meant(name: str) -> str | None:
    """The offset that a name such as ``UTC+2`` or ``EST5`` says, as it is written here; ``None``: it says none.

    After an abbreviation the sign is that of its zone, whichever is written: ``TZ`` has ``CET-1`` for what others call CET+1.
    """
    match = _MEANT_OFFSET.fullmatch(name)
    if match is None or int(match["hours"]) >= _HALF_A_WORLD:
        return None
    hours, minutes = int(match["hours"]), int(match["minutes"] or 0)
    if not hours and not minutes:
        return "UTC"
    if match["name"].upper() in ("", "UTC", "GMT", "UCT", "Z"):
        if not match["sign"] and not match["minutes"]:
            return None  # a number alone
        return f"{match['sign'] or '+'}{hours:02}:{minutes:02}"
    zone = zone_called(match["name"])
    winter = None if zone is None else datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)).utcoffset()
    if winter is None or abs(winter) != timedelta(hours=hours, minutes=minutes):
        return None
    return f"{'-' if winter < timedelta(0) else '+'}{hours:02}:{minutes:02}"


def local_timezone() -> tzinfo:
    """The machine's time zone; UTC, with a warning, where none can be found out."""
    from tzlocal import get_localzone

    name = os.environ.get("TZ", "").removeprefix(":")
    if name and not name.startswith("/"):
        for read in (ZoneInfo, zone_of_rule):
            with suppress(ZoneInfoNotFoundError, ValueError, OSError):
                return read(name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of a zone it makes up, and so do we
            return astimezone(get_localzone()) or UTC
    except Exception as error:  # noqa: BLE001 - whatever is odd about the machine, the scheduler starts
        warnings.warn(f"the machine's time zone can't be found out ({error}); using UTC", stacklevel=3)
        return UTC


_DATETIME = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
    r"(?:[ T](?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:\.(?P<microsecond>\d{1,6}))?)?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?)?$"
)


def _parsed(text: str) -> datetime | None:
    match = _DATETIME.match(text.strip())
    if match is None:
        return None
    values = match.groupdict()
    zone: tzinfo | None = None
    if values["zone"] == "Z":
        zone = UTC
    elif values["zone"]:
        digits = values["zone"].replace(":", "")
        offset = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5]))
        if offset >= timedelta(days=1):
            raise ValueError(f"the offset {values['zone']} must be less than a day")
        zone = timezone(-offset if digits[0] == "-" else offset)
    return datetime(
        int(values["year"]),
        int(values["month"]),
        int(values["day"]),
        int(values["hour"] or 0),
        int(values["minute"] or 0),
        int(values["second"] or 0),
        int((values["microsecond"] or "0").ljust(6, "0")),
        tzinfo=zone,
    )


#: So much of a text is shown, and no longer one is corrected.
_LONGEST_SHOWN = 100
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(\s+\d{1,2}:\d{2}(?::\d{2})?)?", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})(\s+\d{1,2}:\d{2}(?::\d{2})?)?", re.ASCII)


def _parsed_shape(text: str) -> bool:
    """Whether a text is written as a date, which there may be none of."""
    return _DATETIME.match(text.strip()) is not None


def _moment_meant(text: str) -> str:
    """``"; did you mean '2026-02-01'?"``, of a point in time that is written otherwise; else nothing."""
    text = text.strip()
    if len(text) > _LONGEST_SHOWN:
        return ""
    if match := _DAY_FIRST.fullmatch(text):
        text = f"{match[3]}-{int(match[2]):02}-{int(match[1]):02}{match[4] or ''}"
    elif match := _YEAR_FIRST.fullmatch(text):
        text = f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}{match[4] or ''}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    is_day = moment.time() == time() and moment.tzinfo is None
    return f"; did you mean {(moment.date() if is_day else moment).isoformat(*() if is_day else (' ',))!r}?"


def in_own_zone(moment: datetime) -> datetime:
    """An aware point in time with a zone of Python's own: those of pytz hold for one offset, and can't be counted on with."""
    zone = astimezone(moment.tzinfo)
    if zone is None or zone is moment.tzinfo:
        return moment
    try:
        return in_zone(moment.astimezone(UTC), zone)
    except OverflowError:  # at the very beginning, or end, of all dates
        return in_utc(moment)


def convert_to_datetime(value: Any, timezone: tzinfo | None, argument_name: str | None) -> datetime | None:
    """An aware point in time from a datetime, a date or text; what has no zone is read in `timezone`.

    Raises:
        ValueError: the text is no point in time, or there is no zone to read it in.
        TypeError: it is of another kind.
    """
    what = argument_name or "the value"
    if value is None:
        return None
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime.combine(value, time())
    elif isinstance(value, str):
        try:
            parsed = _parsed(value)
        except ValueError as error:
            raise ValueError(f"{what}: {value[:_LONGEST_SHOWN]!r} is no point in time: {error}") from None
        if parsed is None:
            raise ValueError(
                f"{what}: {value[:_LONGEST_SHOWN]!r} is no point in time: expected '2026-03-29', or '2026-03-29 02:30:00', "
                f"with an offset like '+01:00' or 'Z' behind it if you like{_moment_meant(value)}"
            )
        moment = parsed
    else:
        hint = ""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            hint = f"; of seconds since 1970, make datetime.fromtimestamp({shown(value)}, UTC)"
        raise TypeError(
            f"{what}: expected a datetime, a date or text, got {type(value).__name__} {shown(value)}{hint}"
        )
    if moment.tzinfo is not None:
        return real_time(in_own_zone(moment))
    if timezone is None:
        raise ValueError(f"{what}: {value!r} has no time zone, and there is none to read it in")
    return real_time(localize(moment, astimezone(timezone) or UTC))


def asdate(value: Any, name: str = "the value") -> date:
    """A date from one, from a datetime, or from text like ``"2026-03-29"``.

    Args:
        name: of the parameter, for errors.

    Raises:
        TypeError: it is of another kind.
        ValueError: the text is no date.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            reason = f": {error}" if _parsed_shape(value) else ": expected one like '2026-03-29'"
            raise ValueError(
                f"{name}: {value[:_LONGEST_SHOWN]!r} is no date{reason}{_moment_meant(value)}"
            ) from None
    raise TypeError(
        f"{name}: expected a date or text like '2026-03-29', got {type(value).__name__} {value!r}"
    )


def localize(moment: datetime, zone: tzinfo) -> datetime:
    """A naive point in time, read in `zone`; a zone of pytz reads it by itself, since it is another object for each offset."""
    if hasattr(zone, "localize"):
        read: datetime = zone.localize(moment)
        return read
    return moment.replace(tzinfo=zone)


#: The first and the last time that triggers count with: there is a microsecond before the one, and after the other.
FIRST_IN_UTC = datetime.min.replace(microsecond=1, tzinfo=UTC)
LAST_IN_UTC = datetime.max.replace(microsecond=999_998, tzinfo=UTC)


def in_utc(moment: datetime) -> datetime:
    """`moment` in UTC; the first or the last time there is, if it is beyond: in some zones dates begin sooner, or end later."""
    try:
        shown = moment.astimezone(UTC)
    except OverflowError:
        return FIRST_IN_UTC if moment.year == 1 else LAST_IN_UTC
    return shown if FIRST_IN_UTC <= shown <= LAST_IN_UTC else min(max(shown, FIRST_IN_UTC), LAST_IN_UTC)


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """`moment`, which is in UTC, in `zone`; as it is, if it is a few hours beyond all dates there."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def real_time(moment: datetime) -> datetime:
    """`moment` as its zone's clocks show it: a time that they skip as the one that it means, ``02:30`` as ``03:30``."""
    try:
        shown = in_zone(moment.astimezone(UTC), moment.tzinfo or UTC)
    except OverflowError:
        return in_utc(moment)
    return moment if shown.replace(tzinfo=None) == moment.replace(tzinfo=None) else shown


def datetime_repr(moment: datetime | None) -> str:
    """A point in time with the abbreviation of its zone, as people read it."""
    return "None" if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S %Z")
