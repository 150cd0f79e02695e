"""What Quartz, Spring, EventBridge and Jenkins say of their cron expressions, read a second time and as simply as can be.

Each field becomes the set of its numbers, each day is asked whether it matches. Nothing here is shared with the library. Whatever a
dialect refuses raises `Refused`.
"""

from __future__ import annotations

import calendar
from datetime import date, datetime, time, timedelta
from functools import cache, partial
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
SUNDAY_FIRST = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class Refused(Exception):
    """The dialect has no such expression."""


def number(text: str, names: tuple[str, ...], first: int) -> int:
    if text.isdigit():
        return int(text)
    if text in names:
        return names.index(text) + first
    raise Refused(text)


def within(value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise Refused(value)
    return value


@cache
def quartz_numbers(text: str, low: int, high: int, names: tuple[str, ...], longest: int) -> set[int]:
    """Ranges may wrap around; a step that has no end may be at most `longest`."""
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        stride = int(step) if slash else 1
        if stride < 1 or (not dash and stride > longest):
            raise Refused(part)
        if span in ("*", ""):
            if not slash and not span:
                raise Refused(part)
            found |= set(range(low, high + 1, stride))
            continue
        begin = within(number(first, names, low), low, high)
        end = within(number(last, names, low), low, high) if dash else high if slash else begin
        if end < begin:
            if high > 100:
                raise Refused(part)  # years don't wrap
            end += high - low + 1
        found |= {(value - low) % (high - low + 1) + low for value in range(begin, end + 1, stride)}
    return found


@cache
def spring_numbers(
    text: str, low: int, high: int, names: tuple[str, ...], *, is_week: bool = False
) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        stride = int(step) if slash else 1
        if stride < 1:
            raise Refused(part)
        if span == "*":
            begin, end = low, high
        else:
            least = 0 if is_week else low
            begin = within(number(first, names, 1), least, high)
            end = within(number(last, names, 1), least, high) if dash else high if slash else begin
        if is_week and dash and begin == 7:
            begin = 0
        if end < begin:
            raise Refused(part)
        found |= set(range(begin, end + 1, stride))
    return found


@cache
def jenkins_numbers(text: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        stride = int(step) if slash else 1
        if stride < 1 or (slash and not dash and span != "*"):
            raise Refused(part)
        begin = low if span == "*" else within(number(first, (), 0), low, high)
        end = high if span == "*" else within(number(last, (), 0), low, high) if dash else begin
        if end < begin:
            raise Refused(part)
        found |= set(range(begin, end + 1, stride))
    return found


def days_in(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


@cache
def nearest_workday(day: date, wanted: int) -> int | None:
    """The day of Monday to Friday in the month of `day` that is nearest to the day `wanted` of it."""
    length = days_in(day)
    if not 1 <= wanted <= length:
        return None
    working = [one for one in range(1, length + 1) if day.replace(day=one).weekday() < 5]
    return min(working, key=lambda one: abs(one - wanted))


def fits_day(part: str, day: date) -> bool | None:
    """Whether a day is the one that `L`, `L-3`, `LW`, `L-3W` or `15W` means; ``None``: it is none of these forms."""
    length = days_in(day)
    if part == "L":
        return day.day == length
    if part == "LW":
        return day.day == nearest_workday(day, length)
    if part.startswith("L-"):
        offset = part[2:].removesuffix("W")
        if int(offset) > 30:
            raise Refused(part)
        wanted = length - int(offset)
        return day.day == (nearest_workday(day, wanted) if part.endswith("W") else wanted)
    if part.endswith("W"):
        return day.day == nearest_workday(day, within(int(part[:-1]), 1, 31))
    return None


def fits_weekday(part: str, day: date, weekday: int) -> bool | None:
    """Whether a day is the one that ``6L`` or ``6#3`` means, of the weekday `weekday`; ``None``: it is neither."""
    if part.endswith("L"):
        return day.weekday() == weekday and day.day + 7 > days_in(day)
    if "#" in part:
        position = within(int(part.partition("#")[2]), 1, 5)
        return day.weekday() == weekday and (day.day - 1) // 7 == position - 1
    return None


def quartz_day(days: str, weekdays: str, day: date, *, limits: tuple[int, int] = (31, 7)) -> bool:
    if (days == "?") == (weekdays == "?"):
        raise Refused
    matches = []
    if days != "?":
        for part in days.split(","):
            special = fits_day(part, day)
            matches.append(
                day.day in quartz_numbers(part, 1, 31, (), limits[0]) if special is None else special
            )
    else:
        for part in weekdays.split(","):
            if part == "L":
                matches.append(day.weekday() == 5)
                continue
            name = part.removesuffix("L").partition("#")[0]
            special = None
            if name != part:
                special = fits_weekday(part, day, (within(number(name, SUNDAY_FIRST, 1), 1, 7) - 2) % 7)
            in_week = (day.weekday() + 1) % 7 + 1
            matches.append(
                in_week in quartz_numbers(part, 1, 7, SUNDAY_FIRST, limits[1]) if special is None else special
            )
    return any(matches)


def spring_day(days: str, weekdays: str, day: date) -> bool:
    names = (*SUNDAY_FIRST[1:], "SUN")
    by_day, by_weekday = [], []
    for part in days.replace("?", "*").split(","):
        if part.startswith("L-") and part.endswith("W"):
            raise Refused(part)
        special = fits_day(part, day)
        by_day.append(day.day in spring_numbers(part, 1, 31, ()) if special is None else special)
    for part in weekdays.replace("?", "*").split(","):
        name = part.removesuffix("L").partition("#")[0]
        special = None
        if name != part:
            special = fits_weekday(part, day, (within(number(name, names, 1), 0, 7) - 1) % 7)
        found = spring_numbers(part, 1, 7, names, is_week=True) if special is None else set()
        by_weekday.append(
            day.weekday() + 1 in {value or 7 for value in found} if special is None else special
        )
    return any(by_day) and any(by_weekday)


def jenkins_day(days: str, weekdays: str, day: date) -> bool:
    week = {value % 7 for value in jenkins_numbers(weekdays, 0, 7)}
    return day.day in jenkins_numbers(days, 1, 31) and (day.weekday() + 1) % 7 in week


def times_of(dialect: str, text: str, start: datetime, end: datetime) -> Iterator[datetime]:
    """The times that an expression means, from `start` to `end`, both included, on a wall clock."""
    words = text.split()
    if dialect == "eventbridge":
        minutes, hours, month_days, months, weekdays, years = words
        seconds = "0"
    elif dialect == "jenkins":
        minutes, hours, month_days, months, weekdays = words
        seconds, years = "0", "*"
    else:
        seconds, minutes, hours, month_days, months, weekdays, *rest = words
        years = rest[0] if rest else "*"
    fits, longest = {
        "quartz": (quartz_day, {"s": 59, "h": 23, "m": 12}),
        "eventbridge": (partial(quartz_day, limits=(10**9, 10**9)), {"s": 10**9, "h": 10**9, "m": 10**9}),
        "spring": (spring_day, None),
        "jenkins": (jenkins_day, None),
    }[dialect]

    def read(field: str, low: int, high: int, names: tuple[str, ...], kind: str) -> list[int]:
        if longest is not None:
            return sorted(quartz_numbers(field, low, high, names, longest[kind]))
        if dialect == "spring":
            return sorted(spring_numbers(field, low, high, names))
        return sorted(jenkins_numbers(field, low, high))

    times = list(
        product(read(hours, 0, 23, (), "h"), read(minutes, 0, 59, (), "s"), read(seconds, 0, 59, (), "s"))
    )
    open_months = read(months, 1, 12, MONTHS, "m")
    open_years = quartz_numbers(years, 1970, 9999, (), 10**9)
    for ahead in range((end - start).days + 2):
        day = start.date() + timedelta(days=ahead)
        if fits(month_days, weekdays, day) and day.month in open_months and day.year in open_years:
            for hour, minute, second in times:
                moment = datetime.combine(day, time(hour, minute, second))
                if start <= moment <= end:
                    yield moment
