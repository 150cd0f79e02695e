"""Which wall-clock times match a set of cron fields: calendar arithmetic without time zones.

Times are whole seconds as in `mainspring.triggers.clock_changes`. The next time of the day comes from one table for
each field, the next day from the bits of a whole year (see `mainspring.triggers.cron.days`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING

from mainspring.triggers.clock_changes import ALL_KINDS, DAY
from mainspring.triggers.cron.days import days_of_all

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from mainspring.triggers.cron.days import DateFields

_FIRST_YEAR = 1970  # APScheduler's; the year field says nothing of earlier ones
_LAST_YEAR = 9999
#: The Gregorian calendar repeats after so many years: what doesn't come within them never comes.
_CALENDAR_CYCLE = 400


@lru_cache(maxsize=1024)
def _following(values: int, size: int) -> tuple[int, ...]:
    """For each number up to `size` the lowest of `values`, given as bits, that isn't lower; -1 for none."""
    table = [-1] * (size + 1)
    for number in range(size - 1, -1, -1):
        table[number] = number if values >> number & 1 else table[number + 1]
    return tuple(table)


@lru_cache(maxsize=1024)
def _preceding(values: int, size: int) -> tuple[int, ...]:
    """For each number up to `size` the highest of `values` that is lower; -1 for none."""
    table = [-1] * (size + 1)
    for number in range(1, size + 1):
        table[number] = number - 1 if values >> (number - 1) & 1 else table[number - 1]
    return tuple(table)


def _lower(values: int, number: int) -> int:
    """How many of `values`, given as bits, are lower than `number`."""
    return (values & ((1 << number) - 1)).bit_count()


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


