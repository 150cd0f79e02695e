"""The wall-clock times of recurrence rules, found from any moment on, in either direction, and counted: however far their start is.

Three kinds of rules are told apart. By days and longer, a rule is some days, and on each of them the same times. With BYSETPOS, it is some of these,
by their places within a year, a month or a week. By hours and shorter, it is every n-th hour, minute or second since the start, where the day, and
the other units of the clock, let it be.

All times are whole seconds as in `mainspring.triggers.clock_changes`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from datetime import MAXYEAR, MINYEAR, date, datetime
from math import gcd
from typing import TYPE_CHECKING, Protocol

from mainspring.triggers.clock_changes import ALL_KINDS, DAY, Walls
from mainspring.triggers.recurrence.clock import Clock
from mainspring.triggers.recurrence.days import Days

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mainspring.triggers.recurrence.rules import RecurrenceRule

__all__ = ["Merged", "Single", "walls_of"]

_END = (date.max.toordinal() + 1) * DAY
_UNIT_SECONDS = {"HOURLY": 3600, "MINUTELY": 60, "SECONDLY": 1}
#: After so many days, or remainders, that don't meet, it is found out whether they ever do.
_MANY_STEPS = 1_000
#: The Gregorian calendar repeats after so many days, weekdays included.
_CALENDAR_CYCLE = 146_097
#: Remainders of more than so many days are not kept as bits.
_LONGEST_PATTERN = 1 << 20
_YEAR = 366
_A_FEW = 50
_ALL_SIXTY = tuple(range(60))
_ALL_HOURS = tuple(range(24))


def walls_of(rule: RecurrenceRule, start: datetime) -> Walls:
    """The times of a rule that begins at `start`, a time without a zone.

    An end in UTC isn't among what this looks at: it is a moment, and no time on the clock.
    """
    rule = rule.completed(start)
    first = _wall(start)
    walls = _endless(rule, start)
    end = _END
    if rule.until is not None:
        end = min(end, _until_wall(rule.until))
    if rule.limit is not None:
        end = min(end, _end_of_count(walls, first, rule.limit))
    return Bounded(walls, first, end)


def _wall(moment: datetime) -> int:
    return moment.toordinal() * DAY + moment.hour * 3600 + moment.minute * 60 + moment.second


def _until_wall(until: date) -> int:
    """From when on nothing fires any more."""
    if not isinstance(until, datetime):
        return (until.toordinal() + 1) * DAY
    return _END if until.tzinfo is not None else _wall(until) + 1


def _end_of_count(walls: Walls, first: int, count: int) -> int:
    """From when on more than `count` times have been since `first`."""
    # Twice as many days each time, then half as many, at last by seconds, until few are left to be counted one by one.
    begin = first - first % DAY
    count += walls.count(begin, first)
    low = high = begin
    passed = counted = 0
    while counted < count:
        if high >= _END:
            return _END
        low, high, passed = high, min(high + DAY + 2 * (high - begin), _END), counted
        counted = walls.count(begin, high)
    while counted - passed > _A_FEW and high - low > 1:
        middle = (low + high) // 2
        if high - low > DAY:
            middle -= middle % DAY  # whole days are counted faster
        if (between := walls.count(begin, middle)) < count:
            low, passed = middle, between
        else:
            high, counted = middle, between
    wall: int | None = low - 1
    for _ in range(count - passed):
        wall = None if wall is None else walls.after(wall)
    return _END if wall is None else wall + 1


def _endless(rule: RecurrenceRule, start: datetime) -> Walls:
    if not rule.is_of_days:
        return _Ticks(rule, start)
    days = Days(rule, start.date())
    clock: Clock | _Listed = Clock.of_day(rule.hours, rule.minutes, rule.seconds)
    if not rule.positions:
        return _DaysAndTimes(days, clock)
    if rule.freq == "DAILY":
        return _DaysAndTimes(
            days, _Listed([clock.at(place) for place in _places(rule.positions, clock.size)])
        )
    if not _places(rule.positions, _most_days(rule) * clock.size):
        return _DaysAndTimes(days, _Listed([]))  # no week, month or year has so many
    if rule.freq == "WEEKLY":
        return _WeekPlaces(days, clock, rule.positions, rule.week_start)
    return (_MonthPlaces if rule.freq == "MONTHLY" else _Places)(days, clock, rule.positions)


def _most_days(rule: RecurrenceRule) -> int:
    """No week, month or year, whichever a rule repeats by, has more of its days than so many."""
    if rule.freq == "WEEKLY":
        return len(rule.days)
    months, most = (1, 31) if rule.freq == "MONTHLY" else (len(rule.months) or 12, _YEAR)
    if rule.month_days:
        most = min(most, months * len(rule.month_days))
    if rule.days and rule.freq == "MONTHLY":
        most = min(most, sum(1 if at else 5 for at, _ in rule.days))
    return most


def _places(positions: Iterable[int], size: int) -> list[int]:
    """The places, from 0 on, that BYSETPOS picks out of so many."""
    return sorted({at - 1 if at > 0 else size + at for at in positions if 0 < abs(at) <= size})


class _Times(Protocol):
    """Numbers in order, such as the seconds of a day."""

    @property
    def size(self) -> int: ...

    def rank(self, number: int) -> int: ...

    def at(self, rank: int) -> int: ...


class _Listed:
    """Numbers from a list in order."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = numbers
        self.size = len(numbers)

    def rank(self, number: int) -> int:
        return bisect_left(self._numbers, number)

    def at(self, rank: int) -> int:
        return self._numbers[rank]


