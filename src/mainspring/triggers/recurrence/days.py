"""The days of a recurrence rule: each year as a whole number with a bit for each of its days, 1 January the lowest."""

from __future__ import annotations

from calendar import isleap
from datetime import MAXYEAR, MINYEAR, date
from typing import TYPE_CHECKING, NamedTuple

from mainspring.triggers.clock_changes import ALL_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mainspring.triggers.recurrence.rules import RecurrenceRule

_LAST_DAY = date.max.toordinal()
_FIRST_DAYS = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
_LEAP_FIRST_DAYS = tuple(day + (month > 1) for month, day in enumerate(_FIRST_DAYS))
_LAST_WEEK_DAYS = 4
_THURSDAY, _WEDNESDAY = 3, 2
#: No more years than these are kept.
_YEARS_KEPT = 10_000


class _Kind(NamedTuple):
    """All that tells the days of one year from those of another, where each year fires.

    Attributes:
        first_weekday: of 1 January.
        is_leap, follows_leap, precedes_leap: whether this year is a leap year, the one before it, the one after it.
    """

    first_weekday: int
    is_leap: bool
    follows_leap: bool
    precedes_leap: bool

    @property
    def length(self) -> int:
        return 366 if self.is_leap else 365


class Days:
    """The days on which a rule fires, by all parts that concern days.

    Args:
        rule: completed.
        start: the day from which the intervals are counted.
    """

    def __init__(self, rule: RecurrenceRule, start: date) -> None:
        self._rule = rule
        self._start_month = start.year * 12 + start.month - 1
        self._start_year = start.year
        first = start.toordinal()
        self._width = self._period = 1
        if rule.freq == "DAILY":
            self._period = rule.interval
        elif rule.freq == "WEEKLY":
            self._width, self._period = 7, 7 * rule.interval
            first -= (start.weekday() - rule.week_start) % 7
        self._first = first
        self._kinds: dict[_Kind, int] = {}
        self._years: dict[int, int] = {}
        self._phases: dict[int, int] = {}
        # No day is from here on, or up to here: found out once, since it takes a look at all years.
        self._none_from = _LAST_DAY + 1
        self._none_until = 0
        self.repeats_within = ALL_KINDS if rule.interval == 1 or not rule.is_of_days else None

    def year(self, year: int) -> int:
        """The days of a year, as bits."""
        known = self._years.get(year)
        if known is None:
            known = self._of_kind(_kind_of(year))
            if known and self._rule.interval > 1:
                known &= self._of_interval(year)
            if len(self._years) >= _YEARS_KEPT:
                self._years.clear()
            self._years[year] = known
        return known

    def phase(self, year: int) -> tuple[_Kind, int]:
        """What two years with the same days, counted from 1 January, have in common."""
        rule = self._rule
        if rule.interval == 1 or not rule.is_of_days:
            return _kind_of(year), 0
        if rule.freq == "YEARLY":
            return _kind_of(year), (year - self._start_year) % rule.interval
        if rule.freq == "MONTHLY":
            return _kind_of(year), (year * 12 - self._start_month) % rule.interval
        return _kind_of(year), (date(year, 1, 1).toordinal() - self._first) % self._period

    def following(self, day: int) -> int | None:
        """The first one that is not before `day`, all as `date.toordinal` counts."""
        if day >= self._none_from:
            return None
        day = max(day, 1)
        year = date.fromordinal(day).year
        first = date(year, 1, 1).toordinal()
        bits = self.year(year) >> (day - first)
        if bits:
            return day + (bits & -bits).bit_length() - 1
        for later in self.years(year + 1, MAXYEAR):
            bits = self.year(later)
            if bits:
                return date(later, 1, 1).toordinal() + (bits & -bits).bit_length() - 1
        self._none_from = day
        return None

    def preceding(self, day: int) -> int | None:
        """The last one that is not after `day`."""
        if day <= self._none_until:
            return None
        day = min(day, _LAST_DAY)
        year = date.fromordinal(day).year
        first = date(year, 1, 1).toordinal()
        bits = self.year(year) & ((2 << (day - first)) - 1)
        if bits:
            return first + bits.bit_length() - 1
        for earlier in reversed(self.years(MINYEAR, year - 1)):
            bits = self.year(earlier)
            if bits:
                return date(earlier, 1, 1).toordinal() + bits.bit_length() - 1
        self._none_until = day
        return None

    def count(self, low: int, high: int, pattern: int = -1, period: int = 1) -> int:
        """How many there are from `low` on, before `high`.

        Args:
            pattern: of these days, those count whose remainder by `period` is a bit of it; it has at least a year more bits than `period`.
        """
        low, high = max(low, 1), min(high, _LAST_DAY + 1)
        if low >= high:
            return 0
        first_year, last_year = date.fromordinal(low).year, date.fromordinal(high - 1).year
        total = 0
        for year in self.years(first_year, last_year):
            bits = self.year(year)
            if not bits:
                continue
            first = date(year, 1, 1).toordinal()
            if year == last_year:
                bits &= (1 << (high - first)) - 1
            if period > 1:
                bits &= pattern >> (first % period)
            if year == first_year:
                bits >>= low - first
            total += bits.bit_count()
        return total

    def years(self, first: int, last: int) -> range:
        """The years from `first` to `last` that the interval lets through."""
        step = self._rule.interval if self._rule.freq == "YEARLY" else 1
        return range(first + (self._start_year - first) % step, last + 1, step)

    def _of_interval(self, year: int) -> int:
        """The days of the year that the interval lets through."""
        rule = self._rule
        if rule.freq == "YEARLY":
            return -1 if (year - self._start_year) % rule.interval == 0 else 0
        if rule.freq == "MONTHLY":
            return self._months_of(year)
        if not rule.is_of_days:
            return -1
        phase = (date(year, 1, 1).toordinal() - self._first) % self._period
        known = self._phases.get(phase)
        if known is None:
            known, run = 0, (1 << self._width) - 1
            for day in range(-phase, 366, self._period):
                known |= run << day if day >= 0 else run >> -day
            if len(self._phases) >= _YEARS_KEPT:
                self._phases.clear()
            self._phases[phase] = known
        return known

    def _months_of(self, year: int) -> int:
        interval = self._rule.interval
        first = (self._start_month - year * 12) % interval
        firsts = _LEAP_FIRST_DAYS if isleap(year) else _FIRST_DAYS
        bits = 0
        for month in range(first, 12, interval):
            bits |= ((1 << _length_of(firsts, month)) - 1) << firsts[month]
        return bits

    def _of_kind(self, kind: _Kind) -> int:
        known = self._kinds.get(kind)
        if known is None:
            known = self._kinds[kind] = self._made(kind)
        return known

    def _made(self, kind: _Kind) -> int:
        rule = self._rule
        bits = (1 << kind.length) - 1
        firsts = _LEAP_FIRST_DAYS if kind.is_leap else _FIRST_DAYS
        if rule.months:
            bits &= _union(
                ((1 << _length_of(firsts, month - 1)) - 1) << firsts[month - 1] for month in rule.months
            )
        if rule.month_days:
            bits &= _month_days(rule.month_days, firsts)
        if rule.year_days:
            bits &= _union(
                1 << (day - 1 if day > 0 else kind.length + day)
                for day in rule.year_days
                if abs(day) <= kind.length
            )
        if rule.weeks:
            bits &= _weeks(rule.weeks, kind, rule.week_start)
        if rule.days:
            bits &= _weekdays(rule, kind, firsts)
        return bits


