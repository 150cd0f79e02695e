"""Fires at a time of the day, every so many years, months, weeks and days of the calendar."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Literal, Self

from mainspring.errors import TriggerError
from mainspring.timezones import asdate, astimezone
from mainspring.triggers.clock_changes import DAY
from mainspring.triggers.interval import checked_count, checked_first
from mainspring.triggers.jitter import checked_jitter
from mainspring.triggers.wall_clock import WallClockTrigger, checked_policy

if TYPE_CHECKING:
    from mainspring.triggers.clock_changes import Fold, Gap, Walls

__all__ = ["CalendarIntervalTrigger"]

_UNITS = ("years", "months", "weeks", "days")
_LAST_YEAR = 9999


class CalendarIntervalTrigger(WallClockTrigger):
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

    __slots__ = ("_since", "_time", "days", "months", "weeks", "years")

    kind = "calendarinterval"

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
        self.timezone = astimezone(timezone)
        self.start_date = None if start_date is None else asdate(start_date)
        self.end_date = None if end_date is None else asdate(end_date)
        if self.start_date is not None and self.end_date is not None and self.start_date > self.end_date:
            raise TriggerError(f"end_date {self.end_date} is before start_date {self.start_date}")
        try:
            self._time = time(hour, minute, second)
        except (TypeError, ValueError) as error:
            raise TriggerError(f"hour={hour!r}, minute={minute!r}, second={second!r}: {error}") from None
        self.jitter = checked_jitter(jitter)
        self.gap, self.fold = checked_policy(gap, fold)
        self.first = checked_first(first, start_date)
        self.max_fires = checked_count(max_fires)
        self._is_anchored = False
        self._since: datetime | None = None
        self._seed: str | None = None
        self._first_at: datetime | None = None
        self._forget()

    def _set_distance(self, *distance: int) -> None:
        for name, value in zip(_UNITS, distance, strict=True):
            if type(value) is not int or value < 0:
                raise TriggerError(f"{name} must be a whole number, 0 or more, got {value!r}")
        if not any(distance):
            raise TriggerError(
                "the interval must be at least 1 day long: give years, months, weeks or days above zero"
            )
        self.years, self.months, self.weeks, self.days = distance

    def _anchor(self, now: datetime) -> None:
        self._since = now
        self.start_date = now.astimezone(self.timezone).date()

    def _is_bound(self) -> bool:
        return self.timezone is not None and self.start_date is not None

    def bind(self, *, timezone: Any, now: datetime, job_id: str) -> Self:
        bound = super().bind(timezone=timezone, now=now, job_id=job_id)
        if bound.start_date is None:
            bound = self._copy() if bound is self else bound
            bound._anchor(now)
            bound._is_anchored = True
        return bound

    def _read_dates(self) -> None:
        pass  # dates need no zone

    def _implied_policy(self) -> tuple[Gap, Fold]:
        return "shift", "first"

    def _make_limits(self) -> tuple[datetime | None, datetime | None]:
        # The dates themselves are limited by what `_make_walls` makes.
        if self._since is not None:
            return self._since.astimezone(UTC), None
        midnight = datetime.combine(self.start_date, time(), UTC)
        return (midnight - timedelta(days=2) if midnight.year > 1 else midnight), None

    def _make_walls(self) -> Walls:
        seconds = self._time.hour * 3600 + self._time.minute * 60 + self._time.second
        days = self.weeks * 7 + self.days
        months = self.years * 12 + self.months
        last = self.end_date.toordinal() if self.end_date is not None else date.max.toordinal()
        if months:
            return _Calendar(self.start_date, months, days, last, seconds)
        return _EveryDays(self.start_date.toordinal(), days, last, seconds)

    def _delay_limit(self) -> datetime | None:
        if self.end_date is None or self.end_date == date.max:
            return None
        midnight = datetime.combine(self.end_date + timedelta(days=1), time(), self.timezone)
        return midnight.astimezone(UTC) - timedelta(microseconds=1)

    def _meaning(self) -> str:
        counts = [(getattr(self, name), name) for name in _UNITS if getattr(self, name)]
        words = [f"{count} {name}" if count > 1 else f"1 {name[:-1]}" for count, name in counts]
        distance = words[0][2:] if words[0].startswith("1 ") and len(words) == 1 else " and ".join(words)
        text = f"at {self._time:%H:%M}" + (f":{self._time:%S}" if self._time.second else "")
        text += f" every {distance}"
        if self.timezone is not None:
            text += f", {self.timezone}"
        if self.start_date is not None:
            text += f", from {self.start_date}"
        if self.end_date is not None:
            text += f", until {self.end_date}"
        if self.first == "now":
            text += ", and once at once when it is added"
        if self.max_fires is not None:
            text += f", {self.max_fires} times"
        if self.jitter:
            text += f", each up to {self.jitter:g} s later"
        return text + self._change_rule()

    def to_dict(self) -> dict[str, Any]:
        from mainspring.triggers.plain import plain_moment, plain_zone, without_empty

        return without_empty(
            type=self.kind,
            version=1,
            interval=[self.years, self.months, self.weeks, self.days],
            time=[self._time.hour, self._time.minute, self._time.second],
            start_date=plain_moment(self.start_date),
            end_date=plain_moment(self.end_date),
            timezone=plain_zone(self.timezone),
            jitter=self.jitter,
            gap=self.gap,
            fold=self.fold,
            first=self.first,
            first_at=plain_moment(self._first_at),
            max_fires=self.max_fires,
            anchored=self._is_anchored,
            since=plain_moment(self._since),
            seed=self._seed if self._needs_seed() else None,
        )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        from mainspring.triggers.plain import read_moment, read_zone

        zone = read_zone(values.get("timezone"))
        made = cls(
            **dict(zip(_UNITS, values["interval"], strict=True)),
            **dict(zip(("hour", "minute", "second"), values["time"], strict=True)),
            start_date=values.get("start_date"),
            end_date=values.get("end_date"),
            timezone=zone,
            jitter=values.get("jitter"),
            gap=values.get("gap"),
            fold=values.get("fold"),
            max_fires=values.get("max_fires"),
        )
        made.first = values.get("first")
        made._first_at = read_moment(values.get("first_at"), zone)
        made._since = read_moment(values.get("since"), zone)
        made._is_anchored = values.get("anchored", False)
        made._seed = values.get("seed")
        return made

    def __getstate__(self) -> dict[str, Any]:
        state = {
            "version": self.state_version,
            "interval": [self.years, self.months, self.weeks, self.days],
            "time": [self._time.hour, self._time.minute, self._time.second],
            "start_date": self.start_date,
            "end_date": self.end_date,
            "timezone": self.timezone,
            "jitter": self.jitter,
        }
        if self._since is not None:
            state["since"] = self._since
        return state | self._own_state()

    def __setstate__(self, state: Any) -> None:
        state = self._readable(state)
        self._set_distance(*state["interval"])
        self._time = time(*state["time"])
        self.start_date, self.end_date = state["start_date"], state["end_date"]
        self.timezone = astimezone(state["timezone"])
        self.jitter = state.get("jitter")
        self._since = state.get("since")
        self._set_own_state(state)

    def __str__(self) -> str:
        return repr(self)

    def __repr__(self) -> str:
        options = [f"{name}={getattr(self, name)}" for name in _UNITS if getattr(self, name)]
        options.append(f"time='{self._time.isoformat()}'")
        dates = (("start_date", self.start_date), ("end_date", self.end_date))
        options += [f"{name}='{value}'" for name, value in dates if value is not None]
        options += self._own_options()
        return f"{type(self).__name__}({', '.join(options)}, timezone='{self.timezone}')"


class _EveryDays:
    """Every so many days, counted as `date.toordinal` counts."""

    is_yearly = False

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

    is_yearly = False

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
