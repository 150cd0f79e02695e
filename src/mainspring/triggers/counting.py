"""How many instants several cron schedules have together, or in common, told without going through them.

Where no clock changes, that is a question about whole days: on how many of them which schedules fire, and how many times of the day those have. Near a change
each follows its own rule for it, so what is within it is gone through, a few hours a year.
"""

from __future__ import annotations

from functools import reduce
from itertools import combinations, pairwise
from operator import and_, or_
from typing import TYPE_CHECKING, NamedTuple

from mainspring.timezones import zone_identity
from mainspring.triggers.clock_changes import DAY, LAST_INSTANT, changes_of, instant_of, utc_of
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.cron.wall import WallSchedule
from mainspring.triggers.seconds_of_day import seconds_of_day
from mainspring.triggers.standard import TICK, shifted
from mainspring.triggers.steps import Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime, tzinfo

    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.cron.days import DateFields

__all__ = ["count_all", "count_any"]

#: Of schedules on so many kinds of dates it takes a thousand counts to tell how many times they have together.
_MOST_KINDS = 6


def count_any(triggers: Sequence[BaseTrigger], first: datetime, last: datetime) -> int | None:
    """How many instants there are after `first`, up to `last`, at which any of some triggers fires; ``None``, if that can't be told so."""
    return _count(triggers, first, last, _days_of_any, or_)


def count_all(triggers: Sequence[BaseTrigger], first: datetime, last: datetime) -> int | None:
    """The same of the instants at which all of them fire."""
    return _count(triggers, first, last, _days_of_all, and_)


class _Schedule(NamedTuple):
    """A cron schedule.

    Attributes:
        times: the seconds of the day at which it fires, as bits.
        low, high: between which instants it does, the last not included.
    """

    trigger: CronTrigger
    years: frozenset[int] | None
    dates: DateFields
    times: int
    low: int
    high: int


class _Days(NamedTuple):
    """Days with times that are added to the number, or taken from it.

    Attributes:
        midnights: of the days, as wall times.
        times: the seconds of the day, as bits.
        sign: 1 or -1.
    """

    midnights: WallSchedule
    times: int
    sign: int

    def times_between(self, low: int, high: int) -> int:
        """How many times there are from the wall time `low` on, before `high`."""
        (first, begin), (last, end) = divmod(low, DAY), divmod(high, DAY)
        count = self.midnights.count(first * DAY, last * DAY) * self.times.bit_count()
        for day, time, sign in ((first, begin, -1), (last, end, 1)):
            if time and self.midnights.count(day * DAY, day * DAY + 1):
                count += sign * (self.times & ((1 << time) - 1)).bit_count()
        return self.sign * count


def _count(
    triggers: Sequence[BaseTrigger],
    first: datetime,
    last: datetime,
    days_of: Callable[[Sequence[_Schedule]], list[_Days]],
    together: Callable[[set[int], set[int]], set[int]],
) -> int | None:
    read = _read(triggers)
    if read is None:
        return None
    schedules, zone = read
    low, high = instant_of(first) + 1, instant_of(last) + 1
    if low >= high:
        return 0
    changes = changes_of(zone)
    unsteady = [
        (change.at - abs(change.after - change.before), change.at + abs(change.after - change.before))
        for change in changes.between(low, high)
    ]
    edges = {
        low,
        high,
        *(edge for one in schedules for edge in (one.low, one.high)),
        *(edge for span in unsteady for edge in span),
    }
    known: dict[tuple[int, ...], list[_Days]] = {}
    count = 0
    for begin, end in pairwise(sorted(edge for edge in edges if low <= edge <= high)):
        active = tuple(at for at, one in enumerate(schedules) if one.low <= begin and end <= one.high)
        if not active or (together is and_ and len(active) < len(schedules)):
            continue
        here = [schedules[at] for at in active]
        if any(since <= begin and end <= until for since, until in unsteady):
            count += len(reduce(together, (_instants(one.trigger, begin, end) for one in here)))
            continue
        if active not in known:
            known[active] = days_of(here)
        offset = changes.offset_at(begin)
        count += sum(days.times_between(begin + offset, end + offset) for days in known[active])
    return count


def _read(triggers: Sequence[BaseTrigger]) -> tuple[list[_Schedule], tzinfo] | None:
    """The triggers as schedules in one zone; ``None``, if they aren't that, or fire on too many kinds of dates."""
    schedules = []
    for trigger in triggers:
        if type(trigger) is not CronTrigger or trigger.jitter or trigger._first_at is not None:
            return None
        begin, end = trigger.first_and_last()
        schedules.append(
            _Schedule(
                trigger,
                trigger.years(),
                trigger.date_fields(trigger.seed),
                seconds_of_day(*trigger.time_fields()),
                0 if begin is None else instant_of(shifted(begin, -TICK)) + 1,
                LAST_INSTANT + 1 if end is None else instant_of(end) + 1,
            )
        )
    zones = {zone_identity(one.trigger._zone()) for one in schedules}
    kinds = {(one.years, one.dates) for one in schedules}
    if len(zones) != 1 or len(kinds) > _MOST_KINDS:
        return None
    return schedules, schedules[0].trigger._zone()


def _instants(trigger: CronTrigger, begin: int, end: int) -> set[int]:
    """The instants from `begin` on, before `end`."""
    found: set[int] = set()
    moment = utc_of(begin - 1)
    while moment is not None:
        moment = trigger._after(moment, Steps())
        if moment is None or instant_of(moment) >= end:
            break
        found.add(instant_of(moment))
    return found


def _days_of_any(schedules: Sequence[_Schedule]) -> list[_Days]:
    """Each kind of days, without what is counted for two of them, and so on."""
    kinds: dict[tuple[frozenset[int] | None, DateFields], int] = {}
    for one in schedules:
        kinds[one.years, one.dates] = kinds.get((one.years, one.dates), 0) | one.times
    found = []
    for number in range(1, len(kinds) + 1):
        for some in combinations(kinds.items(), number):
            times = reduce(and_, (times for _, times in some))
            if times:
                found.append(_common_days([kind for kind, _ in some], times, 1 if number % 2 else -1))
    return found


def _days_of_all(schedules: Sequence[_Schedule]) -> list[_Days]:
    times = reduce(and_, (one.times for one in schedules))
    return [_common_days({(one.years, one.dates) for one in schedules}, times, 1)] if times else []


def _common_days(kinds: Collection[tuple[frozenset[int] | None, DateFields]], times: int, sign: int) -> _Days:
    limited = [years for years, _ in kinds if years is not None]
    years = frozenset.intersection(*limited) if limited else None
    return _Days(WallSchedule(years, tuple(dates for _, dates in kinds), 1, 1, 1), times, sign)
