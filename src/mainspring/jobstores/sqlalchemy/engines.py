"""The engine that a job store works with: made for a URL, or beside an engine of the program.

An engine of the program stays as it is: its connections, how its transactions begin and how they are kept apart are the program's. The
store makes connections of its own in the same way, with the same options of the pool and its listeners, and sets up only these. So it
doesn't matter whether the engine has been connected before, whether it commits by itself (``AUTOCOMMIT``), or what listens to it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, finalize

from sqlalchemy import create_engine, event
from sqlalchemy.pool import NullPool, QueuePool, StaticPool

from mainspring.errors import ConfigurationError
from mainspring.forks import OwnLock
from mainspring.jobstores.sqlalchemy import limits
from mainspring.jobstores.sqlalchemy.addresses import checked_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import URL, Engine
    from sqlalchemy.pool import Pool

#: Seconds that a new connection may take.
CONNECT_TIMEOUT = 5

_ISOLATION = "READ COMMITTED"


def is_in_memory(engine: Engine) -> bool:
    """Whether all threads share the one connection that the database lives in."""
    return isinstance(engine.pool, StaticPool)


def file_of(engine: Engine) -> Path | None:
    """SQLite's file, where the engine opens one by its path."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or path == ":memory:" or path.startswith("file:"):
        return None
    return Path(path)


def engine_for(url: str | URL, options: Mapping[str, Any]) -> Engine:
    """An engine with the settings that a job store needs, unless `options` say otherwise."""
    address = checked_url(url, needs_driver="module" not in options)
    backend = address.get_backend_name()
    # What is written of jobs may hold secrets, and errors of statements would quote it.
    settings: dict[str, Any] = {"hide_parameters": True}
    connect: dict[str, Any] = {}
    if backend == "sqlite":
        connect["timeout"] = limits.STATEMENT_TIMEOUT
        if names_memory(address):
            # Every connection would be another, empty database.
            settings["poolclass"] = StaticPool
        else:
            # A connection keeps the pages that it has read, until another one writes: the same one is to write again.
            settings["pool_use_lifo"] = True
        connect["check_same_thread"] = False
    elif backend == "postgresql":
        connect["connect_timeout"] = CONNECT_TIMEOUT
        settings["isolation_level"] = _ISOLATION
    elif backend in ("mysql", "mariadb"):
        connect["connect_timeout"] = CONNECT_TIMEOUT
        connect["read_timeout"] = connect["write_timeout"] = limits.STATEMENT_TIMEOUT
        # MySQL knows no such limit, and takes it for a comment.
        connect["init_command"] = (
            f"SET @mainspring = 1 /*M! , SESSION idle_transaction_timeout = {limits.IDLE_TIMEOUT} */"
        )
        settings["isolation_level"] = _ISOLATION
    given = dict(options)
    settings["connect_args"] = {**connect, **given.pop("connect_args", {})}
    engine = create_engine(address, **{**settings, **given})
    if is_in_memory(engine):
        _close_when_unused(engine)
    return engine


def _close_when_unused(engine: Engine) -> None:
    """Nobody closes it, since others may have jobs there, or want them again: its connections are closed when nobody uses it any more.

    Whoever waits for that may hold nothing that holds the engine, or it would be used for ever: its pool does.
    """
    opened: list[Any] = []
    event.listen(engine, "connect", lambda connection, _record: opened.append(connection))
    finalize(engine, _close_all, opened).atexit = False


def _close_all(connections: list[Any]) -> None:
    for connection in connections:
        connection.close()


#: The engines in memory that stand for engines of the program, so that several stores on one engine share their jobs.
_in_memory: WeakKeyDictionary[Pool, Engine] = WeakKeyDictionary()
_in_memory_lock = OwnLock()


def engine_beside(engine: Engine) -> Engine:
    """An engine to the same database as one of the program, with connections of its own.

    Where a database lives in a single connection, that can't be shared with transactions of the program: each would end the
    other's. Then it is one to a database in memory of its own, the same for all stores on that engine.

    Raises:
        ConfigurationError: each thread would have a database of its own.
    """
    if engine.dialect.name == "sqlite" and _lives_in_a_connection(engine):
        if isinstance(engine.pool, StaticPool):
            with _in_memory_lock:
                if engine.pool not in _in_memory:
                    _in_memory[engine.pool] = engine_for("sqlite://", {})
                return _in_memory[engine.pool]
        raise ConfigurationError(
            f"each connection of this engine ({type(engine.pool).__name__}) has a database in memory of its own, so that no two threads "
            'would see the same jobs. Give url="sqlite://" for jobs in memory, or create_engine("sqlite://", poolclass=StaticPool, '
            'connect_args={"check_same_thread": False})'
        )
    if engine.dialect.name == "sqlite" and names_memory(engine.url) and _is_shared_cache(engine.url):
        return engine_for(engine.url, {})  # the program's connections are bound to the threads that made them
    options: dict[str, Any] = {} if engine.dialect.name == "sqlite" else {"isolation_level": _ISOLATION}
    return _with_pool(engine, _pool_beside(engine), **options)


def engine_for_one(engine: Engine) -> Engine:
    """An engine to the same database without a pool, for a connection that is kept: it is to take none from the others."""
    return _with_pool(engine, _copied(engine, NullPool))


def _with_pool(engine: Engine, pool: Pool, **options: Any) -> Engine:
    return create_engine(
        engine.url,
        pool=pool,
        module=engine.dialect.dbapi,
        echo=engine.echo,
        hide_parameters=True,
        logging_name=engine.logging_name,
        **options,
    )


def schema_in(engine: Engine, schema: str | None) -> str | None:
    """The schema that an engine's ``schema_translate_map`` has for one."""
    translated = engine.get_execution_options().get("schema_translate_map") or {}
    return translated.get(schema, schema)


def _pool_beside(engine: Engine) -> Pool:
    """A pool that makes connections as the engine's does, and lends each to one thread at a time."""
    pool = engine.pool
    if isinstance(pool, QueuePool | NullPool) and not getattr(pool, "_is_asyncio", False):
        return pool.recreate()
    # One connection for all, one for each thread, one at a time: the store has several threads, which come and go.
    return _copied(engine, QueuePool)


def _copied(engine: Engine, kind: type[Pool]) -> Pool:
    """A pool of another kind that makes connections as an engine's does, and has its listeners."""
    pool = engine.pool
    return kind(pool._creator, _dispatch=pool.dispatch, dialect=engine.dialect)  # noqa: SLF001 - as `Pool.recreate` does


def names_memory(address: URL) -> bool:
    """Whether a URL of SQLite names no file."""
    return address.database in (None, "", ":memory:") or "mode=memory" in str(address)


def _is_shared_cache(address: URL) -> bool:
    return "cache=shared" in str(address)


def _lives_in_a_connection(engine: Engine) -> bool:
    """Whether a database of SQLite is gone with the connection, and can't be reached by another one."""
    if not names_memory(engine.url) or _is_shared_cache(engine.url):
        return False
    with engine.connect() as connection:  # it may have a creator, which the URL doesn't know
        driver: Any = connection.connection
        rows = driver.cursor().execute("PRAGMA database_list").fetchall()
    return not any(name == "main" and file for _, name, file in rows)
