"""The expressions that a cron field is made of: what each text means, as the values that it lets through."""

from __future__ import annotations

from calendar import monthrange
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar

from mainspring.former_names import former_names

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

__all__ = [
    "MONTHS",
    "WEEKDAYS",
    "AllExpression",
    "DayExpression",
    "HashExpression",
    "LastDayOfMonthExpression",
    "LastWeekdayExpression",
    "LastWorkdayExpression",
    "MonthRangeExpression",
    "NearestWorkdayExpression",
    "NthWeekdayExpression",
    "RangeExpression",
    "WeekdayPositionExpression",
    "WeekdayRangeExpression",
    "WorkdayBeforeLastExpression",
]

WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
FULL_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
FULL_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_SATURDAY, _SUNDAY = 5, 6


class Expression:
    """Something that a field may hold. Two are equal if they are written the same."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and str(self) == str(other)

    def validate_range(self, field_name: str) -> None:
        """See that the expression makes sense for a field of this name; asked of those that a program adds to a field's `COMPILERS`."""

    def get_next_value(self, dateval: datetime, field: Any) -> int | None:
        """The first value that matches, from that which `dateval` has in a field on; ``None``: none does in this one."""
        raise NotImplementedError

    def __hash__(self) -> int:
        return hash(str(self))


class AllExpression(Expression):
    """``*``, or ``*/step``: every value, or every step-th counted from the field's lowest.

    Attributes:
        step: the distance between values, or ``None``.
    """

    def __init__(self, step: int | None = None) -> None:
        if step is not None and step < 1:
            raise ValueError("the step must be 1 or more")
        self.step = step

    def values(self, lowest: int, highest: int, seed: str = "") -> Iterable[int]:
        """The values from `lowest` to `highest` that match."""
        return range(lowest, highest + 1, self.step or 1)

    def get_next_value(self, dateval: datetime, field: Any) -> int | None:
        start, seed = field.get_value(dateval), ""
        values = self.values(field.get_min(dateval), field.get_max(dateval), seed)
        return min((value for value in values if value >= start), default=None)

    def validate(self, lowest: int, highest: int) -> None:
        """See that the expression makes sense for a field with these bounds.

        Raises:
            ValueError: it doesn't.
        """
        if self.step is not None and self.step > highest - lowest:
            raise ValueError(f"the step {self.step} is wider than the field, which has {lowest} to {highest}")

    def __str__(self) -> str:
        return f"*/{self.step}" if self.step else "*"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.step})"


class AnyExpression(AllExpression):
    """``?``: every value, in one of the two fields for days, where the other says which."""

    def __init__(self) -> None:
        super().__init__()

    def __str__(self) -> str:
        return "?"


