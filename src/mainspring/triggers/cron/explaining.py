"""Cron fields in plain English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainspring.triggers.cron.expressions import (
    AllExpression,
    HashExpression,
    LastDayOfMonthExpression,
    LastWorkdayExpression,
    NearestWorkdayExpression,
    RangeExpression,
    WeekdayPositionExpression,
    WorkdayBeforeLastExpression,
    spoken_month,
    spoken_weekday,
)
from mainspring.triggers.cron.fields import MAX_VALUES, MIN_VALUES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mainspring.triggers.cron.fields import BaseField

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "last")
#: More times of the day than this are told by their rule and not one by one.
_LISTED_TIMES = 6


def meaning(fields: Mapping[str, BaseField], *, is_either: bool, seed: str | None) -> str:
    """What the fields say, such as "at 09:00 from Monday to Friday"."""
    parts = [_times(fields, seed), _days(fields, is_either=is_either, seed=seed)]
    if not fields["week"].matches_all():
        parts.append(f"in week {_values(fields['week'], str, seed)}")
    if not fields["month"].matches_all():
        parts.append(f"in {_values(fields['month'], spoken_month, seed)}")
    if not fields["year"].matches_all():
        parts.append(f"in {_values(fields['year'], str, seed)}")
    return " ".join(part for part in parts if part)


def _times(fields: Mapping[str, BaseField], seed: str | None) -> str:
    hour, minute, second = (fields[name] for name in ("hour", "minute", "second"))
    if seed is None and (hour.has_hash() or minute.has_hash() or second.has_hash()):
        return f"at a time that the job's id chooses (hour {hour}, minute {minute}, second {second})"
    hours, minutes, seconds = (sorted(field.values(seed or "")) for field in (hour, minute, second))
    if len(hours) * len(minutes) * len(seconds) <= _LISTED_TIMES:
        has_seconds = seconds != [0]
        times = [
            f"{h:02}:{m:02}:{s:02}" if has_seconds else f"{h:02}:{m:02}"
            for h in hours
            for m in minutes
            for s in seconds
        ]
        return f"at {_joined(times)}"
    words = []
    if seconds != [0]:
        words.append(_every("second", second, seed))
    if len(minutes) == 1 and not words:
        words.append(f"at minute {minutes[0]}")
    elif not (words and minute.matches_all()):
        words.append(_every("minute", minute, seed))
    if not (hour.matches_all() and len(minutes) > 1):
        words.append(_every("hour", hour, seed))
    return " ".join(f"of {word}" if at else word for at, word in enumerate(words)).replace("of at", "at")


def _every(unit: str, field: BaseField, seed: str | None) -> str:
    if len(field.expressions) == 1:
        expression = field.expressions[0]
        if type(expression) is AllExpression:
            size = MAX_VALUES[field.name] - MIN_VALUES[field.name] + 1
            if not expression.step or expression.step == 1:
                return f"every {unit}"
            if size % expression.step == 0:
                return f"every {expression.step} {unit}s"
    return f"{unit} {_values(field, str, seed)}"


def _values(field: BaseField, name: Any, seed: str | None) -> str:
    """What a field lets through, ranges as ranges."""
    words: list[str] = []
    for expression in field.expressions:
        if isinstance(expression, HashExpression) and seed is None:
            words.append("one that the job's id chooses")
        elif isinstance(expression, RangeExpression) and expression.last is not None and not expression.step:
            first, last = name(expression.first), name(expression.last)
            words.append(first if first == last else f"{first} to {last}")
        elif isinstance(expression, AllExpression):
            lowest, highest = MIN_VALUES[field.name], MAX_VALUES[field.name]
            if type(expression) is AllExpression and expression.step:
                words.append(f"every {expression.step} from {name(lowest)}")
            elif isinstance(expression, RangeExpression) and expression.last is None:
                words.append(f"every {expression.step} from {name(expression.first)}")
            else:
                words += [name(value) for value in expression.values(lowest, highest, seed or "")]
    return _joined(words)


def _days(fields: Mapping[str, BaseField], *, is_either: bool, seed: str | None) -> str:
    day, weekday = fields["day"], fields["day_of_week"]
    words = []
    if not day.matches_all():
        days = [_day_words(expression, seed) for expression in day.expressions]
        words.append(f"on {_joined(days)} of the month")
    if not weekday.matches_all():
        words.append(_weekdays(weekday, seed))
    if len(words) == 2:  # noqa: PLR2004 - both are restricted
        return f"{words[0]}, {'or' if is_either else 'if that is also'} {words[1]}"
    if not words:
        has_time_of_day = all(len(fields[name].values()) == 1 for name in ("hour", "minute"))
        is_open = all(fields[name].matches_all() for name in ("month", "week", "year"))
        return "every day" if has_time_of_day and is_open else ""
    return words[0]


def _weekdays(weekday: BaseField, seed: str | None) -> str:
    expressions = weekday.expressions
    if len(expressions) == 1 and isinstance(expressions[0], RangeExpression):
        only = expressions[0]
        if not only.step and only.last is not None and only.last != only.first:
            return f"from {spoken_weekday(only.first)} to {spoken_weekday(only.last)}"
    numbers = {
        number
        for expression in expressions
        if isinstance(expression, AllExpression)
        and (seed is not None or not isinstance(expression, HashExpression))
        for number in expression.values(0, 6, seed or "")
    }
    words = [spoken_weekday(number) for number in sorted(numbers)]
    if seed is None and weekday.has_hash():
        words.append("a weekday that the job's id chooses")
    words += [_day_words(expression, seed) for expression in weekday.special_days()]
    text = f"on {_joined(words)}"
    return f"{text} of the month" if weekday.special_days() else text


def _day_words(expression: Any, seed: str | None) -> str:  # noqa: PLR0911 - one for each kind
    if isinstance(expression, WeekdayPositionExpression):
        return f"the {_ORDINALS[expression.option_num]} {spoken_weekday(expression.weekday)}"
    if isinstance(expression, LastDayOfMonthExpression):
        before = expression.days_before
        if not before:
            return "the last day"
        return f"{before} day{'' if before == 1 else 's'} before the last day"
    if isinstance(expression, LastWorkdayExpression):
        return "the last weekday (Monday to Friday)"
    if isinstance(expression, WorkdayBeforeLastExpression):
        before = expression.days_before
        return f"the weekday (Monday to Friday) nearest to {before} day{'' if before == 1 else 's'} before the last day"
    if isinstance(expression, NearestWorkdayExpression):
        return f"the weekday (Monday to Friday) nearest to day {expression.day}"
    if isinstance(expression, HashExpression):
        if seed is None:
            return "a day that the job's id chooses"
        days = [str(day) for day in expression.values(MIN_VALUES["day"], MAX_VALUES["day"], seed)]
        return f"day{'' if len(days) == 1 else 's'} {_joined(days)}"
    if isinstance(expression, RangeExpression):
        if expression.step:
            end = "" if expression.last is None else f" to {expression.last}"
            return f"every {expression.step}. day from {expression.first}{end}"
        if expression.last != expression.first:
            return f"days {expression.first} to {expression.last}"
        return f"day {expression.first}"
    return f"every {expression.step}. day from 1"


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
