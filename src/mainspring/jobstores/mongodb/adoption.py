"""Jobs that come from APScheduler, and a collection of what has become of each.

Without transactions: a job is put down, hidden; then it is marked as adopted, which only one can do; then it is shown by who has marked it, and
removed where another one has. Whatever is left of this after a crash, any node goes on with: what is hidden is found by a name of its own.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from mainspring.jobstores.mongodb.documents import ADDING, IS_ADOPTED, text_of
from mainspring.jobstores.mongodb.server import chunks, insert_new
from mainspring.jobstores.shared.predecessor import COMPLETE, Marks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mainspring.jobstores.mongodb.audit import AuditCollection
    from mainspring.jobstores.mongodb.documents import Document
    from mainspring.jobstores.mongodb.jobs import Jobs
    from mainspring.jobstores.mongodb.server import Server
    from mainspring.jobstores.shared.node_context import NodeContext
    from mainspring.model import JobRecord

_AT_ONCE = 500


class Adoptions:
    """What one store has adopted."""

    def __init__(self, server: Server, node_context: NodeContext, jobs: Jobs, audit: AuditCollection) -> None:
        self._server = server
        self._node_context = node_context
        self._jobs = jobs
        self._audit = audit

    def marks(self, source: str) -> Marks:
        """See `HasPredecessor.adoption_marks`."""
        found = self._server.run(lambda: list(self._server.adopted.find({"source": source})))
        return Marks.of({one["job_id"]: one["outcome"] for one in found})

    def adopt(
        self,
        source: str,
        records: Sequence[JobRecord],
        outcomes: Mapping[str, str],
        seen: Mapping[str, str],
        *,
        completes: bool,
    ) -> bool:
        """See `HasPredecessor.adopt_records`: each job by itself; that all is there comes last."""
        stamp = uuid.uuid4().hex
        new = {record.id for record in records}
        self._server.run(self.settle)
        for part in chunks(records, _AT_ONCE):
            hidden = [self._hidden(record, source, outcomes[record.id], seen, stamp) for record in part]

            def put(hidden: list[Document] = hidden) -> bool:
                return self._server.run(lambda: self._insert(hidden, stamp))

            if not self._audit.done(self._audit.of("add", [record.id for record in part]), put):
                return False
            self._server.run(lambda: self.settle(stamp))
        others = [
            self._mark(source, job_id, outcome, seen.get(job_id), stamp)
            for job_id, outcome in outcomes.items()
            if job_id not in new
        ]
        marked = {mark["_id"] for mark in others}
        if completes:
            others.append(self._mark(source, *COMPLETE, None, stamp))
        done = self._server.run(lambda: self._write_marks(others))
        self._server.run(lambda: self._jobs.announce(record.next_run_time for record in records))
        return marked <= done

    def _hidden(
        self, record: JobRecord, source: str, outcome: str, seen: Mapping[str, str], stamp: str
    ) -> Document:
        document = self._jobs.hidden(record, stamp)
        document["found_by"] = [IS_ADOPTED]
        document["adopted"] = self._mark(source, record.id, outcome, seen.get(record.id), stamp)
        return document

    def _insert(self, hidden: Sequence[Document], stamp: str) -> bool:
        """Put jobs down; whether all ids are free, or were taken by this very call."""
        taken = insert_new(self._server.jobs, hidden)
        if not taken:
            return True
        mine = self._server.jobs.count_documents({"_id": {"$in": list(taken)}, "stamp": stamp})
        return mine == len(taken)

    def _mark(self, source: str, job_id: str, outcome: str, seen: str | None, stamp: str) -> Document:
        """A mark, as it is to be written in the place of one with the outcome that was seen, if there was one."""
        written = {"_id": f"{source}\n{job_id}", "source": source, "job_id": job_id, "outcome": outcome}
        return {**written, "by": stamp, "updated": text_of(self._node_context.now()), "seen": seen}

    def _write_marks(self, marks: Sequence[Document]) -> set[str]:
        """Write marks, unless others were first; the ids of those that are there as they were to be written."""
        written = {mark["_id"]: {**mark} for mark in marks}
        seen = {name: mark.pop("seen") for name, mark in written.items()}
        adopted = self._server.adopted
        done = set(written)
        for part in chunks(list(written.values()), _AT_ONCE):
            for name in insert_new(adopted, part):
                if not self._replace(written[name], seen[name]):
                    done.discard(name)
        return done

    def _replace(self, mark: Document, seen: str | None) -> bool:
        """Put a mark in the place of the one that was seen; whether that was there, or this has been done before."""
        name, fields = mark["_id"], {key: value for key, value in mark.items() if key != "_id"}
        as_seen = {"_id": name, "outcome": seen}
        if seen is not None and self._server.adopted.update_one(as_seen, {"$set": fields}).matched_count:
            return True
        same = {"_id": name, "by": mark["by"], "outcome": mark["outcome"]}
        return self._server.adopted.find_one(same, {"_id": 1}) is not None

    def settle(self, own: str | None = None) -> None:
        """Go on with what is put down: it is marked and shown, or removed where another one was first.

        Args:
            own: the stamp of the caller, who has put down all that it puts down for now; others may be about to put down more.
        """
        jobs = self._server.jobs
        hidden = list(jobs.find({"found_by": IS_ADOPTED}, {"stamp": 1, "adopted": 1}))
        if not hidden:
            return
        done = self._write_marks([one["adopted"] for one in hidden])
        for stamp in {one["stamp"] for one in hidden}:
            of_stamp = [one for one in hidden if one["stamp"] == stamp]
            shown = [one["_id"] for one in of_stamp if one["adopted"]["_id"] in done]
            late = [one["_id"] for one in of_stamp if one["adopted"]["_id"] not in done]
            which: Document = {"found_by": IS_ADOPTED, "stamp": stamp, "state": ADDING}
            for part in chunks(late):
                jobs.delete_many({**which, "_id": {"$in": list(part)}})
            if stamp == own:  # all that is left under it is marked
                self._jobs.show(which)
                continue
            for part in chunks(shown):
                self._jobs.show({**which, "_id": {"$in": list(part)}})
