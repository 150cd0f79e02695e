"""django-celery-beat: the periodic tasks in its tables. Needs SQLAlchemy; neither Django nor Celery."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mainspring.coercion import names_keywords
from mainspring.errors import ReadingError, TriggerError, safe_str
from mainspring.extras import library_missing
from mainspring.masking import without_secrets
from mainspring.moving.celery_schedules import crontab, interval, solar
from mainspring.moving.celery_tasks import Target, Task
from mainspring.moving.plan import Planner, zone_of
from mainspring.triggers.date import DateTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.engine import Connection

    from mainspring.moving.plan import Plan
    from mainspring.triggers.base import BaseTrigger

__all__ = ["read_django_celery_beat"]

_PREFIX = "django_celery_beat_"
_TASKS = f"{_PREFIX}periodictask"
#: The tables of schedules, by the columns of tasks that lead to them.
_SCHEDULES = {
    "interval_id": f"{_PREFIX}intervalschedule",
    "crontab_id": f"{_PREFIX}crontabschedule",
    "solar_id": f"{_PREFIX}solarschedule",
    "clocked_id": f"{_PREFIX}clockedschedule",
}
_CRON_COLUMNS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
_MESSAGE_COLUMNS = ("queue", "exchange", "routing_key", "priority")


@names_keywords
def read_django_celery_beat(
    source: Any,
    *,
    send: str | Callable[..., Any] | None = None,
    tasks: Mapping[str, Any] | Callable[[str], Any] | None = None,
    timezone: Any = None,
    schema: str | None = None,
    now: datetime | None = None,
) -> Plan:
    """A plan of the periodic tasks in django-celery-beat's tables, in one reading of the database, which isn't changed.

    Args:
        source: a URL as SQLAlchemy has it, or an engine or connection of its.
        send, tasks: what becomes of tasks, as for `read_celery_beat`.
        timezone: of times that the database gives without one, which is UTC unless Django has ``USE_TZ = False``; and of events of the sun.
        schema: of the tables, if it isn't the usual one.
        now: from when on next runs are told; the present, if it is not given.

    Raises:
        ReadingError: the tables aren't there, or a row can't be read.
        ImportError: SQLAlchemy isn't installed.
    """
    planner = Planner("django-celery-beat", now=now, timezone=timezone or UTC, tag="celery-beat")
    target = Target(send, tasks)
    rows, schedules = _rows(source, schema)
    for row in rows:
        _plan(planner, target, row, schedules)
    if any(row["enabled"] for row in rows):
        planner.notes.append("stop beat before the plan is applied: both would run the tasks")
    return planner.plan()


def _rows(
    source: Any, schema: str | None
) -> tuple[list[dict[str, Any]], dict[str, dict[Any, dict[str, Any]]]]:
    try:
        from sqlalchemy import create_engine
        from sqlalchemy.engine import Connection, Engine
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError as error:
        raise library_missing(
            "read_django_celery_beat", "SQLAlchemy", "sqlalchemy", "sqlalchemy", error
        ) from None
    if isinstance(source, Connection):
        return _read(source, schema)
    if not isinstance(source, (str, Engine)):
        raise TypeError(
            f"expected the URL of a database, or an engine or connection of SQLAlchemy's, got {type(source).__name__} {source!r}"
        )
    engine = source if isinstance(source, Engine) else create_engine(source)
    try:
        with engine.connect() as connection:
            return _read(connection, schema)
    except SQLAlchemyError as error:
        raise ReadingError(
            "django-celery-beat",
            None,
            f"the database can't be read: {without_secrets(safe_str(error).splitlines()[0])}",
        ) from None
    finally:
        if engine is not source:
            engine.dispose()


def _read(
    connection: Connection, schema: str | None
) -> tuple[list[dict[str, Any]], dict[str, dict[Any, dict[str, Any]]]]:
    from sqlalchemy import MetaData, Table, inspect, select

    there = set(inspect(connection).get_table_names(schema=schema))
    missing = {_TASKS, *_SCHEDULES.values()} - there
    if missing:
        raise ReadingError(
            "django-celery-beat",
            None,
            f"expected the tables of django-celery-beat, and {', '.join(sorted(missing))} isn't there: is it another database, or schema=…?",
        )
    metadata = MetaData(schema=schema)

    def rows(name: str) -> list[dict[str, Any]]:
        table = Table(name, metadata, autoload_with=connection, resolve_fks=False)
        return [dict(row) for row in connection.execute(select(table).order_by(table.c.id)).mappings()]

    schedules = {column: {row["id"]: row for row in rows(name)} for column, name in _SCHEDULES.items()}
    return rows(_TASKS), schedules


def _plan(
    planner: Planner, target: Target, row: dict[str, Any], schedules: dict[str, dict[Any, dict[str, Any]]]
) -> None:
    place = f"{_TASKS} {row['id']}"
    notes: list[str] = []
    limits = {
        name: _moment(row[column], planner)
        for name, column in (("start_date", "start_time"), ("end_date", "expires"))
        if row.get(column) is not None
    }
    try:
        task = _task(row)
        trigger = _trigger(planner, row, schedules, limits, notes)
    except (TriggerError, ValueError) as error:
        raise ReadingError(planner.source, None, f"{place} ({row['name']!r}): {safe_str(error)}") from error
    if trigger is None:
        planner.leave_out(place, row["name"], "it has no schedule")
        return
    options: dict[str, Any] = {"max_runs": 1} if row.get("one_off") else {}
    is_over = bool(row.get("one_off")) and bool(row.get("total_run_count"))
    if is_over:
        notes.append("it was to run once, and has run")
    if row.get("description"):
        options["metadata"] = {"description": row["description"]}
    is_paused = not row["enabled"] or is_over
    target.plan(
        planner, row["name"], task, trigger, place=place, notes=notes, is_paused=is_paused, options=options
    )


def _task(row: dict[str, Any]) -> Task:
    args, kwargs = json.loads(row["args"] or "[]"), json.loads(row["kwargs"] or "{}")
    headers = json.loads(row.get("headers") or "{}")
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise ValueError(  # noqa: TRY004 - of what is stored
            f"expected args to be a list and kwargs an object, as JSON, got {row['args']!r} and {row['kwargs']!r}"
        )
    options = {name: row[name] for name in _MESSAGE_COLUMNS if row.get(name) not in (None, "")}
    if row.get("expire_seconds") is not None:
        options["expires"] = row["expire_seconds"]
    if headers:
        options["headers"] = headers
    return Task(row["task"], tuple(args), kwargs, options)


def _trigger(
    planner: Planner,
    row: dict[str, Any],
    schedules: dict[str, dict[Any, dict[str, Any]]],
    limits: dict[str, Any],
    notes: list[str],
) -> BaseTrigger | None:
    column = next(
        (
            column
            for column in ("interval_id", "crontab_id", "solar_id", "clocked_id")
            if row.get(column) is not None
        ),
        None,
    )
    if column is None:
        return None
    schedule = schedules[column].get(row[column])
    if schedule is None:
        raise ValueError(f"its schedule, {_SCHEDULES[column]} {row[column]}, isn't there")
    if column == "crontab_id":
        zone = zone_of(schedule.get("timezone") or "UTC", f"{_SCHEDULES[column]} {schedule['id']}", None)
        return crontab([str(schedule[name]) for name in _CRON_COLUMNS], zone, limits)
    if column == "solar_id":
        return solar(schedule["event"], schedule["latitude"], schedule["longitude"], planner.timezone, limits)
    if column == "clocked_id":
        return DateTrigger(_moment(schedule["clocked_time"], planner))
    every = timedelta(**{schedule["period"]: schedule["every"]})
    if "start_date" not in limits and row.get("last_run_at") is not None:
        limits = {**limits, "start_date": _moment(row["last_run_at"], planner)}  # where it goes on from
    return interval(every, planner.timezone, limits, notes)


def _moment(value: Any, planner: Planner) -> datetime:
    """A point in time of the database; some give text."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=planner.timezone)
