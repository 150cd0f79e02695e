"""A recurrence rule of iCalendar as data: its parts, what they mean where some are left out, and its text."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import NamedTuple

__all__ = ["FREQUENCIES", "WEEKDAY_CODES", "RecurrenceRule", "date_text", "until_text"]

FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
WEEKDAY_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class RecurrenceRule(NamedTuple):
    """The parts of a rule (RFC 5545, section 3.3.10). Lists are in order, and empty where the rule has no such part.

    Attributes:
        freq: one of `FREQUENCIES`.
        interval: every so manieth year, month, and so on.
        limit: COUNT, how many times; ``None``: without end.
        until: the last date, the last time without a zone, or the last moment in UTC; included.
        months, weeks, year_days, month_days, hours, minutes, seconds, positions: the values of BYMONTH, BYWEEKNO, BYYEARDAY, BYMONTHDAY,
            BYHOUR, BYMINUTE, BYSECOND and BYSETPOS.
        days: of BYDAY: which of them in the month or year (0: each), and the weekday, 0 for Monday.
        week_start: WKST, 0 for Monday.
    """

    freq: str
    interval: int = 1
    limit: int | None = None
    until: date | None = None
    months: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    days: tuple[tuple[int, int], ...] = ()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    seconds: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0

    @property
    def is_of_days(self) -> bool:
        """Whether it repeats by days or longer, so that its times of the day are the same on each day."""
        return self.freq in FREQUENCIES[:4]

    def completed(self, start: datetime) -> RecurrenceRule:
        """The rule with what it leaves to its start filled in: the times of the day, and the days if it names none.

        A rule of weeks by their numbers takes the weekday of the start, as RFC 8984 (section 4.3.3.1) says it too.
        """
        rule = self
        if not (rule.weeks or rule.year_days or rule.month_days or rule.days):
            if rule.freq == "YEARLY":
                rule = rule._replace(months=rule.months or (start.month,), month_days=(start.day,))
            elif rule.freq == "MONTHLY":
                rule = rule._replace(month_days=(start.day,))
            elif rule.freq == "WEEKLY":
                rule = rule._replace(days=((0, start.weekday()),))
        elif rule.weeks and not (rule.year_days or rule.month_days or rule.days):
            rule = rule._replace(days=((0, start.weekday()),))
        if rule.is_of_days:
            rule = rule._replace(hours=rule.hours or (start.hour,))
        if rule.is_of_days or rule.freq == "HOURLY":
            rule = rule._replace(minutes=rule.minutes or (start.minute,))
        if rule.freq != "SECONDLY":
            rule = rule._replace(seconds=rule.seconds or (start.second,))
        if not rule._weeks_matter():
            rule = rule._replace(week_start=0)
        return rule

    def _weeks_matter(self) -> bool:
        """Whether it tells something on which weekday weeks begin."""
        return bool(self.weeks) or (self.freq == "WEEKLY" and (self.interval > 1 or bool(self.positions)))

    def __str__(self) -> str:
        parts = [f"FREQ={self.freq}"]
        if self.interval != 1:
            parts.append(f"INTERVAL={self.interval}")
        if self.limit is not None:
            parts.append(f"COUNT={self.limit}")
        if self.until is not None:
            parts.append(f"UNTIL={until_text(self.until)}")
        numbers = (
            ("BYMONTH", self.months),
            ("BYWEEKNO", self.weeks),
            ("BYYEARDAY", self.year_days),
            ("BYMONTHDAY", self.month_days),
            ("BYDAY", tuple(f"{at or ''}{WEEKDAY_CODES[weekday]}" for at, weekday in self.days)),
            ("BYHOUR", self.hours),
            ("BYMINUTE", self.minutes),
            ("BYSECOND", self.seconds),
            ("BYSETPOS", self.positions),
        )
        parts += [f"{name}={','.join(map(str, values))}" for name, values in numbers if values]
        if self.week_start:
            parts.append(f"WKST={WEEKDAY_CODES[self.week_start]}")
        return ";".join(parts)


def date_text(value: date) -> str:
    """A date or a time as iCalendar writes it; a moment in UTC with a ``Z``."""
    if not isinstance(value, datetime):
        return f"{value.year:04}{value.month:02}{value.day:02}"
    text = f"{date_text(value.date())}T{value.hour:02}{value.minute:02}{value.second:02}"
    return f"{text}Z" if value.tzinfo is not None else text


def until_text(value: date) -> str:
    """The end of a rule as iCalendar writes it."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC)
    return date_text(value)
