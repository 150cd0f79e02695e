"""The library ``schedule``: the jobs that a program has made with ``schedule.every()``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from inspect import isclass, ismethod
from typing import TYPE_CHECKING, Any

from mainspring.coercion import names_keywords
from mainspring.errors import ReadingError
from mainspring.moving.plan import Planner, digest
from mainspring.references import obj_to_ref
from mainspring.timezones import astimezone
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.interval import IntervalTrigger

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from mainspring.moving.plan import Plan
    from mainspring.triggers.base import BaseTrigger

__all__ = ["read_schedule"]

_UNITS = ("seconds", "minutes", "hours", "days", "weeks")
_ATTRIBUTES = ("interval", "unit", "job_func")
_ORIGIN = datetime(2000, 1, 1)  # noqa: DTZ001 - it gets the zone of the job


@names_keywords
def read_schedule(source: Any = None, *, timezone: Any = None, now: datetime | None = None) -> Plan:
    """A plan of the jobs that a program has made with ``schedule.every()``, in place of ``while True: schedule.run_pending()``.

    Args:
        source: a `schedule.Scheduler`, or a list of its jobs; the default scheduler of the module, if it is not given, which the program has
            imported.
        timezone: of times under no ``at(…, tz)``; the scheduler's, if it is not given.
        now: from when on next runs are told; the present, if it is not given.

    Raises:
        ReadingError: a job isn't finished, as ``every().day`` without ``.do(…)``.
        TypeError: it is no scheduler, nor a list of jobs.
    """
    planner = Planner("schedule", now=now, timezone=timezone, tag="schedule")
    for number, job in enumerate(_jobs(source), 1):
        _plan(planner, job, f"job {number}")
    if planner.jobs:
        planner.notes.append(
            "schedule runs one job after the other on one thread; here they run beside each other (an executor ThreadPoolExecutor(1) has them one after the other)"
        )
    return planner.plan()


def _jobs(source: Any) -> list[Any]:
    if source is None:
        module = sys.modules.get("schedule")
        if module is None or not hasattr(module, "default_scheduler"):
            raise TypeError(
                "expected a scheduler of the library schedule, and none is given, nor is the library imported"
            )
        source = module.default_scheduler
    jobs = getattr(source, "jobs", source)
    if not isinstance(jobs, Iterable) or isinstance(jobs, (str, bytes)):
        raise TypeError(
            f"expected a scheduler of the library schedule, or a list of its jobs, got {type(source).__name__} {source!r}"
        )
    found = list(jobs)
    for job in found:
        if not all(hasattr(job, name) for name in _ATTRIBUTES):
            raise TypeError(f"expected jobs of the library schedule, got {type(job).__name__} {job!r}")
    return found


def _plan(planner: Planner, job: Any, place: str) -> None:
    if job.job_func is None or job.unit not in _UNITS:
        raise ReadingError(
            planner.source, None, f"{place} isn't finished: expected every(…), a unit and .do(…), got {job!r}"
        )
    func, args, kwargs = _call(job.job_func)
    notes: list[str] = []
    until = getattr(job, "cancel_after", None)
    zone = astimezone(getattr(job, "at_time_zone", None)) or planner.timezone
    if until is not None and until.tzinfo is None:
        until = until.replace(tzinfo=planner.timezone or planner.now.tzinfo)
    if until is not None and until < planner.now:
        planner.leave_out(place, _name(func), f"it was to run until {until}, which has passed")
        return
    limits = {} if until is None else {"end_date": until}
    trigger = _trigger(job, zone, limits, notes)
    if _may_cancel_itself(func):
        notes.append(
            "its function may return CancelJob, which ends a job there; here it changes nothing: have it call scheduler.remove_job"
        )
    reference: str | Callable[..., Any] = func
    try:
        if not _is_bound(func):  # a reference would lose its instance
            reference = obj_to_ref(func)
    except ValueError as error:
        notes.append(f"it can be kept in a MemoryJobStore alone: {error}")
    tags = sorted(map(str, getattr(job, "tags", ())))
    planner.add(
        f"{_name(func)}-{digest(args, sorted(kwargs.items()))}" if args or kwargs else _name(func),
        reference,
        trigger,
        args=args,
        kwargs=kwargs,
        name=_name(func),
        options={"tags": ("schedule", *tags)},
        place=place,
        notes=notes,
    )


def _trigger(job: Any, zone: tzinfo | None, limits: dict[str, Any], notes: list[str]) -> BaseTrigger:
    at, day, unit, every = job.at_time, job.start_day, job.unit, job.interval
    if job.latest is not None:
        if job.latest < every:
            raise ReadingError(
                "schedule",
                None,
                f"expected the second of every({every}).to({job.latest}) to be the higher one",
            )
        if at is not None or day is not None:
            notes.append(
                "at a time of the day, every(…).to(…) has no meaning that is known here: the middle of both is taken, and delayed"
            )
        low, high = timedelta(**{unit: every}), timedelta(**{unit: job.latest})
        notes.append(
            "the times between runs vary as there; they are drawn around fixed times, and not added up"
        )
        return IntervalTrigger(
            seconds=((low + high) / 2).total_seconds(),
            jitter=((high - low) / 2).total_seconds() or None,
            timezone=zone,
            **limits,
        )
    clock = {"hour": at.hour, "minute": at.minute, "second": at.second} if at is not None else {}
    if day is not None:
        # Without a time, the day has that at which the job was made.
        moment = job.next_run
        if not clock:
            notes.append("without at(…), it has the time of the day at which the job was made")
        clock = clock or {"hour": moment.hour, "minute": moment.minute, "second": moment.second}
        return CronTrigger(day_of_week=day[:3], timezone=zone, **clock, **limits)
    if at is None:
        return IntervalTrigger(**{unit: every}, timezone=zone, **limits)
    if every == 1:
        smaller = {
            "days": ("hour", "minute", "second"),
            "hours": ("minute", "second"),
            "minutes": ("second",),
        }[unit]
        return CronTrigger(**{name: clock[name] for name in smaller}, timezone=zone, **limits)
    if unit == "days":
        notes.append("it runs first at the next such time; schedule lets the whole interval pass first")
        dates = {name: moment.date() for name, moment in limits.items()}
        return CalendarIntervalTrigger(days=every, timezone=zone, **clock, **dates)
    notes.append("it is counted on the clock; schedule counts from when the job was made")
    start = _ORIGIN.replace(minute=at.minute if unit == "hours" else 0, second=at.second)
    return IntervalTrigger(**{unit: every}, start_date=start, timezone=zone, **limits)


def _call(job_func: Any) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    """The function that ``do`` was given, and its arguments."""
    func: Any = job_func
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    while isinstance(func, partial):
        func, args, kwargs = func.func, (*func.args, *args), {**func.keywords, **kwargs}
    return func, args, kwargs


def _name(func: Any) -> str:
    module, name = getattr(func, "__module__", ""), getattr(func, "__qualname__", type(func).__qualname__)
    return f"{module}:{name}"


def _is_bound(func: Any) -> bool:
    return ismethod(func) and not isclass(func.__self__)


def _may_cancel_itself(func: Any) -> bool:
    code = getattr(func, "__code__", None)
    return code is not None and "CancelJob" in code.co_names
