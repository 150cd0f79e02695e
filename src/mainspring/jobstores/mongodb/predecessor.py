"""APScheduler's collection of jobs: a document with a pickle for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainspring import profile
from mainspring.jobstores.shared.predecessor import OldJob, OldJobs, PickledJob, source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pymongo.collection import Collection

    from mainspring.jobstores.mongodb.server import Document

#: Database and collection, where no others are given: APScheduler's, and ours.
USUAL_OLD = ("apscheduler", "jobs")
USUAL = ("mainspring", "jobs")
_OURS = "mainspring_"
_IS_JOB: Document = {"job_state": {"$exists": True}}


def names_of(database: str, collection: str) -> tuple[tuple[str, str], tuple[str, str] | None]:
    """Database and collection of our jobs, and of APScheduler's, if a store of these names can have some."""
    if (database, collection) in (USUAL, USUAL_OLD):
        return USUAL, USUAL_OLD
    if collection.startswith(_OURS):
        return (database, collection), (database, collection.removeprefix(_OURS))
    if profile.stands_in():
        return (database, f"{_OURS}{collection}"), (database, collection)
    return (database, collection), None


class OldCollection(OldJobs):
    """A collection of an APScheduler 3.

    Args:
        run: calls what asks the server, again where it wasn't there.
        where: the servers, as people may see them.
    """

    def __init__(
        self,
        collection: Collection[Document],
        run: Callable[[Callable[[], Any]], Any],
        where: str,
        *,
        is_own: bool,
    ) -> None:
        self._collection, self._run = collection, run
        name = f"{collection.database.name}.{collection.name}"
        self.place = f"collection {name!r}" if is_own else f"collection {name!r} of {where}"
        self.address = f"{servers_of(collection.database.client)} {name}"
        self.source = "" if is_own else source_of(self.address)
        self.pausing = (
            f'db.getSiblingDB("{collection.database.name}")["{collection.name}"].updateMany({{}}, '
            "{$set: {next_run_time: null}})"
        )

    @classmethod
    def found(
        cls,
        collection: Collection[Document],
        run: Callable[[Callable[[], Any]], Any],
        where: str,
        *,
        is_own: bool = False,
    ) -> OldCollection | None:
        """A collection, if there is a job of APScheduler's in it."""
        is_there = run(lambda: collection.find_one(_IS_JOB, {"_id": 1})) is not None
        return cls(collection, run, where, is_own=is_own) if is_there else None

    def ids(self) -> list[str]:
        """See `OldJobs.ids`."""
        found = self._run(lambda: list(self._collection.find(_IS_JOB, {"_id": 1, "next_run_time": 1})))
        soonest = sorted(found, key=lambda one: (_time_of(one), str(one["_id"])))
        return [str(one["_id"]) for one in soonest]

    def jobs(self, ids: Sequence[str]) -> list[OldJob]:
        """See `OldJobs.jobs`."""
        wanted = set(ids)

        def look() -> dict[str, bytes]:
            found = self._collection.find(_IS_JOB, {"_id": 1, "job_state": 1})
            return {str(one["_id"]): _bytes(one["job_state"]) for one in found if str(one["_id"]) in wanted}

        states: dict[str, bytes] = self._run(look) if wanted else {}
        return [PickledJob(one, states[one]) for one in ids if one in states]

    def scheduled(self, limit: int) -> list[str]:
        """See `OldJobs.scheduled`."""
        which: Document = {**_IS_JOB, "next_run_time": {"$ne": None}}
        return self._run(  # type: ignore[no-any-return]
            lambda: [str(one["_id"]) for one in self._collection.find(which, {"_id": 1}).limit(limit)]
        )


def servers_of(client: Any) -> str:
    """Which servers a client was told of, the same however it was told."""
    seeds = getattr(getattr(client, "_topology_settings", None), "seeds", None) or ()
    named = {(str(host).lower().replace("127.0.0.1", "localhost"), port) for host, port in seeds}
    return "mongodb://" + ",".join(f"{host}:{port}" for host, port in sorted(named))


def _time_of(document: Document) -> float:
    moment = document.get("next_run_time")
    return float(moment) if isinstance(moment, int | float) else float("inf")


def _bytes(value: Any) -> bytes:
    """A pickle, whatever somebody has put there."""
    return bytes(value) if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
