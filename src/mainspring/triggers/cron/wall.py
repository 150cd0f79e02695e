"""Which wall-clock times match a set of cron fields: calendar arithmetic without time zones."""

from __future__ import annotations

from bisect import bisect_left
from calendar import monthrange
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mainspring.triggers.cron.fields import BaseField, DayOfMonthField

_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

#: The Gregorian calendar repeats after so many years: what doesn't come within them never comes.
_CALENDAR_CYCLE = 400


class WallSchedule:
    """The naive datetimes, on whole seconds, that match all fields."""

    __slots__ = (
        "_cached",
        "_day",
        "_hours",
        "_minutes",
        "_months",
        "_seconds",
        "_week",
        "_weekdays",
        "_years",
    )

    def __init__(self, fields: Mapping[str, BaseField]) -> None:
        year, week = fields["year"], fields["week"]
        self._years = None if year.matches_all() else year.values()
        self._months = sorted(fields["month"].values())
        self._day: DayOfMonthField = fields["day"]  # type: ignore[assignment]  # that is the class of this field
        self._week = None if week.matches_all() else week.values()
        self._weekdays = fields["day_of_week"].values()
        self._hours = sorted(fields["hour"].values())
        self._minutes = sorted(fields["minute"].values())
        self._seconds = sorted(fields["second"].values())
        self._months = [month for month in self._months if self._is_possible(month)]
        self._cached: tuple[tuple[int, int], list[int]] = ((0, 0), [])

    def _is_possible(self, month: int) -> bool:
        """Whether any year's `month` has a day that the day field lets through, as 30 February never is."""
        length = _LONGEST_MONTH[month - 1]
        return any(self._day.days(year, month, length) for year in range(2000, 2028))

    def after(self, moment: datetime) -> datetime | None:
        """The first match after `moment`, or ``None``."""
        if moment.microsecond:
            moment = moment.replace(microsecond=0)
        day: date | None = moment.date()
        if self._matches_day(moment.year, moment.month, moment.day):
            found = self._time_after(moment.hour, moment.minute, moment.second)
            if found is not None:
                return datetime.combine(moment.date(), found)
        day = self._day_after(moment.year, moment.month, moment.day)
        if day is None:
            return None
        return datetime.combine(day, time(self._hours[0], self._minutes[0], self._seconds[0]))

    def at_or_after(self, moment: datetime) -> datetime | None:
        """The first match that is not before `moment`, or ``None``."""
        return self.after(moment - timedelta(microseconds=1))

    def _time_after(self, hour: int, minute: int, second: int) -> time | None:
        hours, minutes, seconds = self._hours, self._minutes, self._seconds
        at = bisect_left(hours, hour)
        if at == len(hours):
            return None
        if hours[at] == hour:
            at_minute = bisect_left(minutes, minute)
            if at_minute < len(minutes) and minutes[at_minute] == minute:
                at_second = bisect_left(seconds, second + 1)
                if at_second < len(seconds):
                    return time(hour, minute, seconds[at_second])
                at_minute += 1
            if at_minute < len(minutes):
                return time(hour, minutes[at_minute], seconds[0])
            at += 1
            if at == len(hours):
                return None
        return time(hours[at], minutes[0], seconds[0])

    def _matches_day(self, year: int, month: int, day: int) -> bool:
        return month in self._months and day in self._days(year, month)

    def _day_after(self, year: int, month: int, day: int) -> date | None:
        """The first matching day after the given one."""
        if not self._months:
            return None
        last_year = min(year + _CALENDAR_CYCLE, 9999)
        days = self._days(year, month) if month in self._months else []
        at = bisect_left(days, day + 1)
        if at < len(days):
            return date(year, month, days[at])
        months = [following for following in self._months if following > month]
        while year <= last_year:
            if self._years is None or year in self._years:
                for following in months:
                    days = self._days(year, following)
                    if days:
                        return date(year, following, days[0])
            year += 1
            if self._years is not None and year not in self._years:
                year = min((one for one in self._years if one > year), default=10_000)
            months = self._months
        return None

    def _days(self, year: int, month: int) -> list[int]:
        """The matching days of a month, in order."""
        key = (year, month)
        cached = self._cached  # read once: another thread may replace it
        if cached[0] == key:
            return cached[1]
        days: list[int] = []
        if self._years is None or year in self._years:
            first_weekday, length = monthrange(year, month)
            days = sorted(
                day
                for day in self._day.days(year, month, length)
                if (first_weekday + day - 1) % 7 in self._weekdays
                and (self._week is None or date(year, month, day).isocalendar().week in self._week)
            )
        self._cached = (key, days)
        return days
