"""The fields of a cron trigger: text read strictly, as a list of expressions."""

from __future__ import annotations

import re
from calendar import monthrange
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from mainspring.errors import CronSyntaxError
from mainspring.triggers.cron.expressions import (
    FULL_MONTHS,
    FULL_WEEKDAYS,
    MONTHS,
    WEEKDAYS,
    AllExpression,
    AnyExpression,
    DayExpression,
    HashExpression,
    LastDayOfMonthExpression,
    LastWeekdayExpression,
    LastWorkdayExpression,
    MonthRangeExpression,
    NearestWorkdayExpression,
    NthWeekdayExpression,
    RangeExpression,
    WeekdayPositionExpression,
    WeekdayRangeExpression,
    WorkdayBeforeLastExpression,
)
from mainspring.triggers.cron.hints import candidates
from mainspring.triggers.cron.hooks import AskedDays, asked_values, is_asked

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

__all__ = [
    "DEFAULT_VALUES",
    "FIELDS",
    "MAX_VALUES",
    "MIN_VALUES",
    "BaseField",
    "DayOfMonthField",
    "DayOfWeekField",
    "MonthField",
    "WeekField",
    "steps_over_new_year",
]

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

#: So many words are a cron expression, and no year.
_MANY_WORDS = 4

_ALL = re.compile(r"\*(?:/(?P<step>\d{1,9}))?", re.ASCII)
_RANGE = re.compile(
    r"(?P<first>\d{1,9}|[a-z]+)(?:-(?P<last>\d{1,9}|[a-z]+))?(?:/(?P<step>\d{1,9}))?",
    re.ASCII | re.IGNORECASE,
)
_HASH = re.compile(r"H(?:\((?P<first>\d{1,9})-(?P<last>\d{1,9})\))?(?:/(?P<step>\d{1,9}))?", re.ASCII)
_POSITION = re.compile(r"(?P<position>\w+)\s+(?P<weekday>[a-z]+)", re.ASCII | re.IGNORECASE)
_BEFORE_LAST = re.compile(r"L(?:-(?P<days>\d{1,9}))?", re.ASCII | re.IGNORECASE)
_WORKDAY = re.compile(r"(?P<day>\d{1,9})W", re.ASCII | re.IGNORECASE)
_WORKDAY_BEFORE_LAST = re.compile(r"L-(?P<days>\d{1,9})W", re.ASCII | re.IGNORECASE)
_NTH = re.compile(r"(?P<weekday>[a-z]+|\d)#(?P<position>\d{1,9})", re.ASCII | re.IGNORECASE)
_LAST_WEEKDAY = re.compile(r"(?P<weekday>[a-z]+?|\d)L", re.ASCII | re.IGNORECASE)
#: A part of a field that is longer isn't corrected, nor shown as a whole.
_LONGEST_HINT = 100
#: Every year has it.
_LAST_WEEK = 52