class RangeExpression(AllExpression):
    """``first``, ``first-last``, ``first-last/step``, or ``first/step``, which goes on to the field's highest value.

    A range whose last value is lower than its first wraps around: ``22-2`` is 22, 23, 0, 1, 2.

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

    def values(self, lowest: int, highest: int, seed: str = "") -> Iterable[int]:
        last = highest if self.last is None else self.last
        if last < self.first:
            size = highest - lowest + 1
            return [
                (value - lowest) % size + lowest
                for value in range(self.first, last + size + 1, self.step or 1)
            ]
        return range(self.first, min(last, highest) + 1, self.step or 1)

    def validate(self, lowest: int, highest: int) -> None:
        last = highest if self.last is None else self.last
        for value in (self.first, last):
            if value < lowest:
                raise ValueError(f"{value} is lower than the field's lowest value {lowest}")
            if value > highest:
                raise ValueError(f"{value} is higher than the field's highest value {highest}")
        width = last - self.first
        if width < 0:
            width += highest - lowest + 1
        if self.step is not None and self.step > max(width, 1):
            raise ValueError(
                f"the step {self.step} is wider than the range, which is {width}", self._name(self.first)
            )

    def _name(self, value: int) -> str:
        return str(value) if self.names is None else self.names[value - self.names_start]

    def __str__(self) -> str:
        text = self._name(self.first)
        if self.last is not None and (self.last != self.first or self.step):
            text += f"-{self._name(self.last)}"
        return f"{text}/{self.step}" if self.step else text

    def __repr__(self) -> str:
        arguments: list[Any] = [self._argument(self.first)]
        if self.last is not None and (self.last != self.first or self.step):
            arguments.append(self._argument(self.last))
        if self.step:
            arguments += [None] * (2 - len(arguments)) + [self.step]
        return f"{type(self).__name__}({', '.join(map(repr, arguments))})"

    def _argument(self, value: int) -> Any:
        return value if self.names is None else self._name(value)


def number_of(name: str | int, names: list[str], full: list[str], start: int, what: str) -> int:
    """The number of a month or weekday, by its short or its full name.

    Raises:
        ValueError: it has none.
    """
    if isinstance(name, int):
        return name
    low = name.lower()
    for known in (names, full):
        if low in known:
            return known.index(low) + start
    raise ValueError(f"{name[:100]!r} is no {what}: expected one of {', '.join(names)}")


def weekday_number(name: str | int) -> int:
    """The number of a weekday, 0 for Monday."""
    return number_of(name, WEEKDAYS, FULL_WEEKDAYS, 0, "weekday")


def month_number(name: str | int) -> int:
    """The number of a month."""
    return number_of(name, MONTHS, FULL_MONTHS, 1, "month")


class MonthRangeExpression(RangeExpression):
    """``jan``, ``jan-mar``, ``nov-feb`` or ``jan-dec/3``."""

    names = MONTHS
    names_start = 1

    def __init__(self, first: str | int, last: str | int | None = None, step: int | None = None) -> None:
        super().__init__(month_number(first), None if last is None else month_number(last), step)


class WeekdayRangeExpression(RangeExpression):
    """``mon``, ``mon-fri``, ``sat-mon`` or ``mon-fri/2``."""

    names = WEEKDAYS

    def __init__(self, first: str | int, last: str | int | None = None, step: int | None = None) -> None:
        super().__init__(weekday_number(first), None if last is None else weekday_number(last), step)


class HashExpression(AllExpression):
    """``H``, ``H(0-29)``, ``H/15``, ``H(0-29)/10``: a value, or values, that the job's id chooses.

    Jobs that would all run on the hour are spread by it, and each keeps its time for ever. A range of weekdays may wrap around: ``H(5-1)`` is one
    of Saturday to Tuesday.

    Attributes:
        first, last: the bounds, or ``None`` for the field's own; a day of the month is at most 28, which all months have.
    """

    def __init__(
        self, name: str, first: int | None = None, last: int | None = None, step: int | None = None
    ) -> None:
        super().__init__(step)
        self.name = name
        self.first, self.last = first, last

    def values(self, lowest: int, highest: int, seed: str = "") -> Iterable[int]:
        first, last = self._bounds(lowest, highest)
        text = f"{seed}\0{self.name}".encode("utf-8", "surrogatepass")
        number = int.from_bytes(blake2b(text, digest_size=8).digest())
        size = highest - lowest + 1
        width = (last - first) % size + 1 if last < first else last - first + 1
        places = (number % width,) if self.step is None else range(number % self.step, width, self.step)
        return [(first + place - lowest) % size + lowest for place in places]

    def _bounds(self, lowest: int, highest: int) -> tuple[int, int]:
        if self.name == "day":
            highest = 28
        first = lowest if self.first is None else self.first
        return first, highest if self.last is None else self.last

    def validate(self, lowest: int, highest: int) -> None:
        first, last = self._bounds(lowest, highest)
        wraps = self.name == "day_of_week" and last < first  # weekdays begin elsewhere in each dialect
        if wraps:
            last += highest - lowest + 1
        if not lowest <= first <= last <= highest + wraps * (highest - lowest):
            raise ValueError(f"the range of H must be within {lowest} to {highest}")
        if self.step is not None and self.step > last - first + 1:
            raise ValueError(f"the step {self.step} is wider than the range {first} to {last}", "H")

    def __str__(self) -> str:
        text = "H" if self.first is None else f"H({self.first}-{self.last})"
        return f"{text}/{self.step}" if self.step else text

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.first}, {self.last}, {self.step})"


class DayExpression(Expression):
    """An expression for a day that depends on the month."""

    def day_of(self, first_weekday: int, length: int) -> int | None:
        """The day that matches, in a month of `length` days, the first of which is `first_weekday`, or ``None``."""
        raise NotImplementedError

    def days_of(self, first_weekday: int, length: int) -> int:
        """All days that match in such a month: bit 0 is the first."""
        day = self.day_of(first_weekday, length)
        return 0 if day is None else 1 << (day - 1)

    def get_next_value(self, dateval: datetime, field: Any) -> int | None:
        day = self.day_of(*monthrange(dateval.year, dateval.month))
        return None if day is None or day < dateval.day else day

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class WeekdayPositionExpression(DayExpression):
    """``2nd tue``, ``last fri``: the n-th of a weekday in the month, or the last.

    Attributes:
        option_num: 0 for the first, 4 for the fifth, 5 for the last.
        weekday: 0 for Monday.
    """

    options: ClassVar[list[str]] = ["1st", "2nd", "3rd", "4th", "5th", "last"]

    def __init__(self, option_name: str, weekday_name: str | int) -> None:
        try:
            self.option_num = self.options.index(option_name.lower())
        except ValueError:
            raise ValueError(
                f"{option_name[:100]!r} is no position: expected one of {', '.join(self.options)}"
            ) from None
        self.weekday = weekday_number(weekday_name)

    def day_of(self, first_weekday: int, length: int) -> int | None:
        first = (self.weekday - first_weekday) % 7 + 1
        if self.option_num == self.options.index("last"):
            return first + (length - first) // 7 * 7
        found = first + self.option_num * 7
        return found if found <= length else None

    def __str__(self) -> str:
        return f"{self.options[self.option_num]} {WEEKDAYS[self.weekday]}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.options[self.option_num]!r}, {WEEKDAYS[self.weekday]!r})"


class NthWeekdayExpression(WeekdayPositionExpression):
    """``fri#2``, in the field for weekdays: the second Friday of the month."""

    def __init__(self, weekday_name: str | int, position: int) -> None:
        if not 1 <= position <= 5:  # noqa: PLR2004 - a month has five at most
            raise ValueError(
                f"a month has no weekday number {position}: expected 1 to 5",
                f"{_short(weekday_name)}#{5 if position else 1}",
            )
        super().__init__(self.options[position - 1], weekday_name)

    def __str__(self) -> str:
        return f"{WEEKDAYS[self.weekday]}#{self.option_num + 1}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({WEEKDAYS[self.weekday]!r}, {self.option_num + 1})"


