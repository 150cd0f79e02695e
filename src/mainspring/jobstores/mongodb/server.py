"""MongoDB as the store uses it: its collections, and what is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pymongo import ASCENDING, DESCENDING, IndexModel, MongoClient, ReadPreference, WriteConcern
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure
from pymongo.read_concern import ReadConcern

from mainspring.errors import ConfigurationError
from mainspring.forks import keep_for_ever, leaves_to_parent
from mainspring.jobstores.mongodb.failures import failure_of
from mainspring.jobstores.shared.backoff import try_again
from mainspring.jobstores.shared.outage import Outage
from mainspring.jobstores.shared.rows import read_time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from pymongo.collection import Collection

T = TypeVar("T")
Document = dict[str, Any]

DUPLICATE_KEY = 11000
#: The note of whose all this is: which collection has the jobs.
_OWNER = "owner"
#: What the other collections are called, behind the name of the one that has the jobs.
_KINDS = ("runs", "nodes", "groups", "notes", "adopted", "audit", "rollups")
LONGEST_ENDING = max((f"_{kind}" for kind in _KINDS), key=len)
#: Of a document, where the server doesn't say.
_DOCUMENT_SIZE = 16 * 1024 * 1024
#: Of many values in one condition, servers take so many at a time well.
CHUNK = 25


class Server:
    """The collections of one store, written so that a majority of the servers has what was acknowledged, unless the client says otherwise.

    Args:
        client: a client, or how to make one: those of pymongo can't be used any more once they were closed.

        where: the servers, as people may see them.

    Attributes:
        jobs: a document for each job, with those of its runs that go on.
        runs: a document for each run that waits, has waited, or has ended.
        nodes, groups: what their names say.
        adopted: what has become of APScheduler's jobs.
        audit: who has done what.
        rollups: what became of the runs that are pruned.
        notes: the version of all this, the last token, the last announcement, and whose all this is.
    """

    jobs: Collection[Document]
    runs: Collection[Document]
    nodes: Collection[Document]
    groups: Collection[Document]
    notes: Collection[Document]
    adopted: Collection[Document]
    audit: Collection[Document]
    rollups: Collection[Document]

    def __init__(
        self,
        client: MongoClient[Document] | Callable[[], MongoClient[Document]],
        database: str,
        collection: str,
        where: str = "mongodb:",
    ) -> None:
        self._given = client
        self.outage = Outage(failure_of, f"{where}/{database}.{collection}")
        self._names = database, collection
        self.name = f"{database}.{collection}"
        self._is_open = False
        self.open()
        leaves_to_parent(self)

    def leave_to_parent(self) -> None:
        """In a forked process: a client of ours is made anew when it is needed. One that was given sees to itself, with a warning."""
        if not isinstance(self._given, MongoClient) and self._is_open:
            keep_for_ever(self.client)  # its end would end the parent's sessions
            self._is_open = False
            self.open()

    def open(self) -> None:
        """Make the client, if it was closed."""
        if self._is_open:
            return
        self._is_open = True
        self.client = self._given() if not isinstance(self._given, MongoClient) else self._given
        name, collection = self._names
        written = _write_concern(self.client.write_concern)
        database = self.client.get_database(
            name,
            read_preference=ReadPreference.PRIMARY,
            write_concern=written,
            # What it has written itself must be seen.
            read_concern=ReadConcern("majority" if written.document["w"] == "majority" else "local"),
        )
        stem = self._stem = collection.removesuffix("_jobs")
        self.jobs = database[collection]
        self.runs = database[f"{stem}_runs"]
        self.nodes = database[f"{stem}_nodes"]
        self.groups = database[f"{stem}_groups"]
        self.notes = database[f"{stem}_notes"]
        self.adopted = database[f"{stem}_adopted"]
        self.audit = database[f"{stem}_audit"]
        self.rollups = database[f"{stem}_rollups"]

    def refuse_namesakes(self) -> None:
        """See to it that no other store of this database has collections of the same names as this one.

        Raises:
            ConfigurationError: one has.
        """
        _, name = self._names
        database = self.jobs.database
        for kind in _KINDS:
            # Whose runs, say, are where this store would have its jobs; and who has jobs where this one would have its runs.
            stem = name.removesuffix(f"_{kind}")
            for other, shared in ((stem, name), (f"{self._stem}_{kind}", f"{self._stem}_{kind}")):
                notes = database[f"{other.removesuffix('_jobs')}_notes"]
                if other == name or notes.find_one({"_id": "schema"}) is None:
                    continue
                jobs = (notes.find_one({"_id": _OWNER}) or {"jobs": other})["jobs"]
                if shared in (name, jobs):
                    self._refuse_namesake(jobs, shared)
        whose = self.notes.find_one({"_id": _OWNER}) or {"jobs": name}
        if whose["jobs"] != name:
            self._refuse_namesake(whose["jobs"], self.runs.name)

    def take_names(self) -> None:
        """Note whose all this is, unless another store that starts at the same time was first.

        Raises:
            ConfigurationError: it was.
        """
        insert_new(self.notes, [{"_id": _OWNER, "jobs": self._names[1]}])
        self.refuse_namesakes()

    def _refuse_namesake(self, other: str, shared: str) -> None:
        raise ConfigurationError(
            f"this database has another store with the jobs of {other!r}, and the collection {shared!r} would be both that one's and the one "
            f"of {self._names[1]!r}. Give another collection or a namespace; if it is the same store under its old name, give it that one"
        )

    def close(self) -> None:
        """Close the client, if it is ours and wasn't closed: a second time it may raise, over cursors that were given up since."""
        if self._is_open and not isinstance(self._given, MongoClient):
            self._is_open = False
            self.client.close()

    def make_indexes(self) -> None:
        """Make the indexes that queries go by, where they aren't there."""
        self.jobs.create_indexes(
            [
                IndexModel([(name, ASCENDING)], sparse=True)
                for name in ("next_run_time", "active.token", "found_by")
            ]
        )
        waiting = {"state": "queued"}
        self.runs.create_indexes(
            [
                IndexModel([("state", ASCENDING), ("available", ASCENDING)], partialFilterExpression=waiting),
                IndexModel([("job_id", ASCENDING), ("scheduled", DESCENDING)]),
                IndexModel([("scheduled", DESCENDING)]),
                # What people look for among a million runs. Older servers take no list of outcomes here: by their order these are all
                # but "skipped" and "succeeded", which most have.
                IndexModel(
                    [("outcome", ASCENDING), ("scheduled", DESCENDING)],
                    partialFilterExpression={"outcome": {"$lt": "skipped"}},
                ),
                IndexModel(
                    [("outcome", ASCENDING), ("scheduled", ASCENDING)],
                    partialFilterExpression={"outcome": {"$gt": "succeeded"}},
                ),
                IndexModel([("rolled_up_at", ASCENDING)], sparse=True),
            ]
        )
        self.rollups.create_indexes(
            [IndexModel([("span", ASCENDING), ("start", ASCENDING), ("job_id", ASCENDING)])]
        )

    def now(self) -> datetime:
        """The time of the server's clock, in UTC, to the millisecond."""
        found = read_time(self.client.admin.command("hello")["localTime"])
        if found is None:
            raise OperationFailure("the server doesn't say what time it is")
        return found

    def request_limit(self) -> int:
        """How many bytes a document may have."""
        return int(self.client.admin.command("hello").get("maxBsonObjectSize", _DOCUMENT_SIZE))

    def run(
        self,
        work: Callable[[], T],
        give_up: Callable[[], bool] | None = None,
        was_done: Callable[[], T | None] | None = None,
    ) -> T:
        """The result of `work`, tried again where it failed for a reason that passes. See `try_again`."""
        return try_again(work, self.outage, give_up=give_up, was_done=was_done)


