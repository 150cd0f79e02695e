"""URLs as people write them: understood, or corrected by name."""

from __future__ import annotations

import pytest

from mainspring.errors import ConfigurationError
from mainspring.jobstores.sqlalchemy import addresses
from mainspring.jobstores.sqlalchemy.addresses import checked_url


@pytest.fixture
def installed(monkeypatch):
    """The modules of drivers that are there."""
    modules = {"sqlite3", "psycopg", "pymysql"}
    monkeypatch.setattr(addresses, "find_spec", lambda name: name if name in modules else None)
    return modules


@pytest.mark.parametrize(
    ("url", "understood"),
    [
        (" sqlite:///jobs.sqlite\n", "sqlite:///jobs.sqlite"),
        ("sqlite://", "sqlite://"),
        ("postgres://me@host/x", "postgresql+psycopg://me@host/x"),
        ("POSTGRESQL://host/x", "postgresql+psycopg://host/x"),
        ("postgresql+psycopg3://host/x", "postgresql+psycopg://host/x"),
        ("postgres+psycopg2://host/x", "postgresql+psycopg2://host/x"),
        ("mysql://host/x?charset=utf8mb4", "mysql+pymysql://host/x?charset=utf8mb4"),
        ("mysql+mysqlclient://host/x", "mysql+mysqldb://host/x"),
        ("mariadb://host/x", "mariadb+pymysql://host/x"),
    ],
)
def test_what_is_understood(installed, url, understood):
    assert str(checked_url(url)) == understood


def test_a_url_without_a_driver_takes_one_that_is_installed(installed):
    installed.remove("psycopg")
    assert checked_url("postgresql://host/x").drivername == "postgresql+psycopg"  # which is to be installed
    installed.add("psycopg2")
    assert checked_url("postgresql://host/x").drivername == "postgresql+psycopg2"
    installed.add("MySQLdb")
    assert checked_url("mysql://host/x").drivername == "mysql+mysqldb"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "it is empty"),
        ("sqlite://jobs.sqlite", "sqlite:///jobs.sqlite"),
        ("sqlite://var/jobs.sqlite", "sqlite:////var/jobs.sqlite"),
        ("sqlite:/jobs.sqlite", "sqlite:///jobs.sqlite"),
        ("sqlite:jobs.sqlite", "sqlite:///jobs.sqlite"),
        ("sqlite3:///jobs.sqlite", "did you mean sqlite?"),
        ("var/jobs.db", "sqlite:///var/jobs.db"),
        ("postgresql:/me:secret@host/x", "postgresql://me:***@host/x"),
        ("postgresql//host/x", "postgresql://host/x"),
        ("postgressql://me:secret@host/x", "did you mean postgresql?"),
        ("psql://host/x", "did you mean postgresql?"),
        ("mysq://host/x", "did you mean mysql?"),
        ("postgresql+psycop://host/x", "did you mean postgresql+psycopg?"),
        ("mysql+pymsql://host/x", "did you mean mysql+pymysql?"),
        ("jdbc:postgresql://host/x", "leave out 'jdbc:'"),
        ("postgresql://me:secret@host:port/x", "its port must be a number"),
        ("oracle://host/x", "SQLite, PostgreSQL, MySQL and MariaDB"),
        ("mssql+pyodbc://host/x", "SQLite, PostgreSQL, MySQL and MariaDB"),
        ("redis://host", "give it to a RedisJobStore"),
        ("mongodb://host", "give it to a MongoDBJobStore"),
        (5, "must be text"),
        # Drivers that the store isn't tested with.
        ("mysql+mysqlconnector://me:secret@host/x", "mysql+pymysql://me:***@host/x"),
        ("mariadb+mariadbconnector://host/x", "mariadb+pymysql://host/x"),
        ("mysql+pyodbc://host/x", "mysql+pymysql://host/x"),
        ("postgresql+pg8000://host/x", "postgresql+psycopg://host/x"),
        ("postgresql+psycopg2cffi://host/x", "postgresql+psycopg://host/x"),
        # Drivers for event loops.
        ("postgresql+asyncpg://me:secret@host/x?ssl=1", "postgresql+psycopg://me:***@host/x"),
        ("sqlite+aiosqlite:///jobs.sqlite", "sqlite:///jobs.sqlite"),
        ("mysql+aiomysql://host/x", "mysql+pymysql://host/x"),
        ("mysql+asyncmy://host/x", "mysql+pymysql://host/x"),
    ],
)
def test_what_is_corrected(installed, url, words):
    with pytest.raises(ConfigurationError) as raised:
        checked_url(url, needs_driver=True)
    assert words in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "extra"),
    [
        ("postgresql://host/x", "postgresql"),
        ("postgresql+psycopg2://host/x", "psycopg2"),
        ("mysql://host/x", "mysql"),
        ("mysql+mysqldb://host/x", "mysqlclient"),
        ("mariadb+pymysql://host/x", "mysql"),
    ],
)
def test_a_driver_that_is_missing_names_its_extra(installed, monkeypatch, url, extra):
    installed -= {"psycopg", "pymysql"}

    def missing():
        raise ImportError("no module")

    monkeypatch.setattr(checked_url(url).get_dialect(), "import_dbapi", missing)
    with pytest.raises(ConfigurationError, match=rf'pip install "mainspring\[{extra}\]"'):
        checked_url(url, needs_driver=True)


def test_a_refused_driver_names_what_to_install(installed):
    installed.remove("pymysql")
    with pytest.raises(
        ConfigurationError, match=r'mysql\+pymysql://host/x \(pip install "mainspring\[mysql\]"\)'
    ):
        checked_url("mysql+mysqlconnector://host/x")
