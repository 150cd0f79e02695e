"""Celery beat: the entries of ``beat_schedule``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mainspring.coercion import names_keywords, nearest
from mainspring.errors import ReadingError, safe_str
from mainspring.moving.celery_schedules import decides_by_itself, trigger_of_schedule, zone_of_schedule
from mainspring.moving.celery_tasks import Target, Task
from mainspring.moving.plan import Planner
from mainspring.timezones import astimezone

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mainspring.moving.plan import Plan

__all__ = ["read_celery_beat"]

_KEYS = ("task", "schedule", "args", "kwargs", "options", "relative")
#: Where the entries are in a whole configuration, today and before Celery 4.
_SETTINGS = ("beat_schedule", "CELERY_BEAT_SCHEDULE", "CELERYBEAT_SCHEDULE")


@names_keywords
def read_celery_beat(
    source: Any,
    *,
    send: str | Callable[..., Any] | None = None,
    tasks: Mapping[str, Any] | Callable[[str], Any] | None = None,
    timezone: Any = None,
    now: datetime | None = None,
) -> Plan:
    """A plan of the entries of Celery beat.

    Args:
        source: an app, or ``beat_schedule``: entries by their names, which become the jobs' ids.
        send: how tasks are sent to Celery's workers: ``"myapp.celery:app.send_task"``. If it is not given, a task's function is called in the
            scheduler's process; for ``myapp.tasks.clean`` that is ``myapp.tasks:clean``.
        tasks: functions, or references to them, by the names of tasks whose names don't say where they are.
        timezone: of the schedules; the app's, if it is not given, and UTC without an app, which is Celery's default.
        now: from when on next runs are told; the present, if it is not given.

    Raises:
        ReadingError: an entry can't be read; the message says which, and what was expected.
    """
    entries, zone = _entries(source)
    schedules = [entry.get("schedule") for entry in entries.values() if isinstance(entry, Mapping)]
    zones = {str(found): found for found in map(zone_of_schedule, schedules) if found is not None}
    is_known = timezone is not None or zone is not None or bool(zones)
    planner = Planner(
        "beat_schedule",
        now=now,
        timezone=timezone or zone or next(iter(zones.values()), "UTC"),
        tag="celery-beat",
    )
    if not is_known:
        planner.notes.append(
            "the schedules are read in UTC, which is Celery's default: timezone=… says another zone"
        )
    target = Target(send, tasks)
    for name, entry in entries.items():
        _plan(planner, target, str(name), entry, is_given=timezone is not None)
    return planner.plan()


def _entries(source: Any) -> tuple[Mapping[str, Any], Any]:
    """The entries of an app or a dictionary, and the zone that they are in, if that is known."""
    conf = getattr(source, "conf", None)
    if conf is not None:
        return conf.beat_schedule or {}, getattr(source, "timezone", None)
    if isinstance(source, Mapping):
        for key in _SETTINGS:
            if isinstance(source.get(key), Mapping) and "schedule" not in source[key]:
                zone = source.get("timezone") or source.get("CELERY_TIMEZONE") or source.get("TIME_ZONE")
                return source[key], zone
        return source, None
    raise TypeError(
        f"expected an app of Celery's or its beat_schedule, a dictionary, got {type(source).__name__} {source!r}"
    )


def _plan(planner: Planner, target: Target, name: str, entry: Any, *, is_given: bool) -> None:
    place = f"entry {name!r}"
    task = _task(planner.source, place, entry)
    notes: list[str] = []
    own = None if is_given else astimezone(zone_of_schedule(entry["schedule"]))
    end = target.end_of(task.options)
    try:
        trigger = (
            None
            if decides_by_itself(entry["schedule"])
            else trigger_of_schedule(
                entry["schedule"],
                own or planner.timezone,
                {} if end is None else {"end_date": end},
                notes,
                is_relative=bool(entry.get("relative")),
            )
        )
    except (TypeError, ValueError) as error:
        raise ReadingError(planner.source, None, f"{place}: {safe_str(error)}") from error
    if trigger is None:
        kind = type(entry["schedule"]).__name__
        reason = f"its schedule is of a kind of its own, {kind}: expected a number of seconds, a timedelta, or one of Celery's schedules (crontab, schedule, solar)"
        planner.leave_out(place, f"{name} ({task.name})", reason)
        return
    target.plan(planner, name, task, trigger, place=place, notes=notes)


def _task(source: str, place: str, entry: Any) -> Task:
    """What an entry runs.

    Raises:
        ReadingError: it is no entry.
    """
    if not isinstance(entry, Mapping):
        raise ReadingError(
            source,
            None,
            f"{place}: expected a dictionary with 'task' and 'schedule', got {type(entry).__name__} {entry!r}",
        )
    for key in entry:
        if key not in _KEYS:
            meant = nearest(str(key), _KEYS)
            hint = "" if meant is None else f"; did you mean {meant!r}?"
            raise ReadingError(
                source, None, f"{place}: expected the keys {', '.join(_KEYS)}, got {key!r}{hint}"
            )
    for key in ("task", "schedule"):
        if entry.get(key) is None:
            raise ReadingError(
                source,
                None,
                f"{place}: expected a dictionary with 'task' and 'schedule', and {key!r} is missing",
            )
    args, kwargs, options = entry.get("args") or (), entry.get("kwargs") or {}, entry.get("options") or {}
    if not isinstance(args, (list, tuple)):
        raise ReadingError(
            source, None, f"{place}: expected args to be a list or tuple, got {type(args).__name__} {args!r}"
        )
    for key, value in (("kwargs", kwargs), ("options", options)):
        if not isinstance(value, Mapping):
            raise ReadingError(
                source,
                None,
                f"{place}: expected {key} to be a dictionary, got {type(value).__name__} {value!r}",
            )
    return Task(str(entry["task"]), tuple(args), kwargs, options)
