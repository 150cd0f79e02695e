"""Job stores of any kind that several nodes can share, by their URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mainspring.jobstores.shared.store import SharedJobStore


def open_store(url: str, name: str, **options: Any) -> SharedJobStore:
    """The store at a URL whose jobs are under a name: that of a table, or a key."""
    if url.startswith("redis"):
        from mainspring.jobstores.redis import RedisJobStore

        return RedisJobStore(url=url, jobs_key=name, **options)
    from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore

    return SQLAlchemyJobStore(url, tablename=name, **options)


def is_told_of_changes(url: str) -> bool:
    """Whether nodes are told at once what others have changed."""
    return url.startswith(("postgresql", "redis"))
