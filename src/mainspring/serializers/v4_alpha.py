"""Triggers as the alpha of APScheduler 4.0 keeps them: pickled, or as JSON, each the state of a class that there is none of here.

Its CBOR isn't read.
"""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mainspring.errors import SerializationError
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.combining import AndTrigger, OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mainspring.triggers.base import BaseTrigger

_CRON_FIELDS = ("year", "month", "day", "week", "day_of_week", "hour", "minute", "second")
_MAGIC = "_apscheduler_json"
#: Fire times of the triggers of an `AndTrigger` so near to each other are one there, and here only those at the same instant.
_USUAL_THRESHOLD = timedelta(seconds=1)


class AlphaTrigger:
    """The state of a trigger, as a pickle gives it."""

    kind = ""

    def __init__(self) -> None:
        self.state: Mapping[str, Any] = {}

    def __setstate__(self, state: Any) -> None:
        self.state = state


class AlphaDate(AlphaTrigger):
    """Of a ``DateTrigger``."""

    kind = "DateTrigger"


class AlphaInterval(AlphaTrigger):
    """Of an ``IntervalTrigger``."""

    kind = "IntervalTrigger"


class AlphaCron(AlphaTrigger):
    """Of a ``CronTrigger``."""

    kind = "CronTrigger"


class AlphaCalendarInterval(AlphaTrigger):
    """Of a ``CalendarIntervalTrigger``."""

    kind = "CalendarIntervalTrigger"


class AlphaAnd(AlphaTrigger):
    """Of an ``AndTrigger``."""

    kind = "AndTrigger"


class AlphaOr(AlphaTrigger):
    """Of an ``OrTrigger``."""

    kind = "OrTrigger"


_CLASSES = {
    ("apscheduler.triggers.date", "DateTrigger"): AlphaDate,
    ("apscheduler.triggers.interval", "IntervalTrigger"): AlphaInterval,
    ("apscheduler.triggers.cron", "CronTrigger"): AlphaCron,
    ("apscheduler.triggers.calendarinterval", "CalendarIntervalTrigger"): AlphaCalendarInterval,
    ("apscheduler.triggers.combining", "AndTrigger"): AlphaAnd,
    ("apscheduler.triggers.combining", "OrTrigger"): AlphaOr,
}


def renamed(module: str, name: str) -> tuple[str, str]:
    """Where something is now that the alpha has named in a pickle."""
    found = _CLASSES.get((module, name))
    return (module, name) if found is None else (__name__, found.__name__)


def read_value(data: bytes, read_pickle: Callable[[bytes], Any]) -> Any:
    """What the alpha has written with one of its serializers.

    Raises:
        SerializationError: it was CBOR, or is damaged.
    """
    if data[:1] == b"\x80":
        return read_pickle(data)
    if data[:1] in b'{["' or data[:4] == b"null":
        try:
            return json.loads(data)
        except ValueError as error:
            raise SerializationError(f"it is no JSON: {error}") from error
    raise SerializationError("it was written with the CBOR serializer, which is not read here")


def trigger_of(value: Any) -> tuple[BaseTrigger, list[str]]:
    """The trigger of a state, and what of it there is nothing for here, in words.

    Raises:
        SerializationError: it can't be said here.
    """
    kind, state = _kind_and_state(value)
    made = _MAKERS.get(kind)
    if made is None:
        raise SerializationError(f"its trigger is a {kind!r:.80}, which is not known here")
    if not isinstance(state, dict) or state.get("version") != 1:
        raise SerializationError("its trigger has a state that is not known here")
    lost: list[str] = []
    try:
        return made(state, lost), lost
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise SerializationError(f"its trigger is damaged: {type(error).__name__}: {error}") from error


def _kind_and_state(value: Any) -> tuple[str, Any]:
    if isinstance(value, AlphaTrigger):
        return value.kind, value.state
    if isinstance(value, dict) and _MAGIC in value:
        value = value[_MAGIC]
    if isinstance(value, list | tuple) and len(value) == 2 and isinstance(value[0], str):  # noqa: PLR2004 - class and state
        return value[0].partition(":")[2], value[1]
    raise SerializationError("it has no trigger that is known here")


def _moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _day(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _zone(value: Any) -> tzinfo:
    return ZoneInfo(value) if isinstance(value, str) else value


def _date(state: dict[str, Any], lost: list[str]) -> BaseTrigger:
    del lost
    return DateTrigger(_moment(state["run_time"]))


def _interval(state: dict[str, Any], lost: list[str]) -> BaseTrigger:
    del lost
    weeks, days, hours, minutes, seconds, microseconds = state["interval"]
    distance = timedelta(
        weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=microseconds
    )
    start = _moment(state["start_time"])
    zone = None if start is None else start.tzinfo
    return IntervalTrigger(
        days=distance.days,
        seconds=distance.seconds + distance.microseconds / 1_000_000,
        start_date=start,
        end_date=_moment(state["end_time"]),
        timezone=zone,
    )


def _cron(state: dict[str, Any], lost: list[str]) -> BaseTrigger:
    del lost
    fields = dict(zip(_CRON_FIELDS, state["fields"], strict=True))
    return CronTrigger(
        **fields,
        start_date=_moment(state["start_time"]),
        end_date=_moment(state["end_time"]),
        timezone=_zone(state["timezone"]),
    )


def _calendar(state: dict[str, Any], lost: list[str]) -> BaseTrigger:
    del lost
    distance = dict(zip(("years", "months", "weeks", "days"), state["interval"], strict=True))
    time = dict(zip(("hour", "minute", "second"), state["time"], strict=True))
    return CalendarIntervalTrigger(
        **distance,
        **time,
        start_date=_day(state["start_date"]),
        end_date=_day(state["end_date"]),
        timezone=_zone(state["timezone"]),
    )


def _and(state: dict[str, Any], lost: list[str]) -> BaseTrigger:
    given = state.get("threshold", _USUAL_THRESHOLD)
    threshold = given if isinstance(given, timedelta) else timedelta(seconds=given)
    if threshold > _USUAL_THRESHOLD:
        lost.append(f"its triggers have to fire at the same instant, not within {threshold} of each other")
    return AndTrigger(_members(state, lost))


def _or(state: dict[str, Any], lost: list[str]) -> BaseTrigger:
    return OrTrigger(_members(state, lost))


def _members(state: dict[str, Any], lost: list[str]) -> list[BaseTrigger]:
    members = []
    for one in state["triggers"]:
        trigger, more = trigger_of(one)
        members.append(trigger)
        lost += more
    return members


_MAKERS: dict[str, Callable[[dict[str, Any], list[str]], BaseTrigger]] = {
    "DateTrigger": _date,
    "IntervalTrigger": _interval,
    "CronTrigger": _cron,
    "CalendarIntervalTrigger": _calendar,
    "AndTrigger": _and,
    "OrTrigger": _or,
}
