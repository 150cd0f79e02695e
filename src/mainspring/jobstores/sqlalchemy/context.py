"""What the parts of one store have in common."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from sqlalchemy import type_coerce
from sqlalchemy.types import NullType

from mainspring.jobstores.sqlalchemy.rows import COLUMNS, Unreadable, read

if TYPE_CHECKING:
    import logging

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection

    from mainspring.clock import Clock
    from mainspring.jobstores.sqlalchemy.database import Database
    from mainspring.jobstores.sqlalchemy.groups import GroupTable
    from mainspring.jobstores.sqlalchemy.runs import RunTable
    from mainspring.jobstores.sqlalchemy.statements import Statements
    from mainspring.jobstores.sqlalchemy.tables import Tables
    from mainspring.model import JobRecord
    from mainspring.serializers.arguments import ArgumentSerializer


@dataclass
class Context:
    """A database with its tables, and how they are read.

    Attributes:
        offset: by how much the database's clock is ahead of `clock`.
        timezone: for jobs whose trigger has none.
        node_name: what this node is called.
    """

    database: Database
    tables: Tables
    statements: Statements
    runs: RunTable
    groups: GroupTable
    arguments: ArgumentSerializer
    clock: Clock
    logger: logging.Logger
    node_name: str
    timezone: tzinfo = UTC
    offset: timedelta = timedelta(0)

    def job_of(self, row: Any) -> JobRecord | Unreadable:
        """The job of a row with `columns`, or why there is none."""
        return read(row, self.arguments, self.timezone)

    @property
    def columns(self) -> list[ColumnElement[Any]]:
        """What a job is made of, of the table of jobs, as the driver gives it: what can't be read is for `job_of` to say."""
        return [type_coerce(self.tables.jobs.c[name], NullType()).label(name) for name in COLUMNS]

    def now(self) -> datetime:
        """The present by the database's clock."""
        return self.clock.now(UTC) + self.offset

    def measure_offset(self, connection: Connection) -> None:
        """Find out by how much the database's clock is ahead of ours."""
        if self.database.has_clock:
            before = self.clock.now(UTC)
            theirs = self.database.now(connection)
            after = self.clock.now(UTC)
            self.offset = theirs - (before + (after - before) / 2)
