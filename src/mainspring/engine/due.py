"""Which of a job's due times are to be run now, and when it is due next."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from mainspring.engine.searching import number_of_times, searched_due_times
from mainspring.errors import TriggerError

if TYPE_CHECKING:
    from datetime import datetime

    from mainspring.engine.searching import Slices
    from mainspring.triggers.base import BaseTrigger

#: How many overdue times of a job that does not coalesce are caught up at most. The latest are kept.
BACKLOG_LIMIT = 1000


def due_times(
    trigger: BaseTrigger,
    first: datetime,
    now: datetime,
    coalesce: bool,
    limit: int = BACKLOG_LIMIT,
    slices: Slices | None = None,
) -> tuple[list[datetime], datetime | None, datetime | None, int | None]:
    """The due times in ``[first, now]``, where `first` is the job's next run time and has come.

    With `coalesce` it is the latest alone, found without walking through the others.

    Args:
        slices: what says how long a search may take at a time; ``None``: as long as its steps take.

    Returns:
        the times to be run, oldest first; empty only where `first` is a lookout of `mainspring.engine.searching`; the next due time after them, or ``None`` when the trigger has ended;
        the oldest due time that is beyond the backlog's limit, or ``None`` when none is; how many due times the one to be run stands for, with
        `coalesce`, or else that oldest one: ``None`` if they are too many to go through. A plain tuple, since a named one takes as long to make
        as all else here.

    Raises:
        TriggerError: the trigger gave a time that is not after the one before.
    """
    if trigger.searches:
        answer = searched_due_times(trigger, first, now, coalesce=coalesce, limit=limit, slices=slices)
        return in_order(trigger, *answer)
    times = [first]
    following = trigger.get_next_fire_time(first, now)
    if following is None:
        return times, None, None, 1
    dropped = None
    count: int | None = 1
    # In UTC, since times of one zone compare by the wall clock: wrongly where an hour is repeated.
    if following <= now.astimezone(UTC):
        if coalesce:
            times = [trigger.latest_fire_time(first, now)]
            count = number_of_times(trigger, first, times[0], now, slices)
        else:
            times, beyond = trigger.fire_times(first, now, limit)
            if beyond:
                dropped = first
                count = number_of_times(trigger, first, times[0], now, slices, is_last_included=False)
        following = trigger.get_next_fire_time(times[-1], now)
    return in_order(trigger, times, following, dropped, count)


def in_order(
    trigger: BaseTrigger,
    times: list[datetime],
    following: datetime | None,
    dropped: datetime | None,
    count: int | None,
) -> tuple[list[datetime], datetime | None, datetime | None, int | None]:
    """Due times, if the next comes after them.

    Raises:
        TriggerError: it doesn't.
    """
    if following is not None and times and following <= times[-1].astimezone(UTC):
        raise TriggerError(
            f"{trigger!r} gave {following} as the fire time after {times[-1]}: "
            "get_next_fire_time must return a later time than previous_fire_time, or None"
        )
    return times, following, dropped, count
