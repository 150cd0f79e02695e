"""Which days are business days. Dates alone: no time of the day, no zone."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from mainspring.coercion import NamesParameters, names_parameters
from mainspring.errors import SerializationError, TriggerError
from mainspring.timezones import asdate
from mainspring.triggers.cron.expressions import WEEKDAYS, weekday_number
from mainspring.triggers.declared import Codec
from mainspring.triggers.event_calendar import EventCalendar
from mainspring.triggers.naming import found_by, reference_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["BusinessCalendar"]

#: A calendar that is closed for longer is taken to be closed for ever.
_LONGEST_CLOSURE = 3660


@names_parameters
class BusinessCalendar(metaclass=NamesParameters):
    """Weekends and holidays.

    Args:
        holidays: dates or texts like ``"2026-12-25"``; or anything that answers ``date in it``, such as an object of the
            ``holidays`` package; or a callable that takes a date.
        weekend: the names or numbers (0 for Monday) of the weekdays that are closed.

    Raises:
        TriggerError: every weekday is closed.
    """

    __slots__ = ("_closed_weekdays", "_is_holiday", "holidays")

    def __init__(self, holidays: Any = (), weekend: Iterable[str | int] = ("sat", "sun")) -> None:
        self._closed_weekdays = _read_weekend(weekend)
        if not self._closed_weekdays <= frozenset(range(7)):
            raise TriggerError(f"weekend must name weekdays, or number them from 0 to 6, got {weekend!r}")
        if len(self._closed_weekdays) == len(WEEKDAYS):
            raise TriggerError("weekend must leave at least one business day, got all seven")
        self.holidays = _read_holidays(holidays)
        self._is_holiday = self._make_test()

    def _make_test(self) -> Callable[[date], bool]:
        holidays: Any = self.holidays
        if hasattr(holidays, "__contains__"):
            return lambda day: day in holidays
        return lambda day: bool(holidays(day))

    @property
    def closed_weekdays(self) -> frozenset[int]:
        """The weekdays that are closed, 0 for Monday."""
        return self._closed_weekdays

    @property
    def weekend(self) -> tuple[str, ...]:
        """The weekdays that are closed."""
        return tuple(WEEKDAYS[number] for number in sorted(self._closed_weekdays))

    def is_business_day(self, day: date) -> bool:
        """Whether `day` is neither on a weekend nor a holiday."""
        return day.weekday() not in self._closed_weekdays and not self._is_holiday(day)

    def next_business_day(self, day: date) -> date:
        """`day`, or the first business day after it.

        Raises:
            TriggerError: there is none within ten years.
        """
        return self._nearest(day, 1)

    def previous_business_day(self, day: date) -> date:
        """`day`, or the last business day before it.

        Raises:
            TriggerError: there is none within ten years.
        """
        return self._nearest(day, -1)

    def _nearest(self, day: date, direction: int) -> date:
        step = timedelta(days=direction)
        for _ in range(_LONGEST_CLOSURE):
            if self.is_business_day(day):
                return day
            day += step
        raise TriggerError(f"no business day within ten years of {day}: see what the holidays are")

    def to_dict(self) -> dict[str, Any]:
        """The calendar as plain data.

        Raises:
            SerializationError: its holidays are neither dates nor a callable that can be imported.
        """
        values: dict[str, Any] = {"weekend": list(self.weekend)}
        if isinstance(self.holidays, EventCalendar):
            values["holidays"] = self.holidays.to_dict()
            return values
        if isinstance(self.holidays, frozenset):
            values["holidays"] = sorted(day.isoformat() for day in self.holidays)
            return values
        try:
            values["holidays"] = reference_to(self.holidays)
        except SerializationError as error:
            raise SerializationError(
                f"holidays of type {type(self.holidays).__name__} can't be written as plain data: "
                "give a list of dates, or a function of a module"
            ) from error
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> BusinessCalendar:
        """The inverse of `to_dict`."""
        holidays = values["holidays"]
        if isinstance(holidays, str):
            holidays = found_by(holidays)
        elif isinstance(holidays, dict):
            holidays = EventCalendar.from_dict(holidays)
        return cls(holidays, values["weekend"])

    def __getstate__(self) -> dict[str, Any]:
        return {"holidays": self.holidays, "weekend": self.weekend}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["holidays"], state["weekend"])  # type: ignore[misc]  # the state is the arguments

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__getstate__() == other.__getstate__()

    def __hash__(self) -> int:
        return hash(self._closed_weekdays)

    def __repr__(self) -> str:
        if isinstance(self.holidays, frozenset):
            shown = f"[{', '.join(repr(day.isoformat()) for day in sorted(self.holidays))}]"
        else:
            shown = repr(self.holidays)
        return f"{type(self).__name__}({shown}, weekend={self.weekend})"


CALENDAR = Codec(BusinessCalendar.to_dict, lambda values, _zone: BusinessCalendar.from_dict(values))


def _read_weekend(weekend: Any) -> frozenset[int]:
    if isinstance(weekend, str):
        raise TriggerError(f"weekend must be several weekdays, got the text {weekend!r}: write [{weekend!r}]")
    if not hasattr(weekend, "__iter__"):
        raise TriggerError(f"weekend must be several weekdays, such as ['sat', 'sun'], got {weekend!r}")
    try:
        return frozenset(weekday_number(day) for day in weekend)
    except (TypeError, ValueError, AttributeError) as error:
        raise TriggerError(
            f"weekend must name weekdays, or number them from 0 to 6, got {weekend!r}: {error}"
        ) from None


def _read_holidays(holidays: Any) -> Any:
    """Plain collections as a set of dates; what answers by itself, as it is."""
    if isinstance(holidays, str):
        if holidays in ("next", "previous", "skip"):
            raise TriggerError(
                f"holidays must be several dates, got {holidays!r}; did you mean roll={holidays!r}?"
            )
        raise TriggerError(f"holidays must be several dates, got the text {holidays!r}: write [{holidays!r}]")
    if isinstance(holidays, list | tuple | set | frozenset):
        return frozenset(asdate(day, "holidays") for day in holidays)
    if hasattr(holidays, "__contains__") or callable(holidays):
        return holidays
    raise TriggerError(
        f"holidays must be dates, something with `date in it`, or a callable, got {type(holidays).__name__}"
    )
