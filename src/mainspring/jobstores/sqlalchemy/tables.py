"""The tables: jobs, their runs, and the nodes that run them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    Unicode,
    literal,
)
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import TypeDecorator

from mainspring.errors import ConfigurationError
from mainspring.jobstores.shared.audit import LONGEST_WHO
from mainspring.jobstores.shared.names import OF_DATABASES, length_of
from mainspring.jobstores.shared.rollups import NUMBERS
from mainspring.jobstores.shared.rows import read_time, time_text
from mainspring.model import TROUBLE
from mainspring.storable import LONGEST_KEY

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Dialect


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC to the microsecond, readable and in order in every database."""

    impl = String(26)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """What a column of this type is in a database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(String(26))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """A time as the driver takes it."""
        if value is None:
            return None
        if dialect.name == "postgresql":
            return value
        return (
            value.astimezone(UTC).replace(tzinfo=None)
            if dialect.name in ("mysql", "mariadb")
            else time_text(value)
        )

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - as declared
        """The time that the driver gives."""
        moment = read_time(value)
        return None if moment is None else moment.astimezone(UTC)


# Ids that differ in case or accents are different ids. MySQL's usual collations say otherwise.
_BINARY = {"charset": "utf8mb4", "collation": "utf8mb4_bin"}
_ID = Unicode(LONGEST_KEY).with_variant(mysql.VARCHAR(LONGEST_KEY, **_BINARY), "mysql", "mariadb")
#: Of the column with a job's id.
ID_TYPE = _ID
_TEXT = Text().with_variant(mysql.LONGTEXT(**_BINARY), "mysql", "mariadb")
_NAME = Unicode(1000).with_variant(mysql.VARCHAR(1000, **_BINARY), "mysql", "mariadb")
_COUNTER = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts only INTEGER columns up by itself


class Tables(NamedTuple):
    """The tables of one job store."""

    jobs: Table
    runs: Table
    nodes: Table
    schema: Table
    groups: Table
    audit: Table
    rollups: Table


_HAVE_PARTIAL_INDEXES = ("sqlite", "postgresql")
#: The mark of an index that is made only where indexes can be of some rows alone, or only where they can't.
_PARTIAL = "mainspring_partial"


def _has_partial_indexes(*_: Any, dialect: Dialect, **__: Any) -> bool:
    return dialect.name in _HAVE_PARTIAL_INDEXES


def _lacks_partial_indexes(*_: Any, dialect: Dialect, **__: Any) -> bool:
    return dialect.name not in _HAVE_PARTIAL_INDEXES


def _index_few(name: str, *columns: ColumnElement[Any], few: ColumnElement[bool]) -> None:
    """Index some rows of a table, where that can be."""
    Index(name, *columns, sqlite_where=few, postgresql_where=few, info={_PARTIAL: True}).ddl_if(
        callable_=_has_partial_indexes
    )


def _index_instead(name: str, *columns: ColumnElement[Any]) -> None:
    """Index all rows of a table, where some alone can't be."""
    Index(name, *columns, info={_PARTIAL: False}).ddl_if(callable_=_lacks_partial_indexes)


def indexes_of(table: Table, database: str) -> list[Index]:
    """The indexes that a table has in a database of this kind."""
    is_partial = database in _HAVE_PARTIAL_INDEXES
    found = [index for index in table.indexes if index.info.get(_PARTIAL, is_partial) == is_partial]
    return sorted(found, key=lambda index: str(index.name))


def index_name(tablename: str, column: str) -> str:
    """The name of the index on a column."""
    return f"ix_{tablename}_{column}"


#: What the tables of a store are for, besides its jobs.
KINDS = ("runs", "nodes", "schema", "groups", "audit", "rollups")
#: The table that is made only where APScheduler has left jobs.
ADOPTED = "adopted"


def table_beside(tablename: str, kind: str) -> str:
    """The name of another table of the store whose jobs are in `tablename`."""
    return f"{tablename.removesuffix('_jobs')}_{kind}"


