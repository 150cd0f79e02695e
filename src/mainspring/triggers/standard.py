"""What the built-in triggers share: everything that follows from "the first after" and "the last before"."""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Self

from mainspring.errors import TriggerError
from mainspring.profile import stands_in
from mainspring.timezones import (
    FIRST_IN_UTC,
    LAST_IN_UTC,
    astimezone,
    convert_to_datetime,
    datetime_repr,
    in_utc,
    in_zone,
)
from mainspring.triggers.base import aware, comparable
from mainspring.triggers.declared import DeclaredTrigger
from mainspring.triggers.jitter import delay_of
from mainspring.triggers.steps import NEVER, SEARCH_LIMIT, Found, SearchExhaustedError, Steps, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.steps import Answer

TICK = timedelta(microseconds=1)
#: For how long ahead the public methods search. What doesn't fire within a century is said never to.
_LONGEST_SEARCH = timedelta(days=36_525)
#: In how many slices they search what has no exclusions: a fraction of a second. Schedules that agree so seldom mostly never do.
_SLICES = 10
#: With so many a search begins that is mostly at its end at once.
_A_FEW_STEPS = 64


class StandardTrigger(DeclaredTrigger):
    """A trigger that can be asked in both directions.

    The methods with an underscore are asked of a bound trigger only. They take and give points in time in UTC, because
    Python compares two datetimes of one zone by their wall clocks.
    """

    __slots__ = ()

    @abstractmethod
    def _is_bound(self) -> bool:
        """Whether nothing is left open that `get_next_fire_time` needs."""

    @abstractmethod
    def _zone(self) -> tzinfo:
        """In which the fire times are given."""

    @abstractmethod
    def _after(self, moment: datetime, steps: Steps) -> datetime | None: ...

    @abstractmethod
    def _before(self, moment: datetime, steps: Steps) -> datetime | None: ...

    def _most_slices(self) -> int:
        """In how many slices the public methods search."""
        return _SLICES

    def _ready(self, reference: datetime) -> Self:
        """This trigger, bound: if it isn't yet, as if it had been added at `reference`."""
        if self._is_bound():
            return self
        return self.bind(timezone=reference.tzinfo or UTC, now=reference, job_id="")

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """See `BaseTrigger.get_next_fire_time`. The search goes on, slice by slice, in as many as there may be."""
        reference = now if previous_fire_time is None else previous_fire_time
        if not isinstance(reference, datetime):
            aware(reference, "now" if previous_fire_time is None else "previous_fire_time")
        trigger = self._ready(reference)
        moment = in_utc(reference)
        try:
            if previous_fire_time is None:
                moment -= TICK
            found = trigger._after(moment, Steps())
        except SearchExhaustedError as error:
            found = trigger._searched_on("_after", moment, error.not_before(moment).reached)
        except OverflowError:
            return None
        return None if found is None else in_zone(found, trigger._zone())

    def search(self, previous_fire_time: datetime | None, now: datetime, steps: Steps) -> Answer:
        reference = now if previous_fire_time is None else previous_fire_time
        trigger = self._ready(reference)
        moment = in_utc(reference)
        try:
            if previous_fire_time is None:
                moment -= TICK
            found = trigger._after(moment, steps)
            return NEVER if found is None else Found(in_zone(found, trigger._zone()))
        except SearchExhaustedError as error:
            since = (error.not_before(moment).reached or moment) + TICK
            return Unknown(in_zone(since, trigger._zone()))
        except OverflowError:
            return NEVER

    def previous(self, before: datetime) -> datetime | None:
        trigger = self._ready(aware(before, "before"))
        moment = in_utc(before)
        try:
            found = trigger._before(moment, Steps())
        except SearchExhaustedError as error:
            found = trigger._searched_on("_before", moment, error.not_after(moment).reached)
        except OverflowError:
            return None
        return None if found is None else in_zone(found, trigger._zone())

    def search_before(self, before: datetime, steps: Steps) -> Answer:
        trigger = self._ready(before)
        moment = in_utc(before)
        try:
            found = trigger._before(moment, steps)
            return NEVER if found is None else Found(in_zone(found, trigger._zone()))
        except SearchExhaustedError as error:
            return Unknown(in_zone(error.not_after(moment).reached or moment, trigger._zone()))
        except OverflowError:
            return NEVER

    def _searched_on(self, question: str, start: datetime, reached: datetime | None) -> datetime | None:
        """The answer to a question about `start`, of which the first slice has come as far as `reached`.

        ``None`` too if there is nothing within `_LONGEST_SEARCH`, or `_most_slices` don't find it.
        """
        moment, limit = start, SEARCH_LIMIT
        for _ in range(self._most_slices()):
            if reached is None or reached == moment:
                limit *= 2  # it was too little for a single step forward
            else:
                moment = reached
            if abs(moment - start) > _LONGEST_SEARCH:
                return None
            try:
                found: datetime | None = getattr(self, question)(moment, Steps(limit))
            except SearchExhaustedError as error:
                reached = error.reached
            except OverflowError:
                return None
            else:
                return found
        return None

    def _always_with(self) -> list[BaseTrigger]:
        """See `always_with`."""
        return [self]

    def latest_fire_time(self, first: datetime, now: datetime) -> datetime:
        found = self._ready(first).previous(in_utc(now) + TICK)
        return first if found is None or in_utc(found) <= in_utc(first) else found

    def fire_times(self, first: datetime, now: datetime, limit: int) -> tuple[list[datetime], bool]:
        trigger = self._ready(first)
        start, moment = in_utc(first), in_utc(now) + TICK
        times: list[datetime] = []
        while (found := trigger.previous(moment)) is not None and in_utc(found) > start:
            if len(times) == limit:
                times.reverse()
                return times, True
            times.append(found)
            moment = found
        has_more = len(times) == limit
        if not has_more:
            times.append(first)
        times.reverse()
        return times, has_more

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, StandardTrigger)
            and type(self) is type(other)
            and self._compared() == other._compared()
        )

    def __hash__(self) -> int:
        return hash(type(self))  # what else there is may be written in many ways

    def _compared(self) -> dict[str, Any]:
        """The state as it is compared with another's; a copy."""
        state: dict[str, Any] = comparable(self.__getstate__())
        return state


