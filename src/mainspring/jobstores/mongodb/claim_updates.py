"""The changes that make claims true: each of one document, on the condition that it is as it was read, and many in one statement.

A statement for each document would say the same, and takes a server several times as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pymongo import UpdateMany

from mainspring.jobstores.mongodb.documents import HAS_OUTBOX
from mainspring.jobstores.mongodb.server import chunks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mainspring.jobstores.mongodb.documents import Document


class JobClaim(NamedTuple):
    """What a claim makes of one job.

    Attributes:
        read: its document, as it was decided on.
        state: what it is from now on.
        next_run_time: when it is due next.
        tally: what it remembers from now on; ``None``: nothing new.
        runs: those that go on from now on.
        outbox: the documents of other runs.
        cancels: whether those that have gone on so far are to be cancelled.
    """

    read: Document
    state: str
    next_run_time: str | None
    counters: Document | None
    runs: Sequence[Document]
    outbox: Sequence[Document]
    cancels: bool

    @property
    def kind(self) -> tuple[object, ...]:
        """What those have in common that one statement can write."""
        parts = (self.runs, self.outbox, self.counters, self.cancels)
        return self.state, self.next_run_time is None, *map(bool, parts)


def updates_of(claims: Sequence[JobClaim], common: Document) -> list[UpdateMany]:
    """The statements that write claims. Each document that is as it was read is changed once, and no other.

    Args:
        common: what is written into each document.
    """
    kinds: dict[tuple[object, ...], list[JobClaim]] = {}
    for claim in claims:
        kinds.setdefault(claim.kind, []).append(claim)
    return [
        UpdateMany(_as_read(part), [{"$set": {**common, **_fields(part)}}])
        for alike in kinds.values()
        for part in chunks(alike)
    ]


def _as_read(claims: Sequence[JobClaim]) -> Document:
    """The condition that nobody has changed a job since it was read.

    A mark is that of one document at one time, so none of these jobs can have the mark of another.
    """
    return {
        "_id": {"$in": [claim.read["_id"] for claim in claims]},
        "mark": {"$in": [claim.read.get("mark") for claim in claims]},
    }


def _fields(claims: Sequence[JobClaim]) -> Document:
    """What is to be in the documents of claims of the same kind, as expressions."""
    first = claims[0]
    fields: Document = {
        "state": first.state,
        "version": {"$add": ["$version", 1]},
        "mark": {"$add": [{"$ifNull": ["$mark", 0]}, 1]},
        "next_run_time": "$$REMOVE",
    }
    if first.next_run_time is not None:
        fields["next_run_time"] = _of_each(claims, [claim.next_run_time for claim in claims])
    if first.counters:
        fields["tally"] = _of_each(claims, [claim.counters for claim in claims])
    active: Any = _list("active")
    if first.cancels:
        asked = {"$mergeObjects": ["$$this", {"to_cancel": True}]}
        active = fields["active"] = {"$map": {"input": active, "in": asked}}
    if first.runs:
        runs = _of_each(claims, [list(claim.runs) for claim in claims])
        fields["active"] = {"$concatArrays": [active, runs]}
    if first.outbox:
        outbox = _of_each(claims, [list(claim.outbox) for claim in claims])
        fields["outbox"] = {"$concatArrays": [_list("outbox"), outbox]}
        fields["found_by"] = {"$setUnion": [_list("found_by"), [HAS_OUTBOX]]}
    return fields


def _list(name: str) -> Document:
    """A list of a document, which it may not have yet."""
    return {"$ifNull": [f"${name}", []]}


def _of_each(claims: Sequence[JobClaim], values: list[Any]) -> Document:
    """The value for the document at hand."""
    if all(value == values[0] for value in values):
        return {"$literal": values[0]}
    ids = [claim.read["_id"] for claim in claims]
    return {"$arrayElemAt": [{"$literal": values}, {"$indexOfArray": [{"$literal": ids}, "$_id"]}]}
