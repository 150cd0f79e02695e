"""Triggers made of others: what all have in common, or what any of them has."""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, datetime, timedelta, tzinfo
from functools import reduce
from itertools import combinations
from math import gcd
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from mainspring.errors import TriggerError
from mainspring.former_names import former_names
from mainspring.timezones import in_utc
from mainspring.triggers.after import refuse_after_job
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.clock_changes import LAST_INSTANT, utc_of
from mainspring.triggers.common_fields import JITTER, SEED
from mainspring.triggers.counting import count_all, count_any
from mainspring.triggers.declared import Codec, Handed, positional
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.jitter import checked_jitter
from mainspring.triggers.meeting import last_meeting
from mainspring.triggers.naming import found_by, reference_to
from mainspring.triggers.plain import trigger_from_dict, trigger_to_dict
from mainspring.triggers.standard import TICK, DelayedTrigger, StandardTrigger, always_with
from mainspring.triggers.steps import SearchExhaustedError, Steps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mainspring.triggers.explaining import Phrase

__all__ = ["AndTrigger", "BaseCombiningTrigger", "OrTrigger"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Of so many intervals it takes a thousand counts to tell how many times they have together.
_MOST_INTERVALS = 8


class BaseCombiningTrigger(DelayedTrigger):
    """A trigger made of others.

    Args:
        triggers: at least one.
        jitter: delay each firing by up to so many seconds. The times that are delayed stay where they are.

    Raises:
        TriggerError: there are none, or something isn't a trigger.
    """

    __slots__ = ("_seed", "end_date", "jitter", "triggers")

    searches = True
    fields_declared = (
        positional(
            "triggers",
            codec=Codec(
                lambda triggers: list(map(trigger_to_dict, triggers)),
                lambda several, _zone: list(map(trigger_from_dict, several)),
            ),
            state_codec=Codec(
                # APScheduler's form
                lambda triggers: [(reference_to(type(one)), one.__getstate__()) for one in triggers],
                lambda pairs, _zone: [_made_again(reference, inner) for reference, inner in pairs],
            ),
            shown=repr,
        ),
        JITTER._replace(handed=Handed.POSITION),
        SEED,
    )
    shown_as = "<{name}({fields})>"

    def __init__(self, triggers: Iterable[BaseTrigger], jitter: float | None = None) -> None:
        meant = f"{type(self).__name__} takes a list of triggers: {type(self).__name__}([…, …])"
        if isinstance(triggers, BaseTrigger):
            raise TriggerError(meant)
        if not hasattr(triggers, "__iter__"):
            raise TypeError(f"{meant}, got {type(triggers).__name__} {triggers!r}")
        self.triggers = list(triggers)
        if not self.triggers:
            raise TriggerError(f"{type(self).__name__} needs at least one trigger, got none")
        for trigger in self.triggers:
            if not isinstance(trigger, BaseTrigger):
                raise TriggerError(
                    f"{type(self).__name__} is made of triggers, got {type(trigger).__name__} {trigger!r}"
                )
            refuse_after_job(trigger, type(self).__name__)
        self.jitter = checked_jitter(jitter)
        self.end_date = None
        self._seed: str | None = None

    def bind(self, *, timezone: tzinfo, now: datetime, job_id: str) -> Self:
        triggers = [trigger.bind(timezone=timezone, now=now, job_id=job_id) for trigger in self.triggers]
        is_seeded = not self.jitter or self._seed is not None
        if is_seeded and all(new is old for new, old in zip(triggers, self.triggers, strict=True)):
            return self
        bound = type(self)(triggers, self.jitter)
        bound._seed = job_id if self._seed is None else self._seed
        return bound

    def is_same_schedule(self, other: BaseTrigger) -> bool:
        return (
            type(other) is type(self)
            and self.jitter == other.jitter
            and len(self.triggers) == len(other.triggers)
            and all(
                mine.is_same_schedule(theirs)
                for mine, theirs in zip(self.triggers, other.triggers, strict=True)
            )
        )

    def _is_bound(self) -> bool:
        # A third party's trigger doesn't tell; binding it once more does no harm.
        return all(isinstance(trigger, StandardTrigger) and trigger._is_bound() for trigger in self.triggers)

    def _zone(self) -> tzinfo:
        for trigger in self.triggers:
            if isinstance(trigger, StandardTrigger):
                return trigger._zone()
        return UTC

    def _most_slices(self) -> int:
        members = (one._most_slices() for one in self.triggers if isinstance(one, StandardTrigger))
        return max(members, default=super()._most_slices())

    def __str__(self) -> str:
        return f"{self.kind}[{', '.join(map(str, self.triggers))}]"

    def _phrase(self) -> Phrase:
        from mainspring.triggers.explaining import details, several

        return several.spoken(self.triggers, self.kind).but(*details.jitter(self.jitter))

    def _restored(self) -> None:
        self.end_date = None

    @abstractmethod
    def _base_after(self, moment: datetime, steps: Steps) -> datetime | None: ...


def _made_again(reference: str, state: Any) -> BaseTrigger:
    cls = found_by(reference)
    if not (isinstance(cls, type) and issubclass(cls, BaseTrigger)):
        raise TriggerError(f"{reference!r} is no trigger class")
    made = cls.__new__(cls)
    if hasattr(made, "__setstate__"):
        made.__setstate__(state)
    else:  # a third party's, whose state is what Python makes it
        attributes, slots = state if isinstance(state, tuple) else (state, None)
        for key, value in {**(attributes or {}), **(slots or {})}.items():
            setattr(made, key, value)
    return made


class AndTrigger(BaseCombiningTrigger):
    """Fires at exactly the instants at which all of its triggers fire.

    That intervals and cron schedules never meet is found by arithmetic, also where clocks change. Otherwise fire times are looked at one after the
    other; if there are none within a century, `get_next_fire_time` says that there is no next one.
    """

    __slots__ = ("_last", "_members")

    _last: datetime | None
    _members: list[BaseTrigger | _Progression]

    kind = "and"

    def _searched(self) -> list[BaseTrigger | _Progression]:
        """The triggers, with all plain intervals as one; none, if they never meet. Sets `_last`, after which they don't any more."""
        members: list[BaseTrigger | _Progression] | None = getattr(self, "_members", None)
        if members is None:
            members = []
            merged: _Progression | None = None
            for trigger in self.triggers:
                if type(trigger) is IntervalTrigger and not trigger.jitter:
                    progression = _Progression.of(trigger)
                    merged = progression if merged is None else merged.met_by(progression)
                else:
                    members.append(trigger)
            if merged is not None:
                members.append(merged)
            last = self._last_meeting()
            if last is None:
                members = []
            self._last = utc_of(last) if last else None
            self._members = members
        return members

    def _last_meeting(self) -> int | None:
        if all(isinstance(one, IntervalTrigger) for one in self.triggers):
            return LAST_INSTANT
        return last_meeting(self.triggers)

    def _always_with(self) -> list[BaseTrigger]:
        return [self] if self.jitter else [part for one in self.triggers for part in always_with(one)]

    def _base_count(self, first: datetime, last: datetime) -> int | None:
        progressions = _progressions(self.triggers)
        if progressions is not None:
            return reduce(_Progression.met_by, progressions).count_between(first, last)
        return count_all(self.triggers, first, last)

    def _base_after(self, moment: datetime, steps: Steps) -> datetime | None:
        members = self._searched()
        if self._last is not None and moment >= self._last:
            return None
        agreeing, at = 0, 0
        candidate: datetime | None = None
        try:
            while agreeing < len(members):
                steps.take()  # shares of what is left may be more than that, so that they alone bound nothing
                found = members[at]._after(moment, steps)
                if found is None:
                    return None
                if found == candidate:
                    agreeing += 1
                else:
                    moment = found - TICK  # the others may fire at the same time
                    if candidate is not None:
                        steps.go_on()
                    agreeing, candidate = 1, found
                at = (at + 1) % len(members)
        except SearchExhaustedError as error:
            raise error.not_before(moment) from None
        return candidate

    def _base_before(self, moment: datetime, steps: Steps) -> datetime | None:
        members = self._searched()
        agreeing, at = 0, 0
        candidate: datetime | None = None
        try:
            while agreeing < len(members):
                steps.take()  # shares of what is left may be more than that, so that they alone bound nothing
                found = members[at]._before(moment, steps)
                if found is None:
                    return None
                if found == candidate:
                    agreeing += 1
                else:
                    moment = found + TICK
                    if candidate is not None:
                        steps.go_on()
                    agreeing, candidate = 1, found
                at = (at + 1) % len(members)
        except SearchExhaustedError as error:
            raise error.not_after(moment) from None
        return candidate


class OrTrigger(BaseCombiningTrigger):
    """Fires at exactly the instants at which any of its triggers fires; once where several do."""

    __slots__ = ()

    kind = "or"

    def _base_after(self, moment: datetime, steps: Steps) -> datetime | None:
        times, reached = self._asked("_after", moment, steps)
        found, least = min(times, default=None), min(reached, default=None)
        if least is not None and (found is None or least < found):
            raise SearchExhaustedError(max(least, moment))
        return found

    def _base_before(self, moment: datetime, steps: Steps) -> datetime | None:
        times, reached = self._asked("_before", moment, steps)
        found, most = max(times, default=None), max(reached, default=None)
        if most is not None and (found is None or most > found):
            raise SearchExhaustedError(min(most, moment))
        return found

    def _base_count(self, first: datetime, last: datetime) -> int | None:
        progressions = _progressions(self.triggers)
        if progressions is None:
            return count_any(self.triggers, first, last)
        if len(progressions) > _MOST_INTERVALS:
            return None
        # Each, without what two have in common, and so on.
        return sum(
            (1 if number % 2 else -1) * reduce(_Progression.met_by, some).count_between(first, last)
            for number in range(1, len(progressions) + 1)
            for some in combinations(progressions, number)
        )

    def _asked(self, question: str, moment: datetime, steps: Steps) -> tuple[list[datetime], list[datetime]]:
        """What the triggers answer; and of those that don't yet, how far they have come."""
        times, reached = [], []
        for asked, trigger in enumerate(self.triggers):
            part = steps.share(len(self.triggers) - asked)
            try:
                found = getattr(trigger, question)(moment, part)
            except SearchExhaustedError as error:
                found = None
                reached.append(error.reached or moment)
            steps.give_back(part)
            if found is not None:
                times.append(found)
        return times, reached


def _progressions(triggers: Iterable[BaseTrigger]) -> list[_Progression] | None:
    """Plain intervals as progressions; ``None`` if there is any other trigger."""
    found = []
    for trigger in triggers:
        if type(trigger) is not IntervalTrigger or trigger.jitter:
            return None
        found.append(_Progression.of(trigger))
    return found


class _Progression(NamedTuple):
    """Instants at equal distances: microseconds since 1970 that leave `start` when divided by `interval`.

    Attributes:
        low, high: the first and the last that may be; `high` is ``None`` if there is no end.
    """

    start: int
    interval: int
    low: int
    high: int | None

    @classmethod
    def of(cls, trigger: IntervalTrigger) -> _Progression:
        begin = in_utc(trigger.start_date)
        start = (begin - _EPOCH) // TICK
        interval = trigger.interval // TICK
        last = trigger._last_step(begin)
        return cls(start % interval, interval, start, None if last is None else start + last * interval)

    def met_by(self, other: _Progression) -> _Progression:
        """The instants of both, by the Chinese remainder theorem."""
        common = gcd(self.interval, other.interval)
        low = max(self.low, other.low)
        ends = [end for end in (self.high, other.high) if end is not None]
        high = min(ends) if ends else None
        distance = other.start - self.start
        if distance % common:
            return _Progression(self.start, self.interval, low, low - 1)
        modulus = other.interval // common
        turns = distance // common * pow(self.interval // common, -1, modulus) % modulus
        interval = self.interval * modulus
        return _Progression((self.start + turns * self.interval) % interval, interval, low, high)

    def count_between(self, first: datetime, last: datetime) -> int:
        """How many there are after `first`, up to `last`."""
        least = max((first - _EPOCH) // TICK + 1, self.low)
        most = (last - _EPOCH) // TICK
        if self.high is not None:
            most = min(most, self.high)
        if least > most:
            return 0
        return (most - self.start) // self.interval - (least - 1 - self.start) // self.interval

    def _after(self, moment: datetime, steps: Steps) -> datetime | None:
        steps.take()
        least = max((moment - _EPOCH) // TICK + 1, self.low)
        found = least + (self.start - least) % self.interval
        return None if self.high is not None and found > self.high else _moment(found)

    def _before(self, moment: datetime, steps: Steps) -> datetime | None:
        steps.take()
        most = (moment - _EPOCH) // TICK - 1
        if self.high is not None:
            most = min(most, self.high)
        found = most - (most - self.start) % self.interval
        return None if found < self.low else _moment(found)


def _moment(microseconds: int) -> datetime | None:
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return None


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
