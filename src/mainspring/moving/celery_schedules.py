"""Celery's schedules as triggers: crontabs, intervals, solar events; as objects, numbers, or columns of a table."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mainspring.coercion import is_number
from mainspring.errors import TriggerError
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.cron.grammars import FIVE_FIELDS, NOTHING, UNIX
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.sun import SunTrigger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from mainspring.triggers.base import BaseTrigger

#: As a crontab, but a day must match both its fields, of the month and of the week.
_GRAMMAR = UNIX._replace(
    name="celery",
    layouts={5: FIVE_FIELDS},
    weekdays=UNIX.weekdays._replace(highest=6),
    macros=NOTHING,
    has_random=False,
    unites_days=False,
)
_FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
#: Events of Celery's as those of `SunTrigger`, with the sun's depression in degrees.
_SOLAR = {
    "dawn_astronomical": ("dawn", 18),
    "dawn_nautical": ("dawn", 12),
    "dawn_civil": ("dawn", 6),
    "sunrise": ("sunrise", 6),
    "solar_noon": ("noon", 6),
    "sunset": ("sunset", 6),
    "dusk_civil": ("dusk", 6),
    "dusk_nautical": ("dusk", 12),
    "dusk_astronomical": ("dusk", 18),
}
_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
#: Whose schedules are known here.
_LIBRARIES = ("celery", "django_celery_beat")
#: Where intervals on the clock begin, of which no whole number makes a day or an hour.
_ORIGIN = datetime(2000, 1, 1)  # noqa: DTZ001 - it gets the zone of the schedule


def trigger_of_schedule(
    schedule: Any,
    zone: tzinfo | None,
    limits: Mapping[str, Any],
    notes: list[str],
    *,
    is_relative: bool = False,
) -> BaseTrigger | None:
    """The trigger that a schedule means; ``None``: it is of a kind that isn't known here.

    Args:
        schedule: a number of seconds, a `timedelta`, or an object with the attributes of one of Celery's.
        zone: that of the schedule.
        limits: ``start_date`` and ``end_date`` of the trigger.
        notes: for what is done otherwise.
        is_relative: whether an interval is rounded to its unit.

    Raises:
        TriggerError: it is no schedule that is known here.
    """
    if isinstance(schedule, timedelta) or is_number(schedule):
        every = schedule if isinstance(schedule, timedelta) else timedelta(seconds=schedule)
        return interval(every, zone, limits, notes, is_relative=is_relative)
    if getattr(schedule, "nowfun", None) is not None:
        notes.append("its nowfun isn't asked: what time it is says the scheduler's clock")
    if hasattr(schedule, "day_of_month"):
        fields = [getattr(schedule, f"_orig_{name}", getattr(schedule, name)) for name in _FIELDS]
        return crontab([*map(_as_text, fields)], zone, limits)
    if all(hasattr(schedule, name) for name in ("event", "lat", "lon")):
        return solar(schedule.event, schedule.lat, schedule.lon, zone, limits)
    if isinstance(getattr(schedule, "clocked_time", None), datetime):
        return DateTrigger(schedule.clocked_time, timezone=zone)
    run_every = getattr(schedule, "run_every", None)
    if isinstance(run_every, timedelta):
        relative = is_relative or bool(getattr(schedule, "relative", False))
        return interval(run_every, zone, limits, notes, is_relative=relative)
    if hasattr(schedule, "is_due"):
        return None
    raise TriggerError(
        "expected a number of seconds, a timedelta, or one of Celery's schedules (crontab, schedule, solar), got "
        f"{type(schedule).__name__} {schedule!r}"
    )


def decides_by_itself(schedule: Any) -> bool:
    """Whether somebody's own code says when a schedule is due, also where it has the attributes of one of Celery's."""
    for name in ("is_due", "remaining_estimate"):
        owner = next((kind for kind in type(schedule).__mro__ if name in vars(kind)), None)
        if owner is not None and owner.__module__.partition(".")[0] not in _LIBRARIES:
            return True
    return False


def zone_of_schedule(schedule: Any) -> Any:
    """The time zone that a schedule has by its own app, if it has one; nothing of Celery is asked for it."""
    return getattr(getattr(schedule, "_app", None), "timezone", None)


def crontab(fields: list[str], zone: tzinfo | None, limits: Mapping[str, Any]) -> CronTrigger:
    """The trigger of five fields, in the order of a crontab.

    Raises:
        CronSyntaxError: one can't be read.
    """
    text = " ".join("".join(field.split()) or "*" for field in fields)
    return CronTrigger._from_text(text, _GRAMMAR, zone, limits)  # noqa: SLF001 - a grammar that nobody else needs


def _as_text(field: Any) -> str:
    if field is None:
        return "*"
    if isinstance(field, (str, int)):
        return str(field)
    return ",".join(map(str, sorted(field) if isinstance(field, (set, frozenset)) else field))


def interval(
    every: timedelta,
    zone: tzinfo | None,
    limits: Mapping[str, Any],
    notes: list[str],
    *,
    is_relative: bool = False,
) -> BaseTrigger:
    """The trigger of an interval.

    Args:
        is_relative: whether it fires on full days, hours or minutes, whichever it is longer than.
    """
    unit = next((unit for unit in (_DAY, _HOUR, _MINUTE) if every >= unit), None) if is_relative else None
    if unit is None:
        return IntervalTrigger(seconds=every.total_seconds(), timezone=zone, **limits)
    count = every // unit
    if every % unit:
        notes.append(f"with relative, {every} is rounded down to {count * unit}, as it is there")
    if unit == _DAY:
        dates: dict[str, Any] = {
            name: moment.date() if isinstance(moment, datetime) else moment for name, moment in limits.items()
        }
        return CalendarIntervalTrigger(days=count, timezone=zone, **dates)
    if count > 1:
        notes.append(
            "it is counted on the clock; Celery counts from when beat was started first, rounded to the unit"
        )
    if unit == _HOUR and 24 % count == 0:
        return CronTrigger(hour=f"*/{count}", timezone=zone, **limits)
    if unit == _MINUTE and 60 % count == 0:
        return CronTrigger(minute=f"*/{count}", timezone=zone, **limits)
    begin = {**limits, "start_date": limits.get("start_date", _ORIGIN)}
    return IntervalTrigger(seconds=(count * unit).total_seconds(), timezone=zone, **begin)


def solar(
    event: str, latitude: Any, longitude: Any, zone: tzinfo | None, limits: Mapping[str, Any]
) -> SunTrigger:
    """The trigger of an event of the sun.

    Raises:
        TriggerError: there is no such event, or place.
    """
    if event not in _SOLAR:
        raise TriggerError(f"expected an event of the sun, one of {', '.join(_SOLAR)}, got {event!r}")
    name, depression = _SOLAR[event]
    made: Any = name
    return SunTrigger(
        made,
        latitude=float(latitude),
        longitude=float(longitude),
        depression=depression,
        timezone=zone,
        **limits,
    )
