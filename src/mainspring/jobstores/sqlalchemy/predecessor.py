"""APScheduler's table of jobs, in the database of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, String, Table, inspect, select, update
from sqlalchemy.exc import IntegrityError

from mainspring.jobstores.shared.predecessor import OldJob, Predecessor
from mainspring.jobstores.sqlalchemy.tables import ADOPTED, ID_TYPE, UtcTime, table_beside

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.engine import Connection

    from mainspring.jobstores.sqlalchemy.context import Context
    from mainspring.jobstores.sqlalchemy.job_table import JobTable
    from mainspring.model import JobRecord

#: The name that APScheduler's table has unless another is given.
USUAL_NAME = "apscheduler_jobs"
_COLUMNS = ("id", "next_run_time", "job_state")
#: So many jobs are asked for in one statement.
_CHUNK = 500


def own_name(old_name: str) -> str:
    """The name of our table of jobs where APScheduler's has this one."""
    return f"mainspring_{old_name.removeprefix('apscheduler_')}"


class OldTable(Predecessor):
    """A table of APScheduler's, and our table of marks beside it."""

    def __init__(self, context: Context, jobs: JobTable, name: str) -> None:
        self._context = context
        self._jobs = jobs
        schema = context.tables.jobs.schema
        self.place = f"table {name if schema is None else f'{schema}.{name}'!r}"
        metadata = MetaData()
        self._old = Table(name, metadata, *(Column(column) for column in _COLUMNS), schema=schema)
        self._marks = Table(
            table_beside(context.tables.jobs.name, ADOPTED),
            metadata,
            Column("job_id", ID_TYPE, primary_key=True),
            Column("outcome", String(20), nullable=False),
            Column("updated", UtcTime, nullable=False),
            schema=schema,
            mysql_engine="InnoDB",
        )

    @classmethod
    def found(cls, context: Context, jobs: JobTable, name: str) -> OldTable | None:
        """The table of this name, if it is there and APScheduler's."""

        def look() -> bool:
            with context.database.reading() as connection:
                schema = context.tables.jobs.schema
                found = inspect(connection).get_multi_columns(schema=schema, filter_names=[name])
                return any(
                    {"id", "job_state"} <= {one["name"] for one in columns} for columns in found.values()
                )

        return cls(context, jobs, name) if context.database.run(look) else None

    def ids(self) -> list[str]:
        """See `Predecessor.ids`."""

        def look() -> list[str]:
            with self._context.database.reading() as connection:
                old = self._old.c
                return [
                    str(one) for one in connection.scalars(select(old.id).order_by(old.next_run_time, old.id))
                ]

        return self._context.database.run(look)

    def jobs(self, ids: Sequence[str]) -> list[OldJob]:
        """See `Predecessor.jobs`."""

        def look() -> dict[str, bytes]:
            with self._context.database.reading() as connection:
                old = self._old.c
                return {
                    str(row.id): bytes(row.job_state)
                    for at in range(0, len(ids), _CHUNK)
                    for row in connection.execute(
                        select(old.id, old.job_state).where(old.id.in_(ids[at : at + _CHUNK]))
                    )
                }

        states = self._context.database.run(look)
        return [OldJob(one, states[one]) for one in ids if one in states]

    def marks(self) -> dict[str, str]:
        """See `Predecessor.marks`."""

        def look() -> dict[str, str]:
            with self._context.database.reading() as connection:
                return self._known(connection) if self._is_there(connection) else {}

        return self._context.database.run(look)

    def _is_there(self, connection: Connection) -> bool:
        return inspect(connection).has_table(self._marks.name, schema=self._marks.schema)

    def _known(self, connection: Connection) -> dict[str, str]:
        marks = self._marks.c
        return {row.job_id: row.outcome for row in connection.execute(select(marks.job_id, marks.outcome))}

    def adopt(self, records: Sequence[JobRecord], marks: Mapping[str, str]) -> bool:
        """See `Predecessor.adopt`."""
        context, now = self._context, self._context.now()
        with context.database.changing_schema() as connection:
            self._marks.create(connection, checkfirst=True)
        rows = [self._jobs.new_row(record, now) for record in records]

        def write() -> bool:
            try:
                with context.database.writing() as connection:
                    known = self._known(connection)
                    new = [
                        {"job_id": job_id, "outcome": outcome, "updated": now}
                        for job_id, outcome in marks.items()
                        if job_id not in known
                    ]
                    # First: of two nodes that do this at once, one waits here for the other, and finds that it was done.
                    if new:
                        connection.execute(self._marks.insert(), new)
                    for job_id, outcome in marks.items():
                        if job_id in known and known[job_id] != outcome:
                            changed = (
                                update(self._marks)
                                .where(self._marks.c.job_id == job_id, self._marks.c.outcome == known[job_id])
                                .values(outcome=outcome, updated=now)
                            )
                            if connection.execute(changed).rowcount != 1:
                                raise _ElsewhereError  # noqa: TRY301 - undoes the transaction
                    if rows:
                        context.statements.add(connection, rows)
                        context.announce(connection, (row["next_run_time"] for row in rows))
            except (IntegrityError, _ElsewhereError):
                return False
            return True

        return context.database.run(write, was_done=lambda: self._was_done(marks) or None)

    def _was_done(self, marks: Mapping[str, str]) -> bool:
        known = self.marks()
        return all(known.get(job_id) == outcome for job_id, outcome in marks.items())


class _ElsewhereError(Exception):
    """Another node has changed a mark."""
