"""What SQLite needs to be shared by several threads and processes: how transactions begin there, and whose turn it is to write."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError

from mainspring.errors import ConfigurationError
from mainspring.jobstores.sqlalchemy.writer_queue import WriterQueue

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import URL, Connection, Engine

#: Execution options of connections whose transactions write.
WRITES = {"mainspring_writes": True}

_OLDEST = (3, 33)
#: That `isolation_level` says how transactions begin (``sqlite3.LEGACY_TRANSACTION_CONTROL``).
_LEGACY = -1
#: The cache of pages, in KiB with a minus: each connection has one of its own, and the system keeps the file's pages in its memory for all of them.
_SETTINGS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-512")
# What is known of a connection: for how many seconds it waits for a lock, and the line in front of its file.
# And which file it is.
_BUSY_SECONDS, _LINE, _FILE = "mainspring_patience", "mainspring_line", "mainspring_file"


def prepare(engine: Engine) -> None:
    """Let transactions begin as they are meant to, and set what makes SQLite fit for several processes.

    Args:
        engine: the store's own; not connected yet, or prepared before.

    Raises:
        ConfigurationError: SQLite is older than 3.33, whose statements are used.
    """
    dbapi: Any = engine.dialect.dbapi
    if dbapi.sqlite_version_info < _OLDEST:
        raise ConfigurationError(
            f"SQLite must be {'.'.join(map(str, _OLDEST))} or newer, this Python has {dbapi.sqlite_version}"
        )
    if engine in _prepared:
        return
    _prepared.add(engine)
    lines: dict[str, WriterQueue] = {}
    event.listen(engine, "do_connect", partial(_connecting, lines))
    event.listen(engine, "connect", partial(_connected, lines))
    event.listen(engine, "checkout", _checked_out)
    event.listen(engine, "begin", _begun)


def refuse_bound_to_threads(engine: Engine) -> None:
    """See to it that a connection can be used by another thread than the one that made it: the store's threads share them.

    Raises:
        ConfigurationError: it can't.
    """
    refused: list[Exception] = []

    def use(driver: Any) -> None:
        try:
            driver.cursor().close()
        except engine.dialect.loaded_dbapi.Error as error:
            refused.append(error)

    with engine.connect() as connection:
        other = Thread(target=use, args=(connection.connection.driver_connection,), daemon=True)
        other.start()
        other.join()
    if refused:
        raise ConfigurationError(
            f"the connections of this engine are bound to the thread that made them ({refused[0]}): "
            'make it with connect_args={"check_same_thread": False}'
        ) from refused[0]


#: In memory, several stores may have one.
_prepared: WeakSet[Engine] = WeakSet()


def _connected(lines: dict[str, WriterQueue], connection: Any, record: Any) -> None:
    connection.isolation_level = None  # the driver begins no transactions of its own
    if getattr(connection, "autocommit", _LEGACY) != _LEGACY:  # Python 3.12: the program's engine may set it
        connection.autocommit = True
        connection.autocommit = _LEGACY
    cursor = connection.cursor()
    for pragma in _SETTINGS:
        cursor.execute(f"PRAGMA {pragma}")
    record.info[_BUSY_SECONDS] = cursor.execute("PRAGMA busy_timeout").fetchone()[0] / 1000
    file = cursor.execute("PRAGMA database_list").fetchone()[2]
    record.info[_LINE] = lines.setdefault(file, WriterQueue(file))
    record.info[_FILE] = file, _identity(file)
    cursor.close()


def _connecting(lines: dict[str, WriterQueue], dialect: Any, _record: Any, _args: Any, _options: Any) -> None:
    """A file that was there and isn't any more is not made anew, empty: somebody may be about to put another in its place."""
    for file in lines:
        if file and not Path(file).exists():
            raise _gone(dialect.dbapi, file)


def _checked_out(connection: Any, record: Any, _proxy: Any) -> None:
    """A connection to a file in whose place another was put leads to nowhere: what is written there nobody reads."""
    file, identity = record.info.get(_FILE, ("", None))
    if not file:
        return
    now = _identity(file)
    if now is None:
        raise _gone(sys.modules[type(connection).__module__], file)
    if now != identity:
        raise DisconnectionError("another file was put in the place of the database")


def _identity(file: str) -> tuple[int, int] | None:
    """By what a file is told from another of its name; ``None``: there is none."""
    try:
        found = os.stat(file)  # noqa: PTH116 - asked before each transaction, and this takes the least time
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _gone(driver: Any, file: str) -> Exception:
    error: Exception = driver.OperationalError(
        f"the file {file} is not there any more: it is not made anew while nodes are at work"
    )
    error.sqlite_errorcode = _CANT_OPEN  # type: ignore[attr-defined]  # as the driver would give it
    return error


def _begun(connection: Connection) -> None:
    writes = connection.get_execution_options().get("mainspring_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def turn(connection: Connection) -> AbstractContextManager[None]:
    """Be the one process that writes, in the order of coming; for a transaction that is begun and ended within.

    SQLite's own waiting looks ever more rarely, in the end ten times a second, and until then whoever has just written may write again:
    where there is much to do, a process could not so much as say for seconds that it lives.
    """
    known = connection.info
    line: WriterQueue = known[_LINE]
    return line.turn(known[_BUSY_SECONDS])


#: Result codes, by their lowest byte, of which the reason is to be found at the file.
_NO_PERMISSION, _READ_ONLY, _CANT_OPEN, _NOT_A_DATABASE = 3, 8, 14, 26


def flaw_of_file(error: Exception, url: URL) -> str | None:
    """What is wrong with a file or its directory, if that is why an error was raised, and what to do.

    SQLite says "unable to open database file" of a directory that isn't there and of a process that has too many files open.
    """
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", 0) & 0xFF
    name = url.database or ""
    if name.startswith("file:"):
        name = name.removeprefix("file:").partition("?")[0]
    path = Path(name).absolute()
    if code == _NOT_A_DATABASE:
        return f"{path} is not a database of SQLite, or an encrypted one: name another file"
    if code not in (_CANT_OPEN, _READ_ONLY, _NO_PERMISSION):
        return None
    folder = path.parent
    permit = "give this user the permission, or name another file"
    checks = (
        (
            not folder.exists(),
            f"there is no directory {folder}: make it, or name another file (relative names begin at {Path.cwd()})",
        ),
        (folder.exists() and not folder.is_dir(), f"{folder} is not a directory: name another file"),
        (path.is_dir(), f"{path} is a directory: name a file in it"),
        (path.exists() and not os.access(path, os.W_OK), f"{path} can't be written: {permit}"),
        (
            folder.is_dir() and not os.access(folder, os.W_OK),
            f"the directory {folder} can't be written: {permit}",
        ),
        (code == _READ_ONLY, f"{path} can only be read, as it is opened: name a file that can be written"),
    )
    return next((flaw for is_so, flaw in checks if is_so), None)
