"""From wall-clock times to instants, across the changes of a zone's clocks.

One rule serves every trigger that names wall-clock times. A time that doesn't exist, because the clocks were put
forward over it, is either skipped, or read with the offset in force before the change (as RFC 5545 and TC39 Temporal's
"compatible" do). A time that exists twice fires at its first occurrence, at its second, or at both.

Inside, all is whole numbers: seconds since the beginning of 1 January of the year 1, less the one day that
`date.toordinal` counts from, on the wall clock ("wall") or in UTC ("instant"). Both on whole seconds; an offset's
microseconds, which no zone has, are dropped.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from mainspring.timezones import in_utc

if TYPE_CHECKING:
    from collections.abc import Iterator

Gap = Literal["shift", "skip"]
Fold = Literal["first", "second", "both"]

DAY = 86_400
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_LAST_DAY = date.max.toordinal()
LAST_INSTANT = _LAST_DAY * DAY + DAY - 1

# A zone's offset is looked up every three days: no two changes in the time zone database that undo each other are less
# than that apart (the closest are those of Freetown in 1939, within four days).
_PROBE = 3
_SPAN = 24
# No zone has moved its clocks by more than a day, so what is further than that from a change knows nothing of it.
_MARGIN = 2
# A span is learnt as a whole when it is asked for so many times in a row.
_ASKED_OFTEN = 4
_MIDNIGHT = time()
#: Cron schedules begin in this year.
_FIRST_DAY = date(1970, 1, 1).toordinal()
#: From 2100 on every zone changes its clocks by one rule for all years, or not at all (Morocco's dates are listed until 2087).
STEADY = date(2100, 1, 1).toordinal() * DAY
#: All kinds of years come within so many seconds, sixty years, also where a leap year is left out.
ALL_KINDS = 60 * 366 * DAY


class Change(NamedTuple):
    """A change of a zone's offset: at the instant `at`, from `before` to `after` seconds east of UTC."""

    at: int
    before: int
    after: int


class Walls(Protocol):
    """A set of wall-clock times."""

    @property
    def repeats_within(self) -> int | None:
        """Within how many seconds, from anywhere on or back to, all kinds of years come that ever come, where years of one kind have the same days.

        The kinds are told apart by the weekday on which they begin, their length, and that of the year before. ``None``: not known.
        """

    def count(self, low: int, high: int) -> int:
        """How many there are from `low` on, before `high`."""

    def after(self, wall: int) -> int | None:
        """The first one after `wall`, or ``None``."""

    def before(self, wall: int) -> int | None:
        """The last one before `wall`, or ``None``."""


def instant_of(moment: datetime) -> int:
    """The whole seconds of an aware datetime, as an instant."""
    moment = in_utc(moment)
    return moment.toordinal() * DAY + moment.hour * 3600 + moment.minute * 60 + moment.second


def utc_of(instant: int) -> datetime | None:
    """The inverse of `instant_of`, in UTC; ``None`` outside of the years 1 to 9999."""
    if not DAY <= instant <= LAST_INSTANT:
        return None
    return _EPOCH + timedelta(seconds=instant - DAY)


def time_of(given: date) -> datetime:
    """A time as it is, and of a date its midnight."""
    return given if isinstance(given, datetime) else datetime.combine(given, _MIDNIGHT)


def moment_of(given: date, zone: tzinfo) -> datetime:
    """The moment, in UTC, of a time or of a date's midnight; without a zone, by the clocks of `zone`.

    A time that doesn't exist is read with the offset before the change, one that exists twice is the first.
    """
    moment = time_of(given)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone, fold=0)
    return in_utc(moment)


