"""Fires on several weekdays, at several times of the day, in every n-th week."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from datetime import time
from typing import TYPE_CHECKING, Any, Literal

from mainspring.errors import TriggerError, repr_of
from mainspring.triggers.clock_changes import DAY
from mainspring.triggers.cron.expressions import WEEKDAYS, weekday_number
from mainspring.triggers.cron.fields import DayOfWeekField
from mainspring.triggers.dated import DATED_FIELDS, DatedTrigger
from mainspring.triggers.declared import Codec, keyword

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mainspring.triggers.clock_changes import Fold, Gap, Walls
    from mainspring.triggers.explaining import Phrase

__all__ = ["WeeklyTrigger"]

_WEEK = 7
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)


def _names_of(days: Iterable[int]) -> str:
    return ",".join(WEEKDAYS[day] for day in days)


def _texts_of(times: Iterable[time]) -> list[str]:
    return [at.isoformat() for at in times]


class WeeklyTrigger(DatedTrigger):
    """Fires in every n-th week, on some of its weekdays, at some times of the day: every second Monday and Thursday at 09:30.

    The weeks are counted from the one that the start date is in, on and on: over new year too, where the numbers of weeks of a year
    begin anew. Days of that first week which are before the start date are left out.

    Where the clocks change, each time fires exactly once on its day: one that doesn't exist is read with the offset before the change
    (02:30 becomes 03:30), one that exists twice fires at its first occurrence.

    Args:
        day_of_week: weekdays as `CronTrigger` has them: ``"mon,thu"``, ``"mon-fri"``, ``"sat-mon"``, full names, numbers (0 for Monday),
            or a list of names and numbers.
        times: the times of the day: ``"09:30"``, ``"09:30:15"``, ``"09:30,14:00"``, a `datetime.time`, or a list of these.
        weeks: fire in every so manieth week; 1 is every week.
        week_start: the weekday on which weeks begin. It tells which days are of the same week, where `weeks` is more than 1.
        start_date: the first date; the day on which the trigger is added, if it is not given. Times of that day which have passed by then
            are left out.
        end_date: the last date.
        timezone: whose wall clock; the scheduler's if it is not given.
        jitter: delay each firing by up to so many seconds. The times that are delayed stay where they are.
        gap: for times that don't exist: ``"shift"`` reads them with the offset before the change, ``"skip"`` skips them.
        fold: for times that exist twice: fire at the ``"first"``, the ``"second"``, or at ``"both"``.
        first: ``"now"`` also fires once as soon as the trigger is added; ``"after"`` doesn't, and is the default.
        max_fires: fire so many times, counted from the start date, or from when the trigger is added.

    Raises:
        CronSyntaxError: `day_of_week` can't be read.
        TriggerError: another parameter can't be, or the end is before the start.

    Attributes:
        days: the weekdays as numbers, 0 for Monday, in order.
        times: the times of the day, in order.
    """

    __slots__ = ("days", "times", "week_start", "weeks")

    kind = "weekly"
    fields_declared = (
        keyword("weeks", shown=lambda weeks: None if weeks == 1 else f"weeks={weeks}"),
        keyword(
            "day_of_week",
            "days",
            codec=Codec(_names_of),
            state_name="days",
            state_codec=Codec(list, lambda days, _zone: tuple(days)),
            shown=lambda days: repr(_names_of(days)),
        ),
        keyword(
            "times",
            codec=Codec(_texts_of),
            state_codec=Codec(_texts_of, lambda texts, _zone: tuple(map(time.fromisoformat, texts))),
            shown=lambda times: repr(
                ",".join(at.isoformat("auto" if at.second else "minutes") for at in times)
            ),
        ),
        keyword(
            "week_start",
            codec=Codec(WEEKDAYS.__getitem__),
            shown=lambda day: f"week_start={WEEKDAYS[day]!r}" if day else None,
        ),
        *DATED_FIELDS,
    )
    shown_first = ("day_of_week", "times")
    shown_last = ("jitter", "timezone")

    def __init__(
        self,
        day_of_week: Any,
        times: Any = "00:00",
        *,
        weeks: int = 1,
        week_start: str | int = "mon",
        start_date: Any = None,
        end_date: Any = None,
        timezone: Any = None,
        jitter: float | None = None,
        gap: Gap | None = None,
        fold: Fold | None = None,
        first: Literal["now", "after"] | None = None,
        max_fires: int | None = None,
    ) -> None:
        if type(weeks) is not int or weeks < 1:
            raise TriggerError(f"weeks must be a whole number, 1 or more, got {weeks!r}")
        self.weeks = weeks
        self.days = _read_days(day_of_week)
        self.times = _read_times(times)
        self.week_start = _read_week_start(week_start)
        self._set_options(start_date, end_date, timezone, jitter, gap, fold, first, max_fires)

    def has_same_times_each_day(self) -> bool:
        return self._first_at is None and not self.jitter

    def _make_walls(self) -> Walls:
        first = self.start_date.toordinal()
        begin = first - (self.start_date.weekday() - self.week_start) % _WEEK
        slots = sorted(
            (day - self.week_start) % _WEEK * DAY + at.hour * 3600 + at.minute * 60 + at.second
            for day in self.days
            for at in self.times
        )
        return _Weeks(begin * DAY, self.weeks * _WEEK * DAY, slots, first * DAY, (self._last_day() + 1) * DAY)

    def _phrase(self) -> Phrase:
        from mainspring.triggers.explaining.calendar import spoken_weeks

        return spoken_weeks(self)

    def _compared(self) -> dict[str, Any]:
        state = super()._compared()
        if self.weeks == 1:
            del state["week_start"]  # it doesn't matter
        return state


class _Weeks:
    """The same times of every n-th week.

    All are wall-clock times as of `mainspring.triggers.clock_changes`.

    Args:
        begin: when the first week begins.
        period: from there to the next that counts.
        slots: when to fire, counted from the beginning of a week; in order.
        first: nothing fires before it.
        end: nothing fires from it on.
    """

    repeats_within = None

    def __init__(self, begin: int, period: int, slots: Sequence[int], first: int, end: int) -> None:
        self._begin, self._period, self._slots = begin, period, slots
        self._first, self._end = first, end

    def after(self, wall: int) -> int | None:
        turn, rest = divmod(max(wall, self._first - 1) - self._begin, self._period)
        at = bisect_right(self._slots, rest)
        if at == len(self._slots):
            turn, at = turn + 1, 0
        found = self._begin + turn * self._period + self._slots[at]
        return found if found < self._end else None

    def before(self, wall: int) -> int | None:
        turn, rest = divmod(min(wall, self._end) - self._begin, self._period)
        at = bisect_left(self._slots, rest) - 1
        if at < 0:
            turn, at = turn - 1, len(self._slots) - 1
        found = self._begin + turn * self._period + self._slots[at]
        return found if found >= self._first else None

    def count(self, low: int, high: int) -> int:
        low, high = max(low, self._first), min(high, self._end)
        return max(self._counted_to(high) - self._counted_to(low), 0)

    def _counted_to(self, wall: int) -> int:
        """How many there are before `wall`, less a number that is always the same."""
        turn, rest = divmod(wall - self._begin, self._period)
        return turn * len(self._slots) + bisect_left(self._slots, rest)


def _read_days(given: Any) -> tuple[int, ...]:
    if isinstance(given, (list, tuple, set, frozenset, range)):
        given = ",".join(str(day) for day in given)
    field = DayOfWeekField("day_of_week", given)
    if field.special_days() or field.has_hash():
        raise TriggerError(
            f"day_of_week must name days of every week, such as 'mon,thu', got {given!r}: for days of a month use CronTrigger"
        )
    return tuple(sorted(field.values()))


def _read_times(given: Any) -> tuple[time, ...]:
    several: Iterable[Any] = given.split(",") if isinstance(given, str) else given
    if isinstance(given, time) or not isinstance(several, (list, tuple, set, frozenset)):
        several = [given]
    times = sorted({_read_time(one) for one in several})
    if not times:
        raise TriggerError("times must be at least one time of the day, such as '09:30', got none")
    return tuple(times)


def _read_time(given: Any) -> time:
    if isinstance(given, time):
        if given.tzinfo is not None or given.microsecond:
            raise TriggerError(
                f"times must be whole seconds without a time zone, got {given!r}: the zone is said by timezone="
            )
        return given.replace(fold=0)
    if isinstance(given, str) and (match := _TIME.fullmatch(given.strip())):
        try:
            hour, minute, second = (int(part or 0) for part in match.groups())
            return time(hour, minute, second)
        except ValueError as error:
            raise TriggerError(f"times={given!r}: {error}") from None
    shown = f"{given:.100}" if isinstance(given, str) else repr_of(given)[:100]
    is_hour = type(given) is int or (isinstance(given, str) and given.isascii() and given.strip().isdecimal())
    hint = f"; did you mean '{int(shown):02}:00'?" if is_hour and 0 <= int(shown) < 24 else ""  # noqa: PLR2004 - hours
    raise TriggerError(
        f"times must be times of the day, such as '09:30' or ['09:30', '14:00'], got {shown!r}{hint}"
    )


def _read_week_start(given: Any) -> int:
    try:
        number = weekday_number(given)
    except (ValueError, AttributeError):
        number = -1
    if type(number) is not int or not 0 <= number < _WEEK:
        raise TriggerError(
            f"week_start must be one of {', '.join(map(repr, WEEKDAYS))}, got {str(given)[:100]!r}"
        )
    return number
