"""Engines of the program: whatever they are, the store runs jobs with them and leaves them as they are, or says what to do."""

from __future__ import annotations

import gc
import sqlite3
import sys
import threading
import weakref
from types import ModuleType

import pytest
from sqlalchemy import create_engine, create_mock_engine, event, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AssertionPool, NullPool, QueuePool, SingletonThreadPool, StaticPool

from mainspring.errors import ConfigurationError
from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore
from mainspring.jobstores.sqlalchemy.engines import is_in_memory
from mainspring.schedulers.background import BackgroundScheduler
from mainspring.testing import ManualScheduler
from mainspring.testing.conformance import record
from waiting import wait_for

PATIENCE = 20


@pytest.fixture
def engine_to():
    """Makes engines, and disposes of them in the end."""
    made = []

    def engine(url, **options):
        made.append(create_engine(url, **options))
        return made[-1]

    yield engine
    for one in made:
        one.dispose()


def run_a_job(engine, tablename, **options):
    """What a stored job has given, that was run by a scheduler with a store on an engine."""
    scheduler = BackgroundScheduler(start_timeout=10)
    scheduler.add_jobstore(SQLAlchemyJobStore(engine=engine, tablename=tablename, **options))
    scheduler.start()
    try:
        scheduler.add_job("operator:add", "interval", days=1, args=[20, 22], id="sum", replace_existing=True)
        return int(scheduler.run_job("sum").wait(PATIENCE).result)
    finally:
        scheduler.shutdown()


@pytest.mark.parametrize("pool", [QueuePool, NullPool, StaticPool, SingletonThreadPool, AssertionPool])
def test_any_pool_that_was_used_before(engine_to, database_url, tablename, pool):
    engine = engine_to(database_url, poolclass=pool)
    engine.connect().close()
    assert run_a_job(engine, tablename) == 42
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1


def test_a_pool_of_one_connection(engine_to, database_url, tablename):
    assert run_a_job(engine_to(database_url, pool_size=1, max_overflow=0, pool_timeout=5), tablename) == 42


@pytest.mark.parametrize("level", ["AUTOCOMMIT", "SERIALIZABLE"])
def test_how_the_program_keeps_transactions_apart_is_its_own(engine_to, database_url, tablename, level):
    engine = engine_to(database_url, isolation_level=level)
    with engine.connect() as connection:
        before = connection.get_isolation_level()
    store = SQLAlchemyJobStore(engine=engine, tablename=tablename)
    store.start(None, "default")
    try:
        with pytest.raises(ZeroDivisionError), store._backend.database.writing() as connection:
            connection.execute(store._backend.tables.groups.insert().values(name="g", per=1))
            _ = 1 / 0
        with store._backend.database.reading() as connection:  # it was undone
            assert connection.execute(store._backend.tables.groups.select()).first() is None
        with store._backend.database.writing() as connection:
            if store.kind != "sqlite":
                assert connection.get_isolation_level() == "READ COMMITTED"
        with engine.connect() as connection:
            assert connection.get_isolation_level() == before
    finally:
        store.shutdown()


@pytest.mark.skipif(
    sys.version_info < (3, 12), reason="connections of SQLite have no autocommit before Python 3.12"
)
@pytest.mark.parametrize("commits", [True, False])
def test_how_connections_of_sqlite_commit_is_their_own(engine_to, tmp_path, tablename, commits):
    engine = engine_to(f"sqlite:///{tmp_path}/a.sqlite", connect_args={"autocommit": commits})
    assert run_a_job(engine, tablename) == 42


def test_execution_options_that_commit_by_themselves(engine_to, database_url, tablename):
    engine = engine_to(database_url).execution_options(isolation_level="AUTOCOMMIT")
    assert run_a_job(engine, tablename) == 42


def test_listeners_of_the_program_see_their_connections_and_stay(engine_to, tmp_path, tablename):
    engine = engine_to(f"sqlite:///{tmp_path}/a.sqlite")
    connected, begun = [], []

    @event.listens_for(engine, "connect")
    def _(connection, _record):  # as SQLAlchemy's documentation says, for transactions that are ones
        connection.isolation_level = None
        connected.append(connection)

    @event.listens_for(engine, "begin")
    def _(connection):
        begun.append(connection)
        connection.exec_driver_sql("BEGIN")

    engine.connect().close()
    assert run_a_job(engine, tablename) == 42
    assert len(connected) > 1  # the store's connections are made as the program's
    assert not begun  # but their transactions are its own
    with engine.begin():
        pass
    assert len(begun) == 1


def test_connections_of_the_program_are_left_as_they_are(engine_to, tmp_path, tablename):
    engine = engine_to(f"sqlite:///{tmp_path}/a.sqlite")
    assert run_a_job(engine, tablename) == 42
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver.isolation_level is not None
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 0


