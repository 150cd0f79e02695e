"""What an operator does to the database of a store: look whether it is whole, give rights, make it smaller, copy it and put a copy back.

Nodes may be at work all the while. What keeps them from writing meanwhile says so.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from mainspring.errors import ConfigurationError
from mainspring.forks import UNDIVIDED
from mainspring.jobstores.shared import maintenance as shared
from mainspring.jobstores.sqlalchemy.engines import file_of
from mainspring.jobstores.sqlalchemy.grants import grants_for
from mainspring.jobstores.sqlalchemy.schema import VERSION
from mainspring.jobstores.sqlalchemy.sqlite import turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from mainspring.jobstores.sqlalchemy.database import Database
    from mainspring.jobstores.sqlalchemy.tables import Tables

__all__ = ["Maintenance"]

#: For so many seconds a file that others write to is waited for.
_LOCK_SECONDS = 30.0
#: So many flaws are named.
_FLAWS = 20


class Maintenance(shared.Maintenance):
    """The database of one store, as an operator has it.

    Args:
        database, tables: the store's; it is open.
        complete_tables: creates or adds what is missing of them.
    """

    def __init__(self, database: Database, tables: Tables, complete_tables: Callable[[], None]) -> None:
        self._database = database
        self._tables = tables
        self._complete_tables = complete_tables

    @property
    def kind(self) -> str:
        """``"sqlite"``, ``"postgresql"`` or ``"mysql"``."""
        return self._database.name

    def sizes(self) -> dict[str, int]:
        """How many rows the tables have, by their names."""
        with self._database.reading() as connection:
            return {
                table.fullname: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in self._tables
            }

    def flaws(self) -> Iterator[str]:
        """What is broken in the database itself, in sentences; only SQLite can be asked."""
        if self.kind == "sqlite":
            with self._database.reading() as connection:
                found = connection.exec_driver_sql(f"PRAGMA integrity_check({_FLAWS})").fetchall()
            yield from (str(row[0]) for row in found if row[0] != "ok")

    def grants(self, user: str) -> list[str]:
        """The statements that let a user of the database do what a node does with the tables.

        Args:
            user: of MySQL with its host, such as ``"app@%"``.

        Raises:
            ConfigurationError: the database has no users.
        """
        if self.kind == "sqlite":
            raise ConfigurationError(
                "SQLite has no users: who may write the file and its directory may use the store"
            )
        return grants_for(self._database.engine, list(self._tables), user)

    def vacuum(self) -> None:
        """Give room that removed rows have left back to the system. SQLite and MySQL let nobody write meanwhile."""
        if self.kind == "sqlite":
            with UNDIVIDED, self._database.engine.connect() as connection, turn(connection):
                driver: Any = connection.connection.driver_connection
                driver.execute("VACUUM")
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return
        statement = "VACUUM (ANALYZE)" if self.kind == "postgresql" else "OPTIMIZE TABLE"
        prepare = self._database.engine.dialect.identifier_preparer
        alone = self._database.engine.execution_options(isolation_level="AUTOCOMMIT")
        with alone.connect() as connection:
            for table in self._tables:
                connection.exec_driver_sql(f"{statement} {prepare.format_table(table)}")

    def bytes(self) -> int | None:
        """The size of SQLite's file, with what is still to be written into it; ``None`` of other databases."""
        file = file_of(self._database.engine)
        if file is None:
            return None
        return sum(part.stat().st_size for part in (file, Path(f"{file}-wal")) if part.exists())

    def backup(self, target: Path, *, replace: bool = False) -> None:
        """Copy SQLite's file as it is at one moment, while nodes write to it; the copy is whole, or there is none.

        Args:
            replace: in the place of a file that is there.

        Raises:
            ConfigurationError: it is no file of SQLite's, or the copy isn't whole.
            FileExistsError: there is such a file.
            OSError: it can't be written.
        """
        source = self._file("backed up", "pg_dump or mysqldump")
        if target.exists() and (not replace or target.samefile(source)):
            raise FileExistsError(f"{target} is there already")
        # Beside it, so that it takes its place in one step; for its owner alone, since arguments of jobs may be secrets.
        unfinished = target.with_name(f"{target.name}.{os.getpid()}.part")
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            with UNDIVIDED, closing(_opened(source)) as whole, closing(_opened(unfinished)) as copy:
                # In one step: one that is interrupted begins anew whenever somebody has written.
                whole.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE").fetchall()  # one file, not three
                _refuse_flawed(copy, unfinished)
            with unfinished.open("rb") as written:
                os.fsync(written.fileno())
            unfinished.replace(target)
            _sync_folder(target.parent)
        finally:
            unfinished.unlink(missing_ok=True)

    def restore(self, source: Path) -> None:
        """Put what a backup holds in the place of what SQLite's file holds, in one transaction; nodes at work notice it.

        Raises:
            ConfigurationError: it is no file of SQLite's, or the backup isn't whole, or not one of such a store.
            FileNotFoundError: there is no such file.
        """
        target = self._file("restored", "pg_restore or mysql")
        if not source.exists():
            raise FileNotFoundError(f"there is no file {str(source)!r}")
        if source.samefile(target):
            raise ConfigurationError(f"{source} is the store itself")
        with UNDIVIDED, closing(_opened(source, read_only=True)) as backup:
            _refuse_flawed(backup, source)
            self._refuse_others(backup, source)
            with (
                self._database.engine.connect() as connection,
                turn(connection),
                closing(_opened(target)) as present,
            ):
                backup.backup(present)
                # As the store's file is; a backup has none of its own.
                present.execute("PRAGMA journal_mode=WAL").fetchall()
                self._set_heartbeats_back(connection)
        # Of an older release, it may lack tables and columns that nodes at work use.
        self._complete_tables()

    def _set_heartbeats_back(self, connection: Connection) -> None:
        """Have each node that lives notice that the store was set back (`mainspring.engine.setbacks`).

        One that hasn't told of itself since the backup would find what it has told last, and take for its own what it ran at that time.
        """
        nodes = self._tables.nodes
        for token, heartbeat in connection.execute(select(nodes.c.token, nodes.c.heartbeat)).all():
            before = heartbeat - timedelta.resolution
            connection.execute(update(nodes).where(nodes.c.token == token).values(heartbeat=before))
        connection.commit()

    def _refuse_others(self, backup: sqlite3.Connection, source: Path) -> None:
        name = self._tables.schema.name.replace('"', '""')
        try:
            found = backup.execute(f'SELECT version FROM "{name}"').fetchone()  # noqa: S608 - our name
        except sqlite3.OperationalError:
            found = None
        if found is None:
            raise ConfigurationError(
                f"{source} has no table {self._tables.schema.name!r}: it is no backup of this store"
            )
        if found[0] != VERSION:
            raise ConfigurationError(
                f"{source} is of version {found[0]} of the tables, and this release has {VERSION}: put it in the place of the file while no node runs, "
                "and bring it up to date (db upgrade)"
            )

    def _file(self, done: str, instead: str) -> Path:
        file = file_of(self._database.engine)
        if file is None:
            raise ConfigurationError(
                f"only a file of SQLite's can be {done} so; a server has means of its own, such as {instead}"
            )
        return file


def _opened(file: Path, *, read_only: bool = False) -> sqlite3.Connection:
    mode = "ro" if read_only else "rw"
    return sqlite3.connect(
        f"{file.absolute().as_uri()}?mode={mode}", uri=True, timeout=_LOCK_SECONDS, isolation_level=None
    )


def _refuse_flawed(connection: sqlite3.Connection, file: Path) -> None:
    try:
        found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise ConfigurationError(f"{file} is not whole: {found}")


def _sync_folder(folder: Path) -> None:
    """Have the system keep the name of a new file over a crash, where it can be told to."""
    if os.name == "posix":
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
