"""Job stores of any kind that several nodes can share, by their URL."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import make_url

import servers

if TYPE_CHECKING:
    from mainspring.jobstores.shared.store import SharedJobStore


#: As a parameter. SecantusDB serves one at a time, and takes long where several want the same: its tests follow one another.
MONGODB = pytest.param("mongodb", marks=pytest.mark.xdist_group("mongodb"))
#: For tests with several processes, which take minutes on each kind of store. On every Python they run on the store that is a part of
#: Python, and the first of the servers; on the others' servers, what changes from Python to Python is what all other tests of them use.
MARIADB_ONCE = pytest.param("mariadb", marks=pytest.mark.one_python)
REDIS_ONCE = pytest.param("redis", marks=pytest.mark.one_python)
MONGODB_ONCE = pytest.param("mongodb", marks=[pytest.mark.xdist_group("mongodb"), pytest.mark.one_python])


def kind_marks(kind: str, *, often: bool, group: str = "fire") -> list[pytest.MarkDecorator]:
    """The marks of a long test on one kind of store: it is in the soak, unless it is to be tried on each change; those of a kind follow one another."""
    name = "mongodb" if kind == "mongodb" else f"{group}-{kind}"
    return [pytest.mark.one_python if often else pytest.mark.soak, pytest.mark.xdist_group(name)]


def with_driver(url: str, driver: str) -> str:
    """The URL of a database, asked by another driver; where that isn't installed, the test is left out."""
    module = {"mysqldb": "MySQLdb"}.get(driver, driver)
    if find_spec(module) is None:
        servers.missing(
            f"the driver {driver} is not installed (scripts/install_servers.sh installs mysqlclient)"
        )
    return make_url(url).set(drivername=f"{url.partition('+')[0]}+{driver}").render_as_string(False)


def open_store(url: str, name: str, **options: Any) -> SharedJobStore:
    """The store at a URL whose jobs are under a name: that of a table, a key, or a collection."""
    if url.startswith("redis"):
        from mainspring.jobstores.redis import RedisJobStore

        return RedisJobStore(url=url, jobs_key=name, **options)
    if url.startswith("mongodb"):
        from mainspring.jobstores.mongodb import MongoDBJobStore

        return MongoDBJobStore("mainspring_tests", name, host=url, **options)
    from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore

    return SQLAlchemyJobStore(url, tablename=name, **options)


def is_told_of_changes(url: str) -> bool:
    """Whether nodes are told at once what others have changed."""
    if url.startswith("postgresql"):
        return make_url(url).get_driver_name() == "psycopg" and not os.environ.get("MAINSPRING_TEST_POOLED")
    return url.startswith(("redis", "mongodb"))
