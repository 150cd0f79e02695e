"""Fires once."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any, Self

from mainspring.timezones import astimezone, convert_to_datetime, datetime_repr
from mainspring.triggers.base import BaseTrigger


class DateTrigger(BaseTrigger):
    """Fires once, at `run_date`; without one, as soon as it is added."""

    __slots__ = ("run_date",)

    def __init__(self, run_date: Any = None, timezone: Any = None) -> None:
        if type(run_date) is datetime and run_date.tzinfo is not None:
            self.run_date: Any = run_date
            return
        zone = astimezone(timezone)
        self.run_date = convert_to_datetime(run_date, zone, "run_date") if zone else run_date

    def bind(self, *, timezone: tzinfo, now: datetime, job_id: str) -> Self:
        run_date = self.run_date
        if type(run_date) is datetime and run_date.tzinfo is not None:
            return self
        bound = type(self).__new__(type(self))
        bound.run_date = now if run_date is None else convert_to_datetime(run_date, timezone, "run_date")
        return bound

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        return (self.run_date or now) if previous_fire_time is None else None

    def __str__(self) -> str:
        return f"date[{datetime_repr(self.run_date)}]"
