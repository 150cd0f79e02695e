"""Jobs that come from APScheduler, and the table of what has become of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, String, Table, inspect, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateTable

from mainspring.errors import ConfigurationError
from mainspring.jobstores.shared.failures import Failure
from mainspring.jobstores.shared.outage import said_by
from mainspring.jobstores.shared.predecessor import COMPLETE, Marks
from mainspring.jobstores.sqlalchemy.tables import ADOPTED, ID_TYPE, UtcTime, table_beside

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from mainspring.jobstores.sqlalchemy.context import Context
    from mainspring.jobstores.sqlalchemy.job_table import JobTable
    from mainspring.model import JobRecord


class Adoptions:
    """The table of marks, which is made when there is something to be marked."""

    def __init__(self, context: Context, jobs: JobTable) -> None:
        self._context = context
        self._jobs = jobs
        self._marks = Table(
            table_beside(context.tables.jobs.name, ADOPTED),
            MetaData(),
            Column("source", ID_TYPE, primary_key=True),
            Column("job_id", ID_TYPE, primary_key=True),
            Column("outcome", String(20), nullable=False),
            Column("updated", UtcTime, nullable=False),
            schema=context.tables.jobs.schema,
            mysql_engine="InnoDB",
        )

    def marks(self, source: str) -> Marks:
        """See `HasPredecessor.adoption_marks`."""

        def look() -> dict[str, str]:
            with self._context.database.reading() as connection:
                return self._known(connection, source) if self._is_there(connection) else {}

        return Marks.of(self._context.database.run(look))

    def _is_there(self, connection: Connection) -> bool:
        return inspect(connection).has_table(self._marks.name, schema=self._marks.schema)

    def _known(self, connection: Connection, source: str) -> dict[str, str]:
        marks = self._marks.c
        found = connection.execute(select(marks.job_id, marks.outcome).where(marks.source == source))
        return {row.job_id: row.outcome for row in found}

    def adopt(
        self,
        source: str,
        records: Sequence[JobRecord],
        outcomes: Mapping[str, str],
        seen: Mapping[str, str],
        *,
        completes: bool,
    ) -> bool:
        """See `HasPredecessor.adopt_records`: all of it in one transaction."""
        context, now = self._context, self._context.now()
        with context.database.reading() as connection:
            is_there = self._is_there(connection)
        if not is_there:
            self._create()
        rows = [self._jobs.new_row(record, now) for record in records]
        wanted = {**outcomes, **(dict([COMPLETE]) if completes else {})}

        def write() -> bool:
            try:
                with context.database.writing() as connection:
                    # First: of two nodes that do this at once, one waits here for the other, and finds that it was done.
                    self._mark(connection, source, wanted, seen, now)
                    if rows:
                        context.statements.add(connection, rows)
                        context.note(connection, "add", (row["id"] for row in rows))
                        context.announce(connection, (row["next_run_time"] for row in rows))
            except (IntegrityError, _ElsewhereError):
                return False
            return True

        def was_done() -> bool | None:
            with context.database.reading() as connection:
                known = self._known(connection, source)
            return all(known.get(job_id) == outcome for job_id, outcome in wanted.items()) or None

        return context.database.run(write, was_done=was_done)

    def _create(self) -> None:
        """Make the table of marks.

        Raises:
            ConfigurationError: this user may not.
        """
        database = self._context.database
        try:
            with database.changing_schema() as connection:
                self._marks.create(connection, checkfirst=True)
        except Exception as error:
            if database.outage.failure_of(error) is Failure.PERMANENT and database.has_clock:
                statement = str(CreateTable(self._marks).compile(dialect=database.engine.dialect)).strip()
                raise ConfigurationError(
                    f"a table is needed that this user may not make: {said_by(error).rstrip('.')}. Have somebody run this who may, and let this user read "
                    f"and write it: {' '.join(statement.split())}"
                ) from error
            raise

    def _mark(
        self,
        connection: Connection,
        source: str,
        wanted: Mapping[str, str],
        seen: Mapping[str, str],
        now: datetime,
    ) -> None:
        known = self._known(connection, source)
        marks = self._marks.c
        new = []
        for job_id, outcome in wanted.items():
            if job_id not in known:
                new.append({"source": source, "job_id": job_id, "outcome": outcome, "updated": now})
            elif job_id == COMPLETE[0]:
                continue
            elif known[job_id] != seen.get(job_id):
                raise _ElsewhereError
            else:
                as_read = (marks.source == source, marks.job_id == job_id, marks.outcome == known[job_id])
                changed = update(self._marks).where(*as_read).values(outcome=outcome, updated=now)
                if connection.execute(changed).rowcount != 1:
                    raise _ElsewhereError
        if new:
            connection.execute(self._marks.insert(), new)


class _ElsewhereError(Exception):
    """Another node has changed a mark."""
