"""What a sentence says of a schedule, clause by clause, before it becomes a trigger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo

    from mainspring.triggers.dialects.english.sun import Sun
    from mainspring.triggers.dialects.english.words import Token


@dataclass(slots=True)
class Moment:
    """A date, perhaps with a time of the day and a time zone.

    Attributes:
        second: since midnight; ``None`` if there is none.
    """

    day: str
    second: int | None = None
    zone: tzinfo | None = None

    def text(self, default: int = 0) -> str:
        """As triggers take it; without a time of the day, with `default`."""
        second = default if self.second is None else self.second
        return f"{self.day} {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


@dataclass(slots=True)
class Days:
    """Days that are meant together: those of the month, weekdays, or weekdays that fall on days of the month.

    Attributes:
        month_days: as the field for days of a cron trigger has them.
        weekdays: 0 for Monday.
        is_both: whether a day must be one of the month's and a weekday; otherwise one of either is enough.
        business_days: the n-th of the month, from its end if negative.
        also: weekdays and weekdays of the month, of which a day of the month must be one.
    """

    month_days: list[str] = field(default_factory=list)
    weekdays: set[int] = field(default_factory=set)
    is_both: bool = False
    business_days: list[int] = field(default_factory=list)
    also: list[str] = field(default_factory=list)

    def counted_from_end(self) -> list[bool]:
        """Of each day of the month, whether it is counted from the month's end."""
        from_end = [day.startswith(("last", "L")) for day in self.month_days]
        return from_end + [day < 0 for day in self.business_days]


@dataclass(slots=True)
class Sentence:
    """All clauses of a schedule.

    Attributes:
        times: of the day, in seconds since midnight; ``None`` if none were said.
        step: ``every 15 minutes`` in seconds.
        hours: within which that is meant, in seconds since midnight.
        distance: ``every 2 months`` as years, months, weeks and days.
        days: ``None`` if none were said, and any is meant.
        is_every_day: whether that was said.
        months, years, weeks: fields of a cron trigger.
        extra: single times besides.
        excluded: days and stretches, by their first and last moment.
        once: the time of a schedule with one time; ``"added"``: as soon as it is added.
        windows: of the day, in seconds since midnight.
        spread, shift: in seconds.
        closed: the weekdays that are no business days.
        counted_from: from when the number of times is counted, if that isn't the beginning; ``"added"``: from when it is added.
        sun: the sun's event, if that is meant.
        depression, elevation: of the sun's event.
        chosen: fields of a cron trigger that the job's id chooses, or that go with them.
        starts_by_choice: whether the job's id chooses where in the hour a distance begins.
        exact_times: times of the day that were said with their half of the day, as 9am was.
        part_of_day: ``"morning"`` and the like, in which the times of the day are.
        frequency: how often in which unit, for ``twice a day``.
        is_by_quarter: whether months were said as quarters of the year.
        is_by_month: whether a month was said as ``every January``.
        places: the first token of each clause, by its name.
    """

    times: set[int] | None = None
    step: float | None = None
    hours: list[tuple[int, int]] | None = None
    distance: tuple[int, int, int, int] | None = None
    days: Days | None = None
    is_every_day: bool = False
    months: set[int] | None = None
    years: str | None = None
    weeks: str | None = None
    zone: tzinfo | None = None
    start: Moment | None = None
    end: Moment | None = None
    starts_when_added: bool = False
    first: str | None = None
    count: int | None = None
    jitter: float | None = None
    gap: str | None = None
    fold: str | None = None
    once: Moment | str | None = None
    extra: list[Moment] = field(default_factory=list)
    excluded: list[tuple[Moment, Moment]] = field(default_factory=list)
    excluded_weekdays: set[int] = field(default_factory=set)
    excluded_months: set[int] = field(default_factory=set)
    roll: str | None = None
    windows: list[tuple[int, int]] | None = None
    spread: float | None = None
    shift: float | None = None
    week_start: int | None = None
    closed: set[int] | None = None
    counted_from: Moment | str | None = None
    sun: Sun | None = None
    depression: float | None = None
    elevation: float | None = None
    chosen: dict[str, str] = field(default_factory=dict)
    starts_by_choice: bool = False
    exact_times: set[int] = field(default_factory=set)
    part_of_day: str | None = None
    frequency: tuple[int, str] | None = None
    is_by_quarter: bool = False
    is_by_month: bool = False
    places: dict[str, Token] = field(default_factory=dict)
