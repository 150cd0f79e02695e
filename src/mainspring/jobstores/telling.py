"""What a store tells its scheduler of its own accord, if it has one that listens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mainspring.model import JobRecord


def tell_paused(scheduler: Any, alias: str | None, job: JobRecord) -> None:
    """A job has paused itself.

    Args:
        scheduler: a scheduler, or what a test has in its place, or ``None``.
        alias: of the store.
        job: as it is now.
    """
    tell = getattr(scheduler, "_tell_paused", None)
    if tell is not None:
        tell(job, alias)