class BaseField:
    """A field whose values are numbers.

    Attributes:
        name: the field's name, such as ``"hour"``.
        is_default: whether the field was left out.
        expressions: what it consists of; a value matches when one of them matches.
    """

    #: Names that may stand for a number.
    names: ClassVar[tuple[str, ...]] = ()
    #: What makes an expression out of bounds of which at least one is a name.
    named: ClassVar[Callable[..., RangeExpression] | None] = None
    #: The kinds of expressions. A program's own stand before or after ours, and have `value_re`, a pattern whose groups they are made with.
    COMPILERS: ClassVar[list[Any]] = [AllExpression, RangeExpression]

    def __init__(self, name: str, exprs: Any, is_default: bool = False) -> None:
        self.name = name
        self.is_default = is_default
        self.expressions: list[Any] = []
        text = self._text_of(exprs)
        if name == "year" and len(text.split()) > _MANY_WORDS:
            raise CronSyntaxError(
                f"the first field is the year. For an expression as cron has it, write CronTrigger.from_crontab({text!r})",
                text=text,
                field=name,
            )
        time_of_day = re.fullmatch(r"(\d{1,2}):(\d{2})", text.strip())
        if name == "hour" and time_of_day is not None:
            raise CronSyntaxError(
                f"a time of day is two fields: hour={int(time_of_day[1])}, minute={int(time_of_day[2])}",
                text=text,
                field=name,
            )
        position = 0
        for part in text.split(","):
            self.expressions.append(self._read(part, text, position))
            position += len(part) + 1

    def _text_of(self, given: Any) -> str:
        """The values of a field as text: of several, as a list of them.

        Raises:
            CronSyntaxError: there are none, or they are of a kind that is no value of a field.
        """
        if isinstance(given, (list, tuple, range)):
            parts = [self._text_of(one) for one in given]
        elif isinstance(given, (set, frozenset)):
            parts = sorted((self._text_of(one) for one in given), key=lambda text: (len(text), text))
        elif isinstance(given, (bool, float, bytes, bytearray, type(None))):
            raise CronSyntaxError(
                f"expected a number, a text such as '1,2', or a list of them, got {type(given).__name__}",
                text=repr(given),
                field=self.name,
                hint=self._hint_of_value(given),
            )
        else:
            return str(given)
        if not parts:
            raise CronSyntaxError("a value is missing", text=repr(given), field=self.name)
        return ",".join(parts)

    def _hint_of_value(self, given: Any) -> str | None:
        text = given.decode("ascii", "replace") if isinstance(given, (bytes, bytearray)) else str(given)
        if isinstance(given, float):
            text = text.removesuffix(".0")
        return text if not isinstance(given, bool) and self._reads(text) else None

    def _read(self, part: str, text: str, position: int) -> Any:
        stripped = part.strip()
        position += len(part) - len(part.lstrip())
        try:
            expression = self._compiled(stripped)
            if isinstance(expression, AllExpression):
                expression.validate(MIN_VALUES[self.name], MAX_VALUES[self.name])
        except ValueError as error:
            reason, *others = map(str, error.args)
        else:
            if expression is not None:
                return expression
            others = []
            reason = (
                f"{stripped[:_LONGEST_HINT]!r} is nothing that this field understands"
                if stripped
                else "a value is missing"
            )
        hint = self._whole(text, stripped, self._hint(stripped, *others))
        raise CronSyntaxError(reason, text=text, position=position, field=self.name, hint=hint)

    def _hint(self, text: str, *others: str) -> str | None:
        """The nearest text that this field reads, instead of a part of one.

        Args:
            others: what may have been meant besides.
        """
        if len(text) > _LONGEST_HINT:
            return None
        found = (*candidates(self.name, text, MIN_VALUES[self.name], MAX_VALUES[self.name]), *others)
        return next((one for one in found if one and one != text and self._reads(one)), None)

    def _whole(self, text: str, refused: str, hint: str | None) -> str | None:
        """The whole field with hints in the place of what can't be read, if it can be read then; empty parts are left out.

        Args:
            refused: a part, which `hint` is for.
        """
        if len(text) > _LONGEST_HINT or (hint is None and refused):
            return None
        parts = [
            hint if part == refused else part if self._reads(part) else self._hint(part)
            for part in filter(None, map(str.strip, text.split(",")))
        ]
        known = [part for part in parts if part is not None]
        return ",".join(known) if known and len(known) == len(parts) else None

    def _reads(self, text: str) -> bool:
        for part in text.split(","):
            try:
                expression = self._compiled(part.strip())
                if isinstance(expression, AllExpression):
                    expression.validate(MIN_VALUES[self.name], MAX_VALUES[self.name])
            except ValueError:
                return False
            if expression is None:
                return False
        return True

    def _compiled(self, text: str) -> Any:
        """The expression that `text` is by one of the field's `COMPILERS`, ours or a program's, or ``None``."""
        has_asked_ours = False
        for compiler in self.COMPILERS:
            if compiler in _COMPILERS:
                if not has_asked_ours and (found := self._expression(text)) is not None:
                    return found
                has_asked_ours = True
            elif match := compiler.value_re.match(text):
                made = compiler(**match.groupdict())
                made.validate_range(self.name)
                return made
        return None

    def _expression(self, text: str) -> Any:
        """The expression of ours that `text` is as a whole, or ``None``."""
        if match := _ALL.fullmatch(text):
            return AllExpression(_number(match["step"]))
        if match := _HASH.fullmatch(text):
            return HashExpression(
                self.name, _number(match["first"]), _number(match["last"]), _number(match["step"])
            )
        if match := _RANGE.fullmatch(text):
            first, last, step = match["first"], match["last"], _number(match["step"])
            if first.isdigit() and (last is None or last.isdigit()):
                return self._numeric(int(first), _number(last), step)
            if self.named is not None:
                return self._named(first, last, step)
        return None

    def _numeric(self, first: int, last: int | None, step: int | None) -> RangeExpression:
        return RangeExpression(first, last, step)

    def _named(self, first: str, last: str | None, step: int | None) -> RangeExpression:
        bounds = [int(bound) if bound and bound.isdigit() else bound for bound in (first, last)]
        lowest, highest = MIN_VALUES[self.name], MAX_VALUES[self.name]
        for bound in bounds:
            if isinstance(bound, int) and not lowest <= bound <= highest:
                raise ValueError(f"{bound} is not within {lowest} to {highest}")
        return type(self).named(bounds[0], bounds[1], step)  # type: ignore[misc]  # asked by the caller

    def values(self, seed: str = "") -> frozenset[int]:
        """The values that match, of a field where that doesn't depend on the date.

        Args:
            seed: what chooses the values of ``H``.
        """
        lowest, highest = MIN_VALUES[self.name], MAX_VALUES[self.name]
        if is_asked(self):
            return frozenset() if self.name == "day" else asked_values(self, lowest, highest)
        return frozenset(
            value
            for expression in self.expressions
            if isinstance(expression, AllExpression)
            for value in expression.values(lowest, highest, seed)
        )

    def special_days(self) -> tuple[DayExpression, ...]:
        """The expressions that depend on the month."""
        if self.name == "day" and is_asked(self):
            return (AskedDays(self),)
        return tuple(expression for expression in self.expressions if isinstance(expression, DayExpression))

    def matches_all(self) -> bool:
        """Whether the field lets every value through."""
        return not is_asked(self) and any(
            type(expression) in (AllExpression, AnyExpression) and not expression.step
            for expression in self.expressions
        )

    def has_hash(self) -> bool:
        """Whether the job's id chooses the values."""
        return any(type(expression) is HashExpression for expression in self.expressions)

    # What a program may ask of a field, and a subclass answer otherwise.

    def get_min(self, dateval: datetime) -> int:
        """The lowest value there may be at a date."""
        return MIN_VALUES[self.name]

    def get_max(self, dateval: datetime) -> int:
        """The highest value there may be at a date."""
        return MAX_VALUES[self.name]

    def get_value(self, dateval: datetime) -> int:
        """The value that a date has."""
        value: int = getattr(dateval, self.name)
        return value

    def get_next_value(self, dateval: datetime) -> int | None:
        """The first value that matches, from that which a date has on; ``None``: there is none up to the highest."""
        values = [expression.get_next_value(dateval, self) for expression in self.expressions]
        return min((value for value in values if value is not None), default=None)

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


