"""What the errors of databases mean: a module for each family of drivers, and which of them is to be asked.

An error is a conflict, an outage, a change of where the database is, a want of room, a statement that is too large, or
something that trying again doesn't mend; what is none of these is the program's own. Each row of the tables has a test that
makes the error for real where a server can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mainspring.jobstores.shared.failures import Failure
from mainspring.jobstores.sqlalchemy.failures import mysql, postgresql, sqlite

if TYPE_CHECKING:
    from typing import Any

__all__ = ["failure_of"]

_SQLITE_MODULES = frozenset({"sqlite3", "pysqlite3", "sqlcipher3", "pysqlcipher3"})
_MYSQL_MODULES = frozenset({"pymysql", "MySQLdb", "mysql", "mariadb"})
_POSTGRESQL_MODULES = frozenset({"psycopg", "psycopg2", "pg8000"})
_DRIVERS = _SQLITE_MODULES | _MYSQL_MODULES | _POSTGRESQL_MODULES


def failure_of(error: BaseException) -> Failure | None:
    """What an error means; ``None``: nothing that is known of databases, most likely a fault of the program."""
    if isinstance(error, PoolTimeoutError):
        return Failure.OUTAGE  # all connections of the pool are in use
    if isinstance(error, NoSuchModuleError | ArgumentError):
        return Failure.PERMANENT  # no such dialect, no such option
    if not isinstance(error, DBAPIError):
        # SQLAlchemy passes on as it is what is raised while a connection is set up, as by setting how transactions are kept apart.
        module = type(error).__module__.partition(".")[0]
        if module not in _DRIVERS:
            return None
        return _by_driver(
            error, is_operational=type(error).__name__ in ("OperationalError", "InterfaceError")
        )
    found = _by_driver(error.orig, is_operational=isinstance(error, OperationalError | InterfaceError))
    if error.connection_invalidated and (found is None or found is Failure.CONFLICT):
        return Failure.OUTAGE
    return found


def _by_driver(original: Any, *, is_operational: bool) -> Failure | None:
    module = type(original).__module__.partition(".")[0]
    if module in _SQLITE_MODULES or hasattr(original, "sqlite_errorcode"):
        return sqlite.failure_of(original)
    if module in _POSTGRESQL_MODULES or (
        postgresql.state_of(original) is not None and mysql.number_of(original) is None
    ):
        return postgresql.failure_of(original, is_operational=is_operational)
    if mysql.number_of(original) is not None:
        return mysql.failure_of(original)
    return sqlite.failure_of(original)
