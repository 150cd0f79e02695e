"""Distances in the calendar: the sentences of `CalendarIntervalTrigger` and `WeeklyTrigger`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mainspring.timezones import in_utc, in_zone
from mainspring.triggers.clock_changes import DAY
from mainspring.triggers.explaining import details
from mainspring.triggers.explaining.clauses import Clause, Count, Phrase, Weekday
from mainspring.triggers.explaining.days import of_months, weekday_list
from mainspring.triggers.explaining.durations import every
from mainspring.triggers.explaining.times import at, clocks
from mainspring.triggers.standard import TICK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
    from mainspring.triggers.dated import DatedTrigger
    from mainspring.triggers.weekly import WeeklyTrigger

__all__ = ["first_of_weeks", "spoken_calendar", "spoken_weeks"]

_ALL_MONTHS = tuple(range(1, 13))
_SHORTEST = 28
_WEEK = 7


def spoken_calendar(trigger: CalendarIntervalTrigger) -> Phrase:
    """What a calendar interval means. Of a start date that is known, the days are named."""
    months = trigger.years * 12 + trigger.months
    days = trigger.weeks * _WEEK + trigger.days
    parts, skips_dates = _spoken_days(months, days, trigger.start_date)
    time = trigger._time
    what = Clause("when", times=at(time.hour * 3600 + time.minute * 60 + time.second), **parts)
    return Phrase(what, trigger.timezone, _details(trigger, _begin(trigger), skips_dates=skips_dates))


def spoken_weeks(trigger: WeeklyTrigger) -> Phrase:
    """What a `WeeklyTrigger` means."""
    times = clocks([time.hour * 3600 + time.minute * 60 + time.second for time in trigger.times])
    if trigger.weeks == 1:
        is_daily = len(trigger.days) == _WEEK
        days = Clause("days.every") if is_daily else weekday_list(trigger.days)
        what = Clause("when", times=times, days=days)
        return Phrase(what, trigger.timezone, _details(trigger, _begin(trigger)))
    days = Clause("distance.weekdays", distance=Count(trigger.weeks, "week"), days=weekday_list(trigger.days))
    begin: tuple[Clause, ...] = ()
    if trigger.week_start and (len(trigger.days) > 1 or trigger.start_date is None):
        begin = (Clause("weeks.begin", weekday=Weekday(trigger.week_start)),)
    what = Clause("when", times=times, days=days)
    first = _begin(trigger)
    if first is not None and not isinstance(first, datetime):
        first = first_of_weeks(first, trigger.weeks, trigger.days, trigger.week_start)
    return Phrase(what, trigger.timezone, (*begin, *_details(trigger, first)))


def _begin(trigger: DatedTrigger) -> date | None:
    """From when on, as it is said: where times of the start date had passed when the trigger was added, from the first that came, or its day."""
    since, zone = trigger._since, trigger.timezone
    start: date | None = trigger.start_date
    if since is None or zone is None:
        return start
    found = trigger._scheduled_after(in_utc(since) - TICK)
    if found is None:
        return start
    first = in_zone(found, zone)
    day = first.toordinal() * DAY
    earliest = trigger._prepared().after(day - 1)
    is_earliest = earliest is None or earliest >= day + first.hour * 3600 + first.minute * 60 + first.second
    return first.date() if is_earliest else first


def first_of_weeks(start: date, weeks: int, weekdays: Sequence[int], week_start: int) -> date:
    """The first date of every so many weeks, of which the week of the start is one. To say the start itself would leave open which weeks are meant.

    Args:
        weekdays: those that fire.
        week_start: with which weeks begin.
    """
    passed = (start.weekday() - week_start) % _WEEK
    later = [day for weekday in weekdays if (day := (weekday - week_start) % _WEEK) >= passed]
    if later:
        return start + timedelta(min(later) - passed)
    first = min((weekday - week_start) % _WEEK for weekday in weekdays)
    return start + timedelta(weeks * _WEEK - passed + first)


def _details(trigger: DatedTrigger, start: date | None, *, skips_dates: bool = False) -> tuple[Clause, ...]:
    """Those of any trigger, with the beginning of one that has no start date yet."""
    told = details.common(trigger, start, skips_dates=skips_dates)
    if trigger.start_date is not None:
        return told
    begin = (
        Clause("bounds.added")
        if trigger.end_date is None
        else Clause("bounds.added_end", end=trigger.end_date)
    )
    return (begin, *(one for one in told if not one.key.startswith("bounds.")))


def _spoken_days(months: int, days: int, start: date | None) -> tuple[dict[str, Clause], bool]:
    """The days, and whether some of the dates that they name don't exist."""
    if not months:
        return {"days": _every_days(days, start)}, False
    if start is None or days:
        return {"days": every(_counts(months, days))}, True
    if months % 12 == 0:
        found = of_months((start.day,), (), (start.month,), None, yearly=_every_nth_year(months // 12))
        return found.parts, found.skips_dates
    if months == 1:
        found = of_months((start.day,), (), _ALL_MONTHS, None)
        return found.parts, found.skips_dates
    said = Clause("distance.day", day=start.day, distance=Count(months, "month"))
    return {"days": said}, start.day > _SHORTEST


def _every_nth_year(years: int) -> Clause | None:
    return Clause("years.every_nth", distance=Count(years, "year")) if years > 1 else None


def _every_days(days: int, start: date | None) -> Clause:
    if days == 1:
        return Clause("days.every")
    weeks, rest = divmod(days, _WEEK)
    if rest:
        return every((Count(days, "day"),))
    if start is None:
        return every((Count(weeks, "week"),))
    if weeks == 1:
        return weekday_list([start.weekday()])
    return Clause("distance.weekdays", distance=Count(weeks, "week"), days=weekday_list([start.weekday()]))


def _counts(months: int, days: int) -> tuple[Count, ...]:
    counts = [Count(months, "month") if months % 12 else Count(months // 12, "year")]
    weeks, rest = divmod(days, _WEEK)
    if days:
        counts.append(Count(days, "day") if rest else Count(weeks, "week"))
    return tuple(counts)
