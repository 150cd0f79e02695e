"""Fires at a time of the day, every so many years, months, weeks and days of the calendar."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from mainspring.coercion import count_meant
from mainspring.errors import TriggerError
from mainspring.former_names import former_names
from mainspring.profile import stands_in
from mainspring.timezones import in_utc
from mainspring.timezones import local_timezone as get_localzone
from mainspring.triggers.clock_changes import DAY
from mainspring.triggers.common_fields import JITTER, TIMEZONE_APART
from mainspring.triggers.dated import DATED_FIELDS, DatedTrigger
from mainspring.triggers.declared import Codec, keywords, replaced
from mainspring.triggers.standard import zone_of_a_new_one

if TYPE_CHECKING:
    from mainspring.triggers.clock_changes import Fold, Gap, Walls
    from mainspring.triggers.explaining import Phrase

__all__ = ["CalendarIntervalTrigger"]

_PARTS = ("hour", "minute", "second")
_UNITS = ("years", "months", "weeks", "days")
_LAST_YEAR = 9999


def _parts_of(at: time) -> list[int]:
    return [at.hour, at.minute, at.second]


def _shown_distance(distance: list[int]) -> str:
    return ", ".join(f"{name}={value}" for name, value in zip(_UNITS, distance, strict=True) if value)


class CalendarIntervalTrigger(DatedTrigger):
    """Fires at the same time of the day, at distances in the calendar: the first of each month, every second Monday.

    Years and months are added first, then weeks and days. A date that a month doesn't have (31 April) is left out, and
    the following one is taken: every month from 31 January on means January, March, May, July and so on.

    Where the clocks change, each date fires exactly once: a time that doesn't exist is read with the offset before the
    change (02:30 becomes 03:30), one that exists twice fires at its first occurrence.

    Args:
        years, months, weeks, days: the distance, which is all of them together.
        hour, minute, second: the time of the day.
        start_date: the first date; the day on which the trigger is added, if it is not given. That day's time may have
            passed by then.
        end_date: the last date.
        timezone: whose wall clock; the scheduler's if it is not given.
        jitter: delay each firing by up to so many seconds. The times that are delayed stay where they are.
        gap: for times that don't exist: ``"shift"`` reads them with the offset before the change, ``"skip"`` skips them.
        fold: for times that exist twice: fire at the ``"first"``, the ``"second"``, or at ``"both"``.
        first: ``"now"`` also fires once as soon as the trigger is added; ``"after"`` doesn't, and is the default.
        max_fires: fire so many times, counted from the start date, or from when the trigger is added.

    Raises:
        TriggerError: the distance is zero, or a part of it is negative, or the end is before the start.
    """

    __slots__ = ("_time", "days", "months", "weeks", "years")

    kind = "calendarinterval"
    fields_declared = (
        keywords(
            "interval",
            "_distance",
            codec=Codec(None, lambda values, _zone: dict(zip(_UNITS, values, strict=True))),
            shown=_shown_distance,
        ),
        keywords(
            "time",
            "_time",
            codec=Codec(_parts_of, lambda values, _zone: dict(zip(_PARTS, values, strict=True))),
            state_codec=Codec(_parts_of, lambda values, _zone: time(*values)),
            shown=lambda at: f"time='{at.isoformat()}'",
        ),
        *replaced(DATED_FIELDS, TIMEZONE_APART, JITTER._replace(shown=None)),
    )
    shown_as = "{name}({fields}, timezone='{self.timezone}')"
    #: Parameters that belong to other triggers.
    elsewhere: ClassVar[dict[str, str]] = {
        name: f"IntervalTrigger({name}=…) fires every so many {name}"
        for name in ("hours", "minutes", "seconds")
    }

    def __init__(
        self,
        *,
        years: int = 0,
        months: int = 0,
        weeks: int = 0,
        days: int = 0,
        hour: int = 0,
        minute: int = 0,
        second: int = 0,
        start_date: Any = None,
        end_date: Any = None,
        timezone: Any = None,
        jitter: float | None = None,
        gap: Gap | None = None,
        fold: Fold | None = None,
        first: Literal["now", "after"] | None = None,
        max_fires: int | None = None,
    ) -> None:
        self._set_distance(years, months, weeks, days)
        given: Any
        for name, given, highest in (("hour", hour, 23), ("minute", minute, 59), ("second", second, 59)):
            if type(given) is not int or not 0 <= given <= highest:
                hint = count_meant(given)
                raise TriggerError(f"{name} must be a whole number from 0 to {highest}, got {given!r}{hint}")
        self._time = time(hour, minute, second)
        zone = zone_of_a_new_one(timezone, local=get_localzone)
        self._set_options(start_date, end_date, zone, jitter, gap, fold, first, max_fires)

    def _set_distance(self, *distance: int) -> None:
        for name, value in zip(_UNITS, distance, strict=True):
            if type(value) is not int or value < 0:
                hint = count_meant(value)
                raise TriggerError(f"{name} must be a whole number, 0 or more, got {value!r}{hint}")
        if not any(distance):
            raise TriggerError(
                "the interval must be at least 1 day long: give years, months, weeks or days above zero"
            )
        self.years, self.months, self.weeks, self.days = distance

    @property
    def _distance(self) -> list[int]:
        return [self.years, self.months, self.weeks, self.days]

    @_distance.setter
    def _distance(self, distance: list[int]) -> None:
        self._set_distance(*distance)

    def first_fire_time(self, now: datetime) -> datetime | None:
        return super().get_next_fire_time(None, now)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """See `BaseTrigger.get_next_fire_time`.

        Under the alias, the answer to a first call is the first time of all, also where that has passed: programs written for APScheduler
        go on from there. A scheduler doesn't ask this way.
        """
        if previous_fire_time is None and self.start_date is not None and stands_in():
            begin = datetime.combine(self.start_date, time(), self.timezone or now.tzinfo)
            now = min(now, begin, key=in_utc)
        return super().get_next_fire_time(previous_fire_time, now)

    def has_same_times_each_day(self) -> bool:
        return self._first_at is None and not self.jitter

    def _make_walls(self) -> Walls:
        seconds = self._time.hour * 3600 + self._time.minute * 60 + self._time.second
        days = self.weeks * 7 + self.days
        months = self.years * 12 + self.months
        last = self._last_day()
        if months:
            return _Calendar(self.start_date, months, days, last, seconds)
        return _EveryDays(self.start_date.toordinal(), days, last, seconds)

    def _phrase(self) -> Phrase:
        from mainspring.triggers.explaining.calendar import spoken_calendar

        return spoken_calendar(self)

    def __str__(self) -> str:
        return repr(self)


class _EveryDays:
    """Every so many days, counted as `date.toordinal` counts."""

    repeats_within = None

    def __init__(self, first: int, distance: int, last: int, seconds: int) -> None:
        self._first, self._distance, self._seconds = first, distance, seconds
        self._last_step = (last - first) // distance

    def after(self, wall: int) -> int | None:
        step = (wall - self._seconds - self._first * DAY) // (self._distance * DAY) + 1
        return self._wall(max(step, 0))

    def before(self, wall: int) -> int | None:
        step = -((self._first * DAY + self._seconds - wall) // (self._distance * DAY)) - 1
        return self._wall(min(step, self._last_step))

    def count(self, low: int, high: int) -> int:
        first = -((self._seconds + self._first * DAY - low) // (self._distance * DAY))
        last = -((self._seconds + self._first * DAY - high) // (self._distance * DAY))
        return max(min(last, self._last_step + 1) - max(first, 0), 0)

    def _wall(self, step: int) -> int | None:
        if not 0 <= step <= self._last_step:
            return None
        return (self._first + step * self._distance) * DAY + self._seconds


class _Calendar:
    """Every so many months and days. Each date follows from the one before, so those found are kept."""

    repeats_within = None

    def __init__(self, first: date, months: int, days: int, last: int, seconds: int) -> None:
        self._months, self._days, self._last, self._seconds = months, days, last, seconds
        # Replaced as a whole when it grows: another thread may be reading it.
        self._known: tuple[int, ...] = (first.toordinal(),) if first.toordinal() <= last else ()
        self._is_complete = not self._known

    def after(self, wall: int) -> int | None:
        day = -((self._seconds - wall - 1) // DAY)
        known = self._reaching(day)
        at = bisect_left(known, day)
        return None if at == len(known) else known[at] * DAY + self._seconds

    def before(self, wall: int) -> int | None:
        day = (wall - self._seconds - 1) // DAY
        known = self._reaching(day + 1)
        at = bisect_right(known, day)
        return None if at == 0 else known[at - 1] * DAY + self._seconds

    def count(self, low: int, high: int) -> int:
        days = [-((self._seconds - wall) // DAY) for wall in (low, high)]
        known = self._reaching(days[1])
        return max(bisect_left(known, days[1]) - bisect_left(known, days[0]), 0)

    def _reaching(self, day: int) -> tuple[int, ...]:
        """The dates up to the first that is not before `day`, and maybe more."""
        known = self._known
        if self._is_complete or known[-1] >= day:
            return known
        more: list[int] = []
        latest = known[-1]
        while latest < day + 366:
            following = self._following(latest)
            if following is None or following > self._last:
                self._known = known = (*known, *more)
                self._is_complete = True
                return known
            more.append(following)
            latest = following
        self._known = known = (*known, *more)
        return known

    def _following(self, ordinal: int) -> int | None:
        latest = date.fromordinal(ordinal)
        month = latest.year * 12 + latest.month - 1
        while True:
            month += self._months
            if month // 12 > _LAST_YEAR:
                return None
            try:
                moved = date(month // 12, month % 12 + 1, latest.day)
            except ValueError:  # no such day in this month
                continue
            return moved.toordinal() + self._days


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
