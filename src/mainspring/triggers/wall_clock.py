"""What the triggers share that name times on a zone's wall clock: `CronTrigger`, `CalendarIntervalTrigger` and others.

The rule for changes of the clocks is that of `mainspring.triggers.clock_changes`. Almost always no change is near, and
then the next wall-clock time is the answer as it is: that is the short way below, without a look at the zone.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Self, cast

from mainspring.coercion import nearest
from mainspring.errors import TriggerError
from mainspring.timezones import in_utc, in_zone
from mainspring.triggers.clock_changes import (
    DAY,
    Fold,
    Gap,
    Walls,
    ZoneChanges,
    changes_of,
    count_instants,
    instant_of,
    next_instant,
    previous_instant,
    utc_of,
)
from mainspring.triggers.standard import TICK, DelayedTrigger, shifted

if TYPE_CHECKING:
    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.steps import Steps

_NO_DAYS = (1, 0)
_DAY = timedelta(days=1)
_A_FEW = 100
_FAR_YEAR = 9000
_SOME_DAY = date(2026, 1, 1).toordinal() * DAY


class WallClockTrigger(DelayedTrigger):
    """A trigger of times on a zone's wall clock.

    Attributes:
        gap, fold: the rule for changes of the clocks, or ``None`` for the one that the schedule itself implies.
        first, max_fires: as given.
    """

    __slots__ = (
        "_calm",
        "_changes",
        "_first_at",
        "_is_anchored",
        "_last",
        "_limits",
        "_policy",
        "_seed",
        "_walls",
        "end_date",
        "first",
        "fold",
        "gap",
        "jitter",
        "max_fires",
        "start_date",
        "timezone",
    )

    timezone: tzinfo | None
    gap: Gap | None
    fold: Fold | None
    first: Any
    max_fires: int | None
    start_date: Any
    _first_at: datetime | None
    _is_anchored: bool

    def _forget(self) -> None:
        """Drop what was derived from the attributes."""
        self._walls: Walls | None = None
        self._changes: ZoneChanges | None = None
        self._calm = _NO_DAYS
        self._limits: tuple[datetime | None, datetime | None] = (None, None)
        self._policy: tuple[Gap, Fold] = ("shift", "first")
        self._last: datetime | None = None

    def _copy(self) -> Self:
        made = type(self).__new__(type(self))
        for cls in type(self).__mro__:
            for name in getattr(cls, "__slots__", ()):
                if hasattr(self, name):
                    setattr(made, name, getattr(self, name))
        if hasattr(self, "__dict__"):
            made.__dict__.update(self.__dict__)
        made._forget()
        return made

    @abstractmethod
    def _make_walls(self) -> Walls:
        """The wall-clock times."""

    @abstractmethod
    def _implied_policy(self) -> tuple[Gap, Fold]:
        """The rule for changes of the clocks that the schedule implies."""

    def policy(self) -> tuple[Gap, Fold]:
        """The rule for changes of the clocks that it follows."""
        gap, fold = self._implied_policy()
        return self.gap or gap, self.fold or fold

    @abstractmethod
    def _make_limits(self) -> tuple[datetime | None, datetime | None]:
        """The first and the last moment at which it may fire, in UTC."""

    def _anchor(self, now: datetime) -> None:
        """Set the start date to `now`."""
        self.start_date = in_zone(in_utc(now), self._zone())

    def _restored(self) -> None:
        self._forget()

    def _is_bound(self) -> bool:
        return self.timezone is not None and (
            self.start_date is not None or (self.max_fires is None and self.first != "now")
        )

    def bind(self, *, timezone: tzinfo, now: datetime, job_id: str) -> Self:
        if self._is_bound() and (self._seed is not None or not self._needs_seed()):
            return self
        bound = self._copy()
        if bound.timezone is None:
            bound.timezone = timezone
            bound._read_dates()
        if bound._seed is None:
            bound._seed = job_id
        if bound.start_date is None and (bound.max_fires is not None or bound.first == "now"):
            bound._anchor(now)
            bound._is_anchored = True
            if bound.first == "now":
                bound._first_at = in_zone(in_utc(now), bound._zone())
        return bound

    @abstractmethod
    def _read_dates(self) -> None:
        """Read what was written without a zone, now that there is one."""

    def _zone(self) -> tzinfo:
        return self.timezone or UTC

    def _prepared(self) -> Walls:
        walls = self._walls
        if walls is None:
            walls = self._make_walls()
            self._policy = self.policy()
            self._limits = self._make_limits()
            self._changes = changes_of(self._zone())
            self._walls = walls  # last: another thread that sees it sees all else too
        return walls

    def get_next_fire_time(  # noqa: PLR0911, PLR0912 - the short way has many exits to the long one
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        zone = self.timezone
        if zone is None or self.jitter or self.first is not None or self.max_fires is not None:
            return super().get_next_fire_time(previous_fire_time, now)
        moment, one_less = previous_fire_time, 0
        if moment is None:
            moment = now
            if type(moment) is datetime and not moment.microsecond:
                one_less = 1  # a first call's answer may be `now` itself
        if type(moment) is not datetime:
            return super().get_next_fire_time(previous_fire_time, now)
        if moment.tzinfo is not zone:
            try:
                moment = moment.astimezone(zone)
            except OverflowError:  # at the very beginning, or end, of all dates
                return super().get_next_fire_time(previous_fire_time, now)
        walls = self._walls
        if walls is None:
            if not self._is_bound():  # its start date is open
                return super().get_next_fire_time(previous_fire_time, now)
            walls = self._prepared()
        start, end = self._limits
        if start is not None and in_utc(moment) < start:
            return super().get_next_fire_time(previous_fire_time, now)
        day = moment.toordinal()
        low, high = self._calm
        if not low <= day <= high:
            low, high = self._calm_around(day)
            if low > high:
                return super().get_next_fire_time(previous_fire_time, now)
        wall = day * DAY + moment.hour * 3600 + moment.minute * 60 + moment.second
        found = walls.after(wall - one_less)
        if found is None:
            return None
        found_day = found // DAY
        if not low <= found_day <= high:
            low, high = self._calm_around(found_day)
            if low > high:
                return super().get_next_fire_time(previous_fire_time, now)
        time = found - found_day * DAY
        minute_of_day = time // 60
        try:
            found_date = date.fromordinal(found_day)
        except (ValueError, OverflowError):
            return None  # beyond the year 9999
        fire_time = datetime(
            found_date.year,
            found_date.month,
            found_date.day,
            minute_of_day // 60,
            minute_of_day % 60,
            time % 60,
            0,
            zone,
        )
        if end is not None and in_utc(fire_time) > end:
            return None
        return fire_time

    def _calm_around(self, day: int) -> tuple[int, int]:
        calm = cast("ZoneChanges", self._changes).calm_days(day)
        if calm[0] <= calm[1]:
            self._calm = calm
        return calm

    def _base_after(self, moment: datetime, steps: Steps) -> datetime | None:
        steps.take()
        first_at = self._first_at
        if first_at is not None and moment < in_utc(first_at):
            found: datetime | None = in_utc(first_at)
        else:
            found = self._scheduled_after(moment)
        if found is not None and self.max_fires is not None and not self._is_among(found):
            return None
        return found

    def _scheduled_after(self, moment: datetime) -> datetime | None:
        walls = self._prepared()
        start, end = self._limits
        if start is not None and moment < start:
            moment = shifted(start, -TICK)
        instant = next_instant(walls, instant_of(moment), cast("ZoneChanges", self._changes), *self._policy)
        found = None if instant is None else utc_of(instant)
        if found is None or (end is not None and found > end):
            return None
        return found

    def _base_before(self, moment: datetime, steps: Steps) -> datetime | None:
        steps.take()
        walls = self._prepared()
        start, end = self._limits
        if end is not None and moment > end:
            moment = end + TICK
        if self.max_fires is not None and not self._is_before_last(moment):
            moment = min(moment, self._last_of_all() + TICK)
        instant = previous_instant(
            walls,
            instant_of(moment) + bool(moment.microsecond),
            cast("ZoneChanges", self._changes),
            *self._policy,
        )
        found = None if instant is None else utc_of(instant)
        if found is not None and start is not None and found < start:
            found = None
        first_at = None if self._first_at is None else in_utc(self._first_at)
        if first_at is not None and first_at < moment and (found is None or found < first_at):
            return first_at
        return found

    def first_and_last(self) -> tuple[datetime | None, datetime | None]:
        """The first and the last moment at which it may fire, in UTC."""
        self._prepared()
        start, end = self._limits
        if self.max_fires is not None:
            last = self._last_of_all()
            end = last if end is None else min(end, last)
        return start, end

    def _count(self, first: datetime, last: datetime) -> int:
        """How many times of the schedule there are after `first`, up to `last`."""
        walls = self._prepared()
        end = self._limits[1]
        last = last if end is None else min(last, end)
        changes = cast("ZoneChanges", self._changes)
        return count_instants(walls, instant_of(first), instant_of(last), changes, *self._policy)

    def _base_count(self, first: datetime, last: datetime) -> int | None:
        self._prepared()
        start = self._limits[0]
        if self.max_fires is not None:
            last = min(last, self._last_of_all())
        begin = first if start is None else max(first, shifted(start, -TICK))
        count = self._count(begin, last) if begin < last else 0
        first_at = None if self._first_at is None else in_utc(self._first_at)
        if first_at is not None and first < first_at <= last:
            count += not self._count(first_at - TICK, first_at)  # it may be a time of the schedule as well
        return count

    def _is_among(self, time: datetime) -> bool:
        """Whether a time of the schedule is one of the first `max_fires`."""
        self._prepared()
        return self._is_before_last(time) or time <= self._last_of_all()

    def _is_before_last(self, moment: datetime) -> bool:
        """Whether no more than `max_fires` times of the schedule come up to `moment`. What is far beyond the last of them is not counted."""
        if self._last is not None:
            return moment <= self._last
        begin, count = self._begin()
        span, end = _DAY, begin
        while end < moment:
            end, span = min(shifted(begin, span), moment), 2 * span
            if self._count(begin, end) > count:
                return False
        return True

    def _begin(self) -> tuple[datetime, int]:
        """After which moment, and how many, times of the schedule are fired."""
        start, count = cast("datetime", self._limits[0]), self.max_fires or 0
        return (shifted(start, -TICK), count) if self._first_at is None else (start, count - 1)

    def _last_of_all(self) -> datetime:
        """The last fire time that `max_fires` allows, or the start if there is none."""
        if self._last is None:
            self._prepared()
            begin, count = self._begin()
            low, high = begin, shifted(begin, _DAY)
            # Twice as far each time, then half as far, until few are left to be counted one by one.
            while self._count(begin, high) < count:
                low, high = high, shifted(high, 2 * (high - begin))
                if high.year >= _FAR_YEAR:
                    break
            while high - low > _DAY and self._count(low, high) > _A_FEW:
                middle = low + (high - low) / 2
                low, high = (middle, high) if self._count(begin, middle) < count else (low, middle)
            moment, last = low, cast("datetime", self._limits[0])
            for _ in range(count - self._count(begin, low)):
                following = self._scheduled_after(moment)
                if following is None:
                    break
                moment = last = following
            self._last = last
        return self._last

    def has_same_times_each_day(self) -> bool:
        """Whether all of its days have the same times of the day; if not, or if that isn't known, `has_time_between` says nothing."""
        return False

    def shifts_over_gaps(self) -> bool:
        """Whether times that don't exist are read with the offset before the change."""
        return self.policy()[0] == "shift"

    def has_time_between(self, low: int, high: int) -> bool:
        """Whether one of its times of the day is from the second `low` on, before `high`."""
        walls = self._prepared()
        some = walls.after(_SOME_DAY) or walls.before(_SOME_DAY)
        if some is None:
            return False
        day = some // DAY * DAY
        return walls.count(day + low, day + high) > 0

    def is_same_schedule(self, other: BaseTrigger) -> bool:
        if type(other) is not type(self):
            return False
        mine, theirs = self._compared(), other._compared()
        if other._is_anchored:  # it goes on wherever it is anchored
            for state in (mine, theirs):
                state["start_date"] = None
                state.pop("first_at", None)
                state.pop("anchored", None)
                state.pop("since", None)
        return mine == theirs


def checked_policy(gap: Any, fold: Any) -> tuple[Any, Any]:
    """`gap` and `fold`, if they are values that these parameters have, or ``None``.

    Raises:
        TriggerError: one of them isn't.
    """
    for name, value, valid in (
        ("gap", gap, ("shift", "skip")),
        ("fold", fold, ("first", "second", "both")),
    ):
        if value is not None and value not in valid:
            numbered = {("fold", 0): "first", ("fold", 1): "second"}  # as `datetime.fold` has it
            hint = numbered.get((name, value)) if type(value) is int else nearest(str(value).lower(), valid)
            suggestion = f"; did you mean {hint!r}?" if hint else ""
            raise TriggerError(
                f"{name} must be one of {', '.join(map(repr, valid))}, got {value!r}{suggestion}"
            )
    return gap, fold
