"""The collection of who has done what.

There are no transactions, so an entry is written before what it tells of is done, and taken back where that wasn't to be done. What a process
was killed in the middle of, or had no answer to, may have been done, and stays noted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bson import ObjectId

from mainspring.errors import JobLookupError
from mainspring.jobstores.mongodb.documents import text_of
from mainspring.jobstores.mongodb.server import insert_new
from mainspring.jobstores.shared.audit import AuditEntry, AuditLog, entries_of
from mainspring.jobstores.shared.rows import read_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mainspring.jobstores.mongodb.server import Document, Server
    from mainspring.jobstores.shared.audit import AuditQuery, Step
    from mainspring.jobstores.shared.node_context import NodeContext
    from mainspring.model import RunKey

_ORDER = [("time", -1), ("_id", -1)]


class AuditCollection(AuditLog):
    """See `AuditLog`."""

    def __init__(self, server: Server, node_context: NodeContext) -> None:
        self._server = server
        self._node_context = node_context

    def of(self, step: Step, subjects: Iterable[str | RunKey]) -> list[AuditEntry]:
        """What is to be noted of a step, if somebody acts."""
        return entries_of(self._node_context.now(), step, subjects)

    def done(self, entries: Sequence[AuditEntry], do: Callable[[], bool]) -> bool:
        """Note what is about to be done, and do it; whether ``do`` has done it: otherwise nothing is noted."""
        if not entries:
            return do()
        ids = self._insert(entries)
        is_done = False
        try:
            is_done = do()
        except JobLookupError:
            self._take_back(ids)
            raise
        if not is_done:
            self._take_back(ids)
        return is_done

    def _insert(self, entries: Sequence[AuditEntry]) -> list[Any]:
        documents = [{"_id": ObjectId(), **_document(entry)} for entry in entries]
        self._server.run(lambda: insert_new(self._server.audit, documents))
        return [document["_id"] for document in documents]

    def _take_back(self, ids: Sequence[Any]) -> None:
        self._server.run(lambda: self._server.audit.delete_many({"_id": {"$in": list(ids)}}))

    def write(self, entries: Sequence[AuditEntry]) -> None:
        """See `AuditLog.write`."""
        self._insert(entries)

    def entries(self, query: AuditQuery) -> list[AuditEntry]:
        """See `AuditLog.entries`."""
        where: Document = {}
        if query.job_id is not None:
            where["job_id"] = query.job_id
        if query.who is not None:
            where["who"] = query.who
        if query.since is not None:
            where["time"] = {"$gte": text_of(query.since)}
        found = self._server.run(
            lambda: list(self._server.audit.find(where, {"_id": 0}).sort(_ORDER).limit(query.limit))
        )
        return [AuditEntry(**{**one, "time": read_time(one["time"])}) for one in found]

    def prune(self, keep: int) -> None:
        """See `AuditLog.prune`."""
        audit = self._server.audit
        last = next(iter(audit.find({}, {"time": 1}).sort(_ORDER).skip(keep).limit(1)), None)
        if last is not None:
            time = last["time"]  # as of many others: what one step does to many jobs is noted with one time
            older = [{"time": {"$lt": time}}, {"time": time, "_id": {"$lte": last["_id"]}}]
            audit.delete_many({"$or": older})


def _document(entry: AuditEntry) -> Document:
    return {**entry._asdict(), "time": text_of(entry.time)}
