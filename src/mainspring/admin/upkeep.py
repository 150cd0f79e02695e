"""What an operator does to a store as a whole: bring it up to date, check it, shorten its history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mainspring.admin.views import View, unreadable_view
from mainspring.errors import ConfigurationError
from mainspring.jobstores.shared.rows import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta
    from pathlib import Path

    from mainspring.admin.administration import Admin
    from mainspring.jobstores.shared.maintenance import Maintenance
    from mainspring.jobstores.shared.store import SharedJobStore

__all__ = ["Check", "checks", "maintenance_of", "pending_upgrade", "prunable", "prune", "restore", "vacuum"]

#: The history of so many jobs is shortened at a time.
_JOBS_AT_ONCE = 100


@dataclass(frozen=True)
class Check(View):
    """One thing about a store that was looked at.

    Attributes:
        is_good: whether nothing has to be done.
        found: in words.
    """

    about: str
    is_good: bool
    found: str


def pending_upgrade(store: SharedJobStore) -> str | None:
    """What bringing a store up to date would do: the SQL, or a sentence where it isn't in SQL; ``None``: nothing is to be done.

    Args:
        store: one that isn't started or attached.

    Raises:
        ConfigurationError: what is there is something else's, or a newer release's.
        StoreUnavailableError: it can't be had.
    """
    return store.pending_upgrade()


def maintenance_of(store: SharedJobStore) -> Maintenance:
    """The database of a store, where that has means for its upkeep.

    Raises:
        ConfigurationError: it isn't.
    """
    found = store.maintenance
    if found is None:
        raise ConfigurationError(
            f"this can be done to a database of SQL, and {store.kind} has means of its own: see its documentation"
        )
    return found


def vacuum(admin: Admin) -> None:
    """Give room that removed rows have left back to the system; SQLite and MySQL let nobody write meanwhile.

    Raises:
        ConfigurationError: the store has means of its own.
    """
    maintenance = maintenance_of(admin.store)
    admin.note("vacuum")
    maintenance.vacuum()


def restore(admin: Admin, source: Path) -> None:
    """Put what a backup holds in the place of what the store holds: all of it, or nothing. What was noted since is gone with it.

    Raises:
        ConfigurationError: it is no backup of such a store, or the store has means of its own.
        FileNotFoundError: there is no such file.
    """
    maintenance_of(admin.store).restore(source)
    admin.note("restore")


def checks(admin: Admin) -> Iterator[Check]:
    """Whether a store is whole, and what is in it."""
    store = admin.store
    maintenance = store.maintenance
    if maintenance is not None:
        flaws = list(maintenance.flaws())
        if maintenance.kind == "sqlite":
            yield Check("database", not flaws, "; ".join(flaws) or "SQLite finds its file whole")
        sizes = ", ".join(f"{count} rows in {name}" for name, count in maintenance.sizes().items())
        yield Check("size", True, sizes)
    yield Check("tables", True, "they are there, of this release, and may be read")
    rows = store.list_rows()
    unreadable = [unreadable_view(row) for row in rows if isinstance(row, Unreadable)]
    words = ", ".join(f"{job.id} ({job.unreadable})" for job in unreadable)
    yield Check(
        "jobs",
        not unreadable,
        f"can't be read here: {words}" if unreadable else f"{len(rows)} jobs can be read",
    )
    working = {node.name for node in admin.nodes() if node.state == "alive"}
    orphans = [run for run in admin.runs(state="running", limit=10_000) if run.node not in working]
    names = ", ".join(run.id for run in orphans[:10])
    yield Check(
        "runs",
        not orphans,
        f"{len(orphans)} go on at nodes that are silent, and are recorded as lost by the next node that starts: {names}"
        if orphans
        else "none goes on at a node that isn't there",
    )


def prunable(admin: Admin, job_ids: Sequence[str], keep: int, older_than: timedelta) -> int:
    """How many runs `prune` would remove now."""
    return admin.store.prunable(job_ids, keep, admin.now() - older_than)


def prune(admin: Admin, job_ids: Sequence[str], keep: int, older_than: timedelta) -> Iterator[int]:
    """Shorten the history, in steps that may be interrupted; yields how many jobs were seen to.

    Args:
        job_ids: all jobs; history that is too old is removed of whatever job.
        keep: so many ended runs of each job stay at most.
        older_than: whatever has ended before that is removed.
    """
    before = admin.now() - older_than
    admin.note("prune")
    admin.store.prune_history([], keep, before)
    for at in range(0, len(job_ids), _JOBS_AT_ONCE):
        part = job_ids[at : at + _JOBS_AT_ONCE]
        admin.store.prune_history(part, keep, before)
        yield len(part)
