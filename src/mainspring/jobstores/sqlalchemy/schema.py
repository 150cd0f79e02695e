"""Creates the tables, and sees to it that they are ours and of a version that is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, select

from mainspring.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import MetaData
    from sqlalchemy.engine import Connection

    from mainspring.jobstores.sqlalchemy.database import Database
    from mainspring.jobstores.sqlalchemy.tables import Tables

#: Counted up when the tables change; what migrates from one to the next comes with the second.
VERSION = 1


def create_tables(database: Database, tables: Tables, metadata: MetaData) -> None:
    """Create the tables where they aren't there; nodes that start at once do so one after another.

    Raises:
        ConfigurationError: the tables are something else's, or a newer release's.
    """
    with database.changing_schema() as connection:
        _refuse_others(connection, tables)
        metadata.create_all(connection, tables=list(tables))
        version = connection.execute(select(tables.schema.c.version)).scalar_one_or_none()
        if version is None:
            connection.execute(tables.schema.insert().values(version=VERSION))
        elif version > VERSION:
            raise ConfigurationError(
                f"the tables of {tables.jobs.fullname!r} have version {version}, but only {VERSION} and older are understood: "
                "a newer release has made or changed them, upgrade this one"
            )


def _refuse_others(connection: Connection, tables: Tables) -> None:
    table = tables.jobs
    known = inspect(connection)
    if not known.has_table(table.name, schema=table.schema):
        return
    columns = {column["name"] for column in known.get_columns(table.name, schema=table.schema)}
    missing = [column.name for column in table.columns if column.name not in columns]
    if missing:
        whose = " It is APScheduler's." if "job_state" in columns else ""
        raise ConfigurationError(
            f"the table {table.fullname!r} is not a table of mainspring's jobs: it has no column {missing[0]!r}.{whose} "
            "Give another tablename"
        )
