"""A database as the store uses it: transactions that are tried again, and what differs between SQLite, PostgreSQL, MySQL."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from hashlib import blake2b
from threading import local
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import event, text
from sqlalchemy.exc import DisconnectionError, TimeoutError  # noqa: A004 - as SQLAlchemy names it

from mainspring.errors import MainspringError
from mainspring.forks import UNDIVIDED, OwnLock, keep_for_ever, leaves_to_parent
from mainspring.jobstores.shared.backoff import try_again
from mainspring.jobstores.shared.failures import Failure
from mainspring.jobstores.shared.namespaces import within
from mainspring.jobstores.shared.node_context import DEFAULT_REQUEST_LIMIT
from mainspring.jobstores.shared.outage import Outage
from mainspring.jobstores.sqlalchemy.addresses import where_of
from mainspring.jobstores.sqlalchemy.engines import is_in_memory, names_memory
from mainspring.jobstores.sqlalchemy.failures import failure_of
from mainspring.jobstores.sqlalchemy.inherited import Connections
from mainspring.jobstores.sqlalchemy.limits import STATEMENT_TIMEOUT
from mainspring.jobstores.sqlalchemy.postgresql import Sessions
from mainspring.jobstores.sqlalchemy.sqlite import WRITES, flaw_of_file, prepare, turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import Connection, Engine
    from sqlalchemy.pool import ConnectionPoolEntry

T = TypeVar("T")

_SCHEMA_LOCK = 0x6D61696E  # any number that is the same on all nodes


def _schema_lock(namespace: str) -> int:
    """The number of the lock that those hold who change the tables of a namespace."""
    if not namespace:
        return _SCHEMA_LOCK
    return int.from_bytes(blake2b(f"mainspring {namespace}".encode(), digest_size=8).digest(), signed=True)


class StoreBusyError(MainspringError):
    """A method of a job store was called where the store waits for it: by what it calls within a transaction."""


#: Of databases in memory: several stores may have one.
_gates: WeakKeyDictionary[Engine, OwnLock] = WeakKeyDictionary()


class Database:
    """Transactions of one engine.

    Args:
        engine: of SQLite, PostgreSQL, MySQL or MariaDB.
        owns_engine: whether `close` is to dispose of it.
        namespace: of the store. Those who change the tables of another one aren't waited for.
        pooled: whether a pooler lends sessions of PostgreSQL for one transaction each; ``None``: found out.
        sets_limits: whether to set the time limits of PostgreSQL's statements and transactions.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        owns_engine: bool,
        namespace: str = "",
        pooled: bool | None = None,
        sets_limits: bool = True,
    ) -> None:
        self.engine = engine
        self._namespace = namespace
        self.name = "mysql" if engine.dialect.name == "mariadb" else engine.dialect.name
        self.has_clock = self.name != "sqlite"
        self.outage = Outage(self._failure_of, where_of(engine.url))
        self._owns_engine = owns_engine
        # SQLite has one writer at a time: threads of this process queue here, in front of the file. Where they share one
        # connection, they also queue to read.
        in_memory = is_in_memory(engine)
        self._gate: AbstractContextManager[Any] = nullcontext()
        if self.name == "sqlite":
            self._gate = _gates.setdefault(engine, OwnLock()) if in_memory else OwnLock()
        self._reading_gate = self._gate if in_memory else nullcontext()
        self._undivided: AbstractContextManager[Any] = UNDIVIDED if self.name == "sqlite" else nullcontext()
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
        self._sessions = (
            Sessions(engine, pooled=pooled, sets_limits=sets_limits) if self.name == "postgresql" else None
        )
        self._connections = None if self.name == "sqlite" else Connections(engine)
        self._generation = 0
        if not in_memory:
            event.listen(engine, "checkout", self._checked_out)
        leaves_to_parent(self)

    @property
    def is_in_this_process(self) -> bool:
        """Whether it lives in the memory of this process, by one connection or by several."""
        return self.name == "sqlite" and names_memory(self.engine.url)

    def leave_to_parent(self) -> None:
        """In a forked process: the connections are the parent's, whose answers would come here."""
        if not is_in_memory(self.engine):  # of which there is a copy here
            keep_for_ever(self.engine.pool)
            self.engine.dispose(close=False)

    def close(self) -> None:
        """Close all connections, if the engine is ours."""
        if self._owns_engine:
            with self._undivided:
                self.engine.dispose()

    @property
    def is_pooled(self) -> bool:
        """Whether sessions are a pooler's, so that nothing outlives a transaction in them."""
        return self._sessions is not None and self._sessions.are_pooled

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to look with; what it sees may have changed by the next statement."""
        if self.is_pooled:
            with self.writing() as connection:  # time limits are a transaction's there
                yield connection
            return
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
            if self._sessions is not None:
                self._sessions.limit(connection)
            yield connection

    @contextmanager
    def _entered(self, gate: AbstractContextManager[Any]) -> Iterator[None]:
        if getattr(self._own, "is_in", False):
            raise StoreBusyError(
                "a job store was called by what it was calling itself, within a transaction: that must not use job stores"
            )
        own = self._own
        own.is_in = True
        try:
            with gate, self._undivided:
                yield
        finally:
            own.is_in = False

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
                if connection.execute(text("SELECT GET_LOCK(:name, :seconds)"), lock).scalar_one() != 1:
                    raise TimeoutError(f"another node has been changing tables for {STATEMENT_TIMEOUT} s")
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

    def own_name(self, connection: Connection) -> str:
        """What the database is called there; of SQLite, its file, wherever that is."""
        if self.name == "sqlite":
            files = connection.exec_driver_sql("PRAGMA database_list").fetchall()
            return next((os.path.basename(file or "") for _, name, file in files if name == "main"), "")  # noqa: PTH119 - any text
        asked = "SELECT current_database()" if self.name == "postgresql" else "SELECT DATABASE()"
        return str(connection.execute(text(asked)).scalar_one() or "")

    def now(self, connection: Connection) -> datetime:
        """The time of the database's clock, in UTC; for those that have one."""
        if self.name == "postgresql":
            value = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
            return value.astimezone(UTC)  # type: ignore[no-any-return]
        # Not SYSDATE: it has whole seconds in some servers. Within a statement this is when it began.
        value = connection.execute(text("SELECT UTC_TIMESTAMP(6)")).scalar_one()
        return value.replace(tzinfo=UTC)  # type: ignore[no-any-return]
