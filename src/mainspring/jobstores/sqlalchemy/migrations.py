"""Brings tables that an older release made to the present version, one step for each version, with Alembic's operations."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, inspect, literal_column, update
from sqlalchemy.schema import CreateIndex, CreateTable

from mainspring.jobstores.sqlalchemy.tables import indexes_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from mainspring.jobstores.sqlalchemy.tables import Tables


def migrate(connection: Connection, tables: Tables, version: int) -> None:
    """Bring the tables from `version` to the present one, in the transaction of `connection`.

    Where statements that change tables end a transaction (MySQL), what was done stays done when a later step fails, and
    is not done again at the next try.
    """
    _take_steps(Operations(MigrationContext.configure(connection)), connection, tables, version)


def statements(connection: Connection, tables: Tables, version: int) -> str:
    """What `migrate` would do, as SQL; nothing is done."""
    written = StringIO()
    context = MigrationContext.configure(
        dialect=connection.dialect, opts={"as_sql": True, "output_buffer": written}
    )
    _take_steps(Operations(context), connection, tables, version)
    return written.getvalue()


def _take_steps(operations: Operations, connection: Connection, tables: Tables, version: int) -> None:
    for table in tables:
        _add_missing(operations, connection, table)
    for number, step in enumerate(_STEPS, start=2):
        if number > version:
            step(operations, connection, tables)
            operations.execute(update(tables.schema).values(version=literal_column(str(number))))


def _to_2(operations: Operations, connection: Connection, tables: Tables) -> None:
    """Jobs have tags: a column."""


def _to_3(operations: Operations, connection: Connection, tables: Tables) -> None:
    """Jobs have a priority, come after others, and remember their past; runs tell more of themselves: columns, indexes, and a table of groups."""


#: The steps to version 2, 3 and so on, besides tables, columns and indexes that are new. Once released, a step is not changed any more.
_STEPS: list[Callable[[Operations, Connection, Tables], None]] = [_to_2, _to_3]


def _add_missing(operations: Operations, connection: Connection, table: Table) -> None:
    """Make a table that isn't there, or add what it lacks; older releases write rows without it."""
    known = inspect(connection)
    indexes = indexes_of(table, connection.dialect.name)
    if known.has_table(table.name, schema=table.schema):
        columns = {one["name"] for one in known.get_columns(table.name, schema=table.schema)}
        for column in table.columns:
            if column.name not in columns:
                new: Column[object] = Column(
                    column.name, column.type, nullable=column.nullable, server_default=column.server_default
                )
                operations.add_column(table.name, new, schema=table.schema)
        there = {one["name"] for one in known.get_indexes(table.name, schema=table.schema)}
        indexes = [index for index in indexes if index.name not in there]
    else:
        operations.execute(CreateTable(table))
    for index in indexes:
        operations.execute(CreateIndex(index))
