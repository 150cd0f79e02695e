"""Whether a trigger can never fire, as far as that is found out at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mainspring.triggers.after import AfterJob
from mainspring.triggers.business_calendar import BusinessCalendar
from mainspring.triggers.combining import AndTrigger, OrTrigger
from mainspring.triggers.meeting import last_meeting
from mainspring.triggers.steps import NEVER, Steps

if TYPE_CHECKING:
    from mainspring.triggers.base import BaseTrigger

__all__ = ["can_never_fire"]

#: From where it is looked for a fire time, in both directions.
_MIDDLE = datetime(2026, 1, 1, tzinfo=UTC)
_NOT_YET, _LATER = timedelta(0), timedelta(days=1, hours=12, minutes=34, seconds=56)
#: How long: a few milliseconds. What takes longer isn't called impossible.
_STEPS = 1000


def can_never_fire(trigger: BaseTrigger) -> bool:
    """Whether there is no fire time at all, neither before nor after the present. A trigger that asks code which isn't ours isn't asked."""
    if isinstance(trigger, AfterJob) or not _is_ours(trigger):
        return False
    if type(trigger) is AndTrigger and not trigger._is_bound():
        # In which zone it will be isn't known.
        return last_meeting(trigger.triggers) is None or any(map(can_never_fire, trigger.triggers))
    inner = _made_of(trigger)
    if inner and _depends_on_when_added(trigger):
        return (all if type(trigger) is OrTrigger else any)(map(can_never_fire, inner))
    bound = trigger.bind(timezone=UTC, now=_MIDDLE, job_id="")
    return (
        bound.search(None, _MIDDLE, Steps(_STEPS)) is NEVER
        and bound.search_before(_MIDDLE, Steps(_STEPS)) is NEVER
    )


def _made_of(trigger: BaseTrigger) -> list[BaseTrigger]:
    """The triggers that a trigger is made of; none, if it isn't."""
    parts = [getattr(trigger, "trigger", None), *getattr(trigger, "triggers", ())]
    return [part for part in parts if part is not None]


def _depends_on_when_added(trigger: BaseTrigger) -> bool:
    """Whether a trigger that isn't added yet counts from when it is: what a window or an exception leaves of it isn't known then."""
    first, second = (
        trigger.bind(timezone=UTC, now=_MIDDLE + later, job_id="").to_dict() for later in (_NOT_YET, _LATER)
    )
    return first != second


def _is_ours(part: Any) -> bool:
    """Whether a trigger, and all that it is made of, runs no code of a user's."""
    if isinstance(part, list | tuple | frozenset):
        return all(map(_is_ours, part))
    if isinstance(part, BusinessCalendar):
        return isinstance(part.holidays, frozenset)
    if callable(part):
        return False
    if not hasattr(part, "get_next_fire_time"):
        return type(part).__module__ == "datetime" or type(part).__module__.startswith("mainspring.")
    if not type(part).__module__.startswith("mainspring."):
        return False
    held = ("trigger", "triggers", "exclusions", "calendar")
    return all(_is_ours(getattr(part, name)) for name in held if hasattr(part, name))
