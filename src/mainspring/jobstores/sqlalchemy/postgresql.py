"""What PostgreSQL's sessions need: time limits, and to be told from those that a pooler lends for one transaction.

Behind a pooler such as PgBouncer (``pool_mode = transaction``) the next transaction may have another session of the server: what was set
for a session, prepared in it or listened to with it isn't there, or is somebody else's. Such a connection is recognised by the number of
the server's process, which the pooler can't tell at the start. On it nothing is left behind in a session: limits are set for each
transaction, nothing is prepared, and other nodes' changes are polled for. Locks and notifications of ours are a transaction's anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from mainspring.jobstores.sqlalchemy import limits

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine
    from sqlalchemy.pool import ConnectionPoolEntry

_POOLED = "mainspring_pooled"


def _set(how: str) -> str:
    """The statements that set the limits, for a session or for a transaction."""
    values = {
        "statement_timeout": limits.STATEMENT_TIMEOUT,
        "idle_in_transaction_session_timeout": limits.IDLE_TIMEOUT,
    }
    return "; ".join(f"{how} {name} = {seconds * 1000}" for name, seconds in values.items())


class Sessions:
    """The sessions of one engine.

    Args:
        engine: of PostgreSQL; not connected yet.
        pooled: whether a pooler lends them for one transaction each; ``None``: found out.
        sets_limits: whether to set the time limits of statements and transactions.

    Attributes:
        are_pooled: whether the last connection is a pooler's.
    """

    def __init__(self, engine: Engine, *, pooled: bool | None, sets_limits: bool) -> None:
        self._pooled = pooled
        self._sets_limits = sets_limits
        self.are_pooled = bool(pooled)
        event.listen(engine, "connect", self._connected)

    def _connected(self, connection: Any, record: ConnectionPoolEntry) -> None:
        try:
            record.info[_POOLED] = self.are_pooled = self._set_up(connection)
        except BaseException:
            connection.close()  # nobody else has it yet
            raise

    def _set_up(self, connection: Any) -> bool:
        """Prepare a new connection; whether it is a pooler's."""
        cursor = connection.cursor()
        cursor.execute("SELECT pg_backend_pid()")
        process = cursor.fetchone()[0]
        pooled = process != connection.info.backend_pid if self._pooled is None else self._pooled
        if pooled and hasattr(connection, "prepare_threshold"):
            connection.prepare_threshold = None
        if self._sets_limits and not pooled:
            cursor.execute(_set("SET"))
        cursor.close()
        connection.commit()
        return bool(pooled)

    def limit(self, connection: Connection) -> None:
        """Set the limits of a transaction that has just begun, where its session has none."""
        if self._sets_limits and self.are_pooled and connection.info.get(_POOLED):
            connection.exec_driver_sql(_set("SET LOCAL"))
