"""Where APScheduler's jobs may be, as people say it: the URL of a database, an engine, a job store, a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mainspring.coercion import unknown_name
from mainspring.errors import ConfigurationError, kind_of
from mainspring.jobstores.by_url import MONGODB_SCHEMES, REDIS_SCHEMES
from mainspring.jobstores.shared.predecessor import source_of
from mainspring.masking import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mainspring.jobstores.shared.predecessor import OldJobs

_OF_TABLE, _OF_KEYS, _OF_COLLECTION = (
    ("tablename", "tableschema"),
    ("jobs_key", "run_times_key"),
    ("database", "collection"),
)


def opened(source: Any, names: Mapping[str, Any], own: OldJobs | None) -> OldJobs | None:
    """The old jobs that are meant; ``None``: APScheduler has stored none there.

    Args:
        source: as a program says it; ``None``: `own`.
        names: what is called otherwise than by default.
        own: those that are where the store is that adopts them.

    Raises:
        ConfigurationError: the source can't be used.
        TypeError: it is of a kind that isn't known; a name that there isn't.
    """
    known = (*_OF_TABLE, *_OF_KEYS, *_OF_COLLECTION)
    for name in names:
        if name not in known:
            raise TypeError(f"adopt_jobs: {unknown_name('parameter', name, known)}")
    if source is None:
        if names:
            raise TypeError(
                f"{', '.join(names)}: of which source? Without one, the job store says what is called how"
            )
        return own
    found = _found(source, names)
    if found is not None and own is not None and found.address == own.address:
        found.close()
        return own
    return found


def _found(source: Any, names: Mapping[str, Any]) -> OldJobs | None:
    if isinstance(source, str) and "://" in source:
        scheme = source.partition("://")[0].strip().lower()
        if scheme in REDIS_SCHEMES:
            client = _redis_client(source)
            found = _keys(client, _only(names, _OF_KEYS))
            return _closing(found, client.close)
        if scheme in MONGODB_SCHEMES:
            return _collection(source, _only(names, _OF_COLLECTION))
        return _table(source, _only(names, _OF_TABLE))
    if isinstance(source, str | os.PathLike):
        return _file(Path(source), _only(names, ()))
    if type(source).__module__.startswith("sqlalchemy."):
        return _table(source, _only(names, _OF_TABLE))
    return _of_store(source, names)


def _only(names: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    for name in names:
        if name not in known:
            raise TypeError(f"{name} is nothing that this source has")
    return dict(names)


def _of_store(store: Any, names: Mapping[str, Any]) -> OldJobs | None:
    """Where a job store keeps its jobs: APScheduler's own, or where one of ours would adopt them from."""
    predecessor = getattr(store, "predecessor", None)
    if callable(predecessor):
        found: OldJobs | None = predecessor()
        if found is not None:
            found.closes = getattr(store, "_close_if_not_started", None)
            found.source = source_of(found.address)  # of the one that adopts them, it is another place
        return found
    if hasattr(store, "engine") and hasattr(store, "jobs_t"):
        table = store.jobs_t
        return _table(store.engine, {"tablename": table.name, "tableschema": table.schema, **names})
    if hasattr(store, "redis") and hasattr(store, "jobs_key"):
        return _keys(store.redis, {"jobs_key": store.jobs_key, "run_times_key": store.run_times_key, **names})
    if hasattr(store, "collection") and hasattr(store, "client"):
        from mainspring.jobstores.mongodb.predecessor import OldCollection, servers_of

        return OldCollection.found(store.collection, lambda work: work(), servers_of(store.client))
    raise TypeError(
        f"source must be the URL of a database, an engine, a job store or a file of export_jobs, got {kind_of(store)}"
    )


def _table(source: Any, names: dict[str, Any]) -> OldJobs | None:
    from mainspring.jobstores.sqlalchemy.alpha import OldSchedules
    from mainspring.jobstores.sqlalchemy.predecessor import USUAL_NAME, OldTable, Reader

    is_url = isinstance(source, str) or not hasattr(source, "connect")
    reader = Reader.of_url(source) if is_url else Reader.of_engine(source)
    schema = names.get("tableschema")
    found = OldTable.found(reader, names.get("tablename") or USUAL_NAME, schema)
    if found is not None or "tablename" in names:
        return found
    return OldSchedules.found(reader, schema)


def _redis_client(url: str) -> Any:
    from redis import Redis

    try:
        return Redis.from_url(url)
    except ValueError as error:
        raise ConfigurationError(
            f"{without_secrets(url)!r} is no URL that redis-py knows: {without_secrets(str(error))}"
        ) from error


def _keys(client: Any, names: dict[str, Any]) -> OldJobs | None:
    from mainspring.jobstores.redis.predecessor import USUAL_OLD, OldKeys

    jobs, run_times = USUAL_OLD
    keys = (names.get("jobs_key") or jobs, names.get("run_times_key") or run_times)
    return OldKeys.found(client, lambda work: work(), keys)


def _collection(url: str, names: dict[str, Any]) -> OldJobs | None:
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    from mainspring.jobstores.mongodb.predecessor import USUAL_OLD, OldCollection, servers_of

    try:
        client: Any = MongoClient(url, serverSelectionTimeoutMS=5000)
    except (PyMongoError, ValueError) as error:
        raise ConfigurationError(
            f"{without_secrets(url)!r} can't be used: {without_secrets(str(error))}"
        ) from error
    database, collection = USUAL_OLD
    named = client.get_default_database(default=database).name
    old = client[names.get("database") or named][names.get("collection") or collection]
    return _closing(OldCollection.found(old, lambda work: work(), servers_of(client)), client.close)


def _closing(found: OldJobs | None, close: Callable[[], object]) -> OldJobs | None:
    """Jobs that are read by a connection of their own."""
    if found is None:
        close()
    else:
        found.closes = close
    return found


def _file(path: Path, names: dict[str, Any]) -> OldJobs:
    from mainspring.schedulers.exported_jobs import ExportedJobs

    del names
    if not path.exists():
        raise ConfigurationError(
            f"there is no file {str(path)!r} that jobs could be adopted from; a database has a URL, such as 'sqlite:///jobs.sqlite'"
        )
    return ExportedJobs(path)