class WallSchedule:
    """The wall-clock times, on whole seconds, that match all fields.

    Args:
        years: the years that match, or ``None`` for all.
        dates: what the other date fields let through; of several, a day must be let through by all.
        hours, minutes, seconds: the values that match, as bits.
    """

    __slots__ = (
        "_bits",
        "_dates",
        "_first_time",
        "_hours_after",
        "_hours_before",
        "_is_daily",
        "_last_time",
        "_minutes_after",
        "_minutes_before",
        "_over_from",
        "_possible",
        "_seconds_after",
        "_seconds_before",
        "_span",
        "_times",
        "_year",
        "_years",
    )

    def __init__(
        self,
        years: Collection[int] | None,
        dates: tuple[DateFields, ...],
        hours: int,
        minutes: int,
        seconds: int,
    ) -> None:
        self._years = None if years is None else sorted(years)
        self._dates = dates
        #: From which year on none has a matching day.
        self._over_from = _LAST_YEAR + 1
        self._bits = hours, minutes, seconds
        self._times = hours.bit_count() * minutes.bit_count() * seconds.bit_count()
        self._hours_after, self._hours_before = _following(hours, 24), _preceding(hours, 24)
        self._minutes_after, self._minutes_before = _following(minutes, 60), _preceding(minutes, 60)
        self._seconds_after, self._seconds_before = _following(seconds, 60), _preceding(seconds, 60)
        self._is_daily = years is None and all(one.are_all_open() for one in dates)
        self._first_time = self._hours_after[0] * 3600 + self._minutes_after[0] * 60 + self._seconds_after[0]
        self._last_time = (
            self._hours_before[24] * 3600 + self._minutes_before[60] * 60 + self._seconds_before[60]
        )
        self._possible: bool | None = None
        self._span: int | None = None
        # The year asked for last: its number, the ordinal of its 1 January, and its days.
        self._year = (0, 0, 0)

    @property
    def repeats_within(self) -> int | None:
        """See `Walls`."""
        if self._years is None:
            return ALL_KINDS
        if self._span is None:
            self._span = (_years_to_next_kind(self._years) + 1) * 366 * DAY
        return self._span

    def after(self, wall: int) -> int | None:
        """The first match after `wall`, or ``None``."""
        day, time = divmod(wall, DAY)
        if time < self._last_time and self._matches(day):
            return day * DAY + self._time_after(time)
        following = self.day_after(day)
        return None if following is None else following * DAY + self._first_time

    def before(self, wall: int) -> int | None:
        """The last match before `wall`, or ``None``."""
        day, time = divmod(wall, DAY)
        if time > self._first_time and self._matches(day):
            return day * DAY + self._time_before(time)
        preceding = self._day_before(day)
        return None if preceding is None else preceding * DAY + self._last_time

    def _time_after(self, time: int) -> int:
        """The first time of the day after `time`, where there is one."""
        minute_of_day, second = divmod(time, 60)
        hour, minute = divmod(minute_of_day, 60)
        following_hour = self._hours_after[hour]
        if following_hour == hour:
            following_minute = self._minutes_after[minute]
            if following_minute == minute:
                following_second = self._seconds_after[second + 1]
                if following_second >= 0:
                    return time - second + following_second
                following_minute = self._minutes_after[minute + 1]
            if following_minute >= 0:
                return hour * 3600 + following_minute * 60 + self._seconds_after[0]
            following_hour = self._hours_after[hour + 1]
        return following_hour * 3600 + self._first_time % 3600

    def _time_before(self, time: int) -> int:
        """The last time of the day before `time`, where there is one."""
        minute_of_day, second = divmod(time, 60)
        hour, minute = divmod(minute_of_day, 60)
        if self._hours_after[hour] == hour:
            if self._minutes_after[minute] == minute:
                preceding_second = self._seconds_before[second]
                if preceding_second >= 0:
                    return time - second + preceding_second
            preceding_minute = self._minutes_before[minute]
            if preceding_minute >= 0:
                return hour * 3600 + preceding_minute * 60 + self._seconds_before[60]
        return self._hours_before[hour] * 3600 + self._last_time % 3600

    def _matches(self, day: int) -> bool:
        if self._is_daily and day >= _FIRST_DAY:
            return True
        _, first, days = self._year_of(day)
        return bool(days >> (day - first) & 1)

    def day_after(self, day: int) -> int | None:
        """The first matching day after `day`, both as `date.toordinal` counts, or ``None``."""
        day += 1
        day = max(day, _FIRST_DAY)
        if self._is_daily:
            return day
        year, first, days = self._year_of(day)
        left = days >> (day - first)
        if left:
            return day + (left & -left).bit_length() - 1
        if year + 1 >= self._over_from or not (self._possible or self._is_possible()):
            return None
        for following in self._years_after(year):
            _, first, days = self._days_of(following)
            if days:
                return first + (days & -days).bit_length() - 1
        self._over_from = min(self._over_from, year + 1)
        return None

    def count(self, low: int, high: int) -> int:
        """How many matches there are from `low` on, before `high`."""
        if low >= high:
            return 0
        (first, begin), (last, end) = divmod(low, DAY), divmod(high, DAY)
        count = self._days_between(first, last) * self._times
        if begin and self._matches(first):
            count -= self._times_before(begin)
        return count + self._times_before(end) if end and self._matches(last) else count

    def _times_before(self, time: int) -> int:
        """How many times of the day are before `time`."""
        minute_of_day, second = divmod(time, 60)
        hour, minute = divmod(minute_of_day, 60)
        hours, minutes, seconds = self._bits
        per_minute = seconds.bit_count()
        count = _lower(hours, hour) * minutes.bit_count() * per_minute
        if hours >> hour & 1:
            count += _lower(minutes, minute) * per_minute
            if minutes >> minute & 1:
                count += _lower(seconds, second)
        return count

    def _days_between(self, first: int, last: int) -> int:
        """How many matching days there are from `first` on, before `last`."""
        first = max(first, _FIRST_DAY)
        if first >= last:
            return 0
        if self._is_daily:
            return last - first
        low, high = _year_number(first), _year_number(last)
        years: Sequence[int] = range(low, high + 1)
        if self._years is not None:
            years = self._years[bisect_left(self._years, low) : bisect_right(self._years, high)]
        count = 0
        for year in years:
            begin, days = self._bits_of(year)
            if year == high:
                days &= (1 << (last - begin)) - 1
            if year == low:
                days >>= first - begin
            count += days.bit_count()
        return count

    def _day_before(self, day: int) -> int | None:
        day -= 1
        if day < _FIRST_DAY:
            return None
        if self._is_daily:
            return day
        year, first, days = self._year_of(day)
        left = days & ((2 << (day - first)) - 1)
        if left:
            return first + left.bit_length() - 1
        if not self._is_possible():
            return None
        oldest = _FIRST_YEAR if self._years is not None else max(year - _CALENDAR_CYCLE, _FIRST_YEAR)
        for preceding in range(year - 1, oldest - 1, -1):
            _, first, days = self._days_of(preceding)
            if days:
                return first + days.bit_length() - 1
        return None

    def _is_possible(self) -> bool:
        """Whether any kind of year has a matching day, as none has for 30 February."""
        if self._possible is None:
            self._possible = any(
                days_of_all(self._dates, weekday, is_leap, follows_leap)
                for weekday in range(7)
                for is_leap, follows_leap in ((False, False), (True, False), (False, True))
            )
        return self._possible

    def _years_after(self, year: int) -> Sequence[int]:
        """The years after `year` that the year field lets through, as far as they may be of a kind that hasn't come yet."""
        if self._years is None:
            return range(year + 1, _LAST_YEAR + 1)  # some year comes soon, if any is possible
        # Years that are a whole cycle apart are alike: the first of each kind is enough.
        later = self._years[bisect_right(self._years, year) :]
        return sorted({one % _CALENDAR_CYCLE: one for one in reversed(later)}.values())

    def _year_of(self, day: int) -> tuple[int, int, int]:
        """The year that `day` is in: its number, its first day, and its matching days."""
        latest = self._year  # read once: another thread may replace it
        if latest[1] and 0 <= day - latest[1] < 365:  # noqa: PLR2004 - the last of a leap year is looked up
            return latest
        return self._days_of(_year_number(day))

    def _days_of(self, year: int) -> tuple[int, int, int]:
        latest = self._year
        if latest[0] == year:
            return latest
        found = self._year = (year, *self._bits_of(year))
        return found

    def _bits_of(self, year: int) -> tuple[int, int]:
        """The first day of a year, and its matching days."""
        first = _first_day(year)
        if not _FIRST_YEAR <= year <= _LAST_YEAR or (self._years is not None and not self._has(year)):
            return first, 0
        return first, days_of_all(self._dates, (first + 6) % 7, _leap(year), _leap(year - 1))

    def _has(self, year: int) -> bool:
        """Whether the year field lets a year through."""
        years = self._years or []
        at = bisect_left(years, year)
        return at < len(years) and years[at] == year


def _years_to_next_kind(years: Iterable[int]) -> int:
    """After how many years, at most, the next of `years` comes that is of the same kind, or the first of a kind."""
    latest: dict[tuple[int, bool, bool], int] = {}
    longest = 0
    for year in years:
        kind = (_first_day(year) % 7, _leap(year), _leap(year - 1))
        longest = max(longest, year - latest.get(kind, _FIRST_YEAR))
        latest[kind] = year
    return longest


def _first_day(year: int) -> int:
    """1 January, as `date.toordinal` counts; also beyond the year 9999."""
    past = year - 1
    return past * 365 + past // 4 - past // 100 + past // 400 + 1


def _year_number(day: int) -> int:
    """The year that a day, as `date.toordinal` counts, is in; also beyond the year 9999."""
    year = day * 400 // 146_097 + 1
    if _first_day(year) > day:
        return year - 1
    return year if day < _first_day(year + 1) else year + 1


_FIRST_DAY = 719_163  # 1 January 1970
