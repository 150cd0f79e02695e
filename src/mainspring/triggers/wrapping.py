"""What the triggers share that change the times of one other trigger."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Self

from mainspring.errors import TriggerError
from mainspring.triggers.after import refuse_after_job
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.standard import StandardTrigger

if TYPE_CHECKING:
    from mainspring.triggers.steps import Steps


class WrappingTrigger(StandardTrigger):
    """A trigger that changes the times of another.

    Attributes:
        trigger: the other.
    """

    __slots__ = ("_timezone", "trigger")

    searches = True
    trigger: BaseTrigger

    def _wrap(self, trigger: Any) -> None:
        if not isinstance(trigger, BaseTrigger):
            raise TriggerError(
                f"{type(self).__name__} needs a trigger, got {type(trigger).__name__} {trigger!r}"
            )
        refuse_after_job(trigger, type(self).__name__)
        self.trigger = trigger
        self._timezone: tzinfo | None = None

    def _around(self, trigger: BaseTrigger) -> Self:
        """A copy of this around another trigger."""
        raise NotImplementedError

    def bind(self, *, timezone: tzinfo, now: datetime, job_id: str) -> Self:
        trigger = self.trigger.bind(timezone=timezone, now=now, job_id=job_id)
        if trigger is self.trigger and self._timezone is not None:
            return self
        bound = self._around(trigger)
        bound._timezone = self._timezone or timezone
        return bound

    def _is_bound(self) -> bool:
        if isinstance(self.trigger, StandardTrigger):
            return self.trigger._is_bound()
        return self._timezone is not None

    def _most_slices(self) -> int:
        trigger = self.trigger
        return trigger._most_slices() if isinstance(trigger, StandardTrigger) else super()._most_slices()

    def _zone(self) -> tzinfo:
        if isinstance(self.trigger, StandardTrigger):
            return self.trigger._zone()
        return self._timezone or UTC


def first_instant(day: date, zone: tzinfo) -> datetime:
    """When `day` begins in `zone`, in UTC; of a day that was skipped, when it was."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def day_after(day: date) -> date:
    """The following day."""
    return day + timedelta(days=1)


def next_of(trigger: BaseTrigger, moment: datetime, steps: Steps) -> datetime | None:
    """The first fire time of `trigger` after `moment`, counted as a step of the search."""
    steps.take()
    return trigger._after(moment, steps)


def last_of(trigger: BaseTrigger, moment: datetime, steps: Steps) -> datetime | None:
    """The last fire time of `trigger` before `moment`, counted as a step of the search."""
    steps.take()
    return trigger._before(moment, steps)
