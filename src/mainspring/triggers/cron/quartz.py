"""Expressions of the Quartz scheduler, brought to the fields of `CronTrigger`.

The grammar is that of ``CronExpression`` in Quartz 2.3: seconds first, weekdays from 1 for Sunday, one of the two fields for
days a ``?``. Lists may have what Quartz can't have in them, such as ``L-3,15W`` or ``MON#1,FRI#3``.
"""

from __future__ import annotations

import re

from mainspring.errors import CronSyntaxError
from mainspring.triggers.cron.grammars import MONTHLY_DAYS, SIX_FIELDS, Grammar, Numbering

__all__ = ["QUARTZ", "check_calendars"]

QUARTZ = Grammar(
    name="quartz",
    layouts={6: SIX_FIELDS, 7: (*SIX_FIELDS, "year")},
    weekdays=Numbering(lowest=1, highest=7, monday=2, sunday=1, first=1),
    forms=MONTHLY_DAYS | {"weekday L"},
    has_bare_steps=True,
    longest_steps={"second": 59, "minute": 59, "hour": 23, "day": 31, "month": 12, "day_of_week": 7},
    needs_question_mark=True,
)

#: What Quartz meant to ask a calendar, which has never been built, and names of calendars after the fields.
_CALENDAR = re.compile(r"\d{0,2}C", re.IGNORECASE)
_CALENDAR_NAME = re.compile(r"[a-z_][\w.-]{3,}", re.IGNORECASE)


def check_calendars(text: str) -> None:
    """See that a Quartz expression names no calendar.

    Raises:
        CronSyntaxError: it does.
    """
    words = text.split()
    for at, word in enumerate(words):
        is_calendar = at in (3, 5) and _CALENDAR.fullmatch(word)
        is_name = at >= len(SIX_FIELDS) and _CALENDAR_NAME.fullmatch(word)
        if is_calendar or is_name:
            raise CronSyntaxError(
                f"{word[:100]!r} asks for a calendar by its name, and none is known here: leave it out, and give the trigger the days "
                "with excluding(…), or on_business_days(…)",
                text=text,
                position=text.index(word, sum(map(len, words[:at]))),
            )
