"""What became of runs that are pruned: a document for each job and minute, hour or day.

There are no transactions. So the runs of a batch are marked with its name first, by which nobody else takes them; then they are counted, where
each roll-up notes the names of its last batches, so that none is counted into it twice; then they are removed. What a process was killed in the
middle of, another goes on with.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from mainspring.jobstores.mongodb.documents import ENDED, HIDDEN, text_of
from mainspring.jobstores.mongodb.server import DUPLICATE_KEY, chunks
from mainspring.jobstores.shared.rollups import (
    GONE_WITHIN,
    GREATEST,
    LEAST,
    SPANS,
    PrunedRun,
    RollUp,
    RollUps,
    read_numbers,
    rolled_up,
)
from mainspring.jobstores.shared.rows import read_time, time_text
from mainspring.triggers.standard import shifted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from mainspring.jobstores.mongodb.server import Document, Server
    from mainspring.jobstores.shared.node_context import NodeContext
    from mainspring.jobstores.shared.rollups import Span

#: Whoever has marked a batch, and not removed it after this, was killed.
_TAKES = timedelta(minutes=10)
#: So many batches each roll-up knows: more aren't at work on one job at once.
_KNOWN_BATCHES = 20
_READ = ("job_id", "scheduled", "outcome", "started", "finished", "available")


class RollUpDocuments(RollUps):
    """See `RollUps`."""

    def __init__(self, server: Server, node_context: NodeContext) -> None:
        self._server = server
        self._node_context = node_context

    def forget(self, names: Sequence[Any]) -> None:
        """Count and remove ended runs, those that nobody else does."""
        batch = uuid.uuid4().hex
        mark = {"rolled_up": batch, "rolled_up_at": text_of(self._node_context.now())}
        for part in chunks(names):
            self._server.runs.update_many(
                {"_id": {"$in": list(part)}, "state": ENDED, "rolled_up": {"$exists": False}}, {"$set": mark}
            )
        self._finish(batch, names)

    def finish_others(self) -> None:
        """Go on with what those have begun that were killed."""
        before = text_of(shifted(self._node_context.now(), -_TAKES))
        batches: dict[str, list[Any]] = {}
        for run in self._server.runs.find({"rolled_up_at": {"$lt": before}}, {"rolled_up": 1}):
            batches.setdefault(run["rolled_up"], []).append(run["_id"])
        for batch, names in batches.items():
            self._finish(batch, names)

    def _finish(self, batch: str, names: Sequence[Any]) -> None:
        runs: list[Document] = []
        for part in chunks(names):
            runs += self._server.runs.find(
                {"_id": {"$in": list(part)}, "rolled_up": batch}, dict.fromkeys(_READ, 1)
            )
        if not runs:
            return
        there = self._there({run.get("job_id") for run in runs})
        counted = [run for run in map(_pruned, runs) if run is not None and run.job_id in there]
        changes = [_addition(one, batch) for one in rolled_up(counted, self._node_context.now())]
        for some in chunks(changes, 100):
            try:
                self._server.rollups.bulk_write(list(some), ordered=False)
            except BulkWriteError as error:
                if any(one["code"] != DUPLICATE_KEY for one in error.details["writeErrors"]):
                    raise
        for part in chunks([run["_id"] for run in runs]):
            self._server.runs.delete_many({"_id": {"$in": list(part)}, "rolled_up": batch})

    def _there(self, job_ids: Iterable[Any]) -> set[Any]:
        """Those of some jobs that there are."""
        found: set[Any] = set()
        for part in chunks(list(job_ids)):
            where = {"_id": {"$in": list(part)}, "state": {"$nin": HIDDEN}}
            found.update(job["_id"] for job in self._server.jobs.find(where, {"_id": 1}))
        return found

    def entries(self, job_id: str | None, span: Span, since: datetime) -> list[RollUp]:
        """See `RollUps.entries`."""
        where: Document = {"span": span, "start": {"$gte": text_of(since)}}
        if job_id is not None:
            where["job_id"] = job_id
        found = self._server.run(
            lambda: list(self._server.rollups.find(where).sort([("start", 1), ("job_id", 1)]))
        )
        return [RollUp(one["job_id"], one["span"], _time(one["start"]), read_numbers(one)) for one in found]

    def prune(self, before: Mapping[Span, datetime], gone_before: datetime) -> None:
        """See `RollUps.prune`."""
        rollups = self._server.rollups
        for span, time in before.items():
            rollups.delete_many({"span": span, "start": {"$lt": text_of(time)}})
        shortly = {"$gte": text_of(shifted(gone_before, -GONE_WITHIN)), "$lt": text_of(gone_before)}
        known = {one["job_id"] for one in rollups.find({"span": "day", "start": shortly}, {"job_id": 1})}
        for part in chunks(sorted(known - self._there(known))):
            old = {"span": {"$in": list(SPANS)}, "start": {"$lt": text_of(gone_before)}}
            rollups.delete_many({**old, "job_id": {"$in": list(part)}})


def _time(text: Any) -> datetime:
    time = read_time(text)
    if time is None:
        raise ValueError("a run, or a roll-up, has no time")
    return time


def _pruned(run: Document) -> PrunedRun | None:
    """What is counted of the document of a run; ``None``: it is damaged."""
    try:
        return PrunedRun(
            run["job_id"],
            _time(run["scheduled"]),
            run["outcome"],
            *(read_time(run.get(name)) for name in ("started", "finished", "available")),
        )
    except (KeyError, ValueError):
        return None


def _addition(one: RollUp, batch: str) -> UpdateOne:
    """What adds to a roll-up, unless it was done before: then the document is there, and can't be inserted."""
    start = time_text(one.start)
    sums = {name: value for name, value in one.numbers.items() if name not in (*LEAST, *GREATEST)}
    change: Document = {
        "$setOnInsert": {"job_id": one.job_id, "span": one.span, "start": start},
        "$inc": sums,
        "$push": {"batches": {"$each": [batch], "$slice": -_KNOWN_BATCHES}},
    }
    for operator, names in (("$min", LEAST), ("$max", GREATEST)):
        values = {name: one.numbers[name] for name in names if name in one.numbers}
        if values:
            change[operator] = values
    name = f"{one.span} {start} {one.job_id}"
    return UpdateOne({"_id": name, "batches": {"$ne": batch}}, change, upsert=True)
