"""What programs change in a cron field by subclassing: how a text is read (`COMPILERS`), and which value comes next.

A schedule is kept as the values that match, so such a field is asked for each value once, when the schedule is made. That is the same as asking
it for each date as long as the answer rests on the field's own value alone, or for the day of the month on the weekdays and the length of
the month. A field whose answer rests on more is refused.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from mainspring.errors import TriggerError
from mainspring.triggers.cron.expressions import DayExpression, Expression

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from mainspring.triggers.cron.fields import BaseField

#: What is asked of a field, or of an expression, about a date.
_QUESTIONS = ("get_next_value", "get_value", "get_min", "get_max")
#: Dates that differ in all that a field of the time of day has nothing to do with.
_SOME_DATES = tuple(
    map(datetime.fromisoformat, ("2023-01-01T00:00:00", "2024-02-29T13:47:31", "2031-11-12T06:05:59"))
)
#: So many weeks from the first Monday of 2024 have weekdays at different dates.
_SOME_WEEKS = 0, 9, 30, 200
#: Years of 53 weeks, of different kinds.
_LONG_YEARS = 2020, 2026, 2032
#: In so many years each kind of month comes more than once.
_ALL_KINDS_OF_MONTHS = range(2000, 2056)


def is_asked(field: BaseField) -> bool:
    """Whether a field has to be asked for its values, since a program has a say in them."""
    return _is_foreign(cast("Hashable", type(field))) or any(
        not isinstance(expression, Expression) or _is_foreign(cast("Hashable", type(expression)))
        for expression in field.expressions
    )


@lru_cache(maxsize=256)
def _is_foreign(kind: Hashable) -> bool:
    return any(
        not getattr(kind, name).__module__.startswith("mainspring.triggers.cron.")
        for name in (*_QUESTIONS, "values", "day_of")
        if hasattr(kind, name)
    )


def asked_values(field: BaseField, lowest: int, highest: int) -> frozenset[int]:
    """The values that a field lets through, of one that isn't for the day of the month.

    Raises:
        TriggerError: which ones rests on more than the field's own value.
    """
    answers = [
        frozenset(
            value for value in range(lowest, highest + 1) if field.get_next_value(dated(value)) == value
        )
        for dated in _dated(field.name)
    ]
    if any(answer != answers[0] for answer in answers):
        raise _refusal(field, "its own value")
    return answers[0]


def _dated(name: str) -> Iterable[Callable[[int], datetime]]:
    """What makes dates that have a value of a field, each other ones."""
    if name == "day_of_week":
        monday = datetime(2024, 1, 1)  # noqa: DTZ001 - a wall time
        return [lambda value, w=weeks: monday + timedelta(days=value, weeks=w) for weeks in _SOME_WEEKS]  # type: ignore[misc]
    if name == "week":
        return [
            lambda value, y=year: datetime.combine(date.fromisocalendar(y, value, 4), datetime.min.time())  # type: ignore[misc]
            for year in _LONG_YEARS
        ]
    if name in ("year", "month"):
        return [lambda value, d=one: d.replace(**{"day": 1, name: value}) for one in _SOME_DATES]  # type: ignore[misc]
    return [lambda value, d=one: d.replace(**{name: value}) for one in _SOME_DATES]  # type: ignore[misc]


class AskedDays(DayExpression):
    """The days of a month that a field of a program lets through."""

    def __init__(self, field: BaseField) -> None:
        self._field = field

    def days_of(self, first_weekday: int, length: int) -> int:
        """See `DayExpression.days_of`.

        Raises:
            TriggerError: which days rests on more than the weekdays and the length of the month.
        """
        answers = {self._days_in(*month) for month in _months_like(first_weekday, length)}
        if len(answers) > 1:
            raise _refusal(self._field, "the weekdays and the length of the month")
        return answers.pop()

    def _days_in(self, year: int, month: int) -> int:
        days, length = 0, monthrange(year, month)[1]
        day: Any = 1
        while day is not None and day <= length:
            following = self._field.get_next_value(datetime(year, month, day))  # noqa: DTZ001 - a wall time
            if following is None or following > length:
                break
            days |= 1 << (max(following, day) - 1)
            day = max(following, day) + 1
        return days

    def __str__(self) -> str:
        return str(self._field)


@lru_cache(maxsize=64)
def _months_like(first_weekday: int, length: int) -> tuple[tuple[int, int], ...]:
    """Some months of this kind, of different names where there are any."""
    alike = [
        (year, month)
        for year in _ALL_KINDS_OF_MONTHS
        for month in range(1, 13)
        if monthrange(year, month) == (first_weekday, length)
    ]
    return tuple(alike[:6])


def _refusal(field: BaseField, what: str) -> TriggerError:
    return TriggerError(
        f"{type(field).__name__} for {field.name} gives values that rest on more than {what}, which a cron trigger doesn't ask for: write a "
        "trigger of your own (a subclass of BaseTrigger with get_next_fire_time)"
    )
