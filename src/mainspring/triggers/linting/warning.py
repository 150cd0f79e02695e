"""What a warning about a trigger is."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["LintCode", "LintWarning", "listed"]


class LintCode(StrEnum):
    """What kinds of warnings there are."""

    NEVER = "never"
    NOT_FOUND = "not-found"
    PAST_END = "past-end"
    CLOCK_GAP = "clock-gap"
    CLOCK_FOLD = "clock-fold"
    CLOCK_DRIFT = "clock-drift"
    SHORT_MONTHS = "short-months"
    LEAP_DAY = "leap-day"
    WEEK_53 = "week-53"
    UNEVEN_STEPS = "uneven-steps"
    REPEATED_VALUES = "repeated-values"


class LintWarning(NamedTuple):
    """Something that may be a surprise.

    Attributes:
        code: which kind it is.
        message: a sentence for people.
        times: the fire times that it is about, in the trigger's zone; of what doesn't fire because the clocks change, when they do; empty
            if it is about all.
    """

    code: LintCode
    message: str
    times: tuple[datetime, ...] = ()


def listed(names: list[str]) -> str:
    """Names as a sentence has them: with commas, and "and" before the last."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
