"""Names that no server takes: refused where they are given, by a sentence that says what is allowed, and never by a driver's own error."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, make_url

from mainspring import MongoDBJobStore, RedisJobStore, SQLAlchemyJobStore
from mainspring.errors import ConfigurationError
from mainspring.jobstores.mongodb.server import LONGEST_ENDING
from mainspring.jobstores.shared import names


def _as_id(value):
    """Without backslashes: pytest doubles them each time it collects in one process, as it does where mutants are tried, and finds no such test."""
    return ascii(value).replace("\\", "/")


POSTGRESQL = "postgresql+psycopg://u@h/d"
MYSQL = "mysql+pymysql://u@h/d"
SQLITE = "sqlite:///jobs.sqlite"
OF_SQL = {
    "tablename": lambda url, name: SQLAlchemyJobStore(url, tablename=name),
    "tableschema": lambda url, name: SQLAlchemyJobStore(url, tableschema=name),
}
OF_OTHERS = {
    "database": lambda name: MongoDBJobStore(database=name),
    "collection": lambda name: MongoDBJobStore(collection=name),
    "jobs_key": lambda name: RedisJobStore(jobs_key=name),
    "run_times_key": lambda name: RedisJobStore(run_times_key=name),
}


def refused(make, *words):
    with pytest.raises(ConfigurationError) as raised:
        make()
    for word in words:
        assert word in str(raised.value)


@pytest.mark.parametrize(
    ("rule", "name", "flaw"),
    [
        (names.SQLITE, "any 'name' \"at\" all.😀" * 50, None),
        (names.SQLITE, "a\0b", "may have the character NUL"),
        (names.SQLITE, "a\udcff", "may have a lone surrogate"),
        (names.POSTGRESQL, "ü" * 31, None),
        (names.POSTGRESQL, "x" * 63, None),
        (names.POSTGRESQL, "ü" * 32, "it has 64 bytes, and PostgreSQL takes 63"),
        (names.MYSQL, "ü" * 64, None),
        (names.MYSQL, " \uffff", None),
        (names.MYSQL, "x" * 65, "it has 65 characters, and MySQL takes 64"),
        (names.MYSQL, "jobs ", "may end with ' '"),
        (names.MYSQL, "a😀", "beyond the basic plane"),
        (names.MONGODB_DATABASE, "x" * 63, None),
        (names.MONGODB_DATABASE, "ü" * 32, "it has 64 bytes, and MongoDB takes 63"),
        *((names.MONGODB_DATABASE, f"a{one}b", f"may have {one!r}") for one in ' ."$/\\'),
        (names.MONGODB_COLLECTION, 'a b/c\\d".e', None),
        (names.MONGODB_COLLECTION, "x" * 255, None),
        (names.MONGODB_COLLECTION, "x" * 256, "it has 256 bytes, and MongoDB takes 255"),
        (names.MONGODB_COLLECTION, "a$b", "may have '$'"),
        (names.MONGODB_COLLECTION, ".a", "may begin with '.'"),
        (names.MONGODB_COLLECTION, "a.", "may end with '.'"),
        (names.MONGODB_COLLECTION, "a..b", "may have '..'"),
        (names.MONGODB_COLLECTION, "system.jobs", "keeps names that begin with 'system.'"),
        (names.MONGODB_COLLECTION, "systems.jobs", None),
        (names.REDIS, "any\0\n{😀}" * 50, None),
        (names.REDIS, "\0\udcff", "may have a lone surrogate"),
    ],
)
def test_what_a_name_may_be(rule, name, flaw):
    found = names.flaw_of(name, rule)
    assert (found is None) if flaw is None else (flaw in found)


def test_what_is_put_to_a_name_counts():
    rule = names.POSTGRESQL
    assert names.flaw_of("x" * 60, rule, 3) is None
    assert (
        names.flaw_of("x" * 60, rule, 4) == "it has 64 bytes with what is put to it, and PostgreSQL takes 63"
    )


@pytest.mark.parametrize("name", [5, b"jobs", 1.5, ["jobs"]], ids=repr)
def test_a_name_that_is_no_text(name):
    for option, make in OF_SQL.items():
        for url in (SQLITE, POSTGRESQL, MYSQL):
            refused(lambda: make(url, name), f"{option} must be text, got {type(name).__name__}", "such as")
    for option, make in OF_OTHERS.items():
        refused(lambda: make(name), f"{option} must be text, got {type(name).__name__}", "such as")


def test_a_name_that_is_empty():
    for url in (SQLITE, POSTGRESQL, MYSQL):
        refused(lambda: SQLAlchemyJobStore(url, tablename=""), "tablename must not be empty", "such as")
        assert SQLAlchemyJobStore(url, tableschema="").jobs_t.schema is None
    for option, make in OF_OTHERS.items():
        refused(lambda: make(""), f"{option} must not be empty", "such as")


@pytest.mark.parametrize("name", ["a\0b", "a\udcffb"], ids=_as_id)
def test_a_name_that_no_server_takes(name):
    for option, make in OF_SQL.items():
        for url in (SQLITE, POSTGRESQL, MYSQL):
            refused(lambda: make(url, name), f"{option} can't be {name!r}", "such as")
    for option, make in OF_OTHERS.items():
        if not ("\0" in name and option in ("jobs_key", "run_times_key")):
            refused(lambda: make(name), f"{option} can't be {name!r}", "such as")


@pytest.mark.parametrize("name", ["a%b", "a`b"])
def test_a_name_that_a_driver_would_mistake(name):
    for option, make in OF_SQL.items():
        for url in (POSTGRESQL, MYSQL):
            refused(lambda: make(url, name), f"{option} can't be {name!r}")


def test_names_of_mongodb_with_what_the_store_puts_to_them():
    longest = 255 - len("mainspring.") - len(LONGEST_ENDING)
    MongoDBJobStore(collection="x" * longest)
    refused(
        lambda: MongoDBJobStore(collection="x" * (longest + 1)), "it has 256 bytes with what is put to it"
    )
    refused(
        lambda: MongoDBJobStore(collection="x" * (longest - 7), namespace="staging"),
        "it has 256 bytes with what",
    )
    refused(lambda: MongoDBJobStore(database="a.b$"), "database can't be 'a.b$'", "MongoDB may have '.'")


def test_names_of_tables_are_measured_as_each_database_does():
    longest = 64 - len("ix__runs_scheduled")
    SQLAlchemyJobStore(MYSQL, tablename="ü" * longest)
    refused(
        lambda: SQLAlchemyJobStore(MYSQL, tablename="ü" * (longest + 1)), "65 characters, and MySQL takes 64"
    )
    refused(lambda: SQLAlchemyJobStore(POSTGRESQL, tablename="ü" * longest), "bytes, and PostgreSQL takes 63")
    refused(lambda: SQLAlchemyJobStore(POSTGRESQL, tableschema="x" * 64), "64 bytes, and PostgreSQL takes 63")
    engine = create_engine("sqlite:///jobs.sqlite")
    refused(lambda: SQLAlchemyJobStore(engine=engine, tablename="a\0b"), "tablename can't be")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:////tmp/a\0b", "names a file that can't be '/tmp/a\\x00b'"),
        ("sqlite:////tmp/a\udcffb", "names a file that can't be '/tmp/a\\udcffb'"),
        (make_url(POSTGRESQL).set(database="a\0b"), "names a database that can't be 'a\\x00b'"),
        (make_url(POSTGRESQL).set(database="x" * 64), "it has 64 bytes, and PostgreSQL takes 63"),
        (make_url(MYSQL).set(database="jobs "), "no such name in MySQL may end with ' '"),
        (make_url(MYSQL).set(database="😀"), "beyond the basic plane"),
        ("mysql+pymysql://u@h/", "names no database"),
        ("mysql+pymysql://u@h", "names no database"),
        (make_url(POSTGRESQL).set(username="a\0b"), "has a user with the character NUL"),
        (make_url(POSTGRESQL).set(password="secret\udcff"), "has a password with"),
        (make_url(POSTGRESQL).set(host="a\0b"), "has the character NUL"),
        (make_url(POSTGRESQL).set(host="a..b"), "no server has a host that is called 'a..b'"),
        (make_url(POSTGRESQL).set(host="x" * 64), "no server has a host that is called"),
    ],
    ids=_as_id,
)
def test_a_url_with_a_name_that_cannot_be(url, words):
    refused(lambda: SQLAlchemyJobStore(url), words)
    with pytest.raises(ConfigurationError) as raised:
        SQLAlchemyJobStore(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "host",
    ["one,two,three", "/var/run/postgresql", "::1", "10.0.0.1", "x" * 63, "ü.de", "", None, "@" + "x" * 70],
)
def test_hosts_that_can_be(host):
    SQLAlchemyJobStore(make_url(POSTGRESQL).set(host=host))
    SQLAlchemyJobStore(MYSQL.replace("/d", ""), tableschema="d")


@pytest.mark.parametrize(
    ("jobs_key", "base"),
    [
        ("a", "{a}"),
        ("{a}b", "{a}b"),
        ("x{a}b", "x{a}b"),
        ("a{b", "{a{b}"),
        ("a}b", "{a}b}"),
        ("{}a", "{{}a}"),
    ],
)
def test_all_keys_of_redis_are_in_one_slot_of_a_cluster(jobs_key, base):
    assert RedisJobStore(jobs_key=jobs_key)._backend.server.base == base


@pytest.mark.parametrize("host", ["a..b", "a\0b", "x" * 64, "a\udcff", 5], ids=_as_id)
def test_a_host_that_cannot_be(host):
    refused(lambda: RedisJobStore(host=host), "no server has a host that is called")
    words = "can't be used by a MongoDBJobStore" if host == 5 else "no server has a host that is called"
    refused(lambda: MongoDBJobStore(host=host), words)
    refused(lambda: RedisJobStore(url="redis://a..b:1/0"), "no server has a host that is called")


@pytest.mark.parametrize("port", [0, -1, 65_536, "abc", 1.5], ids=repr)
def test_a_port_that_cannot_be(port):
    refused(lambda: RedisJobStore(port=port), "port must be a number from 1 to 65535")
    with pytest.raises(ConfigurationError):
        MongoDBJobStore(port=port)
    if isinstance(port, int) and port > 0:
        refused(lambda: SQLAlchemyJobStore(f"mysql+pymysql://u@h:{port}/d"), "port must be a number")


def test_places_that_can_be():
    for store in (
        RedisJobStore(unix_socket_path="/run/redis.sock"),
        RedisJobStore(port="6379"),
        RedisJobStore(url="redis://[::1]:1/0"),
        MongoDBJobStore(host=["one", "two:5"], port=1),
        MongoDBJobStore(host="mongodb://%2Ftmp%2Fmongo.sock"),
    ):
        store.shutdown()
