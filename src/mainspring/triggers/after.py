"""Fires when a run of another job has ended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeGuard

from mainspring.coercion import nearest
from mainspring.errors import TriggerError
from mainspring.triggers.declared import DeclaredTrigger, as_value, positional

if TYPE_CHECKING:
    from datetime import tzinfo

    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.explaining import Phrase

__all__ = ["AfterJob"]

#: The next run time of a job that waits for another: later than any that comes, so that it is scheduled, not paused.
WAITS: Final = datetime(9999, 1, 1, tzinfo=UTC)

_OUTCOMES = {
    "success": frozenset({"succeeded"}),
    "failure": frozenset({"failed", "timed_out", "lost"}),
    "any": frozenset({"succeeded", "failed", "timed_out", "lost", "cancelled"}),
}


def comes_after_another(trigger: object) -> TypeGuard[AfterJob]:
    """Whether a trigger is an `AfterJob`: asked of each job that is added, and `isinstance` takes long to say no of abstract classes."""
    return AfterJob in type(trigger).__mro__


class AfterJob(DeclaredTrigger):
    """A run for each run of another job, of the same job store, as soon as that has ended.

    A run that is tried again has ended with its last attempt. The run that follows is due at the same time as the one before it,
    which makes of each run at most one that follows, however often an outcome is told.

    Args:
        job: the other job, or its id. It need not be there yet.
        on: which outcomes are followed: ``"success"``; ``"failure"``: failed, timed out or lost; or ``"any"``.

    Raises:
        TriggerError: a value that can't be.
    """

    __slots__ = ("job_id", "on")

    kind = "after"
    fields_declared = (
        positional("job", "job_id", shown=as_value("job")),
        positional("on", shown=as_value("on")),
    )
    shown_as = "<{name} ({fields})>"

    def __init__(self, job: Any, on: Literal["success", "failure", "any"] = "success") -> None:
        job_id = getattr(job, "id", job)
        if not isinstance(job_id, str) or not job_id:
            raise TriggerError(f"AfterJob needs a job or the id of one, got {type(job).__name__} {job!r}")
        if on not in [*_OUTCOMES]:  # a list takes what has no hash, too
            meant = nearest(on, _OUTCOMES)
            hint = "" if meant is None else f"; did you mean {meant!r}?"
            raise TriggerError(f"on must be 'success', 'failure' or 'any', got {on!r}{hint}")
        self.job_id = job_id
        self.on = on

    def bind(self, *, timezone: tzinfo, now: datetime, job_id: str) -> Self:
        if job_id == self.job_id:
            raise TriggerError(f"job {job_id!r} can't come after itself")
        return self

    def follows(self, outcome: str) -> bool:
        """Whether a run with this outcome is followed."""
        return outcome in _OUTCOMES[self.on]

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """A time that never comes: it isn't time that this trigger waits for."""
        return WAITS if previous_fire_time is None or previous_fire_time < WAITS else None

    def is_same_schedule(self, other: BaseTrigger) -> bool:
        return isinstance(other, AfterJob) and (self.job_id, self.on) == (other.job_id, other.on)

    def _phrase(self) -> Phrase:
        from mainspring.triggers.explaining import Clause, Phrase

        return Phrase(Clause(f"after.{self.on}", job=repr(self.job_id)))

    def __str__(self) -> str:
        return f"after[{self.job_id}: {self.on}]"


def refuse_after_job(trigger: BaseTrigger, what: str) -> None:
    """Refuse to make another trigger of one that has no due times of its own.

    Args:
        what: what it was to be part of.

    Raises:
        TriggerError: it is an `AfterJob`.
    """
    if isinstance(trigger, AfterJob):
        raise TriggerError(
            f"{what} can't be made of AfterJob({trigger.job_id!r}), which has no due times of its own: use it alone, as the job's trigger. "
            "To run at times as well, add a second job"
        )
