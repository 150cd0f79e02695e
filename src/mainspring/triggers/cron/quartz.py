"""Expressions of the Quartz scheduler, brought to the fields of `CronTrigger`.

The grammar is that of Quartz's ``CronExpression``: seconds first, weekdays from 1 for Sunday, one of the two fields for
days a ``?``. What Quartz alone accepts but doesn't document (``/5`` for ``0/5``) is refused with a hint.
"""

from __future__ import annotations

from typing import Any

from mainspring.errors import CronSyntaxError
from mainspring.triggers.cron.dialects import QUARTZ, split, weekdays_by_name

_FIELDS = ("second", "minute", "hour", "day", "month", "day_of_week")


def quartz_fields(text: str) -> dict[str, Any]:
    """The fields of a Quartz expression, by their names.

    Raises:
        CronSyntaxError: it has another number of fields, or doesn't say which of the fields for days counts.
    """
    values = split(text.strip(), {6: _FIELDS, 7: (*_FIELDS, "year")})
    day, weekday = values["day"], values["day_of_week"]
    if (day == "?") == (weekday == "?"):
        reason = "exactly one of the day of the month and the weekday must be '?'"
        words = text.split()
        hint = None
        if weekday == "*" or (day == weekday == "?"):
            words[3], words[5] = ("*" if day == "?" else day), "?"
            hint = " ".join(words)
        elif day == "*":
            words[3] = "?"
            hint = " ".join(words)
        raise CronSyntaxError(reason, text=text, hint=hint)
    if weekday.upper() == "L":
        values["day_of_week"] = "sat"
    elif weekday != "?":
        values["day_of_week"] = weekdays_by_name(weekday, QUARTZ)
    return values
