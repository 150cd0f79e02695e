"""The fields of a cron trigger: text read strictly, as a list of expressions."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from mainspring.coercion import nearest
from mainspring.errors import CronSyntaxError
from mainspring.triggers.cron.expressions import (
    MONTHS,
    WEEKDAYS,
    AllExpression,
    DayExpression,
    LastDayOfMonthExpression,
    MonthRangeExpression,
    RangeExpression,
    WeekdayPositionExpression,
    WeekdayRangeExpression,
)

MIN_VALUES = {
    "year": 1970,
    "month": 1,
    "day": 1,
    "week": 1,
    "day_of_week": 0,
    "hour": 0,
    "minute": 0,
    "second": 0,
}
MAX_VALUES = {
    "year": 9999,
    "month": 12,
    "day": 31,
    "week": 53,
    "day_of_week": 6,
    "hour": 23,
    "minute": 59,
    "second": 59,
}
DEFAULT_VALUES = {
    "year": "*",
    "month": 1,
    "day": 1,
    "week": "*",
    "day_of_week": "*",
    "hour": 0,
    "minute": 0,
    "second": 0,
}

_ALL = re.compile(r"\*(?:/(?P<step>\d+))?")
_RANGE = re.compile(r"(?P<first>\d+)(?:-(?P<last>\d+))?(?:/(?P<step>\d+))?")
_NAMES = re.compile(r"(?P<first>[a-z]+)(?:-(?P<last>[a-z]+))?", re.IGNORECASE)
_POSITION = re.compile(r"(?P<position>\w+) +(?P<weekday>[a-z]+)", re.IGNORECASE)


class BaseField:
    """A field whose values are numbers.

    Attributes:
        name: the field's name, such as ``"hour"``.
        is_default: whether the field was left out.
        expressions: what it consists of; a value matches when one of them matches.
    """

    #: Words that the field understands, for hints.
    words: ClassVar[list[str]] = []

    def __init__(self, name: str, exprs: Any, is_default: bool = False) -> None:
        self.name = name
        self.is_default = is_default
        self.expressions: list[Any] = []
        text = str(exprs)
        position = 0
        for part in text.split(","):
            self.expressions.append(self._read(part, text, position))
            position += len(part) + 1

    def _read(self, part: str, text: str, position: int) -> Any:
        stripped = part.strip()
        position += len(part) - len(part.lstrip())
        try:
            expression = self._expression(stripped)
            if isinstance(expression, AllExpression):
                expression.validate(MIN_VALUES[self.name], MAX_VALUES[self.name])
        except ValueError as error:
            raise CronSyntaxError(str(error), text=text, position=position, field=self.name) from None
        if expression is None:
            reason = (
                f"{stripped!r} is nothing that this field understands" if stripped else "a value is missing"
            )
            hint = nearest(stripped.lower(), self.words) if stripped else None
            raise CronSyntaxError(reason, text=text, position=position, field=self.name, hint=hint)
        return expression

    def _expression(self, text: str) -> Any:
        """The expression that `text` is as a whole, or ``None``."""
        if match := _ALL.fullmatch(text):
            return AllExpression(_number(match["step"]))
        if match := _RANGE.fullmatch(text):
            return RangeExpression(int(match["first"]), _number(match["last"]), _number(match["step"]))
        return None

    def values(self) -> frozenset[int]:
        """The values that match, of a field where that doesn't depend on the date."""
        lowest, highest = MIN_VALUES[self.name], MAX_VALUES[self.name]
        return frozenset(
            value for expression in self.expressions for value in expression.values(lowest, highest)
        )

    def matches_all(self) -> bool:
        """Whether the field lets every value through."""
        return any(
            type(expression) is AllExpression and not expression.step for expression in self.expressions
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BaseField) and (self.name, self.expressions) == (
            other.name,
            other.expressions,
        )

    def __hash__(self) -> int:
        return hash((self.name, str(self)))

    def __str__(self) -> str:
        return ",".join(str(expression) for expression in self.expressions)

    def __repr__(self) -> str:
        return f"{type(self).__name__}('{self.name}', '{self}')"


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


class WeekField(BaseField):
    """The ISO week of the year, 1 to 53."""


class DayOfMonthField(BaseField):
    """The day of the month: numbers, ``last``, or a position such as ``3rd fri``."""

    words: ClassVar[list[str]] = [
        "last",
        *(f"{at} {day}" for at in WeekdayPositionExpression.options for day in WEEKDAYS),
    ]

    def _expression(self, text: str) -> Any:
        if text.lower() == "last":
            return LastDayOfMonthExpression()
        if match := _POSITION.fullmatch(text):
            return WeekdayPositionExpression(match["position"], match["weekday"])
        return super()._expression(text)

    def days(self, year: int, month: int, length: int) -> frozenset[int]:
        """The days of a month, `length` days long, that match."""
        days: set[int] = set()
        for expression in self.expressions:
            if isinstance(expression, DayExpression):
                day = expression.day(year, month)
                if day is not None:
                    days.add(day)
            else:
                days.update(expression.values(1, length))
        return frozenset(days)


class DayOfWeekField(BaseField):
    """The day of the week: 0 for Monday to 6 for Sunday, or names."""

    words: ClassVar[list[str]] = WEEKDAYS

    def _expression(self, text: str) -> Any:
        if match := _NAMES.fullmatch(text):
            return WeekdayRangeExpression(match["first"], match["last"])
        return super()._expression(text)


class MonthField(BaseField):
    """The month: 1 to 12, or names."""

    words: ClassVar[list[str]] = MONTHS

    def _expression(self, text: str) -> Any:
        if match := _NAMES.fullmatch(text):
            return MonthRangeExpression(match["first"], match["last"])
        return super()._expression(text)
