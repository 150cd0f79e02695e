"""A job store for the URL of its database, as command lines and configuration files name it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mainspring.errors import ConfigurationError, kind_of
from mainspring.masking import without_secrets

if TYPE_CHECKING:
    from mainspring.jobstores.shared.store import SharedJobStore

__all__ = ["MONGODB_SCHEMES", "REDIS_SCHEMES", "store_for"]

#: What a URL begins with that isn't SQLAlchemy's.
REDIS_SCHEMES = ("redis", "rediss", "unix", "valkey", "valkeys")
MONGODB_SCHEMES = ("mongodb", "mongodb+srv")
_FILE_ENDINGS = (".sqlite", ".sqlite3", ".db", ".db3")
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*)://")


def store_for(url: str, **options: Any) -> SharedJobStore:
    """The job store in the database at a URL.

    Args:
        url: of SQLite, PostgreSQL, MySQL, MariaDB, Redis, Valkey or MongoDB; or the path of a file of SQLite's, with one of its usual endings.
        options: further parameters of the kind of store that it is, such as ``namespace``.

    Raises:
        ConfigurationError: no store is made of this; or the store refuses it.
        ImportError: the driver isn't installed; the message names the extra that brings it.
    """
    if not isinstance(url, str):
        raise ConfigurationError(f"a job store's URL must be a text, got {kind_of(url)}")
    found = _SCHEME.match(url)
    if found is None:
        return _sqlalchemy_store(f"sqlite:///{_path(url)}", options)
    scheme = found[1].lower()
    if scheme in REDIS_SCHEMES:
        from mainspring.jobstores.redis import RedisJobStore

        return _made(RedisJobStore, {"url": url, **options})
    if scheme in MONGODB_SCHEMES:
        return _mongodb_store(url, options)
    return _sqlalchemy_store(url, options)


def _path(text: str) -> Path:
    path = Path(text).expanduser()
    if path.suffix.lower() not in _FILE_ENDINGS:
        raise ConfigurationError(
            f"{without_secrets(text)!r} is neither the URL of a database, such as 'sqlite:///jobs.sqlite' or 'postgresql://user@host/database', nor a "
            f"file that ends with {', '.join(_FILE_ENDINGS)}"
        )
    return path


def _sqlalchemy_store(url: str, options: dict[str, Any]) -> SharedJobStore:
    from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore

    return _made(SQLAlchemyJobStore, {"url": url, **options})


def _mongodb_store(url: str, options: dict[str, Any]) -> SharedJobStore:
    from pymongo.errors import InvalidURI
    from pymongo.uri_parser import parse_uri

    from mainspring.jobstores.mongodb import MongoDBJobStore

    try:
        database = (
            parse_uri(url, validate=False).get("database")
            if not url.lower().startswith("mongodb+srv")
            else None
        )
    except (InvalidURI, ValueError) as error:
        raise ConfigurationError(f"{without_secrets(url)!r} is no URL of MongoDB: {error}") from error
    named = {} if database is None else {"database": database}
    return _made(MongoDBJobStore, {**named, "host": url, **options})


def _made(kind: type[SharedJobStore], options: dict[str, Any]) -> SharedJobStore:
    try:
        return kind(**options)
    except TypeError as error:
        raise ConfigurationError(f"{kind.__name__} can't be made of {', '.join(options)}: {error}") from error
