"""Spans of time as parameters of commands."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import click

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