def always_with(trigger: BaseTrigger) -> list[BaseTrigger]:
    """The triggers all of which fire whenever this one does, of those that it is made of; itself, if it isn't made of any."""
    return trigger._always_with() if isinstance(trigger, StandardTrigger) else [trigger]


class DelayedTrigger(StandardTrigger):
    """A trigger with jitter: its base times are exact for ever, and each firing comes a little later than its own.

    A delay ends before the next base time, so that no firing is lost or out of order, and not after the end date.
    """

    __slots__ = ()

    jitter: float | None
    end_date: Any
    _seed: str | None

    def _needs_seed(self) -> bool:
        return bool(self.jitter)

    @property
    def _kept_seed(self) -> str | None:
        """What its delays depend on, where that is to be written."""
        return self._seed if self._needs_seed() else None

    @abstractmethod
    def _base_after(self, moment: datetime, steps: Steps) -> datetime | None:
        """The first base time after `moment`."""

    @abstractmethod
    def _base_before(self, moment: datetime, steps: Steps) -> datetime | None:
        """The last base time before `moment`."""

    def _base_count(self, first: datetime, last: datetime) -> int | None:
        """How many base times there are after `first`, up to `last`, if that can be told without going through them."""
        return None

    def count_between(self, first: datetime, last: datetime) -> int | None:
        count = self._base_count(first, last)
        if count is None or not self.jitter:
            return count
        # Each fires before the next base time: so it is only the last up to each end that may fire beyond it.
        return count + self._fires_after(first) - self._fires_after(last)

    def _fires_after(self, moment: datetime) -> bool:
        """Whether what has its base time by then fires later."""
        base = self._base_before(moment + TICK, Steps())
        return base is not None and self._delayed(base, Steps()) > moment

    def _after(self, moment: datetime, steps: Steps) -> datetime | None:
        if not self.jitter:
            return self._base_after(moment, steps)
        longest = timedelta(seconds=self.jitter)
        base = _within(self._base_before, moment + TICK, shifted(moment, -longest), steps)
        if base is not None:
            fire_time = self._delayed(base, steps)
            if fire_time > moment:
                return fire_time
        base = self._base_after(moment, steps)
        return None if base is None else self._delayed(base, steps)

    def _before(self, moment: datetime, steps: Steps) -> datetime | None:
        base = self._base_before(moment, steps)
        if not self.jitter or base is None:
            return base
        fire_time = self._delayed(base, steps)
        if fire_time < moment:
            return fire_time
        base = self._base_before(base, steps)
        return None if base is None else self._delayed(base, steps)

    def _delayed(self, base: datetime, steps: Steps) -> datetime:
        longest = timedelta(seconds=self.jitter or 0) + TICK
        try:
            following = _within(self._base_after, base, shifted(base, longest), steps)
        except OverflowError:
            following = None
        if following is not None:
            longest = min(longest, following - base)
        end = self._delay_limit()
        if end is not None:
            longest = min(longest, max(end - base, timedelta(0)) + TICK)
        return base + delay_of(base, longest, self._seed or "")

    def _delay_limit(self) -> datetime | None:
        """The last moment, in UTC, that a delay may reach."""
        return None


