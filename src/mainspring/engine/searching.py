"""What becomes of a job whose next run time isn't found yet.

A trigger that leaves out what a function says, or waits for others to agree, may have to look at very many times. It is searched in slices; where
one ends without an answer, the job is kept, and the search goes on from as far as it has come: never is a job taken for one that has ended
because its next run time is far away.

The job's next run time is then a *lookout*: a moment before which it is known not to run. When that comes, the job is looked at, and not run: the
next slice begins there. So every store keeps it as it keeps a next run time, also those of third parties, and in the order of times; nothing is
searched sooner than it matters; and a slice that is behind the present is followed by the next at once, after what else is due.

A lookout is known by its microseconds, which no schedule has: fire times are on whole seconds, or as far off as what they count from. If one does
fall on a lookout, or a program gives a job of such a trigger just this next run time, it is looked at, which finds it if it is on the schedule.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from mainspring.triggers.standard import shifted
from mainspring.triggers.steps import SEARCH_LIMIT, Found, Never, SearchExhaustedError, Steps, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.steps import Answer

    #: Says whether a slice that begins now has taken too long, whenever what it gives is asked.
    Slices = Callable[[], Callable[[], bool]]

#: The microseconds of a lookout.
LOOKOUT_MICROSECONDS = 718_281

_SECOND = timedelta(seconds=1)
_TICK = timedelta(microseconds=1)


def is_lookout(trigger: BaseTrigger, next_run_time: datetime | None) -> bool:
    """Whether a job is not run at its next run time, but looked at."""
    return (
        next_run_time is not None and next_run_time.microsecond == LOOKOUT_MICROSECONDS and trigger.searches
    )


def lookout_before(since: datetime) -> datetime:
    """The last lookout that is not after `since`, in UTC."""
    since = since.astimezone(UTC)
    lookout = since.replace(microsecond=LOOKOUT_MICROSECONDS)
    return lookout if lookout <= since else lookout - _SECOND


def new_steps(slices: Slices | None, limit: int = SEARCH_LIMIT) -> Steps:
    """The steps of a slice that begins now."""
    return Steps(limit, None if slices is None else slices())


class Next(NamedTuple):
    """What a search makes of a job's next run time.

    Attributes:
        time: it, or a lookout; ``None``: there is none.
        is_found: whether the job runs then.
    """

    time: datetime | None
    is_found: bool


def first_time(trigger: BaseTrigger, now: datetime, slices: Slices | None = None) -> datetime | None:
    """The first run time of a job from `now` on, or a lookout; ``None``: there is none.

    Args:
        trigger: a bound one.
        slices: what says how long a slice may take; ``None``: as long as its steps take.
    """
    if not trigger.searches:
        return trigger.first_fire_time(now)
    return _next_of(
        trigger, trigger.search(None, now, new_steps(slices)), shifted(now, -_TICK), now, slices
    ).time


def _next_after(trigger: BaseTrigger, moment: datetime, now: datetime, slices: Slices | None) -> Next:
    return _next_of(trigger, trigger.search(moment, now, new_steps(slices)), moment, now, slices)


def _next_of(
    trigger: BaseTrigger, answer: Answer, moment: datetime, now: datetime, slices: Slices | None
) -> Next:
    """What an answer about the time after `moment` comes to."""
    limit = SEARCH_LIMIT
    begin = moment.astimezone(UTC)
    while isinstance(answer, Unknown):
        lookout = lookout_before(answer.since)
        if lookout > begin:
            return Next(lookout.astimezone(answer.since.tzinfo), is_found=False)
        # It has come less far than from one lookout to the next. A step may be as large as a slice: let it be larger.
        limit *= 2
        answer = trigger.search(answer.since - _TICK, now, new_steps(slices, limit))
    return Next(None, is_found=False) if isinstance(answer, Never) else Next(answer.time, is_found=True)


def searched_due_times(
    trigger: BaseTrigger,
    first: datetime,
    now: datetime,
    *,
    coalesce: bool,
    limit: int,
    slices: Slices | None,
) -> tuple[list[datetime], datetime | None, datetime | None, int | None]:
    """As `due_times`, of a trigger that is searched: there may be none to be run, and the next due time may be a lookout."""
    moment = now.astimezone(UTC)
    if is_lookout(trigger, first):
        # It may fire at the lookout itself.
        before = first.astimezone(UTC) - _TICK
        answer = trigger.search(before, now, new_steps(slices))
        found = _next_of(trigger, answer, first, now, slices)
        if found.time is None or not found.is_found or found.time > moment:
            return [], found.time, None, 1
        first = found.time
    following = _next_after(trigger, first, now, slices)
    if following.time is None or not following.is_found or following.time > moment:
        return [first], following.time, None, 1
    if coalesce:
        latest = trigger.search_before(moment + _TICK, new_steps(slices))
        if isinstance(latest, Unknown):
            # The first stands for all that are overdue, wherever between it and there they are.
            since = latest.since.astimezone(UTC) - _TICK
            return [first], _next_after(trigger, since, now, slices).time, None, None
        count: int | None = 1
        if isinstance(latest, Found) and latest.time > first.astimezone(UTC):
            count = number_of_times(trigger, first, latest.time, now, slices)
            first = latest.time
        return [first], _next_after(trigger, first, now, slices).time, None, count
    return _backlog(trigger, first, now, limit, slices)


def _backlog(
    trigger: BaseTrigger, first: datetime, now: datetime, limit: int, slices: Slices | None
) -> tuple[list[datetime], datetime | None, datetime | None, int | None]:
    """The last `limit` times from `first` to `now`; or as many as a slice finds, and the others next."""
    start, moment = first.astimezone(UTC), now.astimezone(UTC) + _TICK
    steps = new_steps(slices)
    times: list[datetime] = []
    while len(times) <= limit:
        answer = trigger.search_before(moment, steps)
        if isinstance(answer, Unknown):
            return _backlog_forwards(trigger, first, now, limit, slices)
        if isinstance(answer, Never) or answer.time.astimezone(UTC) <= start:
            times.append(first)
            break
        times.append(answer.time)
        moment = answer.time.astimezone(UTC)
    dropped = first if len(times) > limit else None
    times = times[:limit][::-1]
    count: int | None = 1
    if dropped is not None:
        count = number_of_times(trigger, first, times[0], now, slices, is_last_included=False)
    return times, _next_after(trigger, times[-1], now, slices).time, dropped, count


def _backlog_forwards(
    trigger: BaseTrigger, first: datetime, now: datetime, limit: int, slices: Slices | None
) -> tuple[list[datetime], datetime | None, datetime | None, int]:
    moment, steps = now.astimezone(UTC), new_steps(slices)
    times = [first]
    following = _next_after(trigger, first, now, slices)
    while following.time is not None and following.is_found and following.time <= moment:
        times.append(following.time)
        answer = trigger.search(following.time, now, steps)
        following = _next_of(trigger, answer, times[-1], now, slices)
        if isinstance(answer, Unknown):
            break
    beyond = len(times) - limit
    return times[-limit:], following.time, first if beyond > 0 else None, max(beyond, 1)


def number_of_times(
    trigger: BaseTrigger,
    first: datetime,
    last: datetime,
    now: datetime,
    slices: Slices | None,
    *,
    is_last_included: bool = True,
) -> int | None:
    """How many due times there are from `first` to `last`, which are two of them; ``None`` if a slice is too short to go through them.

    Args:
        trigger: a bound one. `first` counts, though it may not be on its schedule: a program can give a job any next run time.
    """
    start, end = first.astimezone(UTC), last.astimezone(UTC)
    if start >= end:
        return 1
    count = trigger.count_between(start, end)
    if count is None:
        count = _number_one_by_one(trigger, first, end, now, new_steps(slices))
        if count is None:
            return None
    return count + is_last_included


def _number_one_by_one(
    trigger: BaseTrigger, first: datetime, end: datetime, now: datetime, steps: Steps
) -> int | None:
    moment, count = first, 0
    try:
        while moment.astimezone(UTC) < end:
            steps.take()
            steps.go_on()
            answer = trigger.search(moment, now, steps)
            if not isinstance(answer, Found) or answer.time.astimezone(UTC) <= moment.astimezone(UTC):
                return None
            moment, count = answer.time, count + 1
    except SearchExhaustedError:
        return None
    return count
