"""Errors of databases, made for real: what the tables say of them, and what is said to whoever starts a scheduler on such a store."""

from __future__ import annotations

import re
import sqlite3
import threading

import psycopg
import pymongo
import pymysql
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

import servers
from mainspring import BackgroundScheduler, MongoDBJobStore, RedisJobStore, SQLAlchemyJobStore
from mainspring.errors import ConfigurationError, StoreUnavailableError
from mainspring.jobstores.mongodb.failures import failure_of as mongodb_failure_of
from mainspring.jobstores.redis.failures import failure_of as redis_failure_of
from mainspring.jobstores.shared.failures import Failure
from mainspring.jobstores.sqlalchemy.failures import failure_of
from stores import with_driver

# One after another: they change users and settings of servers that all processes share.
pytestmark = [pytest.mark.one_python, pytest.mark.xdist_group("settings of servers")]


@pytest.fixture
def free_port():
    return servers.free_port()


def raised_by(work):
    with pytest.raises(Exception) as raised:
        work()
    return raised.value


def refused(store, **options):
    """What is said to whoever starts a scheduler on a store."""
    scheduler = BackgroundScheduler(timezone="UTC", jobstores={"default": store}, **options)
    with pytest.raises((ConfigurationError, StoreUnavailableError)) as raised:
        scheduler.start()
    assert scheduler.started.exception() is raised.value
    assert raised.value.__cause__ is not None
    return raised.value


def wrong(make, *words):
    error = refused(make())
    assert isinstance(error, ConfigurationError)
    for word in words:
        assert word in str(error)
    assert "secret" not in str(error)


# PostgreSQL


@pytest.fixture(params=["psycopg", "psycopg2"])
def postgres(request, postgres_url):
    name = "mainspring_failures"
    plain = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    postgres_url = with_driver(postgres_url, request.param)
    with psycopg.connect(plain, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}")
        yield str(make_url(postgres_url).set(database=name)), admin
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        admin.execute("DROP ROLE IF EXISTS mainspring_locked")


def executing(engine, statement):
    def work():
        with engine.begin() as connection:
            connection.execute(text(statement))

    return work


def test_postgresql_of_a_server_that_may_only_read(postgres):
    url, admin = postgres
    admin.execute("ALTER DATABASE mainspring_failures SET default_transaction_read_only = on")
    engine = create_engine(url)
    assert failure_of(raised_by(executing(engine, "CREATE TABLE t (a int)"))) is Failure.CHANGED
    engine.dispose()


def test_postgresql_of_a_session_that_is_ended(postgres):
    url, admin = postgres
    engine = create_engine(url)

    def work():
        with engine.connect() as connection:
            pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
            connection.execute(text("SELECT 1"))

    # psycopg 2 may tell only that the connection is gone; either way new ones are made.
    assert failure_of(raised_by(work)) in (Failure.CHANGED, Failure.OUTAGE)
    engine.dispose()


@pytest.mark.parametrize(
    ("statement", "failure"),
    [
        ("SET statement_timeout = 10; SELECT pg_sleep(30)", Failure.OUTAGE),
        ("SELECT repeat('x', 1000000000) || repeat('x', 100000000)", Failure.TOO_LARGE),
        ("SET ROLE pg_monitor; CREATE SCHEMA s", Failure.PERMANENT),
        ("SELECT * FROM nowhere.at_all", Failure.PERMANENT),
    ],
)
def test_postgresql_of_statements(postgres, statement, failure):
    engine = create_engine(postgres[0])
    assert failure_of(raised_by(executing(engine, statement))) is failure
    engine.dispose()


def test_postgresql_that_is_set_up_wrongly(postgres):
    url, admin = make_url(postgres[0]), postgres[1]
    admin.execute("CREATE ROLE mainspring_locked NOLOGIN")
    for changed, words in (
        (url.set(database="nowhere", password="secret"), ('"nowhere" does not exist', "create the database")),
        (url.set(username="nobody", password="secret"), ('role "nobody" does not exist', "create the role")),
        (url.set(username="mainspring_locked"), ("is not permitted to log in",)),
        (url.update_query_dict({"sslmode": "require"}), ("SSL", "TLS")),
        (url.update_query_dict({"color": "red"}), ("color", "correct the URL")),
    ):
        wrong(lambda changed=changed: SQLAlchemyJobStore(changed), *words)


# MySQL


@pytest.fixture(params=["pymysql", "mysqldb"])
def mariadb(request, mariadb_url):
    url = make_url(with_driver(mariadb_url, request.param))
    admin = pymysql.connect(
        host=url.host, port=url.port, user=url.username, database=url.database, autocommit=True
    )
    cursor = admin.cursor()
    cursor.execute("CREATE OR REPLACE USER 'guest'@'%' IDENTIFIED BY 'right'")
    cursor.execute(f"GRANT ALL ON {url.database}.* TO 'guest'@'%'")
    yield url.set(username="guest", password="right"), cursor
    cursor.execute("SET GLOBAL read_only = 0")
    cursor.execute("DROP USER 'guest'@'%'")
    admin.close()


