"""New stores, with nothing in them, in as little time as can be: thousands are needed."""

from __future__ import annotations

import itertools
import os
from typing import Any

import redis
from sqlalchemy import text

from mainspring.jobstores.shared.store import SharedJobStore
from pickle_store import PickleStore
from stores import open_store

#: In the place of a URL: a store as third parties wrote them for APScheduler.
ADAPTED = "adapted"
#: No program lasts as long, and nobody renews it.
LEASE = 7 * 86400
KEPT = 100_000

#: Several processes may run these tests on one server.
_PREFIX = f"differential{os.getpid()}"
_NAME = f"{_PREFIX}_jobs"
_first: dict[str, Any] = {}
_numbers = itertools.count()


def fresh_store(url: str) -> Any:
    """A store of the kind that a URL names."""
    if url == ADAPTED:
        return PickleStore()
    options = {"lease": LEASE, "keep_runs": KEPT}
    if url.startswith("redis"):
        server = redis.Redis.from_url(url)
        for key in server.scan_iter(f"*{_PREFIX}*", count=10_000):
            server.delete(key)
        server.close()
        return open_store(url, _NAME, **options)
    if url.startswith("mongodb"):
        return open_store(url, f"{_PREFIX}n{next(_numbers)}_jobs", **options)
    if url not in _first:
        _first[url] = open_store(url, _NAME, **options)
        return _first[url]
    return _sql_store_beside(_first[url])


def _sql_store_beside(first: Any) -> Any:
    """A new store on the tables of another one, emptied: with its backend, for which all statements have been compiled."""
    store = object.__new__(type(first))
    SharedJobStore.__init__(store, first._backend, LEASE, KEPT, 30)
    store.engine, store.kind, store.jobs_t = first.engine, first.kind, first.jobs_t
    store._pending_migration = first._pending_migration
    with store.engine.begin() as connection:
        for table in store.engine.dialect.get_table_names(connection):
            if table.startswith(f"{_PREFIX}_") and not table.endswith("schema"):
                connection.execute(text(f"DELETE FROM {table}"))
    return store