def _union(several: Iterable[int]) -> int:
    bits = 0
    for each in several:
        bits |= each
    return bits


def _kind_of(year: int) -> _Kind:
    return _Kind(date(year, 1, 1).weekday(), isleap(year), isleap(year - 1), isleap(year + 1))


def _length_of(firsts: tuple[int, ...], month: int) -> int:
    """How many days a month has, 0 for January."""
    return 31 if month == 11 else firsts[month + 1] - firsts[month]  # noqa: PLR2004 - December


def _month_days(days: tuple[int, ...], firsts: tuple[int, ...]) -> int:
    bits = 0
    for month, first in enumerate(firsts):
        length = _length_of(firsts, month)
        for day in days:
            if abs(day) <= length:
                bits |= 1 << (first + (day - 1 if day > 0 else length + day))
    return bits


def _weeks(weeks: tuple[int, ...], kind: _Kind, week_start: int) -> int:
    """The days of weeks by their numbers. Those of the year's first and last days may be of the year before, or after."""
    wanted = set(weeks)
    before = (kind.first_weekday - week_start) % 7  # days of the first week that are of the year before
    begin = -before if 7 - before >= _LAST_WEEK_DAYS else 7 - before
    first = kind.first_weekday
    count = _weeks_in(first, kind.is_leap, week_start)
    count_before = _weeks_in(first - 365 - kind.follows_leap, kind.follows_leap, week_start)
    count_after = _weeks_in(first + kind.length, kind.precedes_leap, week_start)
    bits = 0
    for day in range(kind.length):
        number, of = (day - begin) // 7 + 1, count
        if number < 1:
            number, of = count_before, count_before
        elif number > count:
            number, of = 1, count_after
        if number in wanted or number - of - 1 in wanted:
            bits |= 1 << day
    return bits


def _weeks_in(first_weekday: int, is_leap: bool, week_start: int) -> int:
    first = (first_weekday - week_start) % 7
    return 53 if first == _THURSDAY or (is_leap and first == _WEDNESDAY) else 52


def _weekdays(rule: RecurrenceRule, kind: _Kind, firsts: tuple[int, ...]) -> int:
    bits = 0
    in_months = rule.freq == "MONTHLY" or bool(rule.months)
    spans = (
        [(firsts[month], _length_of(firsts, month)) for month in range(12)]
        if in_months
        else [(0, kind.length)]
    )
    for at, weekday in rule.days:
        if not at:
            for day in range((weekday - kind.first_weekday) % 7, kind.length, 7):
                bits |= 1 << day
            continue
        for first, length in spans:
            days = range(first + (weekday - kind.first_weekday - first) % 7, first + length, 7)
            if abs(at) <= len(days):
                bits |= 1 << days[at - 1 if at > 0 else at]
    return bits