class LastWeekdayExpression(WeekdayPositionExpression):
    """``friL``, in the field for weekdays: the last Friday of the month."""

    def __init__(self, weekday_name: str | int) -> None:
        super().__init__("last", weekday_name)

    def __str__(self) -> str:
        return f"{WEEKDAYS[self.weekday]}L"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({WEEKDAYS[self.weekday]!r})"


def _short(weekday: str | int) -> str:
    return WEEKDAYS[weekday_number(weekday)]


class LastDayOfMonthExpression(DayExpression):
    """``last``, ``L``, or ``L-3``: the last day of the month, or so many days before it.

    Attributes:
        days_before: the last, if 0.
    """

    days_before: int = 0

    def __init__(self, days_before: int = 0) -> None:
        if days_before > 30:  # noqa: PLR2004 - the first of 31 days
            raise ValueError(f"no month has a day {days_before} days before its last", "L-30")
        if days_before:
            self.days_before = days_before

    def day_of(self, first_weekday: int, length: int) -> int | None:
        return length - self.days_before if length > self.days_before else None

    def __str__(self) -> str:
        return f"L-{self.days_before}" if self.days_before else "last"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.days_before or ''})"


class NearestWorkdayExpression(DayExpression):
    """``15W``: the day of Monday to Friday that is nearest to the 15th, in the same month.

    Attributes:
        day: of the month. A month that doesn't have it doesn't match.
    """

    def __init__(self, day: int) -> None:
        if not 1 <= day <= 31:  # noqa: PLR2004 - the longest month
            raise ValueError(f"no month has a day {day}")
        self.day = day

    def day_of(self, first_weekday: int, length: int) -> int | None:
        return _nearest_workday(self.day, first_weekday, length) if self.day <= length else None

    def __str__(self) -> str:
        return f"{self.day}W"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.day})"


class LastWorkdayExpression(DayExpression):
    """``LW``: the last day of Monday to Friday in the month."""

    def day_of(self, first_weekday: int, length: int) -> int | None:
        weekday = (first_weekday + length - 1) % 7
        return length - max(weekday - _SATURDAY + 1, 0)

    def __str__(self) -> str:
        return "LW"


class WorkdayBeforeLastExpression(DayExpression):
    """``L-3W``: the day of Monday to Friday that is nearest to the one so many days before the last, in the same month.

    Attributes:
        days_before: how many. A month that doesn't have that day doesn't match.
    """

    def __init__(self, days_before: int) -> None:
        if days_before > 30:  # noqa: PLR2004 - the first of 31 days
            raise ValueError(f"no month has a day {days_before} days before its last", "L-30W")
        self.days_before = days_before

    def day_of(self, first_weekday: int, length: int) -> int | None:
        day = length - self.days_before
        return _nearest_workday(day, first_weekday, length) if day > 0 else None

    def __str__(self) -> str:
        return f"L-{self.days_before}W"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.days_before})"


def _nearest_workday(day: int, first_weekday: int, length: int) -> int:
    weekday = (first_weekday + day - 1) % 7
    if weekday == _SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == _SUNDAY:
        return day + 1 if day < length else day - 2
    return day


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