class Bounded:
    """Times from `first` on and before `end`."""

    def __init__(self, walls: Walls, first: int, end: int) -> None:
        self._walls, self._first, self._end = walls, first, end
        self.repeats_within = walls.repeats_within

    def after(self, wall: int) -> int | None:
        wall = max(wall, self._first - 1)
        found = self._walls.after(wall) if wall < self._end - 1 else None
        return None if found is None or found >= self._end else found

    def before(self, wall: int) -> int | None:
        wall = min(wall, self._end)
        found = self._walls.before(wall) if wall > self._first else None
        return None if found is None or found < self._first else found

    def count(self, low: int, high: int) -> int:
        low, high = max(low, self._first), min(high, self._end)
        return self._walls.count(low, high) if low < high else 0


class Single:
    """One time."""

    repeats_within = None

    def __init__(self, moment: datetime) -> None:
        self._wall = _wall(moment)

    def after(self, wall: int) -> int | None:
        return self._wall if wall < self._wall else None

    def before(self, wall: int) -> int | None:
        return self._wall if wall > self._wall else None

    def count(self, low: int, high: int) -> int:
        return int(low <= self._wall < high)


class Merged:
    """The times of several rules."""

    def __init__(self, members: Sequence[Walls]) -> None:
        self._members = members
        spans = [member.repeats_within for member in members]
        self.repeats_within = None if None in spans else max(filter(None, spans), default=0)

    def after(self, wall: int) -> int | None:
        return min(
            (found for member in self._members if (found := member.after(wall)) is not None), default=None
        )

    def before(self, wall: int) -> int | None:
        return max(
            (found for member in self._members if (found := member.before(wall)) is not None), default=None
        )

    def count(self, low: int, high: int) -> int:
        if len(self._members) == 1:
            return self._members[0].count(low, high)
        count, wall = 0, low - 1
        while (found := self.after(wall)) is not None and found < high:
            count, wall = count + 1, found
        return count