def _write_concern(given: WriteConcern) -> WriteConcern:
    """How many servers are to have what is written: those that a client says, or a majority.

    Raises:
        ConfigurationError: the client wouldn't hear whether anything was written.
    """
    if not given.acknowledged:
        raise ConfigurationError(
            "a MongoDBJobStore has to hear from the server what was written, and its client says w=0: leave w out, or give 1 or more"
        )
    return WriteConcern(**{"w": "majority", **given.document})


def insert_new(collection: Collection[Document], documents: Sequence[Document]) -> set[Any]:
    """Insert those documents whose ``_id`` is new; the ids of the others."""
    if not documents:
        return set()
    try:
        if len(documents) == 1:  # the driver has less to do
            collection.insert_one(documents[0])
        else:
            collection.insert_many(documents, ordered=False)
    except DuplicateKeyError:
        return {documents[0]["_id"]}
    except BulkWriteError as error:
        errors = error.details["writeErrors"]
        if any(one["code"] != DUPLICATE_KEY for one in errors) or error.details["writeConcernErrors"]:
            raise
        return {documents[one["index"]]["_id"] for one in errors}
    return set()


def chunks(values: Sequence[T], size: int = CHUNK) -> list[Sequence[T]]:
    """Parts of a list, of a size that servers take well."""
    return [values[at : at + size] for at in range(0, len(values), size)]
