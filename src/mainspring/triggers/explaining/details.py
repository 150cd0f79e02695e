"""What is said after when a trigger fires: from when until when, how often, how late, and what where the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mainspring.timezones import convert_to_datetime
from mainspring.triggers.explaining.clauses import Clause, Moment, Phrase
from mainspring.triggers.explaining.durations import spoken_duration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from mainspring.triggers.wall_clock import WallClockTrigger

__all__ = ["bounds", "clock_changes", "common", "first_time", "jitter", "limited", "moment", "number"]

_DATES_MISSING = Clause("skipping_dates")


def common(trigger: WallClockTrigger, start: Any, *, skips_dates: bool = False) -> tuple[Clause, ...]:
    """All that follows what a trigger of times on the wall clock says of its own.

    Args:
        start: from when on, as it is said; ``None`` if it isn't.
        skips_dates: whether some of the dates that it names don't exist in each month or year.
    """
    begin, is_first_said = start, False
    if trigger._first_at is not None and begin == trigger._first_at:
        begin, is_first_said = None, True
    return (
        *bounds(begin, trigger.end_date, trigger.timezone),
        *first_time(trigger, begins=is_first_said),
        *number(trigger.max_fires),
        *((_DATES_MISSING,) if skips_dates else ()),
        *jitter(trigger.jitter),
        *clock_changes(trigger),
    )


def moment(value: Any, zone: tzinfo | None) -> Any:
    """A point in time, or a date, for a slot.

    Args:
        value: as the trigger has it: aware, a date, or text that is read when a zone is known.
        zone: the one that the sentence names; a moment in it is told without a zone of its own, unless the hour comes twice.
    """
    if isinstance(value, str):
        read = convert_to_datetime(value, UTC, "moment")
        return Moment(read) if read is not None else value
    if isinstance(value, datetime) and value.tzinfo is not None:
        local = _existing(value, zone or value.tzinfo)
        is_repeated = local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()
        return Moment(local, "" if zone is not None and not is_repeated else local.tzname() or "")
    return Moment(value) if isinstance(value, datetime) else value


def _existing(value: datetime, zone: tzinfo) -> datetime:
    """A moment as the clocks of a zone show it: one that they skip is another."""
    try:
        return value.astimezone(UTC).astimezone(zone)
    except OverflowError:  # at the very beginning, or end, of all dates
        return value


def bounds(start: Any, end: Any, zone: tzinfo | None) -> Iterator[Clause]:
    """From when until when, both of which may be ``None``."""
    parts = {
        name: moment(value, zone) for name, value in (("start", start), ("end", end)) if value is not None
    }
    if parts:
        yield Clause("bounds." + "_".join(parts), **parts)


def first_time(trigger: WallClockTrigger, *, begins: bool) -> Iterator[Clause]:
    """The firing that comes besides those of the schedule, as soon as the trigger is added.

    Args:
        begins: whether the schedule begins with it.
    """
    if trigger._first_at is not None:
        key = "first.begins" if begins else "first.at"
        yield Clause(key, moment=moment(trigger._first_at, trigger.timezone))
    elif trigger.first == "now":
        yield Clause("first.added")


def number(fires: int | None) -> Iterator[Clause]:
    """How many times, if that is limited."""
    if fires == 1:
        yield Clause("fires.once")
    elif fires is not None:
        yield Clause("fires.times", number=fires)


def limited(phrase: Phrase, fires: int, start: datetime | None) -> Phrase:
    """The phrase of a trigger of which only the first so many fire times, from a moment on, are left."""
    has_bounds = any(detail.key.startswith("bounds.") for detail in phrase.details)
    if not has_bounds:
        return phrase.but(*bounds(start, None, phrase.zone), *number(fires))
    since = Clause("since.added") if start is None else Clause("since", start=moment(start, phrase.zone))
    if fires == 1:
        return phrase.but(Clause("fires.once_from", since=since))
    return phrase.but(Clause("fires.times_from", number=fires, since=since))


def jitter(seconds: float | None) -> Iterator[Clause]:
    """By how much each firing is delayed, if it is."""
    if seconds:
        yield Clause("delayed", longest=spoken_duration(timedelta(seconds=seconds)))


def clock_changes(trigger: WallClockTrigger) -> Iterator[Clause]:
    """The rule for changes of the clocks, where it isn't the one that goes without saying, and the clocks change."""
    zone = trigger.timezone
    if zone is not None and zone.utcoffset(None) is not None:
        return
    implied_gap, implied_fold = trigger._implied_policy()
    if trigger.gap not in (None, implied_gap):
        yield Clause(f"gap.{trigger.gap}")
    if trigger.fold not in (None, implied_fold):
        yield Clause(f"fold.{trigger.fold}")


def as_date(value: Any) -> date:
    """The date of a start, for the day of the month that it stands for."""
    return value.date() if isinstance(value, datetime) else value
