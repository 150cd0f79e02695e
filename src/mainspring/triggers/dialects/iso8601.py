"""Repeating intervals of ISO 8601: ``R5/2026-01-01T00:00Z/P1D``."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.combining import OrTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.dialects.cursor import Cursor
from mainspring.triggers.interval import IntervalTrigger

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from mainspring.triggers.base import BaseTrigger

__all__ = ["read"]

_DAY = timedelta(days=1)
#: Of a repetition without a beginning, what comes before is left out.
_FIRST_YEAR = 1970
#: So many times are listed one by one, where no trigger has their distance.
_MOST_DATES = 1000
_MONTHS_OF_YEAR = 12
_DAYS_OF_WEEK = 7
_LARGEST = 10**12

_NUMBER = r"\d{1,12}(?:[.,]\d{1,12})?"
_DURATION = (
    rf"P(?=[\dT])(?:({_NUMBER})Y)?(?:({_NUMBER})M)?(?:({_NUMBER})W)?(?:({_NUMBER})D)?"
    rf"(?:T(?=\d)(?:({_NUMBER})H)?(?:({_NUMBER})M)?(?:({_NUMBER})S)?)?(?=/|\s|\Z)"
)
_DATE = (
    r"(?:(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)|(?P<year2>\d{4})(?P<month2>\d\d)(?P<day2>\d\d)(?!\d)"
    r"|(?P<year3>\d{4})-?W(?P<week>\d\d)-?(?P<weekday>\d)|(?P<year4>\d{4})-?(?P<ordinal>\d{3})(?!\d))"
)
_TIME = (
    r"(?P<hour>\d\d)(?:(?P<colon>:?)(?P<minute>\d\d)(?:(?P=colon)(?P<second>\d\d))?)?(?:[.,](?P<fraction>\d{1,18}))?"
    r"(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?"
)
_END = r"(?=/|\s|\Z)"


class _Duration(NamedTuple):
    """A duration, its parts apart that have no fixed length.

    Attributes:
        months: years included.
        days: weeks included.
        elapsed: hours, minutes, seconds, and fractions of days.
        written: as it stands in the text.
    """

    months: int
    days: int
    elapsed: timedelta
    written: str
    position: int


class _Moment(NamedTuple):
    """A point in time.

    Attributes:
        wall: as the clock shows it.
        zone: ``None`` if the text has none.
        parts: how many of hours, minutes and seconds the text has; 0: it is a date alone.
    """

    wall: datetime
    zone: tzinfo | None
    parts: int = 3

    def plain(self) -> datetime | str:
        """What a trigger takes: with its zone, or as text for a zone that is still open."""
        return self.wall.isoformat(" ") if self.zone is None else self.wall.replace(tzinfo=self.zone)


def read(text: str) -> BaseTrigger:
    """The trigger of the beginnings of all intervals that a repeating interval has.

    Raises:
        CronSyntaxError: it can't be read, or no trigger can fire so.
    """
    return _read(Cursor(text))


def _read(cursor: Cursor) -> BaseTrigger:
    count = _count(cursor)
    start = _moment(cursor)
    if start is None:
        duration = _duration(
            cursor, "a point in time such as '2026-01-01T00:00Z', or a duration such as 'P1D'"
        )
        if cursor.take("/"):
            end = _moment(cursor)
            if end is None:
                raise cursor.expected("a point in time such as '2026-01-01T00:00Z'")
            _finish(cursor)
            return _backwards(cursor, count, duration, end)
        _finish(cursor)
        return _from_when_added(cursor, count, duration)
    if not cursor.take("/"):
        raise cursor.expected("'/' and a duration such as 'P1D'")
    position = cursor.position
    end = _moment(cursor, start)
    if end is None:
        duration = _duration(cursor, "a duration such as 'P1D', or the end of the first interval")
    else:
        duration = _between(cursor, start, end, position)
    _finish(cursor)
    return _forwards(cursor, count, start, duration)


def _count(cursor: Cursor) -> int | None:
    """Read ``R5/``: how many intervals there are; ``None`` if there is no end to them."""
    at = cursor.position
    match = cursor.take(r"R(-1|\d{1,12})?(?=/|\s|\Z)")
    if match is None:
        hint = cursor.corrected(_read, "", ["R/"], at) if cursor.sees(r"[\dP]") else None
        raise cursor.expected("'R' and how many times, such as 'R5/', or 'R/' for ever", hint=hint)
    if match[1] is not None and match[1] != "-1" and not int(match[1]):
        raise cursor.error("it repeats 0 times, so that it never fires: write 'R/' for ever", at=at)
    if not cursor.take("/"):
        raise cursor.expected("'/' and a point in time, or a duration such as 'P1D'")
    return None if match[1] in (None, "-1") else int(match[1])


def _finish(cursor: Cursor) -> None:
    if not cursor.is_at_end():
        raise cursor.expected("the end of the text")


def _duration(cursor: Cursor, expected: str) -> _Duration:
    """Read a duration."""
    at = cursor.position
    if cursor.sees("[+-]P"):
        raise cursor.error("a duration must not be negative")
    match = cursor.take(_DURATION)
    if match is None:
        if other := _alternative(cursor):
            return other
        if cursor.sees("P"):
            expected = "a duration: 'P', numbers with Y, M, W or D, then 'T' and numbers with H, M or S, in this order"
        raise cursor.expected(expected)
    numbers = [Fraction(part.replace(",", ".")) if part is not None else None for part in match.groups()]
    given = [at for at, number in enumerate(numbers) if number is not None]
    if any(numbers[place].denominator > 1 for place in given[:-1]):  # type: ignore[union-attr]  # it is given
        raise cursor.error("only the last number of a duration may have a fraction", at=at)
    years, months, weeks, days, hours, minutes, seconds = (number or Fraction(0) for number in numbers)
    all_months = years * _MONTHS_OF_YEAR + months
    if all_months.denominator > 1:
        raise cursor.error("a fraction of a month has no length: write it in days or hours", at=at)
    all_days = weeks * _DAYS_OF_WEEK + days
    rest = ((all_days % 1 * 24 + hours) * 60 + minutes) * 60 + seconds
    return _checked(cursor, int(all_months), int(all_days), rest, match)


def _alternative(cursor: Cursor) -> _Duration | None:
    """Read a duration that is written as points in time are: ``P0001-02-03T04:05:06``."""
    match = cursor.take(
        r"P(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?=/|\s|\Z)|P(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(?=/|\s|\Z)"
    )
    if match is None:
        return None
    years, months, days, hours, minutes, seconds = (
        int(number) for number in match.groups() if number is not None
    )
    rest = Fraction((hours * 60 + minutes) * 60 + seconds)
    return _checked(cursor, years * _MONTHS_OF_YEAR + months, days, rest, match)


def _checked(cursor: Cursor, months: int, days: int, seconds: Fraction, match: re.Match[str]) -> _Duration:
    at = match.start()
    if not (months or days or seconds):
        raise cursor.error("a duration must be longer than zero", at=at)
    if max(months, days) > _LARGEST or seconds > _LARGEST:
        raise cursor.error("the duration is longer than all of time", at=at)
    try:
        elapsed = timedelta(microseconds=round(seconds * 1_000_000))
        _ = elapsed + timedelta(days=days)
    except OverflowError:
        raise cursor.error("the duration is longer than all of time", at=at) from None
    if not (months or days or elapsed):
        raise cursor.error("a duration must be a microsecond long at least", at=at)
    return _Duration(months, days, elapsed, match[0], at)


def _moment(cursor: Cursor, start: _Moment | None = None) -> _Moment | None:
    """Read a point in time; after a `start`, whatever its text leaves out at its beginning is as there.

    Returns:
        ``None`` if there stands none.
    """
    at = cursor.position
    if start is not None and (match := cursor.take(_shortened(start))):
        day = start.wall.date()
        month_day = (int(match["month"] or day.month), int(match["day"] or day.day))
        return _point(cursor, match, lambda: day.replace(month=month_day[0], day=month_day[1]), start.zone)
    match = cursor.take(rf"{_DATE}(?:[T ]{_TIME})?{_END}")
    if match is None:
        if cursor.sees(r"\d"):
            raise cursor.expected("a point in time such as '2026-01-01T00:00Z'", at=at)
        return None
    return _point(cursor, match, lambda: _date(match), None if start is None else start.zone)


def _shortened(start: _Moment) -> str:
    """A pattern of an end that leaves out what is as in the start: so what is left ends with what the start ends with."""
    if not start.parts:
        return rf"(?:(?P<month>\d\d)-)?(?P<day>\d\d){_END}"
    is_hour = "" if start.parts == 1 else r"(?!\d\d(?:Z|[+-]|/|\s|\Z))"
    return rf"(?:(?:(?P<month>\d\d)-)?(?P<day>\d\d)T)?{is_hour}{_TIME}{_END}"


def _point(
    cursor: Cursor, match: re.Match[str], day_of: Callable[[], date], inherited: tzinfo | None
) -> _Moment:
    """The point in time that a match of `_TIME` is, on a day."""
    at = match.start()
    try:
        day = day_of()
        parts = sum(bool(match.groupdict().get(name)) for name in ("hour", "minute", "second"))
        wall = datetime.combine(day, time()) + (_since_midnight(match) if parts else timedelta())
    except (ValueError, OverflowError) as error:
        raise cursor.error(f"{match[0]} is no point in time: {error}", at=at) from None
    return _Moment(wall, (_zone(cursor, match) if parts else None) or inherited, parts)


def _since_midnight(match: re.Match[str]) -> timedelta:
    numbers = [int(match[name] or 0) for name in ("hour", "minute", "second")]
    fraction = Fraction(f"0.{match['fraction'] or 0}")
    lowest = 3600 if match["minute"] is None else 60 if match["second"] is None else 1
    is_midnight = numbers[0] == 24 and not numbers[1] and not numbers[2] and not fraction  # noqa: PLR2004 - the day's end
    if (numbers[0] > 23 and not is_midnight) or max(numbers[1:]) > 59:  # noqa: PLR2004 - as on the clock
        raise ValueError("hours are 00 to 23, minutes and seconds 00 to 59")
    seconds = (numbers[0] * 60 + numbers[1]) * 60 + numbers[2] + fraction * lowest
    return timedelta(microseconds=round(seconds * 1_000_000))


def _zone(cursor: Cursor, match: re.Match[str]) -> tzinfo | None:
    text = match["zone"]
    if text is None or text.upper() == "Z":
        return None if text is None else UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:  # noqa: PLR2004 - as on the clock
        raise cursor.error(f"{text} is no offset from UTC", at=match.start("zone"))
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset) if offset else UTC


def _date(match: re.Match[str]) -> date:
    """The day that a match of `_DATE` is."""
    if match["week"] is not None:
        return date.fromisocalendar(int(match["year3"]), int(match["week"]), int(match["weekday"]))
    if match["ordinal"] is not None:
        day = date(int(match["year4"]), 1, 1) + timedelta(days=int(match["ordinal"]) - 1)
        if day.year != int(match["year4"]):
            raise ValueError("the year has no such day")
        return day
    parts = [match[name] or match[f"{name}2"] for name in ("year", "month", "day")]
    return date(*map(int, parts))


def _between(cursor: Cursor, start: _Moment, end: _Moment, position: int) -> _Duration:
    """The duration from a start to an end."""
    if start.zone is None and end.zone is not None:
        raise cursor.error(
            "the end has an offset from UTC and the start has none: write both with it", at=position
        )
    length = end.wall - start.wall
    if start.zone is not None and end.zone is not None:
        length -= (end.zone.utcoffset(None) or timedelta()) - (start.zone.utcoffset(None) or timedelta())
    if length <= timedelta():
        raise cursor.error("the end of the first interval must be after its start", at=position)
    days = length.days if not length % _DAY else 0
    return _Duration(0, days, length - days * _DAY, cursor.text[position : cursor.position], position)


def _forwards(cursor: Cursor, count: int | None, start: _Moment, duration: _Duration) -> BaseTrigger:
    """The trigger of intervals that follow from the start of the first."""
    months, days, elapsed, written, position = duration
    is_fixed = start.zone is not None
    if not months and not days:
        return _interval(elapsed, start, count)
    if not elapsed and not start.wall.microsecond:
        return _calendar(start, duration, count)
    if not months and is_fixed:
        return _interval(days * _DAY + elapsed, start, count)
    if not is_fixed:
        raise cursor.error(
            f"{written} has days, which aren't equally long, and a time of the day that moves: write the start with 'Z' or an "
            "offset, or the duration in hours, such as 'PT36H'",
            at=position,
        )
    if count is None or count > _MOST_DATES:
        raise cursor.error(
            f"{written} has months and a time of the day that moves: that can be scheduled up to {_MOST_DATES} times ('R10/…'), or "
            "write the duration in months and days, or in hours",
            at=position,
        )
    return _listed(cursor, start, duration, count)


def _interval(
    length: timedelta, start: _Moment | None, count: int | None, last: _Moment | None = None
) -> IntervalTrigger:
    return IntervalTrigger(
        days=length.days,
        seconds=length.seconds + length.microseconds / 1_000_000,
        start_date=start and start.plain(),
        end_date=last and last.plain(),
        max_fires=count,
    )


def _calendar(
    first: _Moment, duration: _Duration, count: int | None, last: date | None = None
) -> CalendarIntervalTrigger:
    years, months = divmod(duration.months, _MONTHS_OF_YEAR)
    weeks, days = divmod(duration.days, _DAYS_OF_WEEK)
    if days:
        weeks, days = 0, duration.days
    return CalendarIntervalTrigger(
        years=years,
        months=months,
        weeks=weeks,
        days=days,
        hour=first.wall.hour,
        minute=first.wall.minute,
        second=first.wall.second,
        start_date=first.wall.date(),
        end_date=last,
        timezone=first.zone,
        max_fires=count,
    )


def _listed(cursor: Cursor, start: _Moment, duration: _Duration, count: int) -> BaseTrigger:
    """Each time by itself. A date that a month doesn't have is left out, as `CalendarIntervalTrigger` leaves it out."""
    walls = [start.wall]
    while len(walls) < count:
        following = None
        month = walls[-1].year * _MONTHS_OF_YEAR + walls[-1].month - 1
        while following is None:
            month += duration.months
            if month // _MONTHS_OF_YEAR > date.max.year:
                raise cursor.error("it goes on beyond the year 9999: write fewer repetitions", at=0)
            following = _with_month(walls[-1], month)
        try:
            walls.append(following + duration.days * _DAY + duration.elapsed)
        except OverflowError:
            raise cursor.error("it goes on beyond the year 9999: write fewer repetitions", at=0) from None
    dates = [DateTrigger(_Moment(wall, start.zone).plain()) for wall in walls]
    return dates[0] if count == 1 else OrTrigger(dates)


