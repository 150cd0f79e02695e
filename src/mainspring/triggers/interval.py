"""Fires at equal distances of elapsed time."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Literal, Self

from mainspring.call_stack import outside
from mainspring.coercion import count_meant, is_number, nearest, number_meant
from mainspring.errors import TriggerError
from mainspring.former_names import former_names
from mainspring.profile import stands_in
from mainspring.timezones import in_utc, in_zone
from mainspring.timezones import local_timezone as get_localzone
from mainspring.triggers.common_fields import (
    ANCHORED,
    END_DATE,
    FIRST,
    JITTER,
    MAX_FIRES,
    SEED,
    START_DATE,
    TIMEZONE_APART,
)
from mainspring.triggers.declared import Codec, as_value, keyword
from mainspring.triggers.jitter import checked_jitter
from mainspring.triggers.standard import (
    DelayedTrigger,
    check_order,
    moment_in,
    shifted,
    zone_of_a_new_one,
)

if TYPE_CHECKING:
    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.explaining import Phrase
    from mainspring.triggers.steps import Steps

__all__ = ["IntervalTrigger"]


class IntervalTrigger(DelayedTrigger):
    """Fires every so often, by elapsed time: a day is 24 hours, also where the clocks change.

    So a job of every 24 hours that runs at 09:00 in winter runs at 10:00 in summer. What is to run at the same time of
    the day is for `CronTrigger` or `CalendarIntervalTrigger`.

    Args:
        weeks, days, hours, minutes, seconds: the interval, which is their sum.
        start_date: the first time; one interval after the trigger is added, if it is not given.
        end_date: the last moment at which it may fire.
        timezone: in which times without one are read; the scheduler's if it is not given.
        jitter: delay each firing by up to so many seconds. The times that are delayed stay where they are.
        first: without a start date, when to fire first: ``"now"``, as soon as the trigger is added, or ``"after"`` one
            interval.
        max_fires: fire so many times, counted from the start.

    Raises:
        TriggerError: the interval is negative, or zero (under the alias, zero is a second).
    """

    __slots__ = (
        "_is_anchored",
        "_seed",
        "end_date",
        "first",
        "interval",
        "interval_length",
        "jitter",
        "max_fires",
        "start_date",
        "timezone",
    )

    kind = "interval"
    state_version = 2
    fields_declared = (
        keyword(
            "seconds",
            "interval",
            codec=Codec(timedelta.total_seconds),
            state_name="interval",
            shown=as_value("interval"),
        ),
        START_DATE,
        END_DATE,
        TIMEZONE_APART,
        JITTER,
        FIRST,
        MAX_FIRES,
        ANCHORED,
        SEED,
    )
    state_first = ("timezone", "start_date", "end_date")
    shown_as = "<{name} ({fields}, timezone='{self.timezone}')>"

    def __init__(
        self,
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        start_date: Any = None,
        end_date: Any = None,
        timezone: Any = None,
        jitter: float | None = None,
        *,
        first: Literal["now", "after"] | None = None,
        max_fires: int | None = None,
    ) -> None:
        parts = {"weeks": weeks, "days": days, "hours": hours, "minutes": minutes, "seconds": seconds}
        try:
            interval = _interval_of(parts)
        except (TypeError, ValueError, OverflowError):
            raise _refused(parts) from None
        if bool in map(type, parts.values()):  # which a timedelta takes as numbers
            raise _refused(parts)
        self._set_interval(interval, parts)
        self.timezone = zone = zone_of_a_new_one(timezone, start_date, end_date, local=get_localzone)
        self.start_date: Any = moment_in(start_date, zone, "start_date")
        self.end_date: Any = moment_in(end_date, zone, "end_date")
        check_order(self.start_date, self.end_date)
        self.jitter = checked_jitter(jitter)
        self.first = checked_first(first, start_date)
        self.max_fires = checked_count(max_fires)
        self._is_anchored = False
        self._seed: str | None = None

    def _set_interval(self, interval: timedelta, parts: dict[str, Any] | None = None) -> None:
        if interval <= timedelta(0):
            given = ", ".join(f"{name}={value!r}" for name, value in (parts or {}).items() if value)
            raise TriggerError(
                f"the interval must be longer than zero, got {given or interval}: give weeks, days, hours, minutes or seconds"
            )
        self.interval = interval
        self.interval_length = interval.total_seconds()

    def bind(self, *, timezone: tzinfo, now: datetime, job_id: str) -> Self:
        if self._is_bound() and (not self.jitter or self._seed is not None):
            return self
        bound = type(self).__new__(type(self))
        bound.interval, bound.interval_length, bound.jitter = self.interval, self.interval_length, self.jitter
        bound.first, bound.max_fires, bound._is_anchored = self.first, self.max_fires, self._is_anchored
        bound._seed = job_id if self._seed is None else self._seed
        bound.timezone = zone = self.timezone or timezone
        bound.end_date = moment_in(self.end_date, zone, "end_date")
        if self.start_date is None:
            wait = timedelta(0) if self.first == "now" else self.interval
            bound.start_date = in_zone(shifted(in_utc(now), wait), zone)
            bound._is_anchored = True
        else:
            bound.start_date = moment_in(self.start_date, zone, "start_date")
            if not self._is_anchored:
                check_order(bound.start_date, bound.end_date)
        return bound

    def _restored(self) -> None:
        self._set_interval(self.interval)

    def is_same_schedule(self, other: BaseTrigger) -> bool:
        if type(other) is not type(self):
            return False
        mine, theirs = self._compared(), other._compared()
        if other._is_anchored:
            theirs["start_date"] = mine["start_date"]  # it goes on wherever it is anchored
            mine.pop("anchored", None)
            theirs.pop("anchored", None)
        return mine == theirs

    def _is_bound(self) -> bool:
        return self.timezone is not None and self.start_date is not None

    def _zone(self) -> tzinfo:
        return self.timezone or UTC

    def _last_step(self, start: datetime) -> int | None:
        """The number of the last step, or ``None`` if there is no end to them; -1 if there is none at all."""
        last = None if self.max_fires is None else self.max_fires - 1
        if self.end_date is not None:
            by_date = (in_utc(self.end_date) - start) // self.interval
            last = by_date if last is None else min(last, by_date)
        return last

    def _base_after(self, moment: datetime, steps: Steps) -> datetime | None:
        steps.take()
        start: datetime = in_utc(self.start_date)
        step = 0 if moment < start else (moment - start) // self.interval + 1
        if self.end_date is not None or self.max_fires is not None:
            last = self._last_step(start)
            if last is not None and step > last:
                return None
        try:
            return start + step * self.interval
        except OverflowError:
            return None  # beyond the year 9999

    def _base_before(self, moment: datetime, steps: Steps) -> datetime | None:
        steps.take()
        start: datetime = in_utc(self.start_date)
        step = -((start - moment) // self.interval) - 1
        last = self._last_step(start)
        if last is not None:
            step = min(step, last)
        return None if step < 0 else start + step * self.interval

    def _base_count(self, first: datetime, last: datetime) -> int | None:
        start: datetime = in_utc(self.start_date)
        steps = [max((moment - start) // self.interval + 1, 0) for moment in (first, last)]
        final = self._last_step(start)
        if final is not None:
            steps = [min(step, final + 1) for step in steps]
        return max(steps[1] - steps[0], 0)

    def _delay_limit(self) -> datetime | None:
        return None if self.end_date is None else in_utc(self.end_date)

    def _phrase(self) -> Phrase:
        from mainspring.triggers.explaining import Clause, Phrase, details
        from mainspring.triggers.explaining.durations import every, spoken_elapsed

        begin: tuple[Clause, ...] = ()
        if self.start_date is None:
            begin = (Clause("bounds.at_once" if self.first == "now" else "bounds.counted"),)
        return Phrase(
            every(spoken_elapsed(self.interval, self.timezone)),
            None,  # elapsed time is the same in every zone
            (
                *begin,
                *details.bounds(self.start_date, self.end_date, None),
                *details.number(self.max_fires),
                *details.jitter(self.jitter),
            ),
            days_zone=self.timezone,
        )

    def __str__(self) -> str:
        return f"interval[{self.interval}]"


def _interval_of(parts: dict[str, Any]) -> timedelta:
    """The sum of the parts; under the alias an interval of zero is a second, as APScheduler has it."""
    interval = timedelta(**parts)
    if interval == timedelta(0) and stands_in():
        warnings.warn(
            "an interval of zero is taken for one second, as APScheduler takes it: write seconds=1",
            stacklevel=outside(),
        )
        return timedelta(seconds=1)
    return interval


def _part_meant(name: str, value: Any) -> str:
    if isinstance(value, timedelta):
        return f"; did you mean seconds={value.total_seconds():g}?"
    return number_meant(value) if name == "seconds" else count_meant(value)


def _refused(parts: dict[str, Any]) -> Exception:
    """Why these can't be the parts of an interval."""
    for name, value in parts.items():
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return TypeError(
                f"{name} must be a number, got {type(value).__name__} {value!r}{_part_meant(name, value)}"
            )
        if not is_number(value):
            return TriggerError(f"{name} must be a number that a timedelta can hold, got {value!r}")
    given = ", ".join(f"{name}={value!r}" for name, value in parts.items() if value)
    return TriggerError(f"the interval must not be longer than 999999999 days, got {given}")


def checked_first(first: Any, start_date: Any) -> Any:
    """`first`, if it is one of its values.

    Raises:
        TriggerError: it isn't, or there is a start date too.
    """
    if first not in (None, "now", "after"):
        meant = nearest(first, ("now", "after"))
        hint = "" if meant is None else f"; did you mean {meant!r}?"
        raise TriggerError(f"first must be 'now' or 'after', got {first!r}{hint}")
    if first is not None and start_date is not None:
        raise TriggerError(
            f"first={first!r} says when to begin, and so does start_date={start_date!r}: give one"
        )
    return first


def checked_count(max_fires: Any) -> int | None:
    """`max_fires`, if it is a whole number above zero, or ``None``.

    Raises:
        TriggerError: it is neither.
    """
    if max_fires is None:
        return None
    if isinstance(max_fires, bool) or not isinstance(max_fires, int) or max_fires < 1:
        raise TriggerError(
            f"max_fires must be a whole number, 1 or more, got {max_fires!r}{count_meant(max_fires)}"
        )
    return max_fires


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
