"""Fires at equal distances of elapsed time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Self

from mainspring.errors import TriggerError
from mainspring.timezones import astimezone, convert_to_datetime, datetime_repr
from mainspring.triggers.base import BaseTrigger

__all__ = ["IntervalTrigger"]

_STATE_VERSION = 2


class IntervalTrigger(BaseTrigger):
    """Fires every so often, by elapsed time: a day is 24 hours, also where the clocks change.

    Args:
        weeks, days, hours, minutes, seconds: the interval, which is their sum.
        start_date: the first time; one interval after the trigger is added, if it is not given.
        end_date: the last moment at which it may fire.
        timezone: in which times without one are read; the scheduler's if it is not given.
        jitter: delay each firing by up to so many seconds. The times that are delayed stay where they are.

    Raises:
        TriggerError: the interval is zero or negative.
    """

    __slots__ = (
        "_is_start_given",
        "end_date",
        "interval",
        "interval_length",
        "jitter",
        "start_date",
        "timezone",
    )

    def __init__(
        self,
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        start_date: Any = None,
        end_date: Any = None,
        timezone: Any = None,
        jitter: float | None = None,
    ) -> None:
        self._set_interval(timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds))
        self.timezone = astimezone(timezone)
        for bound in (start_date, end_date):
            if self.timezone is None and isinstance(bound, datetime) and bound.tzinfo is not None:
                self.timezone = astimezone(bound.tzinfo)
        self.start_date: Any = self._moment(start_date, "start_date")
        self.end_date: Any = self._moment(end_date, "end_date")
        self.jitter = jitter
        self._is_start_given = start_date is not None

    def _set_interval(self, interval: timedelta) -> None:
        if interval <= timedelta(0):
            raise TriggerError(
                f"the interval must be longer than zero, got {interval}: give weeks, days, hours, minutes or seconds"
            )
        self.interval = interval
        self.interval_length = interval.total_seconds()

    def _moment(self, value: Any, name: str) -> Any:
        """A bound, aware if its zone is known by now."""
        return value if self.timezone is None else convert_to_datetime(value, self.timezone, name)

    def bind(self, *, timezone: tzinfo, now: datetime, job_id: str) -> Self:
        if self.timezone is not None and self.start_date is not None:
            return self
        bound = type(self).__new__(type(self))
        bound.interval, bound.interval_length, bound.jitter = self.interval, self.interval_length, self.jitter
        bound._is_start_given = self._is_start_given
        bound.timezone = self.timezone or timezone
        bound.start_date = bound._moment(self.start_date, "start_date")
        bound.end_date = bound._moment(self.end_date, "end_date")
        if bound.start_date is None:
            bound.start_date = (now.astimezone(UTC) + self.interval).astimezone(bound.timezone)
        return bound

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        start = self._start(previous_fire_time, now)
        if previous_fire_time is None:
            steps = -((start - now) // self.interval) if start < now else 0
        else:
            # A delayed time belongs to the last step before it, so the steps never drift.
            steps = (previous_fire_time.astimezone(UTC) - start) // self.interval + 1
        base = start + max(steps, 0) * self.interval
        if self.end_date is not None and base > self.end_date:
            return None
        return self._delayed(base).astimezone(self.timezone or now.tzinfo)

    def _start(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The first time, in UTC; for a trigger that was not added yet, what it would be."""
        if self.start_date is None:
            return (previous_fire_time or now + self.interval).astimezone(UTC)
        zone = self.timezone or now.tzinfo or UTC
        start = convert_to_datetime(self.start_date, zone, "start_date") or now
        return start.astimezone(UTC)

    def _delayed(self, base: datetime) -> datetime:
        if not self.jitter:
            return base
        longest = min(float(self.jitter), self.interval_length - 1e-6)
        return self._apply_jitter(base, longest, base) or base

    def latest_fire_time(self, first: datetime, now: datetime) -> datetime:
        start = self._start(first, now)
        latest = start + (now - start) // self.interval * self.interval
        if self.end_date is not None and latest > self.end_date:
            latest = start + (self.end_date - start) // self.interval * self.interval
        fire_time = self._delayed(latest)
        if fire_time > now:
            fire_time = self._delayed(latest - self.interval)
        return fire_time.astimezone(self.timezone or now.tzinfo) if fire_time > first else first

    def fire_times(self, first: datetime, now: datetime, limit: int) -> tuple[list[datetime], bool]:
        latest = self.latest_fire_time(first, now)
        skipped_to = latest - limit * self.interval
        if skipped_to <= first:
            return super().fire_times(first, now, limit)
        times, _ = super().fire_times(self.latest_fire_time(first, skipped_to + self.interval), now, limit)
        return times, True

    def is_same_schedule(self, other: BaseTrigger) -> bool:
        if type(other) is not type(self):
            return False
        mine, theirs = self.__getstate__(), other.__getstate__()
        if not other._is_start_given:
            theirs["start_date"] = mine["start_date"]  # it goes on wherever it is anchored
        return mine == theirs

    def __getstate__(self) -> dict[str, Any]:
        return {
            "version": _STATE_VERSION,
            "timezone": self.timezone,
            "start_date": self.start_date,
            "end_date": self.end_date,
            "interval": self.interval,
            "jitter": self.jitter,
        }

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, tuple):
            state = state[1]
        if state.get("version", 1) > _STATE_VERSION:
            raise TriggerError(
                f"IntervalTrigger has version {state['version']}, but only {_STATE_VERSION} and older can be read: "
                "it was written by a newer release, upgrade this one"
            )
        self.timezone = astimezone(state["timezone"])
        self.start_date = state["start_date"]
        self.end_date = state["end_date"]
        self._set_interval(state["interval"])
        self.jitter = state.get("jitter")
        self._is_start_given = self.start_date is not None

    def __str__(self) -> str:
        return f"interval[{self.interval}]"

    def __repr__(self) -> str:
        options = [f"interval={self.interval!r}"]
        for name in ("start_date", "end_date"):
            bound = getattr(self, name)
            if bound is not None:
                options.append(f"{name}='{datetime_repr(bound) if isinstance(bound, datetime) else bound}'")
        if self.jitter:
            options.append(f"jitter={self.jitter}")
        return f"<{type(self).__name__} ({', '.join(options)}, timezone='{self.timezone}')>"
