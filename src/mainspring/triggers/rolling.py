"""A trigger with what falls on a weekend or holiday moved to a business day, at the same time of the day."""

from __future__ import annotations

from bisect import bisect_left
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from mainspring.coercion import nearest
from mainspring.errors import TriggerError
from mainspring.timezones import in_utc, in_zone
from mainspring.triggers.business_calendar import CALENDAR, BusinessCalendar
from mainspring.triggers.common_fields import INNER, ZONE_BOUND
from mainspring.triggers.declared import as_value, positional
from mainspring.triggers.standard import TICK
from mainspring.triggers.steps import SearchExhaustedError
from mainspring.triggers.wrapping import (
    WrappingTrigger,
    day_parts,
    end_of,
    first_instant,
    last_end,
    last_of,
    next_of,
    runs_over,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.explaining import Phrase
    from mainspring.triggers.steps import Steps

__all__ = ["RollingTrigger"]

_NOTHING = timedelta(0)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_QUARTER_HOUR = 15 * 60


class _Stretch(NamedTuple):
    """A part of a day, up to, not including, `end`; its times move by `shift` when they are fired on another day."""

    begin: datetime
    end: datetime
    shift: timedelta


class RollingTrigger(WrappingTrigger):
    """Fires when another trigger does; on the nearest business day instead, where that falls on another day.

    Days are those of the other trigger's zone, and the time of the day stays. Two times that are moved to one instant
    fire once. `BaseTrigger.on_business_days` makes it.

    Args:
        trigger: the other.
        calendar: which days are business days.
        roll: ``"next"`` or ``"previous"``: the direction in which to move.
    """

    __slots__ = ("calendar", "roll")

    kind = "rolling"
    fields_declared = (
        INNER,
        positional("calendar", codec=CALENDAR, shown=repr),
        positional("roll", shown=as_value("roll")),
        ZONE_BOUND,
    )
    shown_as = "<{name} ({fields})>"

    def __init__(
        self,
        trigger: BaseTrigger,
        calendar: BusinessCalendar,
        roll: Literal["next", "previous"] = "next",
    ) -> None:
        self._wrap(trigger)
        if roll not in ("next", "previous"):
            meant = nearest(roll, ("next", "previous", "skip"))
            hint = "" if meant is None else f"; did you mean {meant!r}?"
            raise TriggerError(f"roll must be 'next', 'previous' or 'skip', got {roll!r}{hint}")
        self.calendar, self.roll = calendar, roll

    @classmethod
    def of(cls, trigger: BaseTrigger, calendar: Any, roll: Any) -> BaseTrigger:
        """See `BaseTrigger.on_business_days`."""
        if calendar is None:
            calendar = BusinessCalendar()
        elif not isinstance(calendar, BusinessCalendar):
            calendar = BusinessCalendar(calendar)
        return trigger.excluding(calendar) if roll == "skip" else cls(trigger, calendar, roll)

    def _around(self, trigger: BaseTrigger) -> Self:
        return type(self)(trigger, self.calendar, self.roll)

    def is_same_schedule(self, other: BaseTrigger) -> bool:
        return (
            type(other) is type(self)
            and (self.calendar, self.roll) == (other.calendar, other.roll)
            and self.trigger.is_same_schedule(other.trigger)
        )

    def _sources(self, day: date) -> Iterator[date]:
        """The days whose times are fired on the business day `day`: itself, and the closed ones moved to it."""
        yield day
        step, end = (-_DAY, date.min) if self.roll == "next" else (_DAY, date.max)
        while day != end:
            day += step
            if self.calendar.is_business_day(day) and not self._is_skipped(day):
                break
            yield day

    def _is_skipped(self, day: date) -> bool:
        """Whether the zone went past the whole day, as Samoa did with 30 December 2011."""
        zone = self._zone()
        return first_instant(day, zone) == end_of(day, zone)

    def _together(self, day: date) -> list[tuple[date, date]]:
        """What is fired on the business day `day`, and on others whose times come between its own: each day with the one that it is fired on.

        There are others only where the clocks were put back over a midnight, so that two days are shown by turns, or forward to one.
        """
        zone = self._zone()
        targets = {day}
        for source in self._sources(day):
            if runs_over(source, zone):
                targets.add(self._target(source + _DAY))
            if source != date.min and runs_over(source - _DAY, zone):
                targets.add(self._target(source - _DAY))
        return [(source, target) for target in sorted(targets) for source in self._sources(target)]

    def _open_from(self, day: date) -> date:
        """The first business day from `day` on."""
        while self._is_skipped(day := self.calendar.next_business_day(day)):
            day += _DAY
        return day

    def _open_until(self, day: date) -> date:
        """The last business day up to `day`."""
        while self._is_skipped(day := self.calendar.previous_business_day(day)):
            day -= _DAY
        return day

    def _earliest(self, day: date) -> date:
        """The first day whose times may come after `day` has begun."""
        return day - _DAY if day != date.min and runs_over(day - _DAY, self._zone()) else day

    def _latest(self, day: date) -> date:
        """The last day whose times may come before `day` has ended."""
        return day + _DAY if runs_over(day, self._zone()) else day

    def _target(self, day: date) -> date:
        """The day on which what falls on `day` is fired."""
        return self._open_from(day) if self.roll == "next" else self._open_until(day)

    def _stretches(self, source: date, day: date) -> tuple[_Stretch, ...]:
        zone = self._zone()
        try:
            return _known_stretches(source, day, zone)
        except TypeError:  # a zone that can't be hashed
            return _stretches(source, day, zone)

    def _after(self, moment: datetime, steps: Steps) -> datetime | None:
        zone = self._zone()
        day = self._open_from(self._earliest(in_zone(moment, zone).date()))
        while True:
            pairs = self._together(day)
            best = self._first_of(pairs, moment, steps)
            if best is not None:
                return best
            last = max(source for source, _ in pairs)
            end = last_end(last, zone)
            try:
                steps.go_on()
                following = next_of(self.trigger, end - TICK, steps)
            except SearchExhaustedError as error:
                # What falls on later days is moved to none before that of the first of them.
                since = self._earliest(in_zone(max((error.reached or end) + TICK, end), zone).date())
                raise SearchExhaustedError(
                    max(first_instant(self._target(since), zone) - TICK, moment)
                ) from None
            if following is None:
                return None
            day = self._target(in_zone(following, zone).date())

    def _first_of(self, pairs: list[tuple[date, date]], moment: datetime, steps: Steps) -> datetime | None:
        """The first time after `moment` of all that falls on the first day of each pair, and is fired on the second."""
        found, reached = [], []
        parts = [part for source, day in pairs for part in self._stretches(source, day)]
        for asked, (low, high, shift) in enumerate(parts):
            share = steps.share(len(parts) - asked)
            begin = max(low - TICK, moment - shift)
            try:
                time = next_of(self.trigger, begin, share)
            except SearchExhaustedError as error:
                until = error.not_before(begin).reached or begin
                if until < high - TICK:
                    reached.append(until + shift)
            else:
                if time is not None and time < high:
                    found.append(time + shift)
            steps.give_back(share)
        best, least = min(found, default=None), min(reached, default=None)
        if least is not None and (best is None or least < best):
            raise SearchExhaustedError(max(least, moment))
        return best

    def _before(self, moment: datetime, steps: Steps) -> datetime | None:
        zone = self._zone()
        day = self._open_until(self._latest(in_zone(moment, zone).date()))
        while True:
            pairs = self._together(day)
            best = self._last_of(pairs, moment, steps)
            if best is not None:
                return best
            begin = first_instant(min(source for source, _ in pairs), zone)
            try:
                steps.go_on()
                preceding = last_of(self.trigger, begin, steps)
            except SearchExhaustedError as error:
                until = self._latest(in_zone(min(error.reached or begin, begin) - TICK, zone).date())
                after = last_end(self._target(until), zone)
                raise SearchExhaustedError(min(after, moment)) from None
            if preceding is None:
                return None
            day = self._target(in_zone(preceding, zone).date())

    def _last_of(self, pairs: list[tuple[date, date]], moment: datetime, steps: Steps) -> datetime | None:
        """The last time before `moment` of all that falls on the first day of each pair, and is fired on the second."""
        found, reached = [], []
        parts = [part for source, day in pairs for part in self._stretches(source, day)]
        for asked, (low, high, shift) in enumerate(parts):
            share = steps.share(len(parts) - asked)
            end = min(high, moment - shift)
            try:
                time = last_of(self.trigger, end, share)
            except SearchExhaustedError as error:
                since = error.not_after(end).reached or end
                if since > low:
                    reached.append(since + shift)
            else:
                if time is not None and time >= low:
                    found.append(time + shift)
            steps.give_back(share)
        best, most = max(found, default=None), max(reached, default=None)
        if most is not None and (best is None or most > best):
            raise SearchExhaustedError(min(most, moment))
        return best

    def _phrase(self) -> Phrase:
        from mainspring.triggers.explaining import Clause, phrase_of
        from mainspring.triggers.explaining.exceptions import closed_days

        closed = closed_days(self.calendar)
        phrase = phrase_of(self.trigger).by_days()
        return phrase.but(Clause(f"rolled.{self.roll}", closed=closed)) if closed else phrase

    def __str__(self) -> str:
        return f"{self.trigger} on {self.roll} business day"


def _stretches(source: date, day: date, zone: tzinfo) -> tuple[_Stretch, ...]:
    """The day `source` in parts, each with by how much its times move when they are fired on `day`.

    There is more than one only where the clocks change on one of the two days.
    """
    found: list[_Stretch] = []
    for begin, end in day_parts(source, zone):
        found += [_Stretch(begin, end, _NOTHING)] if source == day else _moves(source, day, begin, end, zone)
    return tuple(found)


#: Each fire time near a change of the clocks asks for the same few.
_known_stretches = lru_cache(maxsize=256)(_stretches)


def _moves(source: date, day: date, begin: datetime, end: datetime, zone: tzinfo) -> Iterator[_Stretch]:
    length = (end - begin) // _SECOND

    def shift_at(second: int) -> timedelta:
        moment = begin + second * _SECOND
        return _moved(moment, day, zone) - moment

    low, shift = 0, shift_at(0)
    if _is_near_change(source, day, zone):
        for later in (*range(_QUARTER_HOUR, length, _QUARTER_HOUR), length - 1):
            if shift_at(later) != shift:
                high = bisect_left(range(later), True, lo=low, key=lambda at: shift_at(at) != shift)
                yield _Stretch(begin + low * _SECOND, begin + high * _SECOND, shift)
                low, shift = high, shift_at(high)
    yield _Stretch(begin + low * _SECOND, end, shift)


def _moved(fire_time: datetime, day: date, zone: tzinfo) -> datetime:
    """`fire_time`, in UTC, at the same time of another day; a time that doesn't exist by the offset before."""
    local = in_zone(fire_time, zone)
    if local.date() == day:
        return fire_time
    return in_utc(datetime.combine(day, local.time().replace(fold=0), zone))


def _is_near_change(source: date, day: date, zone: tzinfo) -> bool:
    """Whether the clocks change on one of the two days, so that not all times move by the same."""
    return any(
        end_of(one, zone) - first_instant(one, zone) != _DAY or len(day_parts(one, zone)) != 1
        for one in (source, day)
    )