def test_what_makes_connections_for_the_program_makes_them_for_the_store(engine_to, tmp_path, tablename):
    def creator():
        return sqlite3.connect(tmp_path / "a.sqlite", check_same_thread=False)

    assert run_a_job(engine_to("sqlite://", creator=creator), tablename) == 42
    with sqlite3.connect(tmp_path / "a.sqlite") as connection:
        assert connection.execute(f"SELECT id FROM {tablename}").fetchall() == [("sum",)]
    connection.close()


def test_a_database_in_memory_that_the_program_uses_too(engine_to, tablename):
    engine = engine_to("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE films (name TEXT)"))
        connection.execute(text("INSERT INTO films VALUES ('Kes')"))  # and its transaction stays open
        assert run_a_job(engine, tablename) == 42
        connection.rollback()
        assert connection.execute(text("SELECT count(*) FROM films")).scalar() == 0
        assert inspect(connection).get_table_names() == ["films"]


def test_stores_on_one_engine_in_memory_share_their_jobs(engine_to, tablename, started):
    engine = engine_to("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    one, other = (started(SQLAlchemyJobStore(engine=engine, tablename=tablename)) for _ in range(2))
    one.add_records([record("a")], None)
    assert other.lookup_job("a") is not None
    with one.engine.connect() as connection:  # as its attribute says
        assert connection.execute(one.jobs_t.select()).one().id == "a"
    one.shutdown()
    again = started(SQLAlchemyJobStore(engine=engine, tablename=tablename))
    assert again.lookup_job("a") is not None  # as long as the engine is there


def test_a_shared_cache_in_memory(engine_to, tablename):
    url = f"sqlite:///file:{tablename}?mode=memory&cache=shared&uri=true"
    engine = engine_to(url, poolclass=QueuePool)
    with engine.connect():
        assert run_a_job(engine, tablename) == 42


def test_a_database_of_each_connection_is_refused(engine_to):
    with pytest.raises(ConfigurationError, match=r'Give url="sqlite://"'):
        SQLAlchemyJobStore(engine=engine_to("sqlite://", poolclass=SingletonThreadPool))


def test_connections_that_are_bound_to_threads_are_refused_at_the_start(engine_to, tmp_path, tablename):
    engine = engine_to(f"sqlite:///{tmp_path}/a.sqlite", connect_args={"check_same_thread": True})
    with pytest.raises(ConfigurationError, match="check_same_thread"):
        run_a_job(engine, tablename)


def test_a_schema_that_the_engine_translates(engine_to, postgres_url, tablename):
    engine = engine_to(postgres_url)
    schema = tablename.removesuffix("_jobs")
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    try:
        translating = engine.execution_options(schema_translate_map={None: schema, "own": schema})
        for options in ({}, {"tableschema": "own"}):
            assert run_a_job(translating, tablename, **options) == 42
        assert tablename in inspect(engine).get_table_names(schema)
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))


def test_a_reference_to_an_engine(engine_to, tmp_path, tablename, monkeypatch):
    module = ModuleType("films_db")
    module.engine = engine_to(f"sqlite:///{tmp_path}/a.sqlite")
    monkeypatch.setitem(sys.modules, "films_db", module)
    assert run_a_job("films_db:engine", tablename) == 42


def test_what_is_no_engine():
    class OfFlask:
        __module__ = "flask_sqlalchemy.extension"

    for given, words in (
        (OfFlask(), "give db.engine"),
        (object(), "as create_engine makes it"),
        (create_mock_engine("sqlite://", print), "as create_engine makes it"),
        (
            create_async_engine("postgresql+psycopg://me:secret@localhost/x"),
            r"psycopg://me:\*\*\*@localhost/x",
        ),
    ):
        with pytest.raises(ConfigurationError, match=words):
            SQLAlchemyJobStore(engine=given)


def test_two_threads_of_the_program_and_a_store_on_one_engine(engine_to, tmp_path, tablename):
    """A busy program neither stops the store nor is stopped by it."""
    engine = engine_to(f"sqlite:///{tmp_path}/a.sqlite", connect_args={"timeout": PATIENCE})
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE films (name TEXT)"))
    failed, ending = [], threading.Event()

    def work():
        try:
            while not ending.wait(0.001):
                with engine.begin() as connection:
                    connection.execute(text("INSERT INTO films VALUES ('Kes')"))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        assert run_a_job(engine, tablename) == 42
    finally:
        ending.set()
        for thread in threads:
            thread.join()
    assert not failed


def test_a_database_in_memory_is_recognised(engine_to):
    assert is_in_memory(SQLAlchemyJobStore("sqlite://").engine)


def test_an_engine_in_memory_is_closed_when_nobody_uses_it(tablename):
    store = SQLAlchemyJobStore("sqlite://", tablename=tablename)
    scheduler = ManualScheduler(jobstores={"default": store})
    scheduler.start()
    engine = weakref.ref(store.engine)
    with store.engine.connect() as connection:
        opened = connection.connection.dbapi_connection
    scheduler.shutdown()
    del scheduler, store, connection

    def is_gone():
        gc.collect()
        return engine() is None

    wait_for(is_gone)  # a thread that ends may have it a moment longer
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened.execute("SELECT 1")
