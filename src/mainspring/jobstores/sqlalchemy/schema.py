"""Creates the tables, brings old ones up to date, and sees to it that they are ours and of a version that is understood.

Nodes of several releases may use the same tables, as while a program is upgraded node by node. So most of what a release adds are columns,
indexes and tables that older ones needn't know: they are added where they are missing, and the version stays. It is counted up only for what older releases
can't use; then no node of theirs may be at work, and none of them starts any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import create_mock_engine, insert, inspect, literal_column, select
from sqlalchemy.engine import URL

from mainspring.errors import ConfigurationError
from mainspring.jobstores.shared.versions import refuse_living, refuse_newer
from mainspring.jobstores.sqlalchemy import nodes
from mainspring.jobstores.sqlalchemy.grants import refuse_missing_grants
from mainspring.jobstores.sqlalchemy.tables import indexes_of

if TYPE_CHECKING:
    from datetime import datetime
    from types import ModuleType

    from sqlalchemy import MetaData, Table
    from sqlalchemy.engine import Connection

    from mainspring.jobstores.sqlalchemy.database import Database
    from mainspring.jobstores.sqlalchemy.tables import Tables

#: Counted up when the tables change so that older releases can't use them; `migrations` has a step for each.
VERSION = 3


def create_tables(database: Database, tables: Tables, metadata: MetaData, now: datetime) -> None:
    """Create the tables where they aren't there, and migrate older ones; nodes that start at once do so one after another.

    Args:
        now: by the machine's clock, for databases that have none.

    Raises:
        ConfigurationError: the tables are something else's, or a newer release's; or they are to be migrated, and Alembic is
            not installed, or nodes of an older release are at work that couldn't use them any more.
    """
    with database.changing_schema() as connection:
        _refuse_namesake(connection, tables)
        there = _refuse_others(connection, tables, by_keys=True)
        refuse_missing_grants(connection, there)
        version = _version(connection, tables)
        if version is not None and _is_behind(connection, tables, version):
            if version < VERSION:
                moment = database.now(connection) if database.has_clock else now
                refuse_living(_what(tables), version, VERSION, nodes.known(connection, tables), moment)
            _migrations().migrate(connection, tables, version)
        _refuse_others(connection, tables)
        metadata.create_all(connection, tables=list(tables))
        if version is None:
            connection.execute(tables.schema.insert().values(version=VERSION))


def pending_migration(database: Database, tables: Tables, metadata: MetaData) -> str:
    """The SQL that `create_tables` would create tables with, or bring older ones up to date; empty where there is nothing to be done.

    Raises:
        ConfigurationError: as for `create_tables`.
    """
    with database.reading() as connection:
        _refuse_namesake(connection, tables)
        _refuse_others(connection, tables, by_keys=True)
        version = _version(connection, tables)
        missing = _missing(connection, tables)
        if version is None:
            _refuse_others(connection, tables)
            return _creation(connection, tables, metadata, missing, has_version=tables.schema not in missing)
        if not _is_behind(connection, tables, version):
            return _creation(connection, tables, metadata, missing, has_version=True)
        return str(_migrations().statements(connection, tables, version))


def has_tables(connection: Connection, tables: Tables) -> bool:
    """Whether the tables are there, of whichever version."""
    return _version(connection, tables) is not None


def refuse_newer_tables(connection: Connection, tables: Tables) -> None:
    """See to it that the tables are still of a version that is understood.

    Raises:
        ConfigurationError: a newer release has changed them since this node was started.
    """
    version = connection.execute(select(tables.schema.c.version)).scalar_one_or_none()
    refuse_newer(_what(tables), version or 0, VERSION)


def _what(tables: Tables) -> str:
    return f"the tables of {tables.jobs.fullname!r}"


def _columns(connection: Connection, tables: Tables) -> dict[Table, set[str]]:
    """The names of the columns of those tables that are there."""
    # Not by `has_table`: MariaDB refuses to say that of a table that this user may not read.
    place, by_name = tables.jobs.schema, {table.name: table for table in tables}
    found = inspect(connection).get_multi_columns(schema=place, filter_names=list(by_name))
    return {by_name[name]: {column["name"] for column in columns} for (_, name), columns in found.items()}


def _missing(connection: Connection, tables: Tables) -> list[Table]:
    there = _columns(connection, tables)
    return [table for table in tables if table not in there]


def _creation(
    connection: Connection, tables: Tables, metadata: MetaData, missing: list[Table], *, has_version: bool
) -> str:
    """The statements that create tables which aren't there."""
    dialect = connection.dialect
    written: list[str] = []

    def write(statement: Any, *_: Any, **__: Any) -> None:
        written.append(f"{str(statement.compile(dialect=dialect)).strip()};")

    if missing:
        metadata.create_all(
            create_mock_engine(URL.create(f"{dialect.name}+{dialect.driver}"), write),
            tables=missing,
            checkfirst=False,
        )
    if not has_version:
        write(insert(tables.schema).values(version=literal_column(str(VERSION))))
    return "".join(f"{statement}\n\n" for statement in written)


