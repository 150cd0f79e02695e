"""Cron expressions of Spring, as in ``@Scheduled(cron = …)``.

The grammar is that of ``CronExpression`` since Spring 5.3: six fields, seconds first; a day fires if its day of the month *and* its
weekday match; Sunday is 0 and 7, and ``*/2`` of weekdays begins at Monday.
"""

from __future__ import annotations

from mainspring.errors import CronSyntaxError
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.cron.grammars import CRON_MACROS, MONTHLY_DAYS, SIX_FIELDS, Grammar, Numbering

__all__ = ["read"]

SPRING = Grammar(
    name="spring",
    layouts={6: SIX_FIELDS},
    weekdays=Numbering(lowest=0, highest=7, monday=1, sunday=7, first=1),
    forms=MONTHLY_DAYS - {"L-nW"},
    macros={name: f"0 {text}" for name, text in CRON_MACROS.items() if name != "@nightly"},
    wraps=False,
)


def read(text: str) -> CronTrigger:
    """The trigger that an expression of Spring means.

    Raises:
        CronSyntaxError: it can't be read.
    """
    if text.strip() == "-":
        raise CronSyntaxError("'-' switches a task of Spring off: add no job, or pause it", text=text)
    return CronTrigger._from_text(text, SPRING)
