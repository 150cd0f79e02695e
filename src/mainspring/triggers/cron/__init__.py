"""Fires when the wall clock shows a time that matches all of its fields."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, ClassVar, Self

from mainspring.errors import CronSyntaxError, TriggerError
from mainspring.timezones import astimezone, convert_to_datetime, datetime_repr
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.clock_changes import next_instant
from mainspring.triggers.cron.fields import (
    DEFAULT_VALUES,
    BaseField,
    DayOfMonthField,
    DayOfWeekField,
    MonthField,
    WeekField,
)
from mainspring.triggers.cron.wall import WallSchedule

__all__ = ["CronTrigger"]

_STATE_VERSION = 2
_TICK = timedelta(microseconds=1)


class CronTrigger(BaseTrigger):
    """Fires at every time that matches all fields given.

    Fields to the left of the leftmost that is given match everything; those to its right that are left out take their
    lowest value: ``hour=9`` fires every day at 09:00:00.

    Where the clocks change: if the hour field begins with ``*``, nothing fires in a stretch that doesn't exist, and both
    passes of a repeated one fire. Otherwise each time of the day fires exactly once: one that doesn't exist is read with
    the offset before the change (02:30 becomes 03:30), one that exists twice fires at its first occurrence.

    Args:
        year: four digits.
        month: 1 to 12, or jan to dec.
        day: 1 to 31, ``last``, or a position such as ``3rd fri``.
        week: ISO week, 1 to 53.
        day_of_week: 0 for Monday to 6 for Sunday, or mon to sun.
        hour, minute, second: as on the clock.
        start_date, end_date: the first and the last moment at which it may fire.
        timezone: whose wall clock; the scheduler's if it is not given.
        jitter: delay each firing by up to so many seconds.

    Raises:
        CronSyntaxError: a field that can't be read; the message says where.
    """

    FIELD_NAMES = ("year", "month", "day", "week", "day_of_week", "hour", "minute", "second")
    FIELDS_MAP: ClassVar[dict[str, type[BaseField]]] = {
        "year": BaseField,
        "month": MonthField,
        "week": WeekField,
        "day": DayOfMonthField,
        "day_of_week": DayOfWeekField,
        "hour": BaseField,
        "minute": BaseField,
        "second": BaseField,
    }

    __slots__ = ("_walls", "end_date", "fields", "jitter", "start_date", "timezone")

    def __init__(
        self,
        year: Any = None,
        month: Any = None,
        day: Any = None,
        week: Any = None,
        day_of_week: Any = None,
        hour: Any = None,
        minute: Any = None,
        second: Any = None,
        start_date: Any = None,
        end_date: Any = None,
        timezone: Any = None,
        jitter: float | None = None,
    ) -> None:
        self.timezone = astimezone(timezone)
        for bound in (start_date, end_date):
            if self.timezone is None and isinstance(bound, datetime) and bound.tzinfo is not None:
                self.timezone = astimezone(bound.tzinfo)
        self.start_date: Any = self._moment(start_date, "start_date")
        self.end_date: Any = self._moment(end_date, "end_date")
        self.jitter = jitter
        given = dict(
            zip(self.FIELD_NAMES, (year, month, day, week, day_of_week, hour, minute, second), strict=True)
        )
        self.fields = self._read_fields({name: value for name, value in given.items() if value is not None})
        self._walls: WallSchedule | None = None

    def _read_fields(self, given: dict[str, Any]) -> list[BaseField]:
        fields = []
        is_right_of_a_given_one = False
        for name in self.FIELD_NAMES:
            make = self.FIELDS_MAP[name]
            if name in given:
                fields.append(make(name, given[name], False))
                is_right_of_a_given_one = True
            else:
                fields.append(make(name, DEFAULT_VALUES[name] if is_right_of_a_given_one else "*", True))
        return fields

    def _moment(self, value: Any, name: str) -> Any:
        """A bound, aware if its zone is known by now."""
        return value if self.timezone is None else convert_to_datetime(value, self.timezone, name)

    @classmethod
    def from_crontab(cls, expr: str, timezone: Any = None) -> Self:
        """A trigger from five fields as in a crontab: minute, hour, day, month, weekday.

        Numbers of weekdays are APScheduler's, 0 for Monday, and not cron's: a warning says so. Use names.

        Raises:
            CronSyntaxError: another number of fields, or one that can't be read.
        """
        values = expr.split()
        if len(values) != 5:  # noqa: PLR2004 - a crontab's
            raise CronSyntaxError(
                f"expected five fields (minute hour day month weekday), got {len(values)}", text=expr
            )
        weekday = values[4]
        if any(character.isdigit() for character in weekday.partition("/")[0]):
            warnings.warn(
                f"from_crontab({expr!r}): the weekday {weekday!r} counts from 0 for Monday, as APScheduler does; "
                "cron itself counts from 0 for Sunday. Write names (mon, tue, …) to be sure",
                stacklevel=2,
            )
        return cls(
            minute=values[0],
            hour=values[1],
            day=values[2],
            month=values[3],
            day_of_week=values[4],
            timezone=timezone,
        )

    def bind(self, *, timezone: tzinfo, now: datetime, job_id: str) -> Self:
        if self.timezone is not None:
            return self
        bound = type(self).__new__(type(self))
        bound.timezone = timezone
        bound.fields, bound.jitter, bound._walls = self.fields, self.jitter, self._walls
        bound.start_date = bound._moment(self.start_date, "start_date")
        bound.end_date = bound._moment(self.end_date, "end_date")
        return bound

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        zone = self.timezone or now.tzinfo or UTC
        after = previous_fire_time
        if after is None:
            after = now - _TICK
            if self.start_date is not None and self.start_date > now:
                after = self.start_date - _TICK
        elif self.jitter:
            # A delayed time belongs to the last base time before it, which is where to go on from.
            after = self._base_of(after, zone)
        base = self._next_base(after, zone)
        if base is None or not self.jitter:
            return base
        return self._delayed(base, zone)

    def _next_base(self, after: datetime, zone: tzinfo) -> datetime | None:
        if self._walls is None:
            self._walls = WallSchedule({field.name: field for field in self.fields})
        follows_elapsed_time = str(self.fields[5]).startswith("*")
        found = next_instant(
            self._walls,
            after,
            zone,
            "skip" if follows_elapsed_time else "shift",
            "both" if follows_elapsed_time else "first",
        )
        if found is not None and self.end_date is not None and found > self.end_date:
            return None
        return found

    def _delayed(self, base: datetime, zone: tzinfo) -> datetime:
        """`base` delayed by its jitter, which ends before the next base time."""
        following = self._next_base(base, zone)
        longest = float(self.jitter or 0)
        if following is not None:
            longest = min(longest, (following - base).total_seconds() - 1e-6)
        return self._apply_jitter(base, longest, base) or base

    def _base_of(self, moment: datetime, zone: tzinfo) -> datetime:
        """The last base time at or before `moment`, which is one that was delayed."""
        base = self._next_base(moment - timedelta(seconds=float(self.jitter or 0)) - _TICK, zone)
        while base is not None and base <= moment:
            following = self._next_base(base, zone)
            if following is None or following > moment:
                return base
            base = following
        return moment

    def latest_fire_time(self, first: datetime, now: datetime) -> datetime:
        """The last fire time in ``[first, now]``, found by halving the time in which it must be."""
        if self.jitter:
            return super().latest_fire_time(first, now)
        zone = self.timezone or now.tzinfo or UTC
        latest, high = first.astimezone(UTC), now.astimezone(UTC)
        while (following := self._next_base(latest, zone)) is not None and following <= now:
            latest = following.astimezone(UTC)
            middle = latest + (high - latest) / 2
            beyond = self._next_base(middle, zone)
            if beyond is None or beyond > now:
                high = middle  # nothing fires from there to `now`
            else:
                latest = beyond.astimezone(UTC)
        return latest.astimezone(first.tzinfo) if latest == first else latest.astimezone(zone)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "version": _STATE_VERSION,
            "timezone": self.timezone,
            "start_date": self.start_date,
            "end_date": self.end_date,
            "fields": self.fields,
            "jitter": self.jitter,
        }

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, tuple):
            state = state[1]
        if state.get("version", 1) > _STATE_VERSION:
            raise TriggerError(
                f"{type(self).__name__} has version {state['version']}, but only {_STATE_VERSION} and older can be "
                "read: it was written by a newer release, upgrade this one"
            )
        self.timezone = astimezone(state["timezone"])
        self.start_date = state["start_date"]
        self.end_date = state["end_date"]
        self.fields = state["fields"]
        self.jitter = state.get("jitter")
        self._walls = None

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__getstate__() == other.__getstate__()

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        options = [f"{field.name}='{field}'" for field in self.fields if not field.is_default]
        return f"cron[{', '.join(options)}]"

    def __repr__(self) -> str:
        options = [f"{field.name}='{field}'" for field in self.fields if not field.is_default]
        if self.start_date:
            options.append(f"start_date={_shown(self.start_date)!r}")
        if self.end_date:
            options.append(f"end_date={_shown(self.end_date)!r}")
        if self.jitter:
            options.append(f"jitter={self.jitter}")
        return f"<{type(self).__name__} ({', '.join(options)}, timezone='{self.timezone}')>"


def _shown(moment: Any) -> str:
    return datetime_repr(moment) if isinstance(moment, datetime) else str(moment)
