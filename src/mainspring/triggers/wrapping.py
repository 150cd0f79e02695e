"""What the triggers share that change the times of one other trigger."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from mainspring.errors import TriggerError
from mainspring.timezones import LAST_IN_UTC, in_utc
from mainspring.triggers.after import refuse_after_job
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.clock_changes import DAY, changes_of, utc_of
from mainspring.triggers.standard import TICK, StandardTrigger, shifted
from mainspring.triggers.steps import SearchExhaustedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mainspring.triggers.steps import Steps


#: To look whether a day is closed takes about so much less than to find a fire time.
_DAYS_FOR_EACH = 16


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

    def _restored(self) -> None:
        zone = self._timezone
        self._wrap(self.trigger)
        self._timezone = zone

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
    return in_utc(datetime.combine(day, time(), zone))


def end_of(day: date, zone: tzinfo) -> datetime:
    """When the day after `day` begins in `zone`, in UTC, for the first time if it does so twice."""
    return LAST_IN_UTC if day == date.max else first_instant(day + timedelta(days=1), zone)


class DayAgain(NamedTuple):
    """A stretch of time in which the clocks show a day again, after they were put back from the day after it.

    St. John's had them show 28 October 2006 again from one minute past midnight on.
    """

    begin: datetime
    end: datetime


def shown_again(day: date, zone: tzinfo) -> DayAgain | None:
    """When the clocks of `zone` show `day` again although the day after it had begun; ``None``: they don't."""
    midnight = (day.toordinal() + 1) * DAY
    changes = changes_of(zone)
    for at, before, after in changes.near(midnight - changes.offset_at(midnight)):
        if at + after < midnight < at + before:
            begin, end = utc_of(at), utc_of(midnight - after)
            return None if begin is None or end is None else DayAgain(begin, end)
    return None


def runs_over(day: date, zone: tzinfo) -> bool:
    """Whether times of `day`, or times that are read as such because the clocks skipped them, come after the day after it has begun."""
    if day == date.max:
        return False
    return in_utc(datetime.combine(day, time.max, zone)) >= end_of(day, zone) or (
        shown_again(day, zone) is not None
    )


def last_end(day: date, zone: tzinfo) -> datetime:
    """When the clocks of `zone` stop to show `day` for the last time, in UTC."""
    again = shown_again(day, zone)
    return end_of(day, zone) if again is None else again.end


def day_parts(day: date, zone: tzinfo) -> list[tuple[datetime, datetime]]:
    """`parts_of_days` of one day: mostly one stretch, none if the zone skipped the day, two if the clocks were put back over a midnight."""
    return parts_of_days(day, day, zone)


def parts_of_days(first: date, last: date, zone: tzinfo) -> list[tuple[datetime, datetime]]:
    """The stretches of time in which the clocks of `zone` show the days `first` to `last`, in UTC, their ends not included."""
    begin, end = first_instant(first, zone), end_of(last, zone)
    if begin >= end:
        return []
    parts = [(begin, end)]
    yesterday = None if first == date.min else shown_again(first - timedelta(days=1), zone)
    if yesterday is not None:
        parts = [(begin, yesterday.begin), (yesterday.end, end)]
    again = shown_again(last, zone)
    return parts if again is None else [*parts, (again.begin, again.end)]


def days_around(moment: datetime, first: date, last: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """The stretch of time around `moment` in which the clocks of `zone` show the days `first` to `last`, its end not included."""
    begin, end = first_instant(first, zone), end_of(last, zone)
    before = None if first == date.min else shown_again(first - timedelta(days=1), zone)
    if before is not None:
        if moment < before.begin:
            end = before.begin
        else:
            begin = before.end
    again = shown_again(last, zone)
    return again if again is not None and moment >= again.begin else (begin, end)


def are_too_many(days: int, count: int) -> bool:
    """Whether going through so many days takes longer than going through `count` fire times."""
    return days > _DAYS_FOR_EACH * count


def count_within(
    trigger: BaseTrigger, stretches: Iterable[tuple[datetime, datetime]], first: datetime, last: datetime
) -> int:
    """How many fire times of `trigger`, which can tell, are in the stretches, whose ends are not in them, after `first` and up to `last`."""
    count = 0
    for begin, end in stretches:
        low, high = max(shifted(begin, -TICK), first), min(shifted(end, -TICK), last)
        if low < high:
            count += trigger.count_between(low, high) or 0
    return count


def next_of(trigger: BaseTrigger, moment: datetime, steps: Steps) -> datetime | None:
    """The first fire time of `trigger` after `moment`, counted as a step of the search."""
    steps.take()
    return trigger._after(moment, steps)


def last_of(trigger: BaseTrigger, moment: datetime, steps: Steps) -> datetime | None:
    """The last fire time of `trigger` before `moment`, counted as a step of the search."""
    steps.take()
    return trigger._before(moment, steps)


def shifted_answer(
    ask: Callable[[BaseTrigger, datetime, Steps], datetime | None],
    trigger: BaseTrigger,
    moment: datetime,
    by: timedelta,
    steps: Steps,
) -> datetime | None:
    """The answer of `next_of` or `last_of` where each fire time of `trigger` is so much later.

    Raises:
        SearchExhaustedError: it takes more than `steps`.
    """
    try:
        found = ask(trigger, shifted(moment, -by), steps)
    except SearchExhaustedError as error:
        raise SearchExhaustedError(None if error.reached is None else shifted(error.reached, by)) from None
    return None if found is None else found + by