class YearField(BaseField):
    """The year. Its ranges don't wrap around: there is no year after the last."""

    def _numeric(self, first: int, last: int | None, step: int | None) -> RangeExpression:
        if last is not None and last < first:
            raise ValueError(f"the first year {first} must not be after the last, {last}", f"{last}-{first}")
        return RangeExpression(first, last, step)


class WeekField(BaseField):
    """The ISO week of the year, 1 to 53."""

    def get_value(self, dateval: datetime) -> int:
        return dateval.isocalendar()[1]


class DayOfMonthField(BaseField):
    """The day of the month: numbers, ``last`` or ``L``, ``L-3``, ``LW``, ``15W``, ``L-3W``, or a position such as ``3rd fri``."""

    COMPILERS: ClassVar[list[Any]] = [
        *BaseField.COMPILERS,
        WeekdayPositionExpression,
        LastDayOfMonthExpression,
    ]

    def get_max(self, dateval: datetime) -> int:
        return monthrange(dateval.year, dateval.month)[1]

    def _expression(self, text: str) -> Any:  # noqa: PLR0911 - one for each form
        if text == "?":
            return AnyExpression()
        if text.lower() == "last":
            return LastDayOfMonthExpression()
        if text.lower() == "lw":
            return LastWorkdayExpression()
        if match := _BEFORE_LAST.fullmatch(text):
            return LastDayOfMonthExpression(int(match["days"] or 0))
        if match := _WORKDAY_BEFORE_LAST.fullmatch(text):
            return WorkdayBeforeLastExpression(int(match["days"]))
        if match := _WORKDAY.fullmatch(text):
            return NearestWorkdayExpression(int(match["day"]))
        if match := _POSITION.fullmatch(text):
            return WeekdayPositionExpression(match["position"], match["weekday"])
        return super()._expression(text)