def _with_month(wall: datetime, month: int) -> datetime | None:
    """The same day of another month, counted from the year 0; ``None`` if that has none."""
    try:
        return wall.replace(year=month // _MONTHS_OF_YEAR, month=month % _MONTHS_OF_YEAR + 1)
    except ValueError:
        return None


def _backwards(cursor: Cursor, count: int | None, duration: _Duration, end: _Moment) -> BaseTrigger:
    """The trigger of intervals of which the last one ends at `end`."""
    months, days, elapsed, written, position = duration
    if months and (days or elapsed or end.wall.microsecond):
        raise cursor.error(
            f"{written} can't be counted back from an end, since months aren't equally long: write the start of the first interval",
            at=position,
        )
    if end.zone is None and (elapsed or end.wall.microsecond):
        raise cursor.error(
            "hours can't be counted back from an end without a time zone: write it with 'Z' or an offset",
            at=position,
        )
    try:
        if months:
            return _months_before(duration, end, count)
        length = days * _DAY + elapsed
        steps = count or max((end.wall - datetime(_FIRST_YEAR, 1, 1)) // length, 1)  # noqa: DTZ001 - of the end's zone
        first, last = (_Moment(end.wall - many * length, end.zone) for many in (steps, 1))
        limit = None if count is not None else last
        if elapsed or end.wall.microsecond:
            return _interval(length, first, count, limit)
        return _calendar(first, duration, count, limit and limit.wall.date())
    except OverflowError:
        raise cursor.error("it begins before the year 1: write fewer repetitions, or a start", at=0) from None


def _months_before(duration: _Duration, end: _Moment, count: int | None) -> CalendarIntervalTrigger:
    month = end.wall.year * _MONTHS_OF_YEAR + end.wall.month - 1
    found: list[datetime] = []
    while count is None or len(found) < count:
        month -= duration.months
        if month < _MONTHS_OF_YEAR or (count is None and month < _FIRST_YEAR * _MONTHS_OF_YEAR and found):
            break
        wall = _with_month(end.wall, month)
        if wall is not None:
            found.append(wall)
    if not found or (count is not None and len(found) < count):
        raise OverflowError
    last = None if count is not None else found[0].date()
    return _calendar(_Moment(found[-1], end.zone), duration, count, last)


def _from_when_added(cursor: Cursor, count: int | None, duration: _Duration) -> IntervalTrigger:
    if duration.months or duration.days:
        raise cursor.error(
            f"{duration.written} has days or months, and there is no time at which it begins: write 'R/2026-01-01T09:00/"
            f"{duration.written}', or the duration in hours, such as 'PT24H'",
            at=duration.position,
        )
    return _interval(duration.elapsed, None, count)
