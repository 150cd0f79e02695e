"""How other programs write cron expressions: what differs from one dialect to the next, as data."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTHING: Mapping[str, Any] = MappingProxyType({})

__all__ = [
    "CRON_MACROS",
    "FIVE_FIELDS",
    "MONTHLY_DAYS",
    "SIX_FIELDS",
    "UNIX",
    "Grammar",
    "Numbering",
    "Written",
]

FIVE_FIELDS = ("minute", "hour", "day", "month", "day_of_week")
SIX_FIELDS = ("second", *FIVE_FIELDS)

#: All forms of days that depend on the month.
MONTHLY_DAYS = frozenset({"L", "L-n", "LW", "L-nW", "nW", "dL", "d#n"})


class Numbering(NamedTuple):
    """How a dialect numbers weekdays.

    Attributes:
        lowest, highest: the numbers that it has.
        monday: Monday's.
        sunday: the number that the name of Sunday stands for.
        first: where the steps of ``*/n`` begin.
    """

    lowest: int
    highest: int
    monday: int
    sunday: int
    first: int


class Grammar(NamedTuple):
    """What a dialect's cron expressions may say.

    Attributes:
        name: the dialect's, for messages.
        layouts: for each number of fields that an expression may have, their names.
        weekdays: how it numbers them.
        forms: of days that depend on the month: those of ``L``, ``L-n``, ``LW``, ``L-nW``, ``nW``, ``dL``, ``d#n``, and ``L`` of
            weekdays, written ``weekday L``.
        macros: what a text that begins with ``@`` is short for.
        has_question_mark: whether ``?`` may stand for ``*`` in the fields for days.
        has_names: whether months and weekdays have names.
        has_random: whether ``a~b`` is a value that is drawn, as in OpenBSD.
        wraps: whether a range may go on past the field's highest value.
        steps_from_value: whether ``5/10`` is ``5-59/10``.
        has_bare_steps: whether ``/5`` is ``*/5``.
        longest_steps: the longest steps of ``*/n`` and ``a/n``, for the fields where there are such.
        needs_question_mark: whether one field for days, and not both, must be ``?``.
        unites_days: whether a day fires if its day of the month *or* its weekday matches, where both are restricted.
    """

    name: str
    layouts: Mapping[int, tuple[str, ...]]
    weekdays: Numbering
    forms: frozenset[str] = MONTHLY_DAYS
    macros: Mapping[str, str] = NOTHING
    has_question_mark: bool = True
    has_names: bool = True
    has_random: bool = False
    wraps: bool = True
    steps_from_value: bool = True
    has_bare_steps: bool = False
    longest_steps: Mapping[str, int] = NOTHING
    needs_question_mark: bool = False
    unites_days: bool = False


class Written(NamedTuple):
    """A cron expression in the notation of `CronTrigger`.

    Attributes:
        fields: by their names.
        is_either: whether a day fires if its day of the month or its weekday matches.
        options: further parameters that its text implies.
    """

    fields: dict[str, str]
    is_either: bool = False
    options: Mapping[str, Any] = NOTHING


#: What texts that begin with ``@`` are short for in a crontab.
CRON_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * sun",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@nightly": "0 0 * * *",
    "@hourly": "0 * * * *",
}

UNIX = Grammar(
    name="unix",
    layouts={5: FIVE_FIELDS, 6: SIX_FIELDS},
    weekdays=Numbering(lowest=0, highest=7, monday=1, sunday=0, first=0),
    macros=CRON_MACROS,
    has_random=True,
    unites_days=True,
)
