"""A database as the store uses it: transactions that are tried again, and what differs between SQLite, PostgreSQL, MySQL."""

from __future__ import annotations

import os
import sqlite3
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from hashlib import blake2b
from threading import Lock, local
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from mainspring.errors import ConfigurationError, MainspringError
from mainspring.jobstores.shared.failures import Failure
from mainspring.jobstores.shared.namespaces import within
from mainspring.jobstores.shared.outage import Outage, without_secrets
from mainspring.jobstores.shared.setting import DEFAULT_REQUEST_LIMIT
from mainspring.jobstores.shared.trying import try_again
from mainspring.jobstores.sqlalchemy.failures import failure_of
from mainspring.jobstores.sqlalchemy.sqlite import WRITES, flaw_of_file, is_in_memory, prepare, turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy.engine import URL, Connection, Engine
    from sqlalchemy.pool import ConnectionPoolEntry

T = TypeVar("T")

#: Seconds that one statement may take before the database gives it up.
STATEMENT_TIMEOUT = 30
#: Seconds that a transaction may wait for its next statement before the server undoes it: nobody waits for longer for what a node has
#: locked that was stopped in the middle, or that the network was cut off from. As long as a claim may take that asks slow triggers.
IDLE_TIMEOUT = 30
#: Seconds that a new connection may take.
CONNECT_TIMEOUT = 5

_SCHEMA_LOCK = 0x6D61696E  # any number that is the same on all nodes


def _schema_lock(namespace: str) -> int:
    """The number of the lock that those hold who change the tables of a namespace."""
    if not namespace:
        return _SCHEMA_LOCK
    return int.from_bytes(blake2b(f"mainspring {namespace}".encode(), digest_size=8).digest(), signed=True)


_EXTRAS = {"postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql"}


class StoreBusyError(MainspringError):
    """A method of a job store was called where the store waits for it: by what it calls within a transaction."""


def where_of(url: URL) -> str:
    """A URL as people may see it."""
    return without_secrets(url.render_as_string(hide_password=True))


def checked_url(url: str | URL, *, needs_driver: bool = False) -> URL:
    """A URL that means something; one whose driver is there, where that is needed.

    Raises:
        ConfigurationError: they aren't, or it is no URL.
    """
    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(
            f"the url of a job store is none that SQLAlchemy knows ({without_secrets(str(error))}): "
            'give one such as "sqlite:///jobs.sqlite" or "postgresql+psycopg://user@host/database"'
        ) from error
    try:
        dialect = address.get_dialect()
        if needs_driver:
            dialect.import_dbapi()
    except NoSuchModuleError as error:
        raise ConfigurationError(
            f"the url {where_of(address)} names {address.drivername!r}, which SQLAlchemy doesn't know: "
            "sqlite, postgresql+psycopg, mysql+pymysql and the like are known"
        ) from error
    except ImportError as error:
        extra = _EXTRAS.get(address.get_backend_name())
        install = (
            f'pip install "mainspring[{extra}]", or the driver that the url names' if extra else "install it"
        )
        raise ConfigurationError(
            f"the driver of {where_of(address)} is not installed ({error}): {install}"
        ) from error
    return address


def engine_for(url: str | URL, options: Mapping[str, Any]) -> Engine:
    """An engine with the settings that a job store needs, unless `options` say otherwise."""
    address = checked_url(url, needs_driver="module" not in options)
    backend = address.get_backend_name()
    settings: dict[str, Any] = {}
    connect: dict[str, Any] = {}
    if backend == "sqlite":
        connect["timeout"] = STATEMENT_TIMEOUT
        if address.database in (None, "", ":memory:") or "mode=memory" in str(address):
            # Every connection would be another, empty database.
            settings["poolclass"] = StaticPool
        else:
            # A connection keeps the pages that it has read, until another one writes: the same one is to write again.
            settings["pool_use_lifo"] = True
        connect["check_same_thread"] = False
    elif backend == "postgresql":
        connect["connect_timeout"] = CONNECT_TIMEOUT
        limits = {
            "statement_timeout": STATEMENT_TIMEOUT,
            "idle_in_transaction_session_timeout": IDLE_TIMEOUT,
        }
        connect["options"] = " ".join(f"-c {name}={seconds * 1000}" for name, seconds in limits.items())
        settings["isolation_level"] = "READ COMMITTED"
    elif backend in ("mysql", "mariadb"):
        connect |= {
            "connect_timeout": CONNECT_TIMEOUT,
            "read_timeout": STATEMENT_TIMEOUT,
            "write_timeout": STATEMENT_TIMEOUT,
            # MySQL knows no such limit, and takes it for a comment.
            "init_command": f"SET @mainspring = 1 /*M! , SESSION idle_transaction_timeout = {IDLE_TIMEOUT} */",
        }
        settings["isolation_level"] = "READ COMMITTED"
    given = dict(options)
    settings["connect_args"] = {**connect, **given.pop("connect_args", {})}
    return create_engine(address, **{**settings, **given})


_open_databases: WeakSet[Database] = WeakSet()


def _leave_all_to_parent() -> None:
    for database in list(_open_databases):
        database.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all_to_parent)


