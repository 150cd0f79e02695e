"""Helpers that programs written for APScheduler import from here, under its names and with its parameters.

mainspring itself takes them from the modules that are named for what they do; where those are stricter, the difference stands here.
"""

from __future__ import annotations

from calendar import timegm
from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mainspring import timezones
from mainspring.callables import check_callable_args, get_callable_name, iscoroutinefunction_partial
from mainspring.coercion import asbool, undefined
from mainspring.former_names import former_names
from mainspring.references import maybe_ref, obj_to_ref, ref_to_obj
from mainspring.timezones import UTC, astimezone, datetime_repr

__all__ = [
    "UTC",
    "asbool",
    "asdate",
    "asint",
    "astimezone",
    "check_callable_args",
    "convert_to_datetime",
    "datetime_ceil",
    "datetime_repr",
    "datetime_to_utc_timestamp",
    "datetime_utc_add",
    "get_callable_name",
    "iscoroutinefunction_partial",
    "localize",
    "maybe_ref",
    "normalize",
    "obj_to_ref",
    "ref_to_obj",
    "timedelta_seconds",
    "timezone_repr",
    "undefined",
    "utc_timestamp_to_datetime",
]


def asint(value: Any) -> int | None:
    """`value` as a whole number, its fraction cut off; ``None`` stays ``None``.

    Raises:
        ValueError: it isn't one.
    """
    return None if value is None else int(value)


def asdate(value: Any) -> date | None:
    """A date from one, from a datetime, or from text like ``"2026-03-29"``; ``None`` stays ``None``.

    Raises:
        TypeError: it is of another kind.
        ValueError: the text is no date.
    """
    return None if value is None else timezones.asdate(value)


def convert_to_datetime(input: Any, tz: tzinfo | str | None, arg_name: str | None) -> datetime | None:  # noqa: A002 - APScheduler's name
    """An aware point in time from a datetime, a date or text; what has no zone is read in `tz`.

    Raises:
        ValueError: the text is no point in time, or there is no zone to read it in.
        TypeError: it is of another kind.
    """
    return timezones.convert_to_datetime(input, astimezone(tz), arg_name)


def localize(dt: datetime, tzinfo: tzinfo) -> datetime:
    """A naive point in time, read in a zone: a time that its clocks skip as the one that it means, ``02:30`` as ``03:30``."""
    read = timezones.localize(dt, tzinfo)
    return read if hasattr(tzinfo, "localize") else normalize(read)


def normalize(dt: datetime) -> datetime:
    """The same instant under the wall time that its zone has then."""
    return dt.astimezone(UTC).astimezone(dt.tzinfo)  # as pytz has it too, whose zones find their offset there


def datetime_to_utc_timestamp(timeval: datetime | None) -> float | None:
    """Seconds since 1970-01-01 UTC, in which a time without a zone is read; ``None`` stays ``None``."""
    return None if timeval is None else timegm(timeval.utctimetuple()) + timeval.microsecond / 1_000_000


def utc_timestamp_to_datetime(timestamp: float | None) -> datetime | None:
    """The inverse of `datetime_to_utc_timestamp`, in UTC."""
    return None if timestamp is None else datetime.fromtimestamp(timestamp, UTC)


def datetime_ceil(dateval: datetime) -> datetime:
    """The next whole second, or `dateval` itself if it is one."""
    if dateval.microsecond:
        return dateval.replace(microsecond=0) + timedelta(seconds=1)
    return dateval


def datetime_utc_add(dateval: datetime, tdelta: timedelta) -> datetime:
    """`dateval` after `tdelta` has elapsed, whatever its zone's clocks did meanwhile; one without a zone stays so."""
    if dateval.tzinfo is None:
        return dateval + tdelta
    return (dateval.astimezone(UTC) + tdelta).astimezone(dateval.tzinfo)


def timedelta_seconds(delta: timedelta) -> float:
    """A duration in seconds."""
    return delta.total_seconds()


def timezone_repr(timezone: tzinfo) -> str:
    """The name of a time zone, or Python text that stands for it."""
    return timezone.key if isinstance(timezone, ZoneInfo) else repr(timezone)


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
