"""Fires at equal distances of elapsed time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Self

from mainspring.timezones import astimezone, convert_to_datetime
from mainspring.triggers.base import BaseTrigger


class IntervalTrigger(BaseTrigger):
    __slots__ = ("end_date", "interval", "interval_length", "jitter", "start_date", "timezone")

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
        jitter: Any = None,
    ) -> None:
        self.interval = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        self.interval_length = self.interval.total_seconds()
        if self.interval_length <= 0:
            raise ValueError("the interval must be positive")
        self.timezone = astimezone(timezone)
        self.start_date = (
            convert_to_datetime(start_date, self.timezone, "start_date") if self.timezone else start_date
        )
        self.end_date = (
            convert_to_datetime(end_date, self.timezone, "end_date") if self.timezone else end_date
        )
        self.jitter = jitter

    def bind(self, *, timezone: tzinfo, now: datetime, job_id: str) -> Self:
        bound = type(self).__new__(type(self))
        bound.interval, bound.interval_length, bound.jitter = self.interval, self.interval_length, self.jitter
        bound.timezone = self.timezone or timezone
        bound.start_date = (
            convert_to_datetime(self.start_date, bound.timezone, "start_date") or now + self.interval
        )
        bound.end_date = convert_to_datetime(self.end_date, bound.timezone, "end_date")
        return bound

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        if previous_fire_time is not None:
            following = previous_fire_time.astimezone(UTC) + self.interval
        elif self.start_date is None:
            following = now.astimezone(UTC) + self.interval
        elif self.start_date >= now:
            following = self.start_date
        else:
            following = self.start_date + -((self.start_date - now) // self.interval) * self.interval
        if self.end_date is not None and following > self.end_date:
            return None
        return following.astimezone(self.timezone)

    def latest_fire_time(self, first: datetime, now: datetime) -> datetime:
        return first + (now - first) // self.interval * self.interval

    def __str__(self) -> str:
        return f"interval[{self.interval}]"