class Database:
    """Transactions of one engine.

    Args:
        engine: of SQLite, PostgreSQL, MySQL or MariaDB.
        owns_engine: whether `close` is to dispose of it.
        namespace: of the store. Those who change the tables of another one aren't waited for.
    """

    def __init__(self, engine: Engine, *, owns_engine: bool, namespace: str = "") -> None:
        self.engine = engine
        self._namespace = namespace
        self.name = "mysql" if engine.dialect.name == "mariadb" else engine.dialect.name
        self.has_clock = self.name != "sqlite"
        self.outage = Outage(self._failure_of, where_of(engine.url))
        self._owns_engine = owns_engine
        # SQLite has one writer at a time: threads of this process queue here, in front of the file. Where they share one
        # connection, they also queue to read.
        self._gate = Lock() if self.name == "sqlite" else nullcontext()
        self._reading_gate = self._gate if is_in_memory(engine) else nullcontext()
        self._own = local()
        self._turn: Callable[[Connection], AbstractContextManager[Any]] = nullcontext
        if self.name == "sqlite":
            prepare(engine)
            self._turn = turn
            self._reader: Engine = engine
            self._writer: Engine = engine.execution_options(**WRITES)
        else:
            # Looking needs no transaction, so no statements to begin and to end one.
            self._reader = engine.execution_options(isolation_level="AUTOCOMMIT")
            self._writer = engine
        self._generation = 0
        if not is_in_memory(engine):
            event.listen(engine, "checkout", self._checked_out)
        _open_databases.add(self)

    def leave_to_parent(self) -> None:
        """In a forked process: the connections are the parent's, whose answers would come here."""
        if self.has_clock:
            self.engine.dispose(close=False)

    def close(self) -> None:
        """Close all connections, if the engine is ours."""
        if self._owns_engine:
            self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to look with; what it sees may have changed by the next statement."""
        with self._entered(self._reading_gate), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that ends with the block: kept if it is left normally, undone if it raises."""
        with (
            self._entered(self._gate),
            self._writer.connect() as connection,
            self._turn(connection),
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _entered(self, gate: AbstractContextManager[Any]) -> Iterator[None]:
        if getattr(self._own, "is_in", False):
            raise StoreBusyError(
                "a job store was called by what it was calling itself, within a transaction: that must not use job stores"
            )
        self._own.is_in = True
        try:
            with gate:
                yield
        finally:
            self._own.is_in = False

    def run(
        self,
        work: Callable[[], T],
        *,
        give_up: Callable[[], bool] | None = None,
        was_done: Callable[[], T | None] | None = None,
    ) -> T:
        """The result of `work`, tried again where it failed for a reason that passes.

        Args:
            work: one transaction; done again from its beginning.
            give_up: asked before each new try; without it tries go on for `trying.CALL_TIMEOUT` seconds.
            was_done: looks whether a transaction whose end wasn't seen took effect; its result, or ``None`` if not.
        """
        return try_again(work, self.outage, give_up=give_up, was_done=was_done)

    def _failure_of(self, error: Exception) -> Failure | None:
        failure = failure_of(error)
        if self.outage.give_up is not None and failure is not None and self.flaw(error) is not None:
            return Failure.PERMANENT  # at a start: later it may pass, as when a disk is there again
        if failure in (Failure.OUTAGE, Failure.CHANGED):
            self.forget_connections()
        return failure

    def flaw(self, error: Exception) -> str | None:
        """What is wrong with SQLite's file or its directory, if that is why an error was raised, and what to do."""
        if self.name != "sqlite" or is_in_memory(self.engine):
            return None
        return flaw_of_file(error, self.engine.url)

    def forget_connections(self) -> None:
        """Make new connections from now on: those that are pooled are most likely dead as well."""
        self._generation += 1

    def _checked_out(self, _connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        # Disposing of the engine would leave open what other threads use now, and would take it from the engine's owner.
        if record.info.setdefault(self, self._generation) != self._generation:
            raise DisconnectionError("made before a connection was lost")

    @contextmanager
    def changing_schema(self) -> Iterator[Connection]:
        """A transaction during which no other node creates or changes tables."""
        if self.name == "mysql":
            with self._locked_by_name() as connection, connection.begin():
                yield connection
            return
        with self.writing() as connection:  # SQLite's transaction is the lock
            if self.name == "postgresql":
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": _schema_lock(self._namespace)}
                )
            yield connection

    @contextmanager
    def _locked_by_name(self) -> Iterator[Connection]:
        """A connection of MySQL with a lock that outlasts transactions, which end there when something is created."""
        lock = {"name": within(self._namespace, "mainspring_schema", "."), "seconds": STATEMENT_TIMEOUT}
        with self._entered(self._gate), self._writer.connect() as connection:
            with connection.begin():
                connection.execute(text("SELECT GET_LOCK(:name, :seconds)"), lock)
            try:
                yield connection
            finally:
                with connection.begin():
                    connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": lock["name"]})

    def notify(self, connection: Connection, channel: str, payload: str) -> None:
        """Tell other nodes, when the transaction ends well, that something has changed; where the database can."""
        if self.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_notify(%s, %s)", (channel, payload))

    def request_limit(self, connection: Connection) -> int:
        """How many bytes a statement may have, with what it is given."""
        if self.name == "mysql":
            return int(connection.execute(text("SELECT @@max_allowed_packet")).scalar_one())
        if self.name == "sqlite":
            limit_of = getattr(connection.connection.dbapi_connection, "getlimit", None)
            if limit_of is not None:
                return min(int(limit_of(sqlite3.SQLITE_LIMIT_LENGTH)), DEFAULT_REQUEST_LIMIT)
        return DEFAULT_REQUEST_LIMIT

    def now(self, connection: Connection) -> datetime:
        """The time of the database's clock, in UTC; for those that have one."""
        if self.name == "postgresql":
            value = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
            return value.astimezone(UTC)  # type: ignore[no-any-return]
        # Not SYSDATE: it has whole seconds in some servers. Within a statement this is when it began.
        value = connection.execute(text("SELECT UTC_TIMESTAMP(6)")).scalar_one()
        return value.replace(tzinfo=UTC)  # type: ignore[no-any-return]
