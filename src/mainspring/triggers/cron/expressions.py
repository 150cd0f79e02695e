"""The expressions that a cron field is made of: what each text means, as the values that it lets through."""

from __future__ import annotations

from calendar import monthrange
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


class AllExpression:
    """``*``, or ``*/step``: every value, or every step-th counted from the field's lowest.

    Attributes:
        step: the distance between values, or ``None``.
    """

    def __init__(self, step: int | None = None) -> None:
        if step is not None and step < 1:
            raise ValueError("the step must be 1 or more")
        self.step = step

    def values(self, lowest: int, highest: int) -> Iterable[int]:
        """The values from `lowest` to `highest` that match."""
        return range(lowest, highest + 1, self.step or 1)

    def validate(self, lowest: int, highest: int) -> None:
        """See that the expression makes sense for a field with these bounds.

        Raises:
            ValueError: it doesn't.
        """
        if self.step is not None and self.step > highest - lowest:
            raise ValueError(f"the step {self.step} is wider than the field, which has {lowest} to {highest}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        return f"*/{self.step}" if self.step else "*"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.step})"


class RangeExpression(AllExpression):
    """``first``, ``first-last``, ``first-last/step``, or ``first/step``, which goes on to the field's highest value.

    Attributes:
        first, last: the bounds, both included; `last` is ``None`` for the field's highest value.
        step: the distance between values, or ``None``.
    """

    #: How bounds are written, where it isn't by number.
    names: ClassVar[list[str] | None] = None
    #: The number of the first name.
    names_start: ClassVar[int] = 0

    def __init__(self, first: Any, last: Any = None, step: int | None = None) -> None:
        super().__init__(step)
        self.first: int = first
        self.last: int | None = first if last is None and step is None else last
        if self.last is not None and self.first > self.last:
            raise ValueError("the first value of a range must not be higher than the last")

    def values(self, lowest: int, highest: int) -> Iterable[int]:
        """The values up to `highest` that match."""
        last = highest if self.last is None else min(self.last, highest)
        return range(self.first, last + 1, self.step or 1)

    def validate(self, lowest: int, highest: int) -> None:
        if self.first < lowest:
            raise ValueError(f"{self.first} is lower than the field's lowest value {lowest}")
        last = self.first if self.last is None else self.last
        if last > highest:
            raise ValueError(f"{last} is higher than the field's highest value {highest}")
        width = (highest if self.last is None else self.last) - self.first
        if self.step is not None and self.step > max(width, 1):
            raise ValueError(f"the step {self.step} is wider than the range, which is {width}")

    def _name(self, value: int) -> str:
        return str(value) if self.names is None else self.names[value - self.names_start]

    def __str__(self) -> str:
        text = self._name(self.first)
        if self.last is not None and self.last != self.first:
            text += f"-{self._name(self.last)}"
        return f"{text}/{self.step}" if self.step else text

    def __repr__(self) -> str:
        bounds: list[int | None] = [self.first]
        if self.last is not None and (self.last != self.first or self.step):
            bounds.append(self.last)
        if self.step:
            bounds += [None] * (2 - len(bounds)) + [self.step]
        return f"{type(self).__name__}({', '.join(map(str, bounds))})"


def _numbered(name: str, names: list[str], start: int, what: str) -> int:
    try:
        return names.index(name.lower()) + start
    except ValueError:
        raise ValueError(f"{name!r} is no {what}: expected one of {', '.join(names)}") from None


class MonthRangeExpression(RangeExpression):
    """``jan``, or ``jan-mar``."""

    names = MONTHS
    names_start = 1

    def __init__(self, first: str, last: str | None = None) -> None:
        super().__init__(
            _numbered(first, MONTHS, 1, "month"),
            None if last is None else _numbered(last, MONTHS, 1, "month"),
        )

    def __repr__(self) -> str:
        return _named_repr(self)


class WeekdayRangeExpression(RangeExpression):
    """``mon``, or ``mon-fri``."""

    names = WEEKDAYS

    def __init__(self, first: str, last: str | None = None) -> None:
        super().__init__(
            _numbered(first, WEEKDAYS, 0, "weekday"),
            None if last is None else _numbered(last, WEEKDAYS, 0, "weekday"),
        )

    def __repr__(self) -> str:
        return _named_repr(self)


def _named_repr(expression: RangeExpression) -> str:
    names = [repr(part) for part in str(expression).split("-")]
    return f"{type(expression).__name__}({', '.join(names)})"


class DayExpression:
    """An expression for the day of the month that depends on the month."""

    def day(self, year: int, month: int) -> int | None:
        """The day that matches in this month, or ``None``."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(str(self))


class WeekdayPositionExpression(DayExpression):
    """``2nd tue``, ``last fri``: the n-th of a weekday in the month, or the last.

    Attributes:
        option_num: 0 for the first, 4 for the fifth, 5 for the last.
        weekday: 0 for Monday.
    """

    options: ClassVar[list[str]] = ["1st", "2nd", "3rd", "4th", "5th", "last"]

    def __init__(self, option_name: str, weekday_name: str) -> None:
        self.option_num = _numbered(option_name, self.options, 0, "position")
        self.weekday = _numbered(weekday_name, WEEKDAYS, 0, "weekday")

    def day(self, year: int, month: int) -> int | None:
        first_weekday, length = monthrange(year, month)
        first = (self.weekday - first_weekday) % 7 + 1
        if self.option_num == self.options.index("last"):
            return first + (length - first) // 7 * 7
        found = first + self.option_num * 7
        return found if found <= length else None

    def __str__(self) -> str:
        return f"{self.options[self.option_num]} {WEEKDAYS[self.weekday]}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.options[self.option_num]!r}, {WEEKDAYS[self.weekday]!r})"


class LastDayOfMonthExpression(DayExpression):
    """``last``: the last day of the month."""

    def day(self, year: int, month: int) -> int:
        return monthrange(year, month)[1]

    def __str__(self) -> str:
        return "last"

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


__all__ = [
    "MONTHS",
    "WEEKDAYS",
    "AllExpression",
    "DayExpression",
    "LastDayOfMonthExpression",
    "MonthRangeExpression",
    "RangeExpression",
    "WeekdayPositionExpression",
    "WeekdayRangeExpression",
]
