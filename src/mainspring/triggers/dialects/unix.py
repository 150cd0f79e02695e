"""Lines of crontabs, as cron reads them on Debian and elsewhere, and programs that took them up; among them ``@every 1h30m``, of Go."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from mainspring.errors import CronSyntaxError
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.cron.unix import placed
from mainspring.triggers.interval import IntervalTrigger

if TYPE_CHECKING:
    from datetime import tzinfo

__all__ = ["read"]

_EVERY = re.compile(r"@every\b(?P<duration>.*)", re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(r"(?P<count>\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})(?P<unit>[^\d.\s]+)", re.ASCII)
#: Go's units, in microseconds.
_MICROSECONDS = {
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1000,
    "us": 1,
    "µs": 1,
    "μs": 1,
    "ns": 0.001,
}
_DAYS = {"d": 24, "w": 24 * 7}


def read(text: str) -> CronTrigger | IntervalTrigger:
    """The trigger that a line of a crontab means.

    Raises:
        CronSyntaxError: it can't be read.
    """
    if "@" in text:
        line, _, zone = placed(text)
        if match := _EVERY.fullmatch(line.strip()):
            return _interval(match["duration"].strip(), text, zone)
    return CronTrigger._from_crontab_line(text)


def _interval(duration: str, text: str, zone: tzinfo | None) -> IntervalTrigger:
    """The interval of ``@every``, a duration as Go writes it: ``1h30m``, ``1.5h``."""
    position = text.index(duration) if duration else len(text)
    matches = list(_NUMBER.finditer(duration))
    if not duration or "".join(match[0] for match in matches) != duration:
        raise CronSyntaxError(
            "after @every comes a duration, such as 1h30m: numbers with h, m, s or ms",
            text=text,
            position=position,
        )
    microseconds = 0.0
    for match in matches:
        unit = match["unit"]
        if unit not in _MICROSECONDS:
            raise CronSyntaxError(
                f"{unit[:100]!r} is no unit of a duration: expected h, m, s or ms",
                text=text,
                position=position + match.start("unit"),
                hint=_in_hours(text, match, position),
            )
        microseconds += float(match["count"]) * _MICROSECONDS[unit]
    try:
        interval = timedelta(microseconds=round(microseconds))
    except OverflowError:
        interval = timedelta(0)
    if not interval:
        raise CronSyntaxError(
            "the interval must be a microsecond or more, and end within the calendar",
            text=text,
            position=position,
        )
    return IntervalTrigger(seconds=interval.total_seconds(), timezone=zone)


def _in_hours(text: str, match: re.Match[str], position: int) -> str | None:
    """The text with days or weeks, which Go doesn't have, as hours."""
    hours = _DAYS.get(match["unit"][:1].lower())
    if hours is None or not match["count"].isdigit():
        return None
    start = position + match.start()
    hint = f"{text[:start]}{int(match['count']) * hours}h{text[position + match.end() :]}"
    try:
        read(hint)
    except CronSyntaxError:
        return None
    return hint
