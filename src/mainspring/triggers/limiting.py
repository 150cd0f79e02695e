"""The first so many fire times of a trigger."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Self

from mainspring.errors import TriggerError
from mainspring.timezones import in_utc, real_time
from mainspring.triggers.base import comparable
from mainspring.triggers.interval import checked_count
from mainspring.triggers.standard import TICK, shifted, shown
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

    Which is the last of them is counted once, one by one.

    Args:
        trigger: the other.
        max_fires: how many times.
        start: from when to count; from when the trigger is added, if not given.
    """

    __slots__ = ("_counted", "_is_anchored", "max_fires", "start")

    kind = "limited"

    def __init__(self, trigger: BaseTrigger, max_fires: int, start: Any = None) -> None:
        self._wrap(trigger)
        count = checked_count(max_fires)
        if count is None:
            raise TriggerError("max_fires must be a whole number, 1 or more, got None")
        if start is not None and (not isinstance(start, datetime) or start.tzinfo is None):
            raise TriggerError(f"start must be a datetime with a time zone, got {start!r}")
        self.max_fires, self.start = count, None if start is None else real_time(start)
        self._is_anchored = False
        #: How many fire times were counted, and the last of them.
        self._counted: tuple[int, datetime | None] = (0, None)

    def _around(self, trigger: BaseTrigger) -> Self:
        made = type(self)(trigger, self.max_fires, self.start)
        made._is_anchored = self._is_anchored
        return made

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
        end, span = moment, _A_DAY
        # What is far beyond the last of all isn't counted.
        while end < time:
            end, span = min(shifted(moment, span), time), 2 * span
            known = self.trigger.count_between(moment, end)
            if known is None:
                break
            if count + known > self.max_fires:
                count, moment = self._counted = self._shortly_before_last(count, moment, end)
                break
        else:
            return True
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
            end: a moment up to which there are more than may be.
        """
        while end - moment > _A_MINUTE:
            middle = moment + (end - moment) / 2
            more = self.trigger.count_between(moment, middle) or 0
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

    def _phrase(self) -> Phrase:
        from mainspring.triggers.explaining import details, phrase_of

        return details.limited(phrase_of(self.trigger), self.max_fires, self.start)

    def to_dict(self) -> dict[str, Any]:
        from mainspring.triggers.plain import plain_moment, plain_zone, trigger_to_dict, without_empty

        return without_empty(
            type=self.kind,
            version=1,
            trigger=trigger_to_dict(self.trigger),
            max_fires=self.max_fires,
            start=plain_moment(self.start),
            anchored=self._is_anchored,
            timezone=plain_zone(self._timezone),
        )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        from mainspring.triggers.plain import read_moment, read_zone, trigger_from_dict

        trigger = trigger_from_dict(values["trigger"])
        made = cls(trigger, values["max_fires"], read_moment(values.get("start")))
        made._is_anchored = values.get("anchored", False)
        made._timezone = read_zone(values.get("timezone"))
        return made

    def __getstate__(self) -> dict[str, Any]:
        return {
            "version": self.state_version,
            "trigger": self.trigger,
            "max_fires": self.max_fires,
            "start": self.start,
            "anchored": self._is_anchored,
            "timezone": self._timezone,
        }

    def __setstate__(self, state: Any) -> None:
        state = self._readable(state)
        self._wrap(state["trigger"])
        self.max_fires, self.start = state["max_fires"], state["start"]
        self._is_anchored, self._timezone = state["anchored"], state["timezone"]
        self._counted = (0, None)

    def __str__(self) -> str:
        return f"{self.trigger}, {self.max_fires} times"

    def __repr__(self) -> str:
        start = "" if self.start is None else f", start='{shown(self.start)}'"
        return f"<{type(self).__name__} ({self.trigger!r}, max_fires={self.max_fires}{start})>"
