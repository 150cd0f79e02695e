"""What the parts of one store have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import type_coerce
from sqlalchemy.types import NullType

from mainspring.jobstores.shared.audit import entries_of
from mainspring.jobstores.shared.node_context import NodeContext
from mainspring.jobstores.shared.rows import COLUMNS, Unreadable
from mainspring.jobstores.sqlalchemy.audit import enter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection

    from mainspring.jobstores.shared.audit import Step
    from mainspring.jobstores.sqlalchemy.database import Database
    from mainspring.jobstores.sqlalchemy.groups import GroupTable
    from mainspring.jobstores.sqlalchemy.runs import RunTable
    from mainspring.jobstores.sqlalchemy.statements import Statements
    from mainspring.jobstores.sqlalchemy.tables import Tables
    from mainspring.model import JobRecord, RunKey


@dataclass(kw_only=True)
class Context(NodeContext):
    """A database with its tables, and how they are read."""

    database: Database
    tables: Tables
    statements: Statements
    runs: RunTable
    groups: GroupTable
    channel: str

    def job_of(self, row: Any) -> JobRecord | Unreadable:
        """The job of a row with `columns`, or why there is none."""
        return self.read(row)

    def jobs_of(self, rows: Iterable[Any]) -> list[JobRecord | Unreadable]:
        """The jobs of rows that were read together: each function is looked for once."""
        functions: dict[str, Any] = {}
        return [self.read(row, functions) for row in rows]

    @property
    def columns(self) -> list[ColumnElement[Any]]:
        """What a job is made of, of the table of jobs, as the driver gives it: what can't be read is for `job_of` to say."""
        return [type_coerce(self.tables.jobs.c[name], NullType()).label(name) for name in COLUMNS]

    def ask_time(self, connection: Connection) -> None:
        """Ask the database what time it is, if it has a clock."""
        if self.database.has_clock:
            asked = self.clock.monotonic()
            self.measured(asked, self.database.now(connection))

    def note(self, connection: Connection, step: Step, subjects: Iterable[str | RunKey]) -> None:
        """Write down who has done this to jobs, or runs, in the same transaction, if somebody acts."""
        enter(connection, self.tables, entries_of(self.now(), step, subjects))

    def announce(self, connection: Connection, next_run_times: Iterable[datetime | None]) -> None:
        """Have other nodes look at once, where they would be late otherwise."""
        if self.is_soon(next_run_times):
            self.database.notify(connection, self.channel, str(self.token))
