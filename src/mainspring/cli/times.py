"""Spans of time, and how schedules are read, as parameters of commands."""

from __future__ import annotations

import re
from datetime import MAXYEAR, MINYEAR, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

_UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(min|[smhdw])", re.IGNORECASE)


class Span(click.ParamType[timedelta]):
    """A span of time, such as ``90s``, ``12h`` or ``1h30m``."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The span that a text means; a usage error if it means none."""
        if isinstance(value, timedelta):
            return value
        text = str(value).strip()
        parts = _PART.findall(text)
        if not parts or _PART.sub("", text).strip():
            self.fail(f"{text!r} is no span of time: write 90s, 30m, 12h, 7d, 2w, or 1h30m", param, ctx)
        try:
            return sum(
                (timedelta(**{_UNITS[unit.lower()]: float(count)}) for count, unit in parts), timedelta(0)
            )
        except OverflowError:
            self.fail(f"{text!r} is longer than all time", param, ctx)


SPAN = Span()


def schedule_reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options ``--dialect`` and ``--schedule-timezone`` (`timezone`) of a command that is given a schedule."""
    command = click.option(
        "--schedule-timezone",
        "timezone",
        metavar="ZONE",
        help="Of the schedule, if it is another than --timezone.",
    )(command)
    return click.option("--dialect", help="Of the schedule, where more than one can be meant.")(command)


_DAY, _MINUTE, _SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_LAST = timedelta(microseconds=1)


def moment_meant(text: str, now: datetime) -> datetime:
    """The time that is meant by what `span_meant` reads, or by a span of time from now on.

    Args:
        now: in the zone of times that name none.

    Raises:
        click.UsageError: the text is none of these.
    """
    if _PART.fullmatch(text.strip()) is None and _PART.sub("", text).strip():
        return span_meant(text, now)[0]
    try:
        return now + SPAN.convert(text, None, None)
    except OverflowError:
        raise click.UsageError(f"{text!r} is longer than all time") from None


def span_meant(text: str, now: datetime) -> tuple[datetime, datetime]:
    """From when to when is meant by a day, a minute or a second: ``2026-01-31``, ``2026-01-31T09:30``, ``2026-01-31 09:30:15``, or ``09:30`` of today.

    Args:
        now: in the zone of times that name none.

    Raises:
        click.UsageError: the text is none of these.
    """
    clock = _CLOCK.fullmatch(text.strip())
    try:
        if clock is not None:
            hour, minute, second = (int(part or 0) for part in clock.groups())
            start = datetime.combine(now.date(), time(hour, minute, second), now.tzinfo)
        else:
            start = datetime.fromisoformat(text.strip())
            start = start.replace(tzinfo=now.tzinfo) if start.tzinfo is None else start
        # Beyond these, times of one zone have none in another.
        if not MINYEAR < start.year < MAXYEAR:
            raise ValueError("no year of stores")  # noqa: TRY301 - told as the rest is
        if ":" not in text:
            length = _DAY
        else:
            is_exact = re.search(r":\d{2}:\d{2}", text) is not None
            length = _SECOND if is_exact else _MINUTE
        return start, start if start.microsecond else start + length - _LAST
    except (ValueError, OverflowError):
        raise click.UsageError(
            f"{text!r} is no time: write 2026-01-31, 2026-01-31T09:30, '2026-01-31 09:30:15', or 09:30 of today"
        ) from None