class DayOfWeekField(BaseField):
    """The day of the week: 0 for Monday to 6 for Sunday, names, ``fri#2`` or ``friL``."""

    names = (*WEEKDAYS, *FULL_WEEKDAYS)
    named = WeekdayRangeExpression
    COMPILERS: ClassVar[list[Any]] = [*BaseField.COMPILERS, WeekdayRangeExpression]

    def get_value(self, dateval: datetime) -> int:
        return dateval.weekday()

    def _expression(self, text: str) -> Any:
        if text == "?":
            return AnyExpression()
        if match := _NTH.fullmatch(text):
            return NthWeekdayExpression(self._weekday(match["weekday"]), int(match["position"]))
        if (match := _LAST_WEEKDAY.fullmatch(text)) and match["weekday"].lower() in (
            *self.names,
            *"0123456789",
        ):
            return LastWeekdayExpression(self._weekday(match["weekday"]))
        return super()._expression(text)

    def _weekday(self, text: str) -> str | int:
        if not text.isdigit():
            return text
        if int(text) > MAX_VALUES[self.name]:
            raise ValueError(f"{text} is no weekday: they are 0 for Monday to 6 for Sunday")
        return int(text)

    def _numeric(self, first: int, last: int | None, step: int | None) -> RangeExpression:
        if first == 7 and last is None and step is None:  # noqa: PLR2004 - Sunday in a crontab
            raise ValueError("7 is no weekday: they are 0 for Monday to 6 for Sunday", "sun")
        return RangeExpression(first, last, step)


class MonthField(BaseField):
    """The month: 1 to 12, or names."""

    names = (*MONTHS, *FULL_MONTHS)
    named = MonthRangeExpression
    COMPILERS: ClassVar[list[Any]] = [*BaseField.COMPILERS, MonthRangeExpression]


#: The kinds of expressions that are ours, which `_expression` reads.
_COMPILERS = {one for kind in (DayOfMonthField, DayOfWeekField, MonthField) for one in kind.COMPILERS}


#: The class of each field.
FIELDS: dict[str, type[BaseField]] = {
    "year": YearField,
    "month": MonthField,
    "week": WeekField,
    "day": DayOfMonthField,
    "day_of_week": DayOfWeekField,
    "hour": BaseField,
    "minute": BaseField,
    "second": BaseField,
}


def steps_over_new_year(week: BaseField) -> int:
    """How many weeks apart the weeks are, if they were given by a step and go on so up to the end of the year; else 1."""
    if not any(expression.step for expression in week.expressions):
        return 1
    weeks = sorted(week.values())
    distances = {later - earlier for earlier, later in pairwise(weeks)}
    if len(distances) != 1 or weeks[-1] + max(distances) <= _LAST_WEEK:
        return 1
    return max(distances)
