"""Fires on the n-th business day of the month, or on the n-th from the month's end."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, cast

from mainspring.errors import TriggerError
from mainspring.timezones import in_utc
from mainspring.triggers.business_calendar import CALENDAR, BusinessCalendar
from mainspring.triggers.clock_changes import ALL_KINDS, DAY, ZoneChanges, changes_of
from mainspring.triggers.common_fields import WALL_CLOCK_FIELDS
from mainspring.triggers.cron.days import DateFields
from mainspring.triggers.cron.fields import BaseField, MonthField
from mainspring.triggers.cron.wall import WallSchedule
from mainspring.triggers.declared import Codec, keyword, keywords, positional
from mainspring.triggers.interval import checked_count, checked_first
from mainspring.triggers.jitter import checked_jitter
from mainspring.triggers.standard import check_order, moment_in, zone_given
from mainspring.triggers.wall_clock import WallClockTrigger, checked_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mainspring.triggers.clock_changes import Fold, Gap, Walls
    from mainspring.triggers.explaining import Phrase

__all__ = ["BusinessDayTrigger"]

_LONGEST_MONTH = 31
_TIMES = ("hour", "minute", "second")
_FIRST_MONTH = 1970 * 12
_LAST_MONTH = 9999 * 12 + 11
_CENTURY = 100 * 12
#: From this month on no zone skips a day: each changes its clocks by a rule for all years, or not at all.
_STEADY = 2100 * 12
_EVERY_DAY = DateFields((1 << 13) - 2, None, (), (), None, None, is_either=False)


def _read_fields(month: Any, *times: Any) -> tuple[BaseField, ...]:
    return (
        MonthField("month", month),
        *(BaseField(name, value) for name, value in zip(_TIMES, times, strict=True)),
    )


def _shown_fields(fields: Iterable[BaseField]) -> str | None:
    shown = [f"{field.name}='{field}'" for field in fields if str(field) not in ("*", "0")]
    return ", ".join(shown) if shown else None


class BusinessDayTrigger(WallClockTrigger):
    """Fires on the n-th business day of the month: ``day=1`` is the first, ``-1`` the last, ``-3`` two business days before the last.

    A month that has fewer business days is left out. A day that the zone skipped is no business day. Where the clocks change, the rule is
    that of `CronTrigger`.

    Args:
        day: 1 to 31, or -1 to -31; or several, as a list or as text (``"1,-1"``).
        month: 1 to 12, or jan to dec; as the field of `CronTrigger`. Every month, if it is not given.
        hour, minute, second: as the fields of `CronTrigger`: a number, or text such as ``"8,16"``.
        calendar: which days are business days: a `BusinessCalendar`, or the holidays of one; Monday to Friday without holidays, if it is
            not given. One that asks a function is searched for a century.
        start_date, end_date: the first and the last moment at which it may fire.
        timezone: whose wall clock; the scheduler's if it is not given.
        jitter: delay each firing by up to so many seconds. The times that are delayed stay where they are.
        gap: for times that don't exist: ``"shift"`` reads them with the offset before the change, ``"skip"`` skips them.
        fold: for times that exist twice: fire at the ``"first"``, the ``"second"``, or at ``"both"``.
        first: ``"now"`` also fires once as soon as the trigger is added; ``"after"`` doesn't, and is the default.
        max_fires: fire so many times, counted from the start date, or from when the trigger is added.

    Raises:
        TriggerError: `day` is zero, or no month is so long.
        CronSyntaxError: a field that can't be read; the message says where.
    """

    __slots__ = ("calendar", "days", "fields")

    kind = "business_day"
    fields_declared = (
        positional(
            "days",
            codec=Codec(list),
            state_codec=Codec(list, lambda days, _zone: _read_days(days)),
            shown=lambda days: f"day={days[0] if len(days) == 1 else list(days)}",
        ),
        keywords(
            "fields",
            codec=Codec(lambda fields: {field.name: str(field) for field in fields}),
            state_codec=Codec(
                lambda fields: [str(field) for field in fields], lambda texts, _zone: _read_fields(*texts)
            ),
            shown=_shown_fields,
        ),
        keyword(
            "calendar",
            codec=CALENDAR,
            shown=lambda calendar: None if calendar == BusinessCalendar() else f"calendar={calendar!r}",
        ),
        *WALL_CLOCK_FIELDS,
    )

    def __init__(
        self,
        day: int | str | Iterable[int] = 1,
        *,
        month: Any = None,
        hour: Any = 0,
        minute: Any = 0,
        second: Any = 0,
        calendar: Any = None,
        start_date: Any = None,
        end_date: Any = None,
        timezone: Any = None,
        jitter: float | None = None,
        gap: Gap | None = None,
        fold: Fold | None = None,
        first: Literal["now", "after"] | None = None,
        max_fires: int | None = None,
    ) -> None:
        self.days = _read_days(day)
        self.fields = _read_fields("*" if month is None else month, hour, minute, second)
        self.calendar = _read_calendar(calendar)
        self.timezone = zone_given(timezone, start_date, end_date)
        self.start_date = moment_in(start_date, self.timezone, "start_date")
        self.end_date = moment_in(end_date, self.timezone, "end_date")
        check_order(self.start_date, self.end_date)
        self.jitter = checked_jitter(jitter)
        self.gap, self.fold = checked_policy(gap, fold)
        self.first = checked_first(first, start_date)
        self.max_fires = checked_count(max_fires)
        self._is_anchored = False
        self._seed: str | None = None
        self._first_at: datetime | None = None
        self._forget()

    def fields_as_text(self) -> dict[str, Any]:
        """Months and times of the day as the fields of `CronTrigger`."""
        return {field.name: str(field) for field in self.fields}

    def days_by_month(self, months: range) -> dict[int, int]:
        """How many of the days each of `months` has, of those that are meant; months are numbered on from year to year."""
        walls = self._prepared()
        return {month: walls.days_in(month) for month in months if walls.is_meant(month)}

    def _needs_seed(self) -> bool:
        return bool(self.jitter) or any(field.has_hash() for field in self.fields)

    def _read_dates(self) -> None:
        self.start_date = moment_in(self.start_date, self.timezone, "start_date")
        self.end_date = moment_in(self.end_date, self.timezone, "end_date")
        check_order(self.start_date, self.end_date)

    def _implied_policy(self) -> tuple[Gap, Fold]:
        return ("skip", "both") if str(self.fields[1]).startswith("*") else ("shift", "first")

    def has_same_times_each_day(self) -> bool:
        return self._first_at is None and not self.jitter

    def _make_limits(self) -> tuple[datetime | None, datetime | None]:
        return tuple(  # type: ignore[return-value]  # there are two
            None if moment is None else in_utc(moment) for moment in (self.start_date, self.end_date)
        )

    def _prepared(self) -> BusinessDays:
        return cast("BusinessDays", super()._prepared())

    def _make_walls(self) -> Walls:
        seed = self._seed or ""
        months, *times = (sum(1 << value for value in field.values(seed)) for field in self.fields)
        return BusinessDays(
            self.days,
            months,
            self.calendar,
            WallSchedule(None, (_EVERY_DAY,), *times),
            changes_of(self._zone()),
        )

    def _delay_limit(self) -> datetime | None:
        return None if self.end_date is None else in_utc(self.end_date)

    def _phrase(self) -> Phrase:
        from mainspring.triggers.explaining.business import spoken_business_days

        return spoken_business_days(self)

    def __str__(self) -> str:
        return repr(self)


class BusinessDays:
    """The wall-clock times on certain business days of the month.

    Months are numbered on from year to year, days as `date.toordinal` counts, and times are as in `mainspring.triggers.clock_changes`.

    Args:
        days: 1 for the first business day of a month, -1 for the last.
        months: bit n is month n.
        calendar: a function in it is asked anew each time, as its answers may change.
        times: of every day.
        changes: of the zone, which may have skipped a day.
    """

    def __init__(
        self,
        days: tuple[int, ...],
        months: int,
        calendar: BusinessCalendar,
        times: WallSchedule,
        changes: ZoneChanges,
    ) -> None:
        self._days, self._months, self._calendar = days, months, calendar
        self._times, self._changes = times, changes
        self._times_a_day = times.count(_FIRST_DAY * DAY, _FIRST_DAY * DAY + DAY)
        holidays = calendar.holidays
        #: The months with holidays, if that is known.
        self._holiday_months: frozenset[int] | None = None
        if isinstance(holidays, frozenset):
            self._holiday_months = frozenset(day.year * 12 + day.month - 1 for day in holidays)
        #: In each kind of month, which days these are if it has no holidays.
        self._usual = {
            (weekday, length): self._usual_days(weekday, length)
            for weekday in range(7)
            for length in range(28, 32)
        }
        #: How many of the days there are before each month, from 1970 on, as far as that was asked.
        self._sums = [0]
        needed = min(map(abs, days))
        #: The kinds of months that may have such a day. A holiday only makes them fewer.
        self._possible = frozenset(
            kind for kind in self._usual if len(_weekdays_open(calendar.closed_weekdays, *kind)) >= needed
        )

    def _usual_days(self, first_weekday: int, length: int) -> tuple[int, ...]:
        return self._chosen(_weekdays_open(self._calendar.closed_weekdays, first_weekday, length))

    def _chosen(self, open_days: Sequence[int]) -> tuple[int, ...]:
        """Those of the business days of a month that are meant, in order."""
        count = len(open_days)
        places = {day - 1 if day > 0 else count + day for day in self._days if abs(day) <= count}
        return tuple(open_days[place] for place in sorted(places))

    @property
    def repeats_within(self) -> int | None:
        """See `Walls`. What is always skipped is not sought longer because of a function that may say anything of far years."""
        is_yearly = self._holiday_months is None or max(self._holiday_months, default=0) < _STEADY
        return ALL_KINDS if is_yearly else None

    def after(self, wall: int) -> int | None:
        """The first one after `wall`, or ``None``."""
        day = max(wall // DAY, _FIRST_DAY)
        if day > _LAST_DAY:
            return None
        begin = _month_of(day)
        # A century after the last holiday all kinds of months have come.
        end = max(begin, max(self._holiday_months or (), default=0)) + _CENTURY
        for month in self._months_of(range(begin, min(end, _LAST_MONTH) + 1)):
            for found in self._days_of(month):
                if found >= day:
                    time = self._times.after(max(wall, found * DAY - 1))
                    if time is not None and time // DAY == found:
                        return time
        return None

    def before(self, wall: int) -> int | None:
        """The last one before `wall`, or ``None``."""
        day = min((wall - 1) // DAY, _LAST_DAY)
        if day < _FIRST_DAY:
            return None
        begin = _month_of(day)
        end = min(begin, min(self._holiday_months or (), default=_LAST_MONTH)) - _CENTURY
        for month in self._months_of(range(begin, max(end, _FIRST_MONTH) - 1, -1)):
            for found in reversed(self._days_of(month)):
                if found <= day:
                    time = self._times.before(min(wall, found * DAY + DAY))
                    if time is not None and time // DAY == found:
                        return time
        return None

    def count(self, low: int, high: int) -> int:
        """How many there are from `low` on, before `high`."""
        first, last = (min(max(wall // DAY, _FIRST_DAY), _LAST_DAY) for wall in (low, high))
        begin, end = _month_of(first), _month_of(last)
        count = self._days_in(begin, end) * self._times_a_day if begin < end else 0
        return max(count - self._count_until(begin, first, low) + self._count_until(end, last, high), 0)

    def _count_until(self, month: int, day: int, wall: int) -> int:
        """How many times there are from the beginning of a month on, before `wall`, which is on `day` of it."""
        days = self._days_of(month) if next(self._months_of(range(month, month + 1)), None) else ()
        count = sum(one < day for one in days) * self._times_a_day
        return count + (self._times.count(day * DAY, min(wall, day * DAY + DAY)) if day in days else 0)

    def _days_in(self, begin: int, end: int) -> int:
        """How many of the days there are from the month `begin` on, before the month `end`."""
        if self._holiday_months is None:
            return sum(len(self._days_of(month)) for month in self._months_of(range(begin, end)))
        sums = self._sums
        if len(sums) <= end - _FIRST_MONTH:
            more = list(sums)
            for month in range(_FIRST_MONTH + len(sums) - 1, end):
                is_possible = next(self._months_of(range(month, month + 1)), None) is not None
                more.append(more[-1] + (len(self._days_of(month)) if is_possible else 0))
            self._sums = sums = more  # replaced as a whole: another thread may be reading it
        return sums[end - _FIRST_MONTH] - sums[begin - _FIRST_MONTH]

    def is_meant(self, month: int) -> bool:
        """Whether it is a month in which it may fire."""
        return bool(self._months >> (month % 12 + 1) & 1)

    def days_in(self, month: int) -> int:
        """How many of the days a month has."""
        return len(self._days_of(month))

    def _months_of(self, months: range) -> Iterator[int]:
        """Those of `months` that may have such a day."""
        if not self._possible:
            return
        for month in months:
            if self.is_meant(month) and _kind_of(month)[1:] in self._possible:
                yield month

    def _days_of(self, month: int) -> tuple[int, ...]:
        """The days that are meant, of a month."""
        first, weekday, length = _kind_of(month)
        skipped = self._skipped(first, length) if month < _STEADY else ()
        if not skipped and self._holiday_months is not None and month not in self._holiday_months:
            return tuple(first + day for day in self._usual[weekday, length])
        is_open = self._calendar.is_business_day
        return self._chosen(
            [
                day
                for day in range(first, first + length)
                if day not in skipped and is_open(date.fromordinal(day))
            ]
        )

    def _skipped(self, first: int, length: int) -> tuple[int, ...]:
        """The days of a month that the zone's clocks went past, as those of Samoa did with 30 December 2011."""
        moved = self._changes.offset_at((first + length) * DAY) - self._changes.offset_at(first * DAY)
        if moved < DAY // 2:
            return ()
        return tuple(
            day
            for at, before, after in self._changes.between(first * DAY, (first + length) * DAY)
            if after - before >= DAY
            for day in range(first, first + length)
            if at + before <= day * DAY and day * DAY + DAY <= at + after
        )


