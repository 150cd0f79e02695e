"""The days of a year that match a cron trigger's date fields, as the bits of one number.

There are only 21 kinds of years, by the weekday of 1 January, its own length and that of the year before (on which the
number of its first week rests), so each combination of fields needs 21 such numbers for all of time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mainspring.triggers.cron.expressions import DayExpression

_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_EVERY_WEEK = sum(1 << (7 * week) for week in range(54))
_ALL_DAYS = (1 << 31) - 1


class DateFields(NamedTuple):
    """What a cron trigger's date fields let through; only the year is left out.

    Attributes:
        months: bit n is month n.
        days: bit n is the n-th day of the month; ``None`` if the field lets all through.
        special_days: expressions of either day field that depend on the month.
        special_weekdays: those of the weekday field.
        weeks: bit n is the ISO week n; ``None`` if the field lets all through.
        weekdays: bit 0 is Monday; ``None`` if the field lets all through.
        is_either: whether a day fires if its day of the month *or* its weekday matches.
    """

    months: int
    days: int | None
    special_days: tuple[DayExpression, ...]
    special_weekdays: tuple[DayExpression, ...]
    weeks: int | None
    weekdays: int | None
    is_either: bool

    def are_all_open(self) -> bool:
        """Whether every day of the year matches."""
        return (
            self.days is None
            and self.weeks is None
            and self.weekdays is None
            and self.months == (1 << 13) - 2
        )


@lru_cache(maxsize=4096)
def matching_days(fields: DateFields, first_weekday: int, is_leap: bool, follows_leap: bool) -> int:
    """The matching days of a year: bit n is the n-th after 1 January.

    Args:
        first_weekday: of 1 January, 0 for Monday.
    """
    weekday_row = None if fields.weekdays is None else _weekday_row(fields.weekdays, first_weekday)
    matching = 0
    start = 0
    for month, usual_length in enumerate(_LENGTHS, 1):
        length = usual_length + (is_leap and month == 2)  # noqa: PLR2004 - February
        if fields.months >> month & 1:
            whole = (1 << length) - 1
            weekday = (first_weekday + start) % 7
            by_day = whole
            if fields.days is not None:
                by_day = fields.days >> 1 & whole | _special(fields.special_days, weekday, length)
            by_weekday = whole
            if weekday_row is not None:
                by_weekday = weekday_row >> start & whole | _special(fields.special_weekdays, weekday, length)
            matching |= (by_day | by_weekday if fields.is_either else by_day & by_weekday) << start
        start += length
    if fields.weeks is not None:
        matching &= _week_row(fields.weeks, first_weekday, is_leap, follows_leap)
    return matching


def days_of_all(
    several: tuple[DateFields, ...], first_weekday: int, is_leap: bool, follows_leap: bool
) -> int:
    """The days of a year that match each of several: see `matching_days`."""
    days = -1
    for fields in several:
        days &= matching_days(fields, first_weekday, is_leap, follows_leap)
    return days


def _weekday_row(weekdays: int, first_weekday: int) -> int:
    """The days of a year that are one of `weekdays`."""
    return _EVERY_WEEK * weekdays >> first_weekday


def _special(expressions: tuple[DayExpression, ...], first_weekday: int, length: int) -> int:
    days = 0
    for expression in expressions:
        days |= expression.days_of(first_weekday, length)
    return days


def _week_row(weeks: int, first_weekday: int, is_leap: bool, follows_leap: bool) -> int:
    """The days of a year that are in one of the ISO `weeks`."""
    length = 365 + is_leap
    thursday = 3
    # The week of 1 January belongs to this year if its Thursday does.
    week = 1 if first_weekday <= thursday else 0
    matching = 0
    day = -first_weekday
    while day < length:
        number = week
        if week == 0:
            number = 53 if _has_53_weeks((first_weekday - 1 - follows_leap) % 7, follows_leap) else 52
        elif week == 53 and not _has_53_weeks(first_weekday, is_leap):  # noqa: PLR2004 - the highest
            number = 1
        if weeks >> number & 1:
            row = 0b1111111
            matching |= row << day if day >= 0 else row >> -day
        week += 1
        day += 7
    return matching & ((1 << length) - 1)


def _has_53_weeks(first_weekday: int, is_leap: bool) -> bool:
    thursday = 3
    return first_weekday == thursday or (is_leap and first_weekday == thursday - 1)