def test_mysql_of_a_server_that_may_only_read(mariadb):
    url, admin = mariadb
    admin.execute("SET GLOBAL read_only = 1")  # not for root, as which the other tests come
    engine = create_engine(url)
    assert failure_of(raised_by(executing(engine, "CREATE TABLE only_read (a int)"))) is Failure.CHANGED
    engine.dispose()


@pytest.mark.parametrize(
    ("statement", "failure"),
    [
        ("SET STATEMENT max_statement_time = 0.01 FOR SELECT SLEEP(30)", Failure.OUTAGE),
        ("SET GLOBAL read_only = 0", Failure.PERMANENT),
        ("SELECT * FROM nowhere_at_all", Failure.PERMANENT),
    ],
)
def test_mysql_of_statements(mariadb, statement, failure):
    engine = create_engine(mariadb[0])
    assert failure_of(raised_by(executing(engine, statement))) is failure
    engine.dispose()


def test_mysql_of_a_session_that_is_ended(mariadb):
    url, admin = mariadb
    engine = create_engine(url)

    def work():
        with engine.connect() as connection:
            admin.execute(f"KILL {connection.execute(text('SELECT CONNECTION_ID()')).scalar_one()}")
            connection.execute(text("SELECT 1"))

    assert failure_of(raised_by(work)) in (Failure.CHANGED, Failure.OUTAGE)
    engine.dispose()


def test_mysql_of_a_user_with_too_many_connections(mariadb):
    url, admin = mariadb
    admin.execute("ALTER USER 'guest'@'%' WITH MAX_USER_CONNECTIONS 1")
    engine = create_engine(url)
    with engine.connect():
        assert failure_of(raised_by(engine.connect)) is Failure.OUTAGE
    engine.dispose()


def test_mysql_that_is_set_up_wrongly(mariadb, mariadb_url):
    url = mariadb[0]
    mariadb_url = with_driver(mariadb_url, url.get_driver_name())
    for changed, words in (
        (url.set(database="nowhere"), ("nowhere",)),
        (url.set(password="secret"), ("Access denied for user 'guest'", "check the user and the password")),
        (
            make_url(mariadb_url).set(database="nowhere"),
            ("Unknown database", "create the database"),
        ),
    ):
        wrong(lambda changed=changed: SQLAlchemyJobStore(changed), *words)


# SQLite


def test_sqlite_of_a_full_file(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'a.sqlite'}")

    def work():
        with engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 2")
            connection.exec_driver_sql("CREATE TABLE t (a)")
            connection.exec_driver_sql("INSERT INTO t VALUES (zeroblob(100000))")

    assert failure_of(raised_by(work)) is Failure.FULL
    engine.dispose()


def test_sqlite_of_a_value_that_is_too_large(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'a.sqlite'}")
    assert (
        failure_of(raised_by(executing(engine, "SELECT length(zeroblob(2000000000))"))) is Failure.TOO_LARGE
    )
    engine.dispose()


def test_sqlite_of_a_file_that_others_write(tmp_path):
    name = tmp_path / "a.sqlite"
    other = sqlite3.connect(name, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    engine = create_engine(f"sqlite:///{name}", connect_args={"timeout": 0})
    assert failure_of(raised_by(executing(engine, "CREATE TABLE t (a)"))) is Failure.CONFLICT
    engine.dispose()
    other.close()


def test_sqlite_that_is_set_up_wrongly(tmp_path):
    (tmp_path / "text").write_text("no database at all, but long enough to be looked at as one\n" * 20)
    sqlite3.connect(tmp_path / "a.sqlite").close()
    (tmp_path / "a.sqlite").write_bytes(b"")
    read_only = f"sqlite:///file:{tmp_path / 'a.sqlite'}?mode=ro&uri=true"
    for url, words in (
        (f"sqlite:///{tmp_path}/nowhere/a.sqlite", (f"there is no directory {tmp_path}/nowhere", "make it")),
        (f"sqlite:///{tmp_path}/text/a.sqlite", (f"{tmp_path}/text is not a directory",)),
        (f"sqlite:///{tmp_path}", (f"{tmp_path} is a directory",)),
        (f"sqlite:///{tmp_path}/text", (f"{tmp_path}/text is not a database",)),
        (read_only, (f"{tmp_path}/a.sqlite can only be read",)),
    ):
        wrong(lambda url=url: SQLAlchemyJobStore(url), *words)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("oracl://me:secret@host/x", "'oracl', which SQLAlchemy doesn't know"),
        ("jobs.sqlite", "none that SQLAlchemy knows"),
        ("postgresql+psycopg://me:secret@host:port/x", "none that SQLAlchemy knows"),
    ],
)
def test_a_url_that_cannot_be_used(url, words):
    with pytest.raises(ConfigurationError) as raised:
        SQLAlchemyJobStore(url)
    assert words in str(raised.value)
    assert "secret" not in str(raised.value)