@lru_cache(maxsize=1024)
def _weekdays_open(closed: frozenset[int], first_weekday: int, length: int) -> tuple[int, ...]:
    """The days of a month, from 0 on, that are on no weekend."""
    return tuple(day for day in range(length) if (first_weekday + day) % 7 not in closed)


@lru_cache(maxsize=4096)
def _kind_of(month: int) -> tuple[int, int, int]:
    """The first day of a month, its weekday, and how many days the month has."""
    first = date(month // 12, month % 12 + 1, 1)
    if month == _LAST_MONTH:
        return first.toordinal(), first.weekday(), _LONGEST_MONTH
    following = date((month + 1) // 12, (month + 1) % 12 + 1, 1)
    return first.toordinal(), first.weekday(), (following - first).days


def _month_of(day: int) -> int:
    found = date.fromordinal(day)
    return found.year * 12 + found.month - 1


_FIRST_DAY = date(1970, 1, 1).toordinal()
_LAST_DAY = date.max.toordinal()


def _read_calendar(calendar: Any) -> BusinessCalendar:
    if calendar is None:
        return BusinessCalendar()
    return calendar if isinstance(calendar, BusinessCalendar) else BusinessCalendar(calendar)


def _read_days(value: Any) -> tuple[int, ...]:
    """The days, each once, in order, those from the month's end last.

    Raises:
        TriggerError: there is none, or one that no month has.
    """
    parts: list[Any]
    if isinstance(value, str):
        parts = [_number_of(part) for part in value.split(",")]
    elif isinstance(value, list | tuple | set | frozenset | range):
        parts = list(value)
    else:
        parts = [value]
    if not parts:
        raise TriggerError(
            "day must name at least one business day of the month, got none: 1 is the first, -1 the last"
        )
    for part in parts:
        if type(part) is not int or not 1 <= abs(part) <= _LONGEST_MONTH:
            raise TriggerError(
                f"day must be a whole number from 1 to 31, or from -31 to -1 to count from the month's end, got {part!r}"
                + ("; did you mean 1, the first business day?" if part == 0 and type(part) is int else "")
            )
    return tuple(sorted(set(parts), key=lambda day: (day < 0, abs(day) if day > 0 else day)))


def _number_of(text: str) -> Any:
    """The number that `text` is, or else the text, for a message."""
    try:
        return int(text)
    except ValueError:
        return text
