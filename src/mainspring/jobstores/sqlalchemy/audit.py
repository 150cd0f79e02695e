"""The table of who has done what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select

from mainspring.jobstores.shared.audit import AuditEntry, AuditLog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from mainspring.jobstores.shared.audit import AuditQuery
    from mainspring.jobstores.sqlalchemy.database import Database
    from mainspring.jobstores.sqlalchemy.tables import Tables


def enter(connection: Connection, tables: Tables, entries: Sequence[AuditEntry]) -> None:
    """Add entries, in the transaction in which what they tell of is done."""
    if entries:
        connection.execute(insert(tables.audit), [entry._asdict() for entry in entries])


class AuditTable(AuditLog):
    """See `AuditLog`."""

    def __init__(self, database: Database, tables: Tables) -> None:
        self._database = database
        self._tables = tables

    def write(self, entries: Sequence[AuditEntry]) -> None:
        """See `AuditLog.write`."""

        def add() -> None:
            with self._database.writing() as connection:
                enter(connection, self._tables, entries)

        self._database.run(add)

    def entries(self, query: AuditQuery) -> list[AuditEntry]:
        """See `AuditLog.entries`."""
        audit = self._tables.audit
        statement = select(*(audit.c[name] for name in AuditEntry._fields)).order_by(audit.c.number.desc())
        if query.job_id is not None:
            statement = statement.where(audit.c.job_id == query.job_id)
        if query.who is not None:
            statement = statement.where(audit.c.who == query.who)
        if query.since is not None:
            statement = statement.where(audit.c.time >= query.since)

        def look() -> list[AuditEntry]:
            with self._database.reading() as connection:
                return [AuditEntry(*row) for row in connection.execute(statement.limit(query.limit))]

        return self._database.run(look)

    def prune(self, keep: int) -> None:
        """See `AuditLog.prune`."""
        number = self._tables.audit.c.number
        with self._database.reading() as connection:  # most times there is nothing to be removed
            first, last = connection.execute(select(func.min(number), func.max(number))).one()
        if first is not None and first <= last - keep:
            with self._database.writing() as connection:
                connection.execute(delete(self._tables.audit).where(number <= last - keep))