class ZoneChanges:
    """When the clocks of a zone change. Learns from the zone, span by span, what is asked for."""

    __slots__ = ("_all", "_asked", "_calm", "_fixed", "_spans", "zone")

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self._fixed = zone.utcoffset(None) is not None
        self._spans: dict[int, tuple[Change, ...]] = {}
        # The span that was asked for last, while it wasn't known, and how often.
        self._asked = (0, 0)
        # The stretch that was asked for last.
        self._calm = (1, 0, 0)
        self._all: tuple[Change, ...] | None = None

    def offset_at(self, instant: int) -> int:
        """Seconds east of UTC."""
        moment = utc_of(min(max(instant, 2 * DAY), LAST_INSTANT - DAY))
        offset = None if moment is None else moment.astimezone(self.zone).utcoffset()
        return 0 if offset is None else offset.days * DAY + offset.seconds

    def calm_days(self, day: int) -> tuple[int, int]:
        """The first and the last of the days around `day` on which the clocks do not change, nor near them.

        The span is empty, ``(1, 0)``, if they change near `day` itself.
        """
        if self._fixed:
            return 1, _LAST_DAY
        span = day // _SPAN
        if span not in self._spans:
            # A schedule that leaps over months has no use for the whole span: look at the day alone, at first.
            asked, times = self._asked
            times = times + 1 if asked == span else 1
            self._asked = (span, times)
            if times < _ASKED_OFTEN and self._is_calm_around(day):
                return day, day
        low, high = span * _SPAN, span * _SPAN + _SPAN - 1
        for change in self._span(span):
            changed = change.at // DAY
            if changed + _MARGIN < day:
                low = max(low, changed + _MARGIN + 1)
            elif changed - _MARGIN > day:
                high = min(high, changed - _MARGIN - 1)
            else:
                return 1, 0
        return low, high

    def _is_calm_around(self, day: int) -> bool:
        """Whether the clocks don't change from two days before `day` begins to two days after it has ended."""
        if not _PROBE < day <= _LAST_DAY - _PROBE:
            return False
        zone = self.zone
        offset = datetime.combine(date.fromordinal(day), _MIDNIGHT, zone).utcoffset()
        return (
            offset == datetime.combine(date.fromordinal(day - _MARGIN), _MIDNIGHT, zone).utcoffset()
            and offset == datetime.combine(date.fromordinal(day + 1 + _MARGIN), _MIDNIGHT, zone).utcoffset()
        )

    def calm_stretch(self, instant: int) -> tuple[int, int, int]:
        """The first and the last instant around `instant` between which no change is near, and their offset.

        They are out of order, ``(1, 0, 0)``, if a change is near `instant` itself.
        """
        known = self._calm  # read once: another thread may replace it
        if known[0] <= instant <= known[1]:
            return known
        first, last = self.calm_days(instant // DAY)
        if first > last:
            return 1, 0, 0
        self._calm = calm = (first * DAY, last * DAY + DAY - 1, self.offset_at(instant))
        return calm

    def near(self, instant: int) -> list[Change]:
        """The changes not further than two days from `instant`, and maybe some more, in order."""
        if self._fixed:
            return []
        day = instant // DAY
        spans = sorted({(day - _MARGIN) // _SPAN, (day + _MARGIN) // _SPAN})
        return sorted({change for span in spans for change in self._span(span)})

    def between(self, first: int, last: int) -> list[Change]:
        """The changes between two instants, and maybe some more around them, in order."""
        if self._fixed:
            return []
        spans = range((first // DAY - _MARGIN) // _SPAN, (last // DAY + _MARGIN) // _SPAN + 1)
        return sorted({change for span in spans for change in self._span(span)})

    def all(self) -> tuple[Change, ...]:
        """The changes from 1970 on until the year from which on they only repeat each other, on the same days of years of the same kind."""
        if self._all is None:
            last_day = (STEADY + ALL_KINDS) // DAY
            self._all = () if self._fixed else tuple(self._found(_FIRST_DAY, last_day))
        return self._all

    def _span(self, span: int) -> tuple[Change, ...]:
        """The changes in a span of days, and those not much further than the margin outside."""
        known = self._spans.get(span)
        if known is None:
            if len(self._spans) > 1000:  # noqa: PLR2004 - some sixty years
                self._spans.clear()
            first = span * _SPAN - _PROBE
            known = self._spans[span] = tuple(self._found(first, first + _SPAN + 2 * _PROBE))
        return known

    def _found(self, first_day: int, last_day: int) -> Iterator[Change]:
        low = first_day * DAY
        offset = self.offset_at(low)
        for high in range(low + _PROBE * DAY, last_day * DAY + 1, _PROBE * DAY):
            following = self.offset_at(high)
            if following != offset:
                yield Change(self._changed_between(high - _PROBE * DAY, high, offset), offset, following)
                offset = following

    def _changed_between(self, low: int, high: int, offset: int) -> int:
        """The first instant after `low` at which the offset isn't `offset`, as at `high` it isn't."""
        while high - low > 1:
            middle = (low + high) // 2
            if self.offset_at(middle) == offset:
                low = middle
            else:
                high = middle
        return high


@lru_cache(maxsize=256)
def _changes_by_zone(zone: tzinfo) -> ZoneChanges:
    return ZoneChanges(zone)


def changes_of(zone: tzinfo) -> ZoneChanges:
    """When the clocks of `zone` change; what was learnt is shared by all who ask for the same zone."""
    try:
        return _changes_by_zone(zone)
    except TypeError:  # a zone that can't be hashed
        return ZoneChanges(zone)


class _Stretch(NamedTuple):
    """A stretch of time with one offset, and of the walls in it those that fire."""

    low: int
    high: int
    offset: int


def _stretches(changes: list[Change], offset: int, gap: Gap, fold: Fold) -> Iterator[_Stretch]:
    """Ranges of walls, ``low`` included and ``high`` not, each to be read with an offset.

    Args:
        changes: in order; may be none.
        offset: the one that is in force if there are none.
    """
    far = LAST_INSTANT * 2
    low = -far
    for change in changes:
        at, before, after = change
        ends, begins = at + before, at + after
        if after >= before:  # a gap
            yield _Stretch(low, ends, before)
            if gap == "shift":
                yield _Stretch(ends, begins, before)
            low = begins
        else:  # a repetition of the walls from `begins` to `ends`
            yield _Stretch(low, begins if fold == "second" else ends, before)
            low = ends if fold == "first" else begins
        offset = after
    yield _Stretch(low, far, offset)


def _calm_instant(wall: int, offset: int, zone: ZoneChanges) -> int | None:
    """The instant of a wall that is far from any change; ``None`` if it isn't.

    If it is, and what was asked about was far from any change too, then no other wall fires in between, however the
    clocks change there: they are put back by far less than the margin.

    Args:
        offset: a guess.
    """
    for _ in range(2):
        low, high, offset = zone.calm_stretch(wall - offset)
        if low <= wall - offset <= high:
            return wall - offset
    return None


def next_instant(walls: Walls, after: int, zone: ZoneChanges, gap: Gap, fold: Fold) -> int | None:
    """The first instant after `after` at which the zone's clocks show one of `walls`, by the rule chosen."""
    begin = max(after, STEADY)
    while after <= LAST_INSTANT:
        low, high, offset = zone.calm_stretch(after)
        if low <= high:
            found = walls.after(after + offset)
            if found is None or found - offset <= high:
                return None if found is None else found - offset
            instant = _calm_instant(found, offset, zone)
            if instant is not None:
                return instant
        horizon = after + _MARGIN * DAY
        changes = zone.near(after)
        offset = zone.offset_at(after)
        best: int | None = None
        for stretch in _stretches(changes, offset, gap, fold):
            found = walls.after(max(stretch.low - 1, after + stretch.offset))
            if found is not None and found < stretch.high:
                instant = found - stretch.offset
                best = instant if best is None else min(best, instant)
        if best is not None and best <= horizon:
            return best
        # Nothing fires up to the horizon. Go to a day before the next wall, whatever its offset may be.
        following = walls.after(after + offset)
        if following is None:
            return None
        after = max(horizon, following - DAY - 1)
        # What is always skipped, because the clocks skip it, is not sought until the year 9999.
        if after > begin and (span := walls.repeats_within) is not None and after > begin + span:
            return None
    return None


def count_instants(walls: Walls, first: int, last: int, zone: ZoneChanges, gap: Gap, fold: Fold) -> int:
    """How many instants after `first`, up to `last`, there are at which the zone's clocks show one of `walls`, by the rule chosen."""
    # The changes where there are no walls don't matter.
    low_wall, high_wall = walls.after(first - DAY), walls.before(last + DAY)
    if low_wall is None or high_wall is None:
        return 0
    first, last = max(first, low_wall - _MARGIN * DAY), min(last, high_wall + _MARGIN * DAY)
    if first >= last:
        return 0
    changes = zone.between(first, last)
    count = 0
    for stretch in _stretches(changes, zone.offset_at(first), gap, fold):
        low = max(stretch.low, first + 1 + stretch.offset)
        high = min(stretch.high, last + 1 + stretch.offset)
        if low < high:
            count += walls.count(low, high)
    if gap == "shift":
        # What is read with the offset before falls on walls that may be there themselves.
        for at, before, after in changes:
            wall = walls.after(at + before - 1)
            while wall is not None and wall < at + after:
                instant, moved = wall - before, wall - before + after
                if first < instant <= last and walls.count(moved, moved + 1):
                    count -= 1
                wall = walls.after(wall)
    return count


def previous_instant(walls: Walls, before: int, zone: ZoneChanges, gap: Gap, fold: Fold) -> int | None:
    """The last instant before `before` at which the zone's clocks show one of `walls`, by the rule chosen."""
    begin = before
    while before > DAY:
        low, high, offset = zone.calm_stretch(before)
        if low <= high:
            found = walls.before(before + offset)
            if found is None or found - offset >= low:
                return None if found is None else found - offset
            instant = _calm_instant(found, offset, zone)
            if instant is not None:
                return instant
        horizon = before - _MARGIN * DAY
        changes = zone.near(before)
        offset = zone.offset_at(before)
        best: int | None = None
        for stretch in _stretches(changes, changes[0].before if changes else offset, gap, fold):
            found = walls.before(min(stretch.high, before + stretch.offset))
            if found is not None and found >= stretch.low:
                instant = found - stretch.offset
                best = instant if best is None else max(best, instant)
        if best is not None and best >= horizon:
            return best
        preceding = walls.before(before + offset)
        if preceding is None:
            return None
        before = min(horizon, preceding + DAY + 1)
        if before > STEADY and (span := walls.repeats_within) is not None and begin - before > span:
            before = STEADY
    return None