class _DaysAndTimes:
    """The same times on each of some days."""

    def __init__(self, days: Days, times: _Times) -> None:
        self._days, self._times = days, times
        self.repeats_within = days.repeats_within

    def after(self, wall: int) -> int | None:
        if not self._times.size:
            return None
        day, seconds = divmod(wall + 1, DAY)
        found = self._days.following(day)
        if found is None:
            return None
        rank = self._times.rank(seconds) if found == day else 0
        if rank == self._times.size:
            found, rank = self._days.following(day + 1), 0
        return None if found is None else found * DAY + self._times.at(rank)

    def before(self, wall: int) -> int | None:
        if not self._times.size:
            return None
        day, seconds = divmod(wall, DAY)
        found = self._days.preceding(day)
        if found is None:
            return None
        rank = self._times.rank(seconds) if found == day else self._times.size
        if not rank:
            found, rank = self._days.preceding(day - 1), self._times.size
        return None if found is None else found * DAY + self._times.at(rank - 1)

    def count(self, low: int, high: int) -> int:
        whole_days = self._days.count(low // DAY, high // DAY) * self._times.size
        return whole_days - self._counted_to(low) + self._counted_to(high)

    def _counted_to(self, wall: int) -> int:
        """How many times of the day of `wall` are before it."""
        day, seconds = divmod(wall, DAY)
        return self._times.rank(seconds) if self._days.count(day, day + 1) else 0


class _Places:
    """Times picked by their places among those of a year, of each month, or of each week."""

    #: How many years before a time the list may begin that it is in.
    _years_before = 0

    def __init__(self, days: Days, times: _Times, positions: tuple[int, ...]) -> None:
        self._days, self._times, self._positions = days, times, positions
        self._known: dict[object, tuple[int, ...]] = {}
        # Nothing is from here on, or up to here: found out once, since it takes a look at all years.
        self._none_from, self._none_until = _END, 0
        self.repeats_within = days.repeats_within

    def after(self, wall: int) -> int | None:
        if wall >= self._none_from:
            return None
        for year in self._days.years(_year_of(wall + 1) - self._years_before, MAXYEAR):
            first = date(max(year, 1), 1, 1).toordinal() * DAY
            picked = self._picked(year)
            at = bisect_right(picked, wall - first)
            if at < len(picked):
                return first + picked[at]
        self._none_from = wall
        return None

    def before(self, wall: int) -> int | None:
        if wall <= self._none_until:
            return None
        for year in reversed(self._days.years(MINYEAR, _year_of(wall - 1))):
            first = date(year, 1, 1).toordinal() * DAY
            picked = self._picked(year)
            at = bisect_left(picked, wall - first)
            if at:
                return first + picked[at - 1]
        self._none_until = wall
        return None

    def count(self, low: int, high: int) -> int:
        total = 0
        for year in self._days.years(_year_of(low) - self._years_before, _year_of(high)):
            picked = self._picked(year)
            if picked:
                first = date(year, 1, 1).toordinal() * DAY
                total += bisect_left(picked, high - first) - bisect_left(picked, low - first)
        return total

    def _picked(self, year: int) -> tuple[int, ...]:
        """Those of a year, as seconds since it began."""
        if year < MINYEAR:
            return ()
        key = self._days.phase(year)
        known = self._known.get(key)
        if known is None:
            if len(self._known) > 1000:  # noqa: PLR2004 - a long interval has as many phases
                self._known.clear()
            known = self._known[key] = tuple(self._made(year))
        return known

    def _made(self, year: int) -> Iterable[int]:
        yield from _picked_of(self._days.year(year), 0, self._times, self._positions)


class _MonthPlaces(_Places):
    def _made(self, year: int) -> Iterable[int]:
        bits = self._days.year(year)
        first = date(year, 1, 1).toordinal()
        for month in range(1, 13) if bits else ():
            begin = date(year, month, 1).toordinal() - first
            end = 366 if month == 12 else date(year, month + 1, 1).toordinal() - first  # noqa: PLR2004 - December
            yield from _picked_of(
                (bits >> begin) & ((1 << (end - begin)) - 1), begin, self._times, self._positions
            )


class _WeekPlaces(_Places):
    """Those of a year are of the weeks that begin in it, so that some are on the first days of the next."""

    _years_before = 1

    def __init__(self, days: Days, times: _Times, positions: tuple[int, ...], week_start: int) -> None:
        super().__init__(days, times, positions)
        self._week_start = week_start

    def _made(self, year: int) -> Iterable[int]:
        first = date(year, 1, 1)
        begin = first.toordinal()
        bits = self._days.year(year)
        length = date(year, 12, 31).toordinal() - begin + 1
        if year < MAXYEAR:
            bits |= (self._days.year(year + 1) & 0b111111) << length
        for week in range((self._week_start - first.weekday()) % 7, length, 7):
            days = (bits >> week) & 0b1111111
            if days:
                yield from _picked_of(days, week, self._times, self._positions)


def _picked_of(bits: int, begin: int, times: _Times, positions: tuple[int, ...]) -> Iterable[int]:
    """The times at some places among those of some days.

    Args:
        bits: the days, as bits.
        begin: the number of the day of the lowest bit.
    """
    days = [begin + day for day in range(bits.bit_length()) if bits >> day & 1]
    for place in _places(positions, len(days) * times.size):
        day, rank = divmod(place, times.size)
        yield days[day] * DAY + times.at(rank)


def _year_of(wall: int) -> int:
    return date.fromordinal(min(max(wall // DAY, 1), date.max.toordinal())).year


class _Ticks:
    """Every n-th hour, minute or second since the start ("tick"), where the date and the clock let it be; and the same times after each of them."""

    def __init__(self, rule: RecurrenceRule, start: datetime) -> None:
        self._unit = _UNIT_SECONDS[rule.freq]
        self._in_day = DAY // self._unit
        self._interval = rule.interval
        self._start = _wall(start) // self._unit
        digits = [rule.hours or _ALL_HOURS, rule.minutes or _ALL_SIXTY, rule.seconds or _ALL_SIXTY]
        places = {"HOURLY": 1, "MINUTELY": 2, "SECONDLY": 3}[rule.freq]
        self._clock = Clock(*digits[:places])
        within: Sequence[int] = list(Clock(*digits[places:])) if places < len(digits) else [0]
        if rule.positions:
            within = [within[place] for place in _places(rule.positions, len(within))]
        self._within = within
        self._days = Days(rule, start.date())
        self._remainders = _Remainders(self._clock, self._in_day, self._interval, self._start)
        self._never: bool | None = None
        # The ticks of a day by the number of its first, were every hour, minute and second to count: of the day that was asked about last.
        self._one_day: tuple[int, list[int]] = (-1, [])
        self.repeats_within = ALL_KINDS if rule.interval == 1 else None

    def after(self, wall: int) -> int | None:
        if not self._within:
            return None
        tick, rest = divmod(wall, self._unit)
        if rest < self._within[-1] and self._following(tick, tick + 1) == tick:
            return tick * self._unit + self._within[bisect_right(self._within, rest)]
        found = self._following(tick + 1)
        return None if found is None else found * self._unit + self._within[0]

    def before(self, wall: int) -> int | None:
        if not self._within:
            return None
        tick, rest = divmod(wall, self._unit)
        if rest > self._within[0] and self._following(tick, tick + 1) == tick:
            return tick * self._unit + self._within[bisect_left(self._within, rest) - 1]
        found = self._preceding(tick - 1)
        return None if found is None else found * self._unit + self._within[-1]

    def count(self, low: int, high: int) -> int:
        return self._counted(low, high) if low < high else 0

    def _counted(self, low: int, high: int) -> int:
        first, first_rest = divmod(low, self._unit)
        last, last_rest = divmod(high, self._unit)
        total = self._count_ticks(first, last) * len(self._within)
        if self._following(first, first + 1) == first:
            total -= bisect_left(self._within, first_rest)
        if self._following(last, last + 1) == last:
            total += bisect_left(self._within, last_rest)
        return total

    def _count_ticks(self, low: int, high: int) -> int:
        """From `low` on, before `high`."""
        first, last = low // self._in_day, high // self._in_day
        if first == last:
            return self._count_in_day(first, low % self._in_day, high % self._in_day)
        total = self._count_in_day(last, 0, high % self._in_day)
        if low % self._in_day:
            total += self._count_in_day(first, low % self._in_day, self._in_day)
            first += 1
        patterns = self._remainders.patterns()
        if patterns is not None:
            period = self._remainders.period
            return total + sum(
                each * self._days.count(first, last, bits, period) for each, bits in patterns.items()
            )
        tick = first * self._in_day - 1
        while (found := self._following(tick + 1)) is not None and found < last * self._in_day:
            total, tick = total + 1, found
        return total

    def _count_in_day(self, day: int, low: int, high: int) -> int:
        if low >= high or not self._days.count(day, day + 1):
            return 0
        if self._interval == 1:
            return self._clock.rank(high) - self._clock.rank(low)
        distance = (self._start - day * self._in_day) % self._interval
        if self._clock.is_full:
            return (high - 1 - distance) // self._interval - (low - 1 - distance) // self._interval
        known, ticks = self._one_day
        if known != distance:
            ticks = [number for number in self._clock if (number - distance) % self._interval == 0]
            self._one_day = (distance, ticks)
        return bisect_left(ticks, high) - bisect_left(ticks, low)

    def _following(self, tick: int, end: int | None = None) -> int | None:
        """The first tick that is not before `tick`, and before `end`."""
        steps = 0
        while not self._never and (end is None or tick < end):
            day = tick // self._in_day
            found_day = self._days.following(day)
            if found_day is None:
                return None
            found_day = self._remainders.following(found_day)
            if found_day > day:
                tick = found_day * self._in_day
                if self._days.following(found_day) != found_day:
                    steps += 1
                    self._see_whether_never(steps)
                    continue
            if end is not None and tick >= end:
                return None
            found = self._in_one_day(tick, (found_day + 1) * self._in_day)
            if found is not None:
                return found
            tick = (found_day + 1) * self._in_day
        return None

    def _preceding(self, tick: int) -> int | None:
        """The last tick that is not after `tick`."""
        steps = 0
        while not self._never:
            day = tick // self._in_day
            found_day = self._days.preceding(day)
            if found_day is None:
                return None
            found_day = self._remainders.preceding(found_day)
            if found_day < 1:
                return None
            if found_day < day:
                tick = (found_day + 1) * self._in_day - 1
                if self._days.preceding(found_day) != found_day:
                    steps += 1
                    self._see_whether_never(steps)
                    continue
            found = self._in_one_day_before(tick, found_day * self._in_day)
            if found is not None:
                return found
            tick = found_day * self._in_day - 1
        return None

    def _in_one_day(self, tick: int, end: int) -> int | None:
        """The first tick not before `tick` and before `end`, both of one day that the date lets be."""
        midnight = tick - tick % self._in_day
        while tick < end:
            tick += (self._start - tick) % self._interval
            rank = self._clock.rank(tick - midnight)
            if tick >= end or rank == self._clock.size:
                return None
            found = midnight + self._clock.at(rank)
            if found == tick:
                return tick
            tick = found
        return None

    def _in_one_day_before(self, tick: int, begin: int) -> int | None:
        """The last tick not after `tick` and not before `begin`, both of one day that the date lets be."""
        while tick >= begin:
            tick -= (tick - self._start) % self._interval
            rank = self._clock.rank(tick - begin + 1)
            if tick < begin or rank == 0:
                return None
            found = begin + self._clock.at(rank - 1)
            if found == tick:
                return tick
            tick = found
        return None

    def _see_whether_never(self, steps: int) -> None:
        """Find out, once, whether the days and the remainders ever meet."""
        if steps != _MANY_STEPS or self._never is not None:
            return
        common = gcd(self._remainders.period, _CALENDAR_CYCLE)
        wanted = self._remainders.classes(common)
        day, end = self._days.following(1), _CALENDAR_CYCLE + 1
        while day is not None and day < end:
            if day % common in wanted:
                self._never = False
                return
            day = self._days.following(day + 1)
        self._never = True


class _Remainders:
    """On which days every n-th hour, minute or second falls on the clock's: it depends on what remains of a day's number when divided by `period`.

    Args:
        clock: the hours, minutes or seconds of a day that may be.
        in_day: how many of them a day has.
        interval: the distance of two ticks.
        start: one of the ticks.
    """

    def __init__(self, clock: Clock, in_day: int, interval: int, start: int) -> None:
        self._clock, self._in_day, self._interval, self._start = clock, in_day, interval, start
        common = gcd(in_day, interval)
        self.period = interval // common
        #: How many ticks there are on a day, by its remainder; none where each day has some, and it isn't asked how many.
        self._counts: Counter[int] | None = None
        self._sorted: list[int] | None = None

    def _known(self) -> list[int]:
        if self._sorted is None:
            common = gcd(self._in_day, self._interval)
            inverse = pow(self._in_day // common, -1, self.period) if self.period > 1 else 0
            counts: Counter[int] = Counter()
            numbers: Iterable[tuple[int, int]] = ((number, 1) for number in self._clock)
            if self._clock.is_full:  # then those at a distance of the interval are alike
                size, interval = self._in_day, self._interval
                numbers = (
                    (number, (size - 1 - number) // interval + 1) for number in range(min(interval, size))
                )
            for number, count in numbers:
                distance, rest = divmod(self._start - number, common)
                if not rest:
                    counts[distance * inverse % self.period] += count
            self._counts = counts
            self._sorted = sorted(counts)
        return self._sorted

    def _is_by_arithmetic(self) -> bool:
        """Whether every number of the day may be, so that no list of remainders is needed."""
        return self._clock.is_full

    def following(self, day: int) -> int:
        """The first such day that is not before `day`; far beyond the calendar, if there is none."""
        if self._is_by_arithmetic():
            tick = day * self._in_day
            return (tick + (self._start - tick) % self._interval) // self._in_day
        known = self._known()
        if not known:
            return _END
        turn, rest = divmod(day, self.period)
        at = bisect_left(known, rest)
        return turn * self.period + known[at] if at < len(known) else (turn + 1) * self.period + known[0]

    def preceding(self, day: int) -> int:
        """The last such day that is not after `day`; 0 or less, if there is none."""
        if self._is_by_arithmetic():
            tick = (day + 1) * self._in_day - 1
            return (tick - (tick - self._start) % self._interval) // self._in_day
        known = self._known()
        if not known:
            return 0
        turn, rest = divmod(day, self.period)
        at = bisect_right(known, rest) - 1
        return turn * self.period + known[at] if at >= 0 else (turn - 1) * self.period + known[-1]

    def classes(self, modulus: int) -> set[int]:
        """What may remain of such days when divided by a divisor of `period`."""
        return {each % modulus for each in self._known()}

    def patterns(self) -> dict[int, int] | None:
        """The days, as bits for `Days.count`, by how many ticks there are on each; ``None`` if the period is too long for that."""
        if self.period > _LONGEST_PATTERN:
            return None
        if self.period == 1:
            self._known()
            count = (self._counts or Counter()).get(0, 0)
            return {count: -1} if count else {}
        self._known()
        rows: dict[int, bytearray] = {}
        length = self.period + _YEAR
        for remainder, count in (self._counts or Counter()).items():
            row = rows.setdefault(count, bytearray(length // 8 + 1))
            for day in range(remainder, length, self.period):
                row[day >> 3] |= 1 << (day & 7)
        return {count: int.from_bytes(row, "little") for count, row in rows.items()}
