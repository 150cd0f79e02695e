"""Warnings about the fields of cron triggers: steps that are uneven where they begin anew, values that come twice."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from mainspring.triggers.cron.expressions import FULL_MONTHS, FULL_WEEKDAYS, AllExpression, RangeExpression
from mainspring.triggers.cron.fields import MAX_VALUES, MIN_VALUES, BaseField, steps_over_new_year
from mainspring.triggers.linting.warning import LintCode, LintWarning

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["of_fields"]

#: The unit in which each counts anew.
_UNITS = {
    "second": "minute",
    "minute": "hour",
    "hour": "day",
    "day": "month",
    "month": "year",
    "day_of_week": "week",
    "week": "year",
}
_SPANS = {**{name: name for name in _UNITS}, "day_of_week": "day"}
_RANGES = tuple({RangeExpression, *RangeExpression.__subclasses__()})


def of_fields(fields: Iterable[BaseField]) -> Iterator[LintWarning]:
    """Of each of the fields of a cron trigger."""
    known = {field.name: field for field in fields}
    for name, field in known.items():
        if name in _UNITS:
            yield from _uneven(field, known)
        yield from _repeated(field)


def _uneven(field: BaseField, fields: dict[str, BaseField]) -> Iterator[LintWarning]:
    """Steps that don't fit into the unit above, so that the last is another than the others."""
    name = field.name
    low, high = MIN_VALUES[name], MAX_VALUES[name]
    if len(field.expressions) > 1 or type(field.expressions[0]) not in (AllExpression, *_RANGES):
        return
    expression = field.expressions[0]
    step = expression.step
    if (
        not step
        or step == 1
        or (isinstance(expression, RangeExpression) and expression.last not in (None, high))
    ):
        return
    values = sorted(field.values())
    size = high - low + 1
    if len(values) < 2 or not _goes_on(name, fields):  # noqa: PLR2004 - a step is between two
        return
    if name == "week":
        step = steps_over_new_year(field)
        instead = f"WeeklyTrigger(day_of_week=…, weeks={step}) goes on over them"
        yield LintWarning(
            LintCode.UNEVEN_STEPS,
            f"week='{field}' counts anew in each year, so that over some new years it isn't every {step} weeks: {instead}",
        )
        return
    left = size - (values[-1] - values[0])
    if name != "day" and left == step:
        return
    span = _SPANS[name]
    distance = f"{left} {span}{'' if left == 1 else 's'} later"
    if name == "day":  # months differ
        left = 31 - values[-1] + values[0]
        distance = f"{left} day{'' if left == 1 else 's'} later, or less in a shorter month"
        if left == 1:
            distance = "the next day in months of 31 days"
    after, first = (_shown_value(name, value) for value in (values[-1], values[0]))
    instead = {
        "second": f"IntervalTrigger(seconds={step})",
        "minute": f"IntervalTrigger(minutes={step})",
        "hour": f"IntervalTrigger(hours={step})",
        "day": f"CalendarIntervalTrigger(days={step})",
        "month": f"CalendarIntervalTrigger(months={step})",
        "day_of_week": f"CalendarIntervalTrigger(days={step})",
    }[name]
    yield LintWarning(
        LintCode.UNEVEN_STEPS,
        f"{name}='{field}' counts anew in each {_UNITS[name]}: after {after} comes {first}, {distance}; for every {step} {span}s use {instead}",
    )


def _shown_value(name: str, value: int) -> str:
    if name == "month":
        return FULL_MONTHS[value - 1].capitalize()
    return FULL_WEEKDAYS[value].capitalize() if name == "day_of_week" else str(value)


def _goes_on(name: str, fields: dict[str, BaseField]) -> bool:
    """Whether the unit above follows upon itself somewhere, so that a last step is followed by a first."""
    above = {"second": ["minute"], "minute": ["hour"], "hour": ["day", "day_of_week"], "day": ["month"]}
    return all(_has_neighbours(fields[unit]) for unit in above.get(name, ()) if unit in fields)


def _has_neighbours(field: BaseField) -> bool:
    values = sorted(field.values())
    wraps = values[:1] == [MIN_VALUES[field.name]] and values[-1:] == [MAX_VALUES[field.name]]
    return wraps or any(later - earlier == 1 for earlier, later in pairwise(values))


def _repeated(field: BaseField) -> Iterator[LintWarning]:
    """Values that stand in more than one part of a field."""
    parts = [
        set(expression.values(MIN_VALUES[field.name], MAX_VALUES[field.name]))
        for expression in field.expressions
        if type(expression) in (AllExpression, *_RANGES) and field.name != "year"
    ]
    seen: set[int] = set()
    twice: set[int] = set()
    for part in parts:
        twice |= seen & part
        seen |= part
    if twice:
        values = [_shown_value(field.name, value) for value in sorted(twice)]
        listed = ", ".join(values[:5]) + (", …" if len(values) > 5 else "")  # noqa: PLR2004 - a line
        yield LintWarning(
            LintCode.REPEATED_VALUES,
            f"{field.name}='{field}' overlaps itself: {listed} {'is' if len(values) == 1 else 'are'} in it more than once, which fires once",
        )
