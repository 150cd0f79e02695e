"""The way from what older versions have kept. May be done again, and by several nodes at once."""

from __future__ import annotations

from secrets import randbits
from typing import TYPE_CHECKING

from pymongo import UpdateOne
from pymongo.errors import OperationFailure

from mainspring.jobstores.mongodb.documents import ADDING, HAS_OUTBOX, IS_ADDING, found_by

if TYPE_CHECKING:
    from pymongo.collection import Collection

    from mainspring.jobstores.mongodb.documents import Document
    from mainspring.jobstores.mongodb.server import Server

_NO_SUCH_INDEX = frozenset({26, 27})
_MANY = 500


def from_version_1(server: Server) -> None:
    """Give each job a mark, and what it is found by, in the place of an index for each of that."""
    for name in ("func_1", "priority_1", "follows_1", "outbox.state_1"):
        _drop_index(server.jobs, name)
    _drop_index(server.runs, "state_1_available_1")
    server.make_indexes()
    while _give_marks(server.jobs):
        pass  # a node of the old release may be at work, and have changed some of them meanwhile


def _give_marks(jobs: Collection[Document]) -> bool:
    """Give those jobs a mark that have none, if they are still as they were read; whether there were some."""
    was_one = False
    changes: list[UpdateOne] = []
    for document in jobs.find({"mark": {"$exists": False}}):
        as_read = {name: document.get(name) for name in ("_id", "version", "claims", "stamp")}
        changes.append(UpdateOne(as_read, {"$set": _added(document), "$unset": {"claims": ""}}))
        was_one = True
        if len(changes) == _MANY:
            jobs.bulk_write(changes, ordered=False)
            changes = []
    if changes:
        jobs.bulk_write(changes, ordered=False)
    return was_one


def _added(document: Document) -> Document:
    """What a document has since then."""
    added: Document = {"mark": randbits(62)}
    found = found_by(document) if isinstance(document.get("trigger"), dict) and "func" in document else []
    if "outbox" in document:
        found.append(HAS_OUTBOX)
    if document.get("state") == ADDING:
        added["then"] = {**document.get("then", {}), "found_by": found}
        found = [IS_ADDING]
    if found:
        added["found_by"] = found
    return added


def _drop_index(collection: Collection[Document], name: str) -> None:
    try:
        collection.drop_index(name)
    except OperationFailure as error:
        if error.code not in _NO_SUCH_INDEX:
            raise