def _is_behind(connection: Connection, tables: Tables, version: int) -> bool:
    """Whether tables are to be migrated: they have an older version, or lack columns or indexes that were added since they were made."""
    if version < VERSION:
        return True
    there = _columns(connection, tables)
    if any(column.name not in columns for table, columns in there.items() for column in table.columns):
        return True
    found = inspect(connection).get_multi_indexes(
        schema=tables.jobs.schema, filter_names=[table.name for table in there]
    )
    present = {index["name"] for indexes in found.values() for index in indexes}
    return any(
        index.name not in present for table in there for index in indexes_of(table, connection.dialect.name)
    )


def _version(connection: Connection, tables: Tables) -> int | None:
    """The version of the tables; ``None`` where there are none."""
    if tables.schema not in _columns(connection, tables):
        return None
    version = connection.execute(select(tables.schema.c.version)).scalar_one_or_none()
    if version is not None:
        refuse_newer(_what(tables), version, VERSION)
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


def _refuse_namesake(connection: Connection, tables: Tables) -> None:
    """See to it that no other store has its jobs in a table after which its other tables are named like those of this one: "x" and "x_jobs".

    Raises:
        ConfigurationError: there is one.
    """
    name, schema = tables.jobs.name, tables.jobs.schema
    stem = name.removesuffix("_jobs")
    other = stem if name != stem else f"{stem}_jobs"
    known = inspect(connection)
    # Databases that take names for the same which differ in capitals alone show them as they were given.
    found = [one for one in known.get_table_names(schema=schema) if one.lower() == other.lower()]
    if connection.dialect.name == "postgresql":
        found = [one for one in found if one == other]
    for one in found:
        columns = {column["name"] for column in known.get_columns(one, schema=schema)}
        if {column.name for column in tables.jobs.columns if not column.nullable} <= columns:
            raise ConfigurationError(
                f"this database has the jobs of another store in the table {one!r}, whose runs are in {tables.runs.name!r} like those of "
                f"{name!r}: the end _jobs is left off when the other tables are named. Give another tablename or a namespace; if it is the "
                f"same store under its old name, give it that one, or rename the table while no node runs"
            )


def _refuse_others(connection: Connection, tables: Tables, *, by_keys: bool = False) -> list[Table]:
    """See to it that tables of these names are ours; those that are there.

    Args:
        by_keys: look only for the columns that tables of all versions have.
    """
    there = _columns(connection, tables)
    for table, columns in there.items():
        wanted = table.primary_key if by_keys else table.columns
        missing = [column.name for column in wanted if column.name not in columns]
        if missing:
            whose = " It is APScheduler's." if "job_state" in columns else ""
            raise ConfigurationError(
                f"the table {table.fullname!r} is not a table of mainspring's jobs: it has no column {missing[0]!r}.{whose} "
                "Give another tablename, after which all tables of the store are named"
            )
    return list(there)