# Redis


@pytest.fixture
def own_redis():
    try:
        server = servers.RedisServer()
    except servers.ServerMissingError as error:
        servers.missing(str(error))
    client = redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0))
    yield server, client
    client.close()
    server.kill()
    server.remove()


def test_redis_of_a_server_that_cannot_write(own_redis, free_port):
    _, client = own_redis

    def set_in_script():
        client.eval("return redis.call('SET', KEYS[1], 'x')", 1, "key")

    for node_context, value, failure in (
        ("maxmemory", "1", Failure.FULL),
        ("min-replicas-to-write", "1", Failure.CHANGED),
    ):
        before = client.config_get(node_context)[node_context]
        client.config_set(node_context, value)
        assert redis_failure_of(raised_by(lambda: client.set("key", "x"))) is failure
        assert redis_failure_of(raised_by(set_in_script)) is failure
        client.config_set(node_context, before)
    client.replicaof("127.0.0.1", free_port)
    assert redis_failure_of(raised_by(lambda: client.set("key", "x"))) is Failure.CHANGED
    assert redis_failure_of(raised_by(set_in_script)) is Failure.CHANGED


def test_redis_that_is_set_up_wrongly(own_redis):
    server, client = own_redis
    client.execute_command("ACL", "SETUSER", "guest", "on", ">right", "~*", "+get", "+ping")
    port = server.port
    wrong(
        lambda: RedisJobStore(port=port, username="guest", password="secret"),
        "check the user and the password",
    )
    wrong(
        lambda: RedisJobStore(port=port, username="guest", password="right"), "give this user the permission"
    )
    wrong(lambda: RedisJobStore(port=port, db=1000), "out of range")
    with pytest.raises(ConfigurationError, match="none that redis-py knows"):
        RedisJobStore(url="http://127.0.0.1")


# MongoDB


def test_mongodb_of_a_document_that_is_too_large(mongodb_url):
    with pymongo.MongoClient(mongodb_url) as client:
        collection = client.mainspring_failures.documents
        large = {"_id": 1, "text": "x" * 17_000_000}
        assert mongodb_failure_of(raised_by(lambda: collection.insert_one(large))) is Failure.TOO_LARGE
        collection.insert_one({"_id": 2})
        assert mongodb_failure_of(raised_by(lambda: collection.insert_one({"_id": 2}))) is Failure.CONFLICT
        client.drop_database("mainspring_failures")


# Nobody there


@pytest.mark.parametrize(
    "make",
    [
        lambda port: SQLAlchemyJobStore(f"postgresql+psycopg://me:secret@127.0.0.1:{port}/x"),
        lambda port: SQLAlchemyJobStore(f"mysql+pymysql://me:secret@127.0.0.1:{port}/x"),
        lambda port: RedisJobStore(url=f"redis://:secret@127.0.0.1:{port}/0", retry=Retry(NoBackoff(), 0)),
        lambda port: MongoDBJobStore(
            host=f"mongodb://me:secret@127.0.0.1:{port}/", serverSelectionTimeoutMS=50
        ),
    ],
    ids=["postgresql", "mysql", "redis", "mongodb"],
)
def test_a_server_that_is_not_there_is_tried_for_a_time_and_aloud(make, free_port, caplog):
    error = refused(make(free_port), start_timeout=1)
    assert isinstance(error, StoreUnavailableError)
    assert isinstance(error, ConnectionError)
    assert f"127.0.0.1:{free_port}" in str(error)
    (seconds,) = re.findall(r"\(tried for (\d+) s\)", str(error))
    assert int(seconds) >= 1
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "It is tried for 1 s" in warnings[0].getMessage()
    assert not any(record.exc_info for record in warnings)
    assert "secret" not in caplog.text + str(error)


def test_a_start_is_given_up_when_the_scheduler_is_shut_down(free_port):
    scheduler = BackgroundScheduler(
        timezone="UTC",
        jobstores={"default": SQLAlchemyJobStore(f"postgresql+psycopg://me@127.0.0.1:{free_port}/x")},
    )
    raised = []

    def start():
        try:
            scheduler.start()
        except StoreUnavailableError as error:
            raised.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    while not scheduler.health().store_errors:
        pass
    assert scheduler.health().state == "starting"
    scheduler.shutdown()
    thread.join(30)
    assert "the scheduler was shut down" in str(raised[0])
    assert scheduler.health().state == "stopped"
