"""Whether a trigger can never fire, as far as that is found out at once."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import combinations
from typing import TYPE_CHECKING, Any

from mainspring.timezones import zone_identity
from mainspring.triggers.after import AfterJob
from mainspring.triggers.business_calendar import BusinessCalendar
from mainspring.triggers.combining import AndTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.steps import NEVER, Steps

if TYPE_CHECKING:
    from mainspring.triggers.base import BaseTrigger

__all__ = ["can_never_fire"]

#: From where it is looked for a fire time, in both directions.
_MIDDLE = datetime(2026, 1, 1, tzinfo=UTC)
#: How long: a few milliseconds. What takes longer isn't called impossible.
_STEPS = 1000
#: Schedules of more times of the day than these mostly meet.
_MOST_PAIRS = 10_000
#: In minutes.
_LARGEST_GAP, _MINUTES_OF_DAY = 180, 1440


def can_never_fire(trigger: BaseTrigger) -> bool:
    """Whether there is no fire time at all, neither before nor after the present. A trigger that asks code which isn't ours isn't asked."""
    if isinstance(trigger, AfterJob) or not _is_ours(trigger):
        return False
    bound = trigger.bind(timezone=UTC, now=_MIDDLE, job_id="")
    return _never_meet(trigger) or (
        bound.search(None, _MIDDLE, Steps(_STEPS)) is NEVER
        and bound.search_before(_MIDDLE, Steps(_STEPS)) is NEVER
    )


def _never_meet(trigger: BaseTrigger) -> bool:
    """Whether it fires where two cron triggers agree that never do, since their times of the day are different."""
    if type(trigger) is not AndTrigger:
        return False
    crons = [one for one in trigger.triggers if type(one) is CronTrigger]
    return any(_are_apart(one, other) for one, other in combinations(crons, 2))


def _are_apart(one: CronTrigger, other: CronTrigger) -> bool:
    zone = one.timezone
    if zone_identity(zone) != zone_identity(other.timezone):
        return False
    if any(cron.jitter or cron.first == "now" or cron._needs_seed() for cron in (one, other)):
        return False
    # Where clocks change, a time that doesn't exist is moved by as much as they are: by no more than three hours, or by a whole day.
    margin = 0 if zone is not None and zone.utcoffset(None) is not None else _LARGEST_GAP
    mine, others = _minutes(one), _minutes(other)
    return len(mine) * len(others) <= _MOST_PAIRS and not any(
        min((a - b) % _MINUTES_OF_DAY, (b - a) % _MINUTES_OF_DAY) <= margin for a in mine for b in others
    )


def _minutes(cron: CronTrigger) -> list[int]:
    """The minutes of the day in which it fires."""
    hours, minutes = (cron._field(name).values() for name in ("hour", "minute"))
    return [hour * 60 + minute for hour in hours for minute in minutes]


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
