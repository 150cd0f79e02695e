"""The schedules of the alpha of APScheduler 4.0, in the tables of its ``SQLAlchemyDataStore``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, MetaData, Table, select

from mainspring.errors import SerializationError
from mainspring.jobstores.shared.predecessor import OldJob, OldJobs, source_of
from mainspring.jobstores.sqlalchemy.addresses import where_of
from mainspring.jobstores.sqlalchemy.predecessor import address_of
from mainspring.serializers.v4_alpha import read_value, renamed, trigger_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.engine import Connection, RowMapping

    from mainspring.jobstores.shared.predecessor import ReadPickle
    from mainspring.jobstores.sqlalchemy.predecessor import Reader

#: What of the tables there is no need to have been written by one release of several.
_SCHEDULE = ("id", "task_id", "trigger", "args", "kwargs", "paused", "coalesce", "misfire_grace_time")
_MORE = ("max_jitter", "job_executor", "metadata", "next_fire_time", "next_fire_time_utcoffset")
_TASK = ("id", "func", "max_running_jobs")
_QUEUED = ("id", "task_id", "schedule_id")
#: Executors that every scheduler of the alpha has.
_USUAL_EXECUTORS = {"async": "default", "threadpool": "default", "processpool": "processpool"}
#: What "as many as there are" is here.
_UNLIMITED = 1_000_000


class Schedule(OldJob):
    """A schedule, with its task."""

    def __init__(self, row: RowMapping, task: RowMapping | None) -> None:
        self.id = str(row["id"])
        self._row, self._task = row, task
        self._lost: list[str] = []

    def values(self, read: ReadPickle) -> dict[str, Any]:
        """See `OldJob.values`."""
        row, task = self._row, self._task
        if task is None or not task["func"]:
            raise SerializationError(f"its task {row['task_id']!r} has no function that is stored")
        trigger, self._lost = trigger_of(read_value(_bytes(row["trigger"]), _reading(read)))
        if row.get("max_jitter"):
            self._lost.append("its max_jitter isn't kept: give its trigger a jitter")
        if row.get("metadata") not in (None, {}, "{}"):
            self._lost.append("its metadata isn't kept")
        executor = str(row.get("job_executor") or "default")
        if executor == "processpool":
            self._lost.append("it needs an executor 'processpool' of this scheduler")
        return {
            "version": 1,
            "id": self.id,
            "name": str(row["task_id"]),
            "func": task["func"],
            "trigger": trigger,
            "args": tuple(read_value(_bytes(row["args"]), _reading(read))),
            "kwargs": dict(read_value(_bytes(row["kwargs"]), _reading(read))),
            "executor": _USUAL_EXECUTORS.get(executor, executor),
            "misfire_grace_time": _seconds(row["misfire_grace_time"]),
            "coalesce": str(row["coalesce"]) != "all",
            "max_instances": task["max_running_jobs"] or _UNLIMITED,
            "next_run_time": None if row["paused"] else _moment(row),
        }

    def lost(self) -> list[str]:
        """See `OldJob.lost`."""
        return self._lost


class QueuedRun(OldJob):
    """What the alpha calls a job: a run that waits for a worker."""

    def __init__(self, row: RowMapping) -> None:
        self.id = f"job {row['id']}"
        self._of = row["schedule_id"] or row["task_id"]

    def values(self, read: ReadPickle) -> dict[str, Any]:
        """See `OldJob.values`."""
        del read
        raise SerializationError(
            f"it is a run of {self._of!r} that waits for a worker of the alpha, and no schedule: let the alpha finish it, or run it again here"
        )


class OldSchedules(OldJobs):
    """The tables of an alpha of APScheduler 4.0."""

    def __init__(self, reader: Reader, schema: str | None, columns: set[str]) -> None:
        self._reader = reader
        self.address = address_of(reader.url, schema, "schedules")
        self.place = f"tables 'schedules' and 'tasks' of {where_of(reader.url)}"
        self.source = source_of(self.address)
        there = [name for name in (*_SCHEDULE, *_MORE) if name in columns]
        self._schedules = _table("schedules", there, schema)
        self._tasks = _table("tasks", _TASK, schema)
        self._jobs = _table("jobs", _QUEUED, schema)
        self._has_jobs = set(_QUEUED) <= reader.columns(schema, "jobs")

    @classmethod
    def found(cls, reader: Reader, schema: str | None) -> OldSchedules | None:
        """The tables, if they are there and the alpha's."""
        columns = reader.columns(schema, "schedules")
        is_there = set(_SCHEDULE) <= columns and set(_TASK) <= reader.columns(schema, "tasks")
        return cls(reader, schema, columns) if is_there else None

    def ids(self) -> list[str]:
        """See `OldJobs.ids`."""
        schedules, jobs = self._schedules.c, self._jobs.c

        def look(connection: Connection) -> list[str]:
            found = [
                str(one)
                for one in connection.scalars(
                    select(schedules.id).order_by(schedules.next_fire_time, schedules.id)
                )
            ]
            if self._has_jobs:
                found += [f"job {one}" for one in connection.scalars(select(jobs.id).order_by(jobs.id))]
            return found

        return self._reader.ask(look)

    def jobs(self, ids: Sequence[str]) -> list[OldJob]:
        """See `OldJobs.jobs`."""

        def look(connection: Connection) -> dict[str, OldJob]:
            tasks = {row["id"]: row for row in connection.execute(select(self._tasks)).mappings()}
            found: dict[str, OldJob] = {}
            for row in connection.execute(select(self._schedules)).mappings():
                schedule = Schedule(row, tasks.get(row["task_id"]))
                found[schedule.id] = schedule
            if self._has_jobs:
                for row in connection.execute(select(self._jobs)).mappings():
                    run = QueuedRun(row)
                    found[run.id] = run
            return found

        found = self._reader.ask(look)
        return [found[one] for one in ids if one in found]


def _table(name: str, columns: Sequence[str], schema: str | None) -> Table:
    return Table(name, MetaData(), *(Column(column) for column in columns), schema=schema)


def _bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview | bytearray) else b""


def _reading(read: ReadPickle) -> Callable[[bytes], Any]:
    return lambda data: read(data, renamed)


def _seconds(value: Any) -> int | float | None:
    """A duration: an interval, where the database has these, and microseconds elsewhere."""
    if value is None:
        return None
    return value.total_seconds() if isinstance(value, timedelta) else value / 1_000_000


def _moment(row: RowMapping) -> datetime | None:
    """The next run time: a time with its zone, where the database has these, and microseconds elsewhere."""
    value = row.get("next_fire_time")
    if value is None or isinstance(value, datetime):
        return value
    offset = row.get("next_fire_time_utcoffset")
    zone = UTC if offset is None else timezone(timedelta(minutes=offset))
    return datetime.fromtimestamp(value / 1_000_000, UTC).astimezone(zone)
