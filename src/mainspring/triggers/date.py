"""Fires once."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Self

from mainspring.former_names import former_names
from mainspring.timezones import in_utc
from mainspring.timezones import local_timezone as get_localzone
from mainspring.triggers.common_fields import MOMENT
from mainspring.triggers.declared import Codec, positional
from mainspring.triggers.standard import StandardTrigger, moment_in, shown, zone_of_a_new_one

if TYPE_CHECKING:
    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.explaining import Phrase
    from mainspring.triggers.steps import Steps

__all__ = ["DateTrigger"]


class DateTrigger(StandardTrigger):
    """Fires once, at `run_date`, also if that has passed.

    Args:
        run_date: a datetime, a date, or text; as soon as the trigger is added, if it is not given.
        timezone: in which a time without one is read; the scheduler's if it is not given.
    """

    __slots__ = ("run_date",)

    kind = "date"
    fields_declared = (
        positional(
            "run_date",
            codec=MOMENT,
            state_codec=Codec(None, lambda value, zone: moment_in(value, zone, "run_date")),
        ),
    )
    shown_as = "<{name} (run_date='{self._shown}')>"

    def __init__(self, run_date: Any = None, timezone: Any = None) -> None:
        if timezone is None and type(run_date) is datetime and run_date.tzinfo is UTC:
            self.run_date: Any = run_date  # it says all by itself, and is asked of each of many jobs
            return
        # What has no zone yet stays as it was written, until a scheduler with one comes.
        zone = zone_of_a_new_one(timezone, run_date, local=get_localzone)
        self.run_date = moment_in(run_date, zone, "run_date")

    def bind(self, *, timezone: tzinfo, now: datetime, job_id: str) -> Self:
        if self._is_bound():
            return self
        bound = type(self).__new__(type(self))
        bound.run_date = moment_in(now if self.run_date is None else self.run_date, timezone, "run_date")
        return bound

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The run date, also if it has passed, if there was no time before; otherwise ``None``."""
        if previous_fire_time is not None:
            return None
        run_date: datetime = self.run_date if self._is_bound() else self._ready(now).run_date
        return run_date

    def is_same_schedule(self, other: BaseTrigger) -> bool:
        return type(other) is type(self) and self._compared() == other._compared()

    def _is_bound(self) -> bool:
        run_date = self.run_date
        return getattr(run_date, "tzinfo", None) is not None  # a day, and text, has none

    def _zone(self) -> tzinfo:
        return self.run_date.tzinfo or UTC

    def _after(self, moment: datetime, steps: Steps) -> datetime | None:
        steps.take()
        run_date: datetime = in_utc(self.run_date)
        return run_date if run_date > moment else None

    def _before(self, moment: datetime, steps: Steps) -> datetime | None:
        steps.take()
        run_date: datetime = in_utc(self.run_date)
        return run_date if run_date < moment else None

    def _phrase(self) -> Phrase:
        from mainspring.triggers.explaining import Clause, Phrase, details

        if self.run_date is None:
            return Phrase(Clause("once.added"))
        return Phrase(Clause("once", moment=details.moment(self.run_date, None)))

    @property
    def _shown(self) -> str:
        return shown(self.run_date)

    def __str__(self) -> str:
        return f"date[{self._shown}]"


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
