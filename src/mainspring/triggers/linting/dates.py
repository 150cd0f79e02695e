"""Warnings about days and weeks that not every month or year has."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from mainspring.triggers.cron.expressions import FULL_MONTHS, DayExpression, RangeExpression
from mainspring.triggers.cron.fields import MAX_VALUES
from mainspring.triggers.linting.warning import LintCode, LintWarning, listed
from mainspring.triggers.standard import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.business_day import BusinessDayTrigger
    from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
    from mainspring.triggers.cron import CronTrigger

__all__ = ["of_business_days", "of_cron_days", "of_months"]

_LENGTHS = {2: 28, 4: 30, 6: 30, 9: 30, 11: 30}
_FEBRUARY, _LEAP_DAY, _SHORTEST_MONTH = 2, 29, 28
_WEEK_53 = 53
_TWO_YEARS = 24


def of_cron_days(trigger: CronTrigger, now: datetime) -> Iterator[LintWarning]:
    """Of a cron trigger: days 29 to 31, 29 February, week 53, and years after its end."""
    yield from _past_end(trigger)
    months = sorted(trigger._field("month").values())
    named = trigger._field("day").expressions
    late = [one for one in named if type(one) is RangeExpression and one.first > _SHORTEST_MONTH]
    days = sorted({day for one in late for day in one.values(1, MAX_VALUES["day"])})
    is_alone = len(late) == len(named)
    for day in days:
        if day == _LEAP_DAY and months == [_FEBRUARY]:
            yield from _leap_day(trigger, now, "29 February comes in leap years only")
            continue
        without = [month for month in months if _LENGTHS.get(month, 31) < day]
        if without:
            names = listed([_month_named(month, day) for month in without])
            yield LintWarning(
                LintCode.SHORT_MONTHS,
                f"day {day} isn't in {names}: no run {'in these months' if is_alone and len(without) > 1 else 'there' if is_alone else 'for it there'}"
                + ("; day='last' is the last day of every month" if day == MAX_VALUES["day"] else ""),
            )
    for field in (trigger._field("day"), trigger._field("day_of_week")):
        for expression in field.special_days():
            if _is_missing_somewhere(expression, months):
                message = f"{str(expression)!r} isn't in every month: those without it are left out"
                yield LintWarning(LintCode.SHORT_MONTHS, message)
    weeks = trigger._field("week")
    if any(
        type(one) is RangeExpression and one.first > 1 and _WEEK_53 in one.values(1, _WEEK_53)
        for one in weeks.expressions
    ):
        times = tuple(trigger.upcoming(now, 1)) if set(weeks.values()) == {_WEEK_53} else ()
        following = f": next on {times[0]:%Y-%m-%d}" if times else ""
        yield LintWarning(LintCode.WEEK_53, f"week 53 isn't in every year{following}", times)


def _is_missing_somewhere(expression: DayExpression, months: list[int]) -> bool:
    """Whether some of `months` has no such day, whatever weekday it begins with."""
    return any(
        expression.day_of(weekday, length) is None
        for month in months
        for length in ((28, 29) if month == _FEBRUARY else (_LENGTHS.get(month, 31),))
        for weekday in range(7)
    )


def _month_named(month: int, day: int) -> str:
    name = FULL_MONTHS[month - 1].capitalize()
    return f"{name} but in leap years" if month == _FEBRUARY and day == _LEAP_DAY else name


def _leap_day(trigger: BaseTrigger, now: datetime, text: str) -> Iterator[LintWarning]:
    times = tuple(trigger.upcoming(now, 2))
    if times:
        text += f": next on {' and '.join(f'{time:%Y-%m-%d}' for time in times)}"
    yield LintWarning(LintCode.LEAP_DAY, text, times)


def _past_end(trigger: CronTrigger) -> Iterator[LintWarning]:
    """Years that are named, and come after the end."""
    years, end = trigger._field("year"), trigger.end_date
    if end is None or years.matches_all():
        return
    named = [one for one in years.expressions if isinstance(one, RangeExpression)]
    if any((one.last or MAX_VALUES["year"]) > end.year for one in named):
        yield LintWarning(
            LintCode.PAST_END, f"year='{years}' goes on after end_date {shown(end)}: nothing fires after that"
        )


def of_business_days(trigger: BusinessDayTrigger, now: datetime) -> Iterator[LintWarning]:
    """Months of the coming two years that have fewer business days."""
    begin = now.astimezone(trigger._zone())
    start = begin.year * 12 + begin.month - 1
    days = trigger.days_by_month(range(start, start + _TWO_YEARS))
    short = [month for month, found in days.items() if found < len(trigger.days)]
    if short and len(short) < len(days):
        names = listed([f"{FULL_MONTHS[month % 12].capitalize()} {month // 12}" for month in short])
        which = listed([str(day) for day in trigger.days])
        yield LintWarning(
            LintCode.SHORT_MONTHS, f"business day {which} isn't in {names}: no run for it there"
        )


def of_months(trigger: CalendarIntervalTrigger, now: datetime) -> Iterator[LintWarning]:
    """Months that are left out since they have no such day."""
    start = trigger.start_date
    if not isinstance(start, date) or not (trigger.months or trigger.years) or start.day < _LEAP_DAY:
        return
    if trigger.months % 12 == 0 and start.month != _FEBRUARY and not (trigger.weeks or trigger.days):
        return  # the same month of each year
    if trigger.months % 12 == 0 and start.month == _FEBRUARY:
        yield from _leap_day(trigger, now, "years without 29 February are left out")
        return
    times = tuple(trigger.upcoming(now, 3))
    listed = f": next on {', '.join(f'{time:%Y-%m-%d}' for time in times)}" if times else ""
    yield LintWarning(LintCode.SHORT_MONTHS, f"months without day {start.day} are left out{listed}", times)
