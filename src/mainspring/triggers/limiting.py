"""The first so many fire times of a trigger."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Self

from mainspring.errors import TriggerError
from mainspring.timezones import in_utc, real_time
from mainspring.triggers.base import comparable
from mainspring.triggers.common_fields import ANCHORED, INNER, MOMENT, ZONE_BOUND, as_text
from mainspring.triggers.declared import Field, Handed, as_value, positional
from mainspring.triggers.interval import checked_count
from mainspring.triggers.standard import TICK, always_with, shifted
from mainspring.triggers.steps import SearchExhaustedError
from mainspring.triggers.wrapping import WrappingTrigger, next_of

if TYPE_CHECKING:
    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.explaining import Phrase
    from mainspring.triggers.steps import Steps

__all__ = ["LimitedTrigger"]

_A_DAY = timedelta(days=1)
_A_MINUTE = timedelta(minutes=1)


class LimitedTrigger(WrappingTrigger):
    """Fires when another trigger does, so many times. `BaseTrigger.limited` makes it.

    Which is the last of them is counted: by arithmetic where the other trigger can tell (`BaseTrigger.count_between`), otherwise one by one. What was
    counted is kept as long as the trigger is.

    Args:
        trigger: the other.
        max_fires: how many times.
        start: from when to count; from when the trigger is added, if not given.
    """

    __slots__ = ("_counted", "_is_anchored", "max_fires", "start")

    kind = "limited"
    fields_declared = (
        INNER,
        positional("max_fires", shown=as_value("max_fires")),
        Field("start", codec=MOMENT, handed=Handed.POSITION, shown=as_text("start")),
        ANCHORED._replace(is_sparse=False),
        ZONE_BOUND,
    )
    shown_as = "<{name} ({fields})>"

    def __init__(self, trigger: BaseTrigger, max_fires: int, start: Any = None) -> None:
        self._wrap(trigger)
        count = checked_count(max_fires)
        if count is None:
            raise TriggerError("max_fires must be a whole number, 1 or more, got None")
        if start is not None and (not isinstance(start, datetime) or start.tzinfo is None):
            raise TriggerError(f"start must be a datetime with a time zone, got {start!r}")
        self.max_fires, self.start = count, None if start is None else real_time(start)
        self._is_anchored = False
        #: How many fire times were counted, and up to when: if all were, up to the last of them.
        self._counted: tuple[int, datetime | None] = (0, None)

    def _around(self, trigger: BaseTrigger) -> Self:
        made = type(self)(trigger, self.max_fires, self.start)
        made._is_anchored = self._is_anchored
        return made

    def _restored(self) -> None:
        super()._restored()
        self._counted = (0, None)

    def bind(self, *, timezone: tzinfo, now: datetime, job_id: str) -> Self:
        bound = super().bind(timezone=timezone, now=now, job_id=job_id)
        if bound.start is None:
            bound = bound._around(bound.trigger) if bound is self else bound
            bound._timezone = bound._timezone or timezone
            bound.start = now
            bound._is_anchored = True
        return bound

    def is_same_schedule(self, other: BaseTrigger) -> bool:
        return (
            type(other) is type(self)
            and self.max_fires == other.max_fires
            and (other._is_anchored or comparable(self.start) == comparable(other.start))
            and self.trigger.is_same_schedule(other.trigger)
        )

    def _is_bound(self) -> bool:
        return self.start is not None and super()._is_bound()

    def _first_moment(self) -> datetime:
        if self.start is None:
            raise TriggerError(f"{self!r} was not added yet")
        return in_utc(self.start)

    def _is_among(self, time: datetime, steps: Steps) -> bool:
        """Whether a fire time of the other trigger, from the start on, is one of the first so many.

        They are counted once: what was counted before is known.
        """
        count, moment = self._counted
        if moment is None:
            moment = self._first_moment() - TICK
        span = _A_DAY
        # What is far beyond the last of all isn't counted.
        while moment < time:
            end, span = min(shifted(moment, span), time), 2 * span
            known = self.trigger.count_between(moment, end)
            if known is None:
                break
            if count + known >= self.max_fires:
                count, moment = self._counted = self._shortly_before_last(count, moment, end)
                break
            count, moment = self._counted = count + known, end
        while moment < time and count < self.max_fires:
            following = next_of(self.trigger, moment, steps)
            if following is None:
                break
            count, moment = count + 1, following
            self._counted = count, moment
        return time <= moment

    def _shortly_before_last(self, count: int, moment: datetime, end: datetime) -> tuple[int, datetime]:
        """A moment not long before the last of all, and how many fire times there are up to it.

        Args:
            count: how many there are up to `moment`.
            end: a moment up to which there are as many as may be, or more.
        """
        while end - moment > _A_MINUTE:
            middle = moment + (end - moment) / 2
            more = self.trigger.count_between(moment, middle)
            if more is None:
                break
            if count + more < self.max_fires:
                count, moment = count + more, middle
            else:
                end = middle
        return count, moment

    def count_between(self, first: datetime, last: datetime) -> int | None:
        begin = self._first_moment() - TICK
        counts = [self.trigger.count_between(begin, max(moment, begin)) for moment in (first, last)]
        before, until = (None if count is None else min(count, self.max_fires) for count in counts)
        return None if before is None or until is None else until - before

    def _after(self, moment: datetime, steps: Steps) -> datetime | None:
        moment = max(moment, self._first_moment() - TICK)
        try:
            found = self.trigger._after(moment, steps)
            return found if found is None or self._is_among(found, steps) else None
        except SearchExhaustedError as error:
            raise error.not_before(moment) from None

    def _before(self, moment: datetime, steps: Steps) -> datetime | None:
        found = self.trigger._before(moment, steps)
        if found is None or found < self._first_moment():
            return None
        try:
            return found if self._is_among(found, steps) else self._counted[1]
        except SearchExhaustedError:  # it counts forwards, and has come further in that
            raise SearchExhaustedError(moment) from None

    def _always_with(self) -> list[BaseTrigger]:
        return always_with(self.trigger)

    def _phrase(self) -> Phrase:
        from mainspring.triggers.explaining import details, phrase_of

        return details.limited(phrase_of(self.trigger), self.max_fires, self.start)

    def __str__(self) -> str:
        return f"{self.trigger}, {self.max_fires} times"
