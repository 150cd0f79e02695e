"""Whether schedules ever fire at one instant, and until when, where that is seen from what they are made of.

Two questions are asked. The first is about the time of the day in UTC: each cron schedule has some seconds of the day, at each offset that its
zone ever has, and an interval has some too. The second is about whole dates, of cron schedules in one zone: whether some wall time is on all
of them, and is not always one that the clocks skip; and if none is, whether a change of the clocks moves a time of one onto a time of another.
In Berlin, 02:30 meets 03:30 once a year, on the day on which it is read as 03:30.

It says only what can be known from that. Start and end dates, jitter and exceptions can but take fire times away, or aren't looked at.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from math import gcd, lcm
from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.timezones import in_utc, zone_identity
from mainspring.triggers.clock_changes import (
    DAY,
    LAST_INSTANT,
    STEADY,
    changes_of,
    previous_instant,
)
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.cron.wall import WallSchedule
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.seconds_of_day import seconds_of_day
from mainspring.triggers.standard import TICK, always_with

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mainspring.triggers.clock_changes import Change, Fold, Gap, ZoneChanges

__all__ = ["last_meeting"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000
#: All seconds of a day, as bits.
_WHOLE_DAY = (1 << DAY) - 1
_FIRST_INSTANT = 719_163 * DAY  # 1970
#: Of a schedule whose zone isn't known yet: some change of the clocks by so many minutes, at any time. None is longer, but for whole days.
_LARGEST_GAP = 180
#: The last year that is looked at; from then on, years of the same kind are alike.
_LAST_YEAR = 2160


def last_meeting(triggers: Iterable[Any]) -> int | None:
    """An instant after which some triggers don't all fire at once any more, as far as that is known; ``None``: they never do.

    Args:
        triggers: of any kind; cron schedules are compared, with each other and with intervals. Those whose zone is open are in the same one,
            whichever that is.
    """
    zones: dict[Any, list[_Cron]] = {}
    seconds = []
    for trigger in (part for one in triggers for part in always_with(one)):
        if type(trigger) is CronTrigger and not trigger.jitter and trigger.first != "now":
            zones.setdefault(zone_identity(trigger.timezone), []).append(_Cron.of(trigger))
        elif type(trigger) is IntervalTrigger and not trigger.jitter and trigger._is_bound():
            start = (in_utc(trigger.start_date) - _EPOCH) // TICK
            seconds.append(_seconds_of_interval(start, trigger.interval // TICK))
    last = LAST_INSTANT
    for crons in zones.values():
        found = _last_in_zone(crons) if len(crons) > 1 else last
        if found is None:
            return None
        last = min(last, found)
    if len(zones) + len(seconds) > 1:
        seconds += [_seconds_in_utc(crons) for crons in zones.values()]
    common = _WHOLE_DAY
    for some in seconds:
        common &= some
    return last if common else None


class _Cron(NamedTuple):
    """A cron schedule.

    Attributes:
        times: the seconds of the day at which it fires, as bits.
        walls: when it fires, as its zone's clocks show it.
    """

    zone: tzinfo | None
    years: frozenset[int] | None
    dates: Any
    fields: tuple[int, int, int]
    times: int
    policy: tuple[Gap, Fold]
    walls: WallSchedule

    @classmethod
    def of(cls, trigger: CronTrigger) -> _Cron:
        years, dates, fields = trigger.years(), trigger.date_fields(trigger.seed), trigger.time_fields()
        walls = WallSchedule(years, (dates,), *fields)
        return cls(trigger.timezone, years, dates, fields, seconds_of_day(*fields), trigger.policy(), walls)

    @property
    def shifts(self) -> bool:
        return self.policy[0] == "shift"

    def has_day(self, day: int) -> bool:
        return self.walls.day_after(day - 1) == day


def _last_in_zone(crons: Sequence[_Cron]) -> int | None:
    zone = crons[0].zone
    changes = changes_of(UTC if zone is None else zone)
    years = _common_years(crons)
    common = _common_walls(crons, years)
    found = None
    if common is not None:
        found = previous_instant(common, LAST_INSTANT, changes, *_common_policy(crons))
        if found is not None and found > STEADY:
            return found
    if zone is None:
        is_moved = any(_moved(crons, 0, minutes * 60) for minutes in range(1, _LARGEST_GAP + 1))
        return LAST_INSTANT if is_moved else found
    moved = _last_over_gaps(crons, changes, years)
    return max((one for one in (found, moved) if one is not None), default=None)


def _common_years(crons: Sequence[_Cron]) -> frozenset[int] | None:
    limited = [cron.years for cron in crons if cron.years is not None]
    return frozenset.intersection(*limited) if limited else None


def _common_walls(crons: Sequence[_Cron], years: frozenset[int] | None) -> WallSchedule | None:
    """The wall times that all have; ``None``: there are none, by their hours, minutes, seconds or years."""
    fields = [-1, -1, -1]
    for cron in crons:
        fields = [one & other for one, other in zip(fields, cron.fields, strict=True)]
    if not all(fields) or (years is not None and not years):
        return None
    return WallSchedule(years, tuple(cron.dates for cron in crons), *fields)


def _common_policy(crons: Sequence[_Cron]) -> tuple[Gap, Fold]:
    """At which instants of one wall time all fire. Where it comes twice, and some fire at the first and some at the second, that is taken for the first."""
    folds = {cron.policy[1] for cron in crons} - {"both"}
    fold: Fold = "both" if not folds else "second" if folds == {"second"} else "first"
    return "shift" if all(cron.shifts for cron in crons) else "skip", fold


def _last_over_gaps(crons: Sequence[_Cron], changes: ZoneChanges, years: frozenset[int] | None) -> int | None:
    """The last time that a gap moves times of some schedules onto times of the others."""
    if not any(cron.shifts for cron in crons):
        return None
    moved: dict[tuple[int, int, int], int] = {}
    for change in reversed(changes.all()):
        at, before, after = change
        kind = at % DAY, before, after
        if kind not in moved:
            moved[kind] = _moved(crons, before, after) & _span(at, after - before)
        if moved[kind]:
            if years is not None and max(years, default=0) > _LAST_YEAR:
                return LAST_INSTANT
            if _meet_in(crons, change):
                # The years that come later are all of a kind that has come since then.
                return LAST_INSTANT if at > STEADY and years is None else at + after - before
    return None


def _meet_in(crons: Sequence[_Cron], change: Change) -> bool:
    """Whether all fire at some instant of those at which times are fired that a gap skips."""
    at, before, after = change
    end = at + after - before
    # Within such a part, the day is one by the clocks and one by those before the change.
    midnights = {day * DAY - offset for offset in (before, after) for day in range(at // DAY, end // DAY + 3)}
    edges = sorted({at, end} | {midnight for midnight in midnights if at < midnight < end})
    for low, high in pairwise(edges):
        common = _span(low, high - low)
        for cron in crons:
            read = _rotated(cron.times, -after) if cron.has_day((low + after) // DAY) else 0
            if cron.shifts and cron.has_day((low + before) // DAY):
                read |= _rotated(cron.times, -before)
            common &= read
        if common:
            return True
    return False


def _moved(crons: Sequence[_Cron], before: int, after: int) -> int:
    """The seconds of the day in UTC at which all fire, by the offset after a gap or, if they shift, by that before it."""
    common = _WHOLE_DAY
    for cron in crons:
        read = _rotated(cron.times, -after)
        common &= read | _rotated(cron.times, -before) if cron.shifts else read
    return common


def _seconds_in_utc(crons: Sequence[_Cron]) -> int:
    """The seconds of the day in UTC at which schedules in one zone may all fire."""
    zone = crons[0].zone
    if zone is None:
        return _WHOLE_DAY
    changes = changes_of(zone)
    common = _WHOLE_DAY
    for cron in crons:
        common &= cron.times
    offsets = {changes.offset_at(_FIRST_INSTANT)} | {change.after for change in changes.all()}
    seconds = 0
    for offset in offsets:
        seconds |= _rotated(common, -offset)
    gaps = {(at % DAY, before, after) for at, before, after in changes.all() if after > before}
    for at, before, after in gaps:
        seconds |= _moved(crons, before, after) & _span(at, after - before)
    return seconds


def _seconds_of_interval(start: int, distance: int) -> int:
    """The seconds of the day in UTC on which instants at equal distances may be."""
    common = gcd(distance, DAY * _SECOND)
    step = lcm(common, _SECOND) // _SECOND
    first = next((one for one in range(step) if (one * _SECOND - start) % common == 0), None)
    if first is None:
        return 0
    digits = bytearray(b"0" * DAY)
    digits[first::step] = b"1" * len(range(first, DAY, step))
    digits.reverse()
    return int(digits, 2)


def _span(begin: int, length: int) -> int:
    """The seconds of the day from an instant on."""
    return _WHOLE_DAY if length >= DAY else _rotated((1 << max(length, 0)) - 1, begin)


def _rotated(seconds: int, by: int) -> int:
    """Seconds of the day, so much later."""
    by %= DAY
    return (seconds << by | seconds >> (DAY - by)) & _WHOLE_DAY
