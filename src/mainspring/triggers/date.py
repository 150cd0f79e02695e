"""Fires once."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any, Self

from mainspring.errors import TriggerError
from mainspring.timezones import astimezone, convert_to_datetime, datetime_repr
from mainspring.triggers.base import BaseTrigger

__all__ = ["DateTrigger"]

_STATE_VERSION = 1


class DateTrigger(BaseTrigger):
    """Fires once, at `run_date`, also if that has passed.

    Args:
        run_date: a datetime, a date, or text; as soon as the trigger is added, if it is not given.
        timezone: in which a time without one is read; the scheduler's if it is not given.
    """

    __slots__ = ("run_date",)

    def __init__(self, run_date: Any = None, timezone: Any = None) -> None:
        zone = None if timezone is None else astimezone(timezone)
        # What has no zone yet stays as it was written, until a scheduler with one comes.
        self.run_date: Any = run_date if zone is None else convert_to_datetime(run_date, zone, "run_date")

    def bind(self, *, timezone: tzinfo, now: datetime, job_id: str) -> Self:
        run_date = self.run_date
        if type(run_date) is datetime and run_date.tzinfo is not None:
            return self
        bound = type(self).__new__(type(self))
        bound.run_date = now if run_date is None else convert_to_datetime(run_date, timezone, "run_date")
        return bound

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        if previous_fire_time is not None:
            return None
        run_date = self.run_date
        if type(run_date) is datetime and run_date.tzinfo is not None:
            return run_date
        return now if run_date is None else convert_to_datetime(run_date, now.tzinfo, "run_date")

    def __getstate__(self) -> dict[str, Any]:
        return {"version": _STATE_VERSION, "run_date": self.run_date}

    def __setstate__(self, state: Any) -> None:
        if state.get("version", 1) > _STATE_VERSION:
            raise TriggerError(
                f"DateTrigger has version {state['version']}, but only {_STATE_VERSION} and older can be read: "
                "it was written by a newer release, upgrade this one"
            )
        self.run_date = state["run_date"]

    def __str__(self) -> str:
        return f"date[{self._shown()}]"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} (run_date='{self._shown()}')>"

    def _shown(self) -> str:
        return datetime_repr(self.run_date) if isinstance(self.run_date, datetime) else str(self.run_date)