def _within(
    ask: Callable[[datetime, Steps], datetime | None], moment: datetime, end: datetime, steps: Steps
) -> datetime | None:
    """What a search from `moment` finds up to `end`, in either direction; if it comes that far without finding any, that is ``None``.

    The delays are no longer than that stretch, so it is searched whatever it takes: half of it would be no answer.
    """
    limit = _A_FEW_STEPS
    steps.take()
    while True:
        try:
            return ask(moment, Steps(limit))
        except SearchExhaustedError as error:
            reached = error.reached
            if reached is not None and abs(reached - moment) >= abs(end - moment):
                return None
            moment = reached or moment
            limit *= 2


def zone_given(timezone: Any, *moments: Any) -> tzinfo | None:
    """The zone of a trigger: as given, or of the first of `moments` that has one."""
    zone = astimezone(timezone)
    for moment in moments:
        if zone is None and isinstance(moment, datetime) and moment.tzinfo is not None:
            zone = astimezone(moment.tzinfo)
    return zone


def moment_in(value: Any, zone: tzinfo | None, name: str) -> Any:
    """`value` as an aware datetime; as it is, if there is no zone yet to read it in.

    Raises:
        TypeError, ValueError: it will never be one.
    """
    if value is None or (
        type(value) is datetime and value.tzinfo is UTC
    ):  # as most are that come from a store
        return value
    if zone is None:
        moment = convert_to_datetime(value, UTC, name)  # a mistake is to be told where it is made
        return moment if isinstance(value, datetime) and value.tzinfo is not None else value
    return convert_to_datetime(value, zone, name)


def zone_of_a_new_one(timezone: Any, *moments: Any, local: Callable[[], tzinfo]) -> tzinfo | None:
    """The zone of a trigger that a program makes: as `zone_given`; ``None``: that of the scheduler, once it is added to one.

    Under the alias that is the machine's, if no other was given: a program written for APScheduler has its triggers fire by that, whatever
    the zone of its scheduler, and finds datetimes where it gave text.

    Args:
        local: gives the machine's.
    """
    zone = zone_given(timezone, *moments)
    return astimezone(local()) if zone is None and stands_in() else zone


def shown(moment: Any) -> str:
    """A point in time as people read it, or as it was written if its zone isn't known yet."""
    return datetime_repr(moment) if isinstance(moment, datetime) else str(moment)


def shifted(moment: datetime, by: timedelta) -> datetime:
    """`moment`, in UTC, so much later or earlier; the first or the last time there is, if that is beyond."""
    try:
        return in_utc(moment + by)
    except OverflowError:
        return FIRST_IN_UTC if by < timedelta(0) else LAST_IN_UTC


def check_order(start: Any, end: Any) -> None:
    """See that a trigger doesn't end before it begins; either may be ``None``, or both as they were written where there is no zone yet.

    Raises:
        TriggerError: it does.
    """
    if start is None or end is None:
        return
    begins, ends = (in_utc(moment_in(moment, UTC, "")) for moment in (start, end))
    if ends < begins:
        raise TriggerError(
            f"end_date {shown(end)} is before start_date {shown(start)}, so that it would never fire"
        )


def is_earlier(one: datetime, other: datetime) -> bool:
    """Whether `one` is an earlier instant than `other`; of two in one zone, Python compares the wall clocks."""
    return in_utc(one) < in_utc(other)
