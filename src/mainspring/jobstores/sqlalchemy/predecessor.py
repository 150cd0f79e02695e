"""APScheduler's table of jobs, in the database of a store or in another one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Column, MetaData, Table, create_engine, event, inspect, select
from sqlalchemy.pool import NullPool

from mainspring.errors import ConfigurationError
from mainspring.jobstores.shared.predecessor import OldJob, OldJobs, PickledJob, source_of
from mainspring.jobstores.sqlalchemy.addresses import checked_url, where_of
from mainspring.jobstores.sqlalchemy.engines import names_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import URL, Connection, Engine

    from mainspring.jobstores.sqlalchemy.database import Database

T = TypeVar("T")

#: The name that APScheduler's table has unless another is given.
USUAL_NAME = "apscheduler_jobs"
_COLUMNS = ("id", "next_run_time", "job_state")
#: So many jobs are asked for in one statement.
_CHUNK = 500
_PORTS = {"postgresql": 5432, "mysql": 3306}
_HERE = ("localhost", "127.0.0.1", "::1", None, "")


def own_name(old_name: str) -> str:
    """The name of our table of jobs where APScheduler's has this one."""
    return f"mainspring_{old_name.removeprefix('apscheduler_')}"


def address_of(url: URL, schema: str | None, name: str) -> str:
    """The same for all ways to say where a table is, as far as that can be told from what is said."""
    backend = url.get_backend_name().replace("mariadb", "mysql")
    database = url.database or ""
    if backend == "sqlite":
        database = str(Path(database.removeprefix("file:").partition("?")[0]).absolute()) if database else ""
        where = f"sqlite:///{database}"
    else:
        host = "localhost" if url.host in _HERE else url.host
        port = url.port or _PORTS.get(backend)
        where = f"{backend}://{host}:{port}/{database}"
    return f"{where} {name if schema in (None, 'public') else f'{schema}.{name}'}"


class Reader:
    """Looks into a database, and changes nothing."""

    def __init__(
        self,
        connect: Callable[[], AbstractContextManager[Connection]],
        run: Callable[[Callable[[], Any]], Any],
        url: URL,
    ) -> None:
        self._connect = connect
        self._run = run
        self.url = url

    @classmethod
    def of_store(cls, database: Database) -> Reader:
        """Of the database of a store, as that looks into it."""
        return cls(database.reading, database.run, database.engine.url)

    @classmethod
    def of_engine(cls, engine: Engine) -> Reader:
        """Of an engine."""
        return cls(engine.connect, lambda work: work(), engine.url)

    @classmethod
    def of_url(cls, url: str | URL) -> Reader:
        """Of a database that is only looked into.

        Raises:
            ConfigurationError: there is no file, or none of a driver.
        """
        address = checked_url(url, needs_driver=True)
        if address.get_backend_name() == "sqlite" and not names_memory(address):
            path = Path(str(address.database).removeprefix("file:").partition("?")[0])
            if not path.exists():
                raise ConfigurationError(
                    f"there is no database {str(path)!r} that jobs could be adopted from"
                )
        engine = create_engine(address, poolclass=NullPool, hide_parameters=True)
        if address.get_backend_name() == "sqlite":

            @event.listens_for(engine, "connect")
            def _only_look(connection: object, _: object) -> None:
                connection.execute("PRAGMA query_only = ON")  # type: ignore[attr-defined]

        return cls.of_engine(engine)

    def ask(self, look: Callable[[Connection], T]) -> T:
        """What `look` finds."""

        def asked() -> T:
            with self._connect() as connection:
                return look(connection)

        found: T = self._run(asked)
        return found

    def columns(self, schema: str | None, name: str) -> set[str]:
        """The names of a table's columns; empty, if it isn't there."""

        def look(connection: Connection) -> set[str]:
            found = inspect(connection).get_multi_columns(schema=schema, filter_names=[name])
            return {one["name"] for columns in found.values() for one in columns}

        return self.ask(look)


class OldTable(OldJobs):
    """A table of APScheduler 3."""

    def __init__(self, reader: Reader, name: str, schema: str | None, *, is_own: bool) -> None:
        self._reader = reader
        shown = name if schema is None else f"{schema}.{name}"
        self.address = address_of(reader.url, schema, name)
        self.place = f"table {shown!r}" if is_own else f"table {shown!r} of {where_of(reader.url)}"
        self.source = "" if is_own else source_of(self.address)
        self.pausing = f"UPDATE {shown} SET next_run_time = NULL"  # noqa: S608 - for people to run
        self._table = Table(name, MetaData(), *(Column(column) for column in _COLUMNS), schema=schema)

    @classmethod
    def found(cls, reader: Reader, name: str, schema: str | None, *, is_own: bool = False) -> OldTable | None:
        """The table of this name, if it is there and APScheduler's."""
        is_there = set(_COLUMNS) <= reader.columns(schema, name)
        return cls(reader, name, schema, is_own=is_own) if is_there else None

    def ids(self) -> list[str]:
        """See `OldJobs.ids`."""
        old = self._table.c
        query = select(old.id).order_by(old.next_run_time, old.id)
        return self._reader.ask(lambda connection: [str(one) for one in connection.scalars(query)])

    def jobs(self, ids: Sequence[str]) -> list[OldJob]:
        """See `OldJobs.jobs`."""
        old = self._table.c

        def look(connection: Connection) -> dict[str, bytes]:
            return {
                str(row.id): _bytes(row.job_state)
                for at in range(0, len(ids), _CHUNK)
                for row in connection.execute(
                    select(old.id, old.job_state).where(old.id.in_(ids[at : at + _CHUNK]))
                )
            }

        states = self._reader.ask(look)
        return [PickledJob(one, states[one]) for one in ids if one in states]

    def scheduled(self, limit: int) -> list[str]:
        """See `OldJobs.scheduled`."""
        old = self._table.c
        query = select(old.id).where(old.next_run_time.is_not(None)).order_by(old.next_run_time).limit(limit)
        return self._reader.ask(lambda connection: [str(one) for one in connection.scalars(query)])


def _bytes(value: object) -> bytes:
    """A pickle, whatever a driver gives, or somebody has put there."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b""
