"""Creates the tables, brings old ones up to date, and sees to it that they are ours and of a version that is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, select

from mainspring.errors import ConfigurationError

if TYPE_CHECKING:
    from types import ModuleType

    from sqlalchemy import MetaData
    from sqlalchemy.engine import Connection

    from mainspring.jobstores.sqlalchemy.database import Database
    from mainspring.jobstores.sqlalchemy.tables import Tables

#: Counted up when the tables change; `migrations` has a step for each.
VERSION = 3


def create_tables(database: Database, tables: Tables, metadata: MetaData) -> None:
    """Create the tables where they aren't there, and migrate older ones; nodes that start at once do so one after another.

    Raises:
        ConfigurationError: the tables are something else's, or a newer release's; or they are to be migrated, and Alembic is
            not installed.
    """
    with database.changing_schema() as connection:
        version = _version(connection, tables)
        if version is not None and _is_behind(connection, tables, version):
            _migrations().migrate(connection, tables, min(version, VERSION - 1))
        _refuse_others(connection, tables)
        metadata.create_all(connection, tables=list(tables))
        if version is None:
            connection.execute(tables.schema.insert().values(version=VERSION))


def pending_migration(database: Database, tables: Tables) -> str:
    """The SQL that `create_tables` would bring older tables up to date with; empty where there is nothing to be done.

    Raises:
        ConfigurationError: as for `create_tables`.
    """
    with database.reading() as connection:
        version = _version(connection, tables)
        if version is None or not _is_behind(connection, tables, version):
            return ""
        return str(_migrations().statements(connection, tables, min(version, VERSION - 1)))


def _is_behind(connection: Connection, tables: Tables, version: int) -> bool:
    """Whether tables are to be migrated: they have an older version, or were made before all of this one was there.

    The last version has grown until it was released, and each step of a migration adds what is missing.
    """
    runs = tables.runs
    if version < VERSION:
        return True
    known = {column["name"] for column in inspect(connection).get_columns(runs.name, schema=runs.schema)}
    return any(column.name not in known for column in runs.columns)


def _version(connection: Connection, tables: Tables) -> int | None:
    """The version of the tables; ``None`` where there are none."""
    schema = tables.schema
    if not inspect(connection).has_table(schema.name, schema=schema.schema):
        return None
    version = connection.execute(select(schema.c.version)).scalar_one_or_none()
    if version is not None and version > VERSION:
        raise ConfigurationError(
            f"the tables of {tables.jobs.fullname!r} have version {version}, but only {VERSION} and older are understood: "
            "a newer release has made or changed them, upgrade this one"
        )
    return version


def _migrations() -> ModuleType:
    try:
        from mainspring.jobstores.sqlalchemy import migrations
    except ImportError as error:
        raise ConfigurationError(
            "the tables of the job store were made by an older release, and are migrated with Alembic, which is not installed: "
            'pip install "mainspring[sqlalchemy]"'
        ) from error
    return migrations


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
