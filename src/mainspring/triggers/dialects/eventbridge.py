"""Schedules of Amazon EventBridge: ``cron(…)`` for times of the calendar, ``rate(…)`` for intervals, ``at(…)`` for one time.

The rules are those of EventBridge's user guide. Rules of EventBridge are in UTC and its Scheduler names a zone beside the
expression, so the zone is left open here.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from mainspring.coercion import nearest
from mainspring.errors import CronSyntaxError
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.cron.grammars import MONTHLY_DAYS, Grammar, Numbering
from mainspring.triggers.cron.reading import within
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger

if TYPE_CHECKING:
    from mainspring.triggers.base import BaseTrigger

__all__ = ["read"]

EVENTBRIDGE = Grammar(
    name="eventbridge",
    layouts={6: ("minute", "hour", "day", "month", "day_of_week", "year")},
    weekdays=Numbering(lowest=1, highest=7, monday=2, sunday=1, first=1),
    forms=MONTHLY_DAYS | {"weekday L"},
    needs_question_mark=True,
)

_CALL = re.compile(r"\s*(?P<name>\w+)\s*\((?P<inner>.*)\)\s*", re.ASCII | re.DOTALL)
_RATE = re.compile(r"\s*(?P<count>\d{1,9})\s+(?P<unit>[a-z]+)\s*", re.ASCII | re.IGNORECASE)
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII)
#: In seconds.
_UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
_EXAMPLES = "cron(0 10 ? * MON-FRI *), rate(5 minutes), or at(2026-11-20T13:00:00)"


def read(text: str) -> BaseTrigger:
    """The trigger that a schedule expression of EventBridge means.

    Raises:
        CronSyntaxError: it can't be read.
    """
    match = _CALL.fullmatch(text)
    readers = {"cron": _read_cron, "rate": _read_rate, "at": _read_at}
    reader = None if match is None else readers.get(match["name"].lower())
    if match is None or reader is None:
        raise CronSyntaxError(f"expected {_EXAMPLES}", text=text, hint=_called(text, match))
    inner = match["inner"]
    try:
        return reader(inner)
    except CronSyntaxError as error:
        raise within(text, match.start("inner"), inner, error) from None


def _called(text: str, match: re.Match[str] | None) -> str | None:
    """The text as a call of what it is most likely meant for, if that can be read."""
    if match is not None:
        name = nearest(match["name"].lower(), ("cron", "rate", "at"))
        candidates = [f"{name}({match['inner']})"] if name else []
    else:
        candidates = [f"{name}({text.strip()})" for name in ("cron", "rate", "at")]
    for candidate in candidates:
        try:
            read(candidate)
        except CronSyntaxError:
            continue
        return candidate
    return None


def _read_cron(text: str) -> CronTrigger:
    return CronTrigger._from_text(text, EVENTBRIDGE)


def _read_rate(text: str) -> IntervalTrigger:
    match = _RATE.fullmatch(text)
    singular = "" if match is None else match["unit"].lower().removesuffix("s")
    if match is None or singular not in _UNITS:
        hint = None
        if match is not None and singular == "week":
            hint = _rate(7 * int(match["count"]), "day")
        elif match is not None and (candidate := nearest(singular, _UNITS)):
            hint = _rate(int(match["count"]), candidate)
        raise CronSyntaxError(
            "expected a number with minutes, hours or days, such as rate(5 minutes)", text=text, hint=hint
        )
    count, unit = int(match["count"]), match["unit"].lower()
    if not count:
        raise CronSyntaxError("the rate must be 1 or more", text=text, hint=_rate(1, singular))
    if (count == 1) != (unit == singular):
        raise CronSyntaxError(
            f"{count} goes with {singular if count == 1 else f'{singular}s'}, as EventBridge has it",
            text=text,
            position=match.start("unit"),
            hint=_rate(count, singular),
        )
    try:
        return IntervalTrigger(seconds=count * _UNITS[singular])
    except OverflowError:
        raise CronSyntaxError(f"{count} {unit} is longer than the calendar", text=text) from None


def _rate(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _read_at(text: str) -> DateTrigger:
    stripped = text.strip()
    if _AT.fullmatch(stripped) is None:
        match = _AT.match(stripped)
        raise CronSyntaxError(
            "expected a date and a time as in at(2026-11-20T13:00:00), without a time zone: that of the scheduler counts",
            text=text,
            hint=None if match is None else match[0],
        )
    try:
        datetime.fromisoformat(stripped)
    except ValueError as error:
        raise CronSyntaxError(f"there is no such time: {error}", text=text) from None
    return DateTrigger(stripped)
