"""What SQLite needs to be shared by several threads and processes: how transactions begin there, and whose turn it is to write."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.pool import StaticPool

from mainspring.errors import ConfigurationError
from mainspring.jobstores.sqlalchemy.turn import Line

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import Connection, Engine

#: Execution options of connections whose transactions write.
WRITES = {"mainspring_writes": True}

_OLDEST = (3, 33)
# What is known of a connection: for how many seconds it waits for a lock, and the line in front of its file.
_PATIENCE, _LINE = "mainspring_patience", "mainspring_line"


def is_in_memory(engine: Engine) -> bool:
    """Whether all threads share the one connection that the database lives in."""
    return isinstance(engine.pool, StaticPool)


def prepare(engine: Engine) -> None:
    """Let transactions begin as they are meant to, and set what makes SQLite fit for several processes.

    Raises:
        ConfigurationError: SQLite is older than 3.33, whose statements are used.
    """
    dbapi: Any = engine.dialect.dbapi
    if dbapi.sqlite_version_info < _OLDEST:
        raise ConfigurationError(
            f"SQLite must be {'.'.join(map(str, _OLDEST))} or newer, this Python has {dbapi.sqlite_version}"
        )
    lines: dict[str, Line] = {}
    event.listen(engine, "connect", partial(_connected, lines))
    event.listen(engine, "begin", _begun)


def _connected(lines: dict[str, Line], connection: Any, record: Any) -> None:
    connection.isolation_level = None  # the driver begins no transactions of its own
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    record.info[_PATIENCE] = cursor.execute("PRAGMA busy_timeout").fetchone()[0] / 1000
    file = cursor.execute("PRAGMA database_list").fetchone()[2]
    record.info[_LINE] = lines.setdefault(file, Line(file))
    cursor.close()


def _begun(connection: Connection) -> None:
    writes = connection.get_execution_options().get("mainspring_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def turn(connection: Connection) -> AbstractContextManager[None]:
    """Be the one process that writes, in the order of coming; for a transaction that is begun and ended within.

    SQLite's own waiting looks ever more rarely, in the end ten times a second, and until then whoever has just written may write again:
    where there is much to do, a process could not so much as say for seconds that it lives.
    """
    known = connection.info
    line: Line = known[_LINE]
    return line.turn(known[_PATIENCE])