def refuse_long_names(tables: Tables, database: str) -> None:
    """See to it that a database takes the names of all tables and indexes.

    Raises:
        ConfigurationError: one is too long; what is too long in it, is for the program to know: the name of the table, or the namespace.
    """
    rule = OF_DATABASES[database]
    names = [name for table in tables for name in (table.name, *(str(index.name) for index in table.indexes))]
    longest = max(names, key=lambda name: length_of(name, rule))
    length = length_of(longest, rule)
    if rule.longest is not None and length > rule.longest:
        raise ConfigurationError(
            f"the names of tables and indexes are too long: {longest!r} has {length} {rule.unit}, and {rule.of} takes {rule.longest}: give a "
            f"tablename or a namespace that is shorter by {length - rule.longest}"
        )


def tables(tablename: str, metadata: MetaData, schema: str | None) -> Tables:
    """The tables of a job store whose jobs are in `tablename`; the others are named after it.

    Raises:
        ConfigurationError: the metadata has a table of such a name that is none of a job store's.
    """
    stem = tablename.removesuffix("_jobs")
    names = (tablename, *(table_beside(tablename, kind) for kind in KINDS))
    known = _known(names, metadata, schema)
    if known is not None:
        return known
    jobs = Table(
        tablename,
        metadata,
        Column("id", _ID, primary_key=True),
        Column("name", _NAME, nullable=False),
        Column("func", _NAME, nullable=False),
        Column("trigger", _TEXT, nullable=False),
        Column("trigger_text", _TEXT, nullable=False),
        Column("arguments", _TEXT, nullable=False),
        Column("next_run_time", UtcTime),
        Column("executor", _ID, nullable=False),
        Column("state", String(20), nullable=False),
        Column("options", _TEXT, nullable=False),
        # A list as JSON; jobs without tags have none.
        Column("tags", _TEXT),
        # Of jobs that are due together, those with a higher one come first.
        Column("priority", Integer, nullable=False, server_default="0"),
        # The id of the job that it comes after.
        Column("follows", _ID),
        # What the job remembers of its past, as JSON; few jobs do.
        Column("tally", _TEXT),
        Column("version", BigInteger, nullable=False),
        Column("created", UtcTime, nullable=False),
        Column("updated", UtcTime, nullable=False),
        Index(f"ix_{tablename}_next_run_time", "next_run_time"),
        schema=schema,
        mysql_engine="InnoDB",
    )
    # Whether there are jobs with a priority is asked for once a second, and few have one.
    # And which jobs come after others whenever runs have ended.
    for column, few in (
        (jobs.c.priority, jobs.c.priority != 0),
        (jobs.c.follows, jobs.c.follows.is_not(None)),
    ):
        name = index_name(tablename, column.name)
        _index_few(name, column, few=few)
        _index_instead(name, column)
    runs = Table(
        f"{stem}_runs",
        metadata,
        Column("job_id", _ID, primary_key=True),
        Column("scheduled", UtcTime, primary_key=True),
        Column("attempt", Integer, primary_key=True, autoincrement=False),
        # 1 for the last run of an instance, 0 for those before it: so the sum counts instances, not runs.
        Column("instances", Integer, nullable=False),
        Column("node", _NAME),
        Column("token", BigInteger),
        Column("claimed", UtcTime),
        Column("started", UtcTime),
        Column("finished", UtcTime),
        # What goes on has none.
        Column("outcome", String(20)),
        Column("error", _TEXT),
        Column("result", _TEXT),
        # The group in whose limits it counts.
        Column("group_name", _ID),
        # What made it; nothing where its job's schedule did.
        Column("cause", String(20)),
        # How many of the attempts at its due time were made because a node had died; nothing: none.
        Column("reruns", Integer),
        # How many due times it stands for; nothing: one; 0: more than could be counted.
        Column("due_times", BigInteger),
        # 1 once its job was removed while it went on: nothing follows from it for another job that has got the id since.
        Column("job_removed", Integer),
        # For a run that waits: not before this time.
        Column("available", UtcTime),
        # 1 once somebody has asked for its end.
        Column("to_cancel", Integer),
        # What it said last of how far it is, as JSON.
        Column("progress", _TEXT),
        Column("traceback", _TEXT),
        Column("log", _TEXT),
        Index(f"ix_{stem}_runs_scheduled", "scheduled"),
        schema=schema,
        mysql_engine="InnoDB",
    )
    # What goes on is asked for at every claim, and is little beside what has ended.
    going_on = runs.c.outcome.is_(None)
    _index_few(f"ix_{stem}_runs_going_on", runs.c.job_id, few=going_on)
    _index_instead(f"ix_{stem}_runs_outcome", runs.c.outcome, runs.c.job_id)
    # What people look for among a million runs; those that ended well aren't written into it.
    _index_few(f"ix_{stem}_runs_trouble", runs.c.outcome, runs.c.scheduled, few=is_trouble(runs))
    nodes = Table(
        f"{stem}_nodes",
        metadata,
        # Counted up and never used again, so that a later registration has a higher number: the fencing token.
        Column("token", _COUNTER, primary_key=True, autoincrement=True),
        Column("name", _NAME, nullable=False),
        Column("host", _NAME, nullable=False),
        Column("pid", BigInteger, nullable=False),
        Column("version", String(50), nullable=False),
        Column("executors", _TEXT, nullable=False),
        Column("clock_offset", Integer, nullable=False),  # microseconds would be noise; milliseconds
        Column("lease", Integer, nullable=False),  # milliseconds
        Column("started", UtcTime, nullable=False),
        Column("heartbeat", UtcTime, nullable=False),
        Column("state", String(20), nullable=False),
        schema=schema,
        mysql_engine="InnoDB",
        sqlite_autoincrement=True,
    )
    version = Table(
        f"{stem}_schema",
        metadata,
        Column("version", Integer, primary_key=True, autoincrement=False),
        schema=schema,
        mysql_engine="InnoDB",
    )
    groups = Table(
        f"{stem}_groups",
        metadata,
        Column("name", _ID, primary_key=True),
        Column("concurrency", Integer),
        Column("rate", Integer),
        Column("per", BigInteger, nullable=False),  # milliseconds
        # When runs began that count for the rate: POSIX timestamps, as JSON.
        Column("begun", _TEXT),
        schema=schema,
        mysql_engine="InnoDB",
    )
    audit = Table(
        f"{stem}_audit",
        metadata,
        # An identity: who may write rows then needs no rights on a sequence besides.
        Column("number", _COUNTER, Identity(), primary_key=True),
        Column("time", UtcTime, nullable=False),
        Column(
            "who",
            Unicode(LONGEST_WHO).with_variant(mysql.VARCHAR(LONGEST_WHO, **_BINARY), "mysql", "mariadb"),
            nullable=False,
        ),
        Column("action", String(50), nullable=False),
        Column("job_id", _ID),
        Column("run_id", _TEXT),
        Column("why", _TEXT),
        schema=schema,
        mysql_engine="InnoDB",
        sqlite_autoincrement=True,
    )
    rollups = Table(
        f"{stem}_rollups",
        metadata,
        Column("job_id", _ID, primary_key=True),
        Column("span", String(10), primary_key=True),
        Column("start", UtcTime, primary_key=True),
        *(Column(name, BigInteger) for name in NUMBERS),
        Index(f"ix_{stem}_rollups_start", "span", "start"),
        schema=schema,
        mysql_engine="InnoDB",
    )
    made = Tables(jobs, runs, nodes, version, groups, audit, rollups)
    for table in made:
        table.info[_OURS] = True
    return made


def is_trouble(runs: Table) -> ColumnElement[bool]:
    """Whether a run ended in a way that somebody should look at, in the very words of the index, so that databases see that it serves."""
    return runs.c.outcome.in_([literal(outcome, literal_execute=True) for outcome in TROUBLE])


_OURS = "mainspring"


def is_ours(table: Table) -> bool:
    """Whether a table is one of a job store's."""
    return bool(table.info.get(_OURS))


def _known(names: tuple[str, ...], metadata: MetaData, schema: str | None) -> Tables | None:
    """The tables that another store has put into the same metadata."""
    place = schema if schema is not None else metadata.schema
    found = [metadata.tables.get(name if place is None else f"{place}.{name}") for name in names]
    foreign = [table.fullname for table in found if table is not None and not is_ours(table)]
    if foreign:
        raise ConfigurationError(
            f"the metadata has a table {foreign[0]!r} that is none of a job store's, as after reflecting the database: give another "
            "tablename, or leave metadata out, so that the store has one of its own"
        )
    there = [table for table in found if table is not None]
    return Tables(*there) if len(there) == len(names) else None
