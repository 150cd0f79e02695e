"""Jobs, as they are read and changed by programs."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from secrets import randbits
from typing import TYPE_CHECKING, Any

from mainspring.errors import ConflictingIdError, JobLookupError, SerializationError
from mainspring.jobstores.mongodb.documents import (
    ADDING,
    HIDDEN,
    IS_ADDING,
    QUEUED,
    caller_of,
    change_to,
    found_by,
    job_fields,
    read_job,
    removed_fields,
    text_of,
)
from mainspring.jobstores.mongodb.outbox import move_outboxes
from mainspring.jobstores.mongodb.server import insert_new
from mainspring.jobstores.shared.backend import StoredJobs
from mainspring.jobstores.shared.rows import ENDING, Unreadable, is_equal, record_of
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.standard import shifted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from mainspring.jobstores.contract import JobQuery
    from mainspring.jobstores.mongodb.audit import AuditCollection
    from mainspring.jobstores.mongodb.documents import Document
    from mainspring.jobstores.mongodb.server import Server
    from mainspring.jobstores.shared.node_context import NodeContext
    from mainspring.model import JobRecord

_COMPARED = 20
#: Jobs that are being added are left alone for so long; whoever added them has died then.
_ADDING_TAKES = timedelta(minutes=1)
#: Jobs that nobody sees any more, and that runs are still made of.
_STAYS: Document = {"state": ENDING, "is_removed": {"$exists": False}}
#: What a job doesn't have before all those are there that are added with it.
_HELD_BACK = ("state", "next_run_time", "found_by")
#: Nothing goes on of a job, and nothing is left to be told of it.
_SETTLED: Document = {"active.0": {"$exists": False}, "outbox": {"$exists": False}}


class Jobs(StoredJobs):
    """The jobs of one store.

    Attributes:
        has_priorities: whether some of them have one, so that those that are due have to be put in order by it.
    """

    def __init__(self, server: Server, node_context: NodeContext, audit: AuditCollection) -> None:
        self._server = server
        self._node_context = node_context
        self._audit = audit
        self.has_priorities = False

    def announce(self, next_run_times: Iterable[datetime | None]) -> None:
        """Have other nodes look at once, where they would be late otherwise."""
        if self._node_context.is_soon(next_run_times):
            said = {"by": self._node_context.token, "stamp": uuid.uuid4().hex}
            self._server.notes.update_one({"_id": "changed"}, {"$set": said})

    def add(
        self, records: Sequence[JobRecord], replace: Callable[[JobRecord, JobRecord], JobRecord] | None
    ) -> list[JobRecord]:
        """See `RunStore.add_records`."""
        ids = sorted(record.id for record in records)
        stamp = uuid.uuid4().hex
        # Most single jobs are new: that others are there is seen when they are written.
        is_seen = len(records) > 1 or replace is not None
        tries = 0
        while True:
            self._hold(ids, tries)
            tries += replace is not None
            stored = self._server.run(lambda: self._stored(ids)) if is_seen else {}
            is_seen = True
            if any(document.get("state") == ADDING for document in stored.values()):
                self._server.run(self.forget_unfinished)
            if replace is None:
                ended = [
                    document
                    for document in stored.values()
                    if document.get("state") == ENDING and not document.get("is_removed")
                ]
                if ended:  # their schedules have ended, and nobody sees them any more: they make room
                    self._server.run(lambda: self._remove_ended(ended))  # noqa: B023 - called at once
                    continue
            if replace is None:
                for record in records:
                    found = stored.get(record.id)
                    if found is not None and found.get("state") != ENDING and found.get("stamp") != stamp:
                        raise ConflictingIdError(record.id)
            kept = [self._kept(record, stored.get(record.id), replace, stamp) for record in records]

            def put(kept: list[JobRecord] = kept, stored: dict[str, Document] = stored) -> bool:
                return self._server.run(lambda: self._put(kept, stored, stamp))

            others = {job_id for job_id, found in stored.items() if found.get("stamp") != stamp}
            noted = self._audit.of("add", (job_id for job_id in ids if job_id not in others))
            if self._audit.done([*noted, *self._audit.of("change", sorted(others))], put):
                self._server.run(lambda: self.announce(record.next_run_time for record in kept))  # noqa: B023
                return kept

    def _stored(self, ids: Sequence[str]) -> dict[str, Document]:
        """Those of these jobs that are there."""
        found = {}
        for at in range(0, len(ids), 500):
            for document in self._server.jobs.find({"_id": {"$in": list(ids[at : at + 500])}}):
                found[document["_id"]] = document
        return found

    def _kept(
        self,
        record: JobRecord,
        stored: Document | None,
        replace: Callable[[JobRecord, JobRecord], JobRecord] | None,
        stamp: str,
    ) -> JobRecord:
        """What is to be in the place of a stored job."""
        if stored is None or stored.get("stamp") == stamp:
            return record
        old = read_job(stored, self._node_context)
        if replace is None or isinstance(old, Unreadable) or stored.get("state") in HIDDEN:
            version = stored.get("version")
            return record._replace(version=version + 1 if isinstance(version, int) else 0)
        return replace(old, record)

    def _put(self, kept: Sequence[JobRecord], stored: dict[str, Document], stamp: str) -> bool:
        """Write jobs, all or none; whether they were as they were read."""
        # Of several, none is to be run before all of them are there.
        document_of = self.hidden if len(kept) > 1 else self._document
        new = [document_of(record, stamp) for record in kept if record.id not in stored]
        for record in kept:
            self._see(record)
        if taken := insert_new(self._server.jobs, new):
            mine = self._server.jobs.find({"_id": {"$in": list(taken)}, "stamp": stamp}, {"_id": 1})
            if len(list(mine)) < len(taken):
                self._server.jobs.delete_many(_adding(stamp))
                return False
        for record in kept:
            if stored.get(record.id, {}).get("is_removed"):
                # What was said of the one that had the id before is to be there, and to have ended, before it is another's.
                move_outboxes(self._server, {"_id": record.id})
                self.end_queued(record.id)
            if record.id in stored and not self._exchange(record, stored[record.id]["version"], stamp):
                self._server.jobs.delete_many(_adding(stamp))
                return False
        if len(kept) > 1 and new:
            self.show(_adding(stamp))
        return True

    def _document(self, record: JobRecord, stamp: str) -> Document:
        """A job that is new."""
        now = self._node_context.now()
        fields, _ = job_fields(record, self._node_context, now)
        if found := found_by(fields):
            fields["found_by"] = found
        return {"_id": record.id, **fields, "created": text_of(now), **_mark(), "stamp": stamp}

    def hidden(self, record: JobRecord, stamp: str) -> Document:
        """A job that is new, and that nobody sees before it is shown."""
        document = self._document(record, stamp)
        document["then"] = {name: document.pop(name) for name in _HELD_BACK if name in document}
        return {**document, "state": ADDING, "found_by": [IS_ADDING]}

    def show(self, which: Document) -> None:
        """Have everybody see jobs that were hidden."""
        restored: Document = {name: {"$ifNull": [f"$then.{name}", "$$REMOVE"]} for name in _HELD_BACK}
        gone = {"then": "$$REMOVE", "adopted": "$$REMOVE"}
        self._server.jobs.update_many(which, [{"$set": {**restored, **gone}}])

    def _remove_ended(self, documents: Sequence[Document]) -> None:
        """Remove jobs that stay only until their last runs have ended, if they are as they were read."""
        for document in documents:
            as_read = {"_id": document["_id"], "state": ENDING, "mark": document.get("mark")}
            self._server.jobs.update_one(as_read, _removal())

    def end_queued(self, job_id: str | None) -> None:
        """What is queued of a job that was removed, or of all, is not run."""
        which: Document = {"state": QUEUED} if job_id is None else {"job_id": job_id, "state": QUEUED}
        self._server.runs.update_many(which, {"$set": removed_fields(self._node_context.now())})

    def forget_unfinished(self) -> None:
        """Remove what somebody has begun to add, and has died before the end."""
        before = text_of(shifted(self._node_context.now(), -_ADDING_TAKES))
        self._server.jobs.delete_many({"found_by": IS_ADDING, "state": ADDING, "created": {"$lt": before}})

    def _exchange(self, after: JobRecord, version: Any, stamp: str) -> bool:
        """Put a job in the place of the one with a version; whether that was there, or this has been done before."""
        self._see(after)
        fields, missing = job_fields(after, self._node_context, self._node_context.now())
        update = change_to(
            fields, [*missing, "is_removed", "held_until"], stamp=stamp, found_by=found_by(fields)
        )
        update["$inc"] = {"mark": 1}
        as_read = {"_id": after.id, "version": version, "outbox": {"$exists": False}}
        if self._server.jobs.update_one(as_read, update).matched_count or self._is_stamped(after.id, stamp):
            return True
        # Its outbox is what it is found by, until it is moved.
        move_outboxes(self._server, {"_id": after.id})
        return False

    def _see(self, record: JobRecord) -> None:
        if record.options.priority:
            self.has_priorities = True  # heeded at once, and not only when it is looked for next

    def _is_stamped(self, job_id: str, stamp: str) -> bool:
        return self._server.jobs.find_one({"_id": job_id, "stamp": stamp}, {"_id": 1}) is not None

    def get(self, job_id: str) -> JobRecord | None:
        """The job with this id, or ``None``."""
        document = self._server.run(
            lambda: self._server.jobs.find_one({"_id": job_id, "state": {"$nin": HIDDEN}})
        )
        if document is None:
            return None
        record = read_job(document, self._node_context)
        if isinstance(record, Unreadable):
            raise SerializationError(f"job {job_id!r} can't be had: {record.reason}") from record.error
        return record

    def list_jobs(self, query: JobQuery) -> list[JobRecord | Unreadable]:
        """The jobs that are asked for, soonest first, paused ones last; and documents that can't be read."""
        documents = self._server.run(lambda: self._documents(query))
        return [read_job(document, self._node_context) for document in documents]

    def list_ending(self) -> list[JobRecord | Unreadable]:
        """See `StoredJobs.list_ending`."""
        documents = self._server.run(lambda: list(self._server.jobs.find(_STAYS).sort("_id", 1)))
        return [read_job(document, self._node_context) for document in documents]

    def write_ending(self, job_id: str) -> bool:
        """See `StoredJobs.write_ending`."""
        which = {**_STAYS, "_id": job_id}
        document = self._server.run(lambda: self._server.jobs.find_one(which))
        record = None if document is None else read_job(document, self._node_context)
        if document is None or record is None or isinstance(record, Unreadable):
            return False
        # A signature is in the arguments. The version stays, by which a claim that is given back knows the job.
        arguments = job_fields(record, self._node_context, self._node_context.now())[0]["arguments"]
        as_read = {**which, "version": document.get("version")}
        change = {"$set": {"arguments": arguments}, "$inc": {"mark": 1}}
        done = self._server.run(lambda: self._server.jobs.update_one(as_read, change))
        return bool(done.matched_count)

    def _documents(self, query: JobQuery) -> list[Document]:
        wanted: list[Document] = [{"state": {"$nin": HIDDEN}}]
        if query.tag is not None:
            wanted.append({"tags": query.tag})
        if query.executor is not None:
            wanted.append({"executor": query.executor})
        if query.search is not None:
            pattern = {"$regex": re.escape(query.search), "$options": "i"}
            wanted.append({"$or": [{name: pattern} for name in ("_id", "name", "func")]})
        scheduled: list[Document] = [{"next_run_time": {"$exists": True}}]
        paused: list[Document] = [{"next_run_time": {"$exists": False}}]
        if query.after is not None:
            last = self._server.jobs.find_one({"_id": query.after}, {"next_run_time": 1})
            if last is None:
                raise JobLookupError(query.after)
            time = last.get("next_run_time")
            if time is None:
                paused.append({"_id": {"$gt": query.after}})
            else:
                later = {"next_run_time": time, "_id": {"$gt": query.after}}
                scheduled.append({"$or": [{"next_run_time": {"$gt": time}}, later]})
        found: list[Document] = []
        if query.state != "paused" and (query.after is None or len(scheduled) > 1):
            order = [("next_run_time", 1), ("_id", 1)]
            found += (
                self._server.jobs.find({"$and": [*wanted, *scheduled]}).sort(order).limit(query.limit or 0)
            )
        left = 0 if query.limit is None else query.limit - len(found)
        if query.state != "scheduled" and (query.limit is None or left > 0):
            found += self._server.jobs.find({"$and": [*wanted, *paused]}).sort("_id", 1).limit(left)
        return found

    def find_equal(self, record: JobRecord) -> str | None:
        """See `RunStore.find_equal`. Looks at some jobs of the same function alone."""
        if isinstance(record.trigger, DateTrigger):
            return None
        fields, _ = job_fields(record, self._node_context, self._node_context.now())
        wanted = {"found_by": caller_of(fields["func"]), "state": {"$nin": HIDDEN}}
        documents = self._server.run(lambda: list(self._server.jobs.find(wanted).limit(_COMPARED)))
        for document in documents:
            other = read_job(document, self._node_context)
            if is_equal(other, record, fields["arguments"], self._node_context.arguments):
                return str(document["_id"])
        return None

    def earliest(self) -> JobRecord | None:
        """The job with the earliest next run time; what is known of it, if it can't be read."""
        document = self._server.run(
            lambda: self._server.jobs.find_one(
                {"next_run_time": {"$type": "string"}}, sort=[("next_run_time", 1)]
            )
        )
        if document is None:
            return None
        return record_of(read_job(document, self._node_context))

    def change(self, job_id: str, change: Callable[[JobRecord], JobRecord]) -> JobRecord:
        """See `RunStore.change`."""
        tries = 0
        while True:
            self._hold([job_id], tries)
            tries += 1
            before = self.get(job_id)
            if before is None:
                raise JobLookupError(job_id)
            after = change(before)
            stamp = uuid.uuid4().hex
            version = before.version

            def write(after: JobRecord = after, version: int = version, stamp: str = stamp) -> bool:
                return self._exchange(after, version, stamp)

            if self._audit.done(self._audit.of("change", [job_id]), lambda: self._server.run(write)):
                self._server.run(lambda: self.announce([after.next_run_time]))  # noqa: B023 - called at once
                return after

    def _hold(self, ids: Sequence[str], tries: int) -> None:
        """From the second try on keep nodes from claiming jobs: one that is claimed faster than it is changed would never be."""
        if tries:
            held = {"$set": {"held_until": text_of(self._node_context.held_until(tries))}}
            self._server.run(lambda: self._server.jobs.update_many({"_id": {"$in": list(ids)}}, held))

    def remove(self, job_id: str) -> None:
        """See `RunStore.remove`. The document stays, hidden, until no run of it goes on."""

        def write() -> bool:
            found = self._server.jobs.update_one(
                {"_id": job_id, "state": {"$nin": HIDDEN}},
                _removal(),
            )
            return bool(found.matched_count)

        def was_written() -> bool | None:
            found = self._server.jobs.find_one({"_id": job_id, "state": {"$nin": HIDDEN}}, {"_id": 1})
            return True if found is None else None

        if not self._audit.done(
            self._audit.of("remove", [job_id]), lambda: self._server.run(write, was_done=was_written)
        ):
            raise JobLookupError(job_id)

        def settle() -> None:
            self.end_queued(job_id)
            self._drop(job_id)

        self._server.run(settle)

    def _drop(self, job_id: str) -> None:
        self._server.jobs.delete_one({"_id": job_id, "is_removed": True, **_SETTLED})

    def remove_all(self) -> None:
        """Remove all jobs."""

        def write() -> None:
            there = {"is_removed": {"$exists": False}, "state": {"$ne": ADDING}}
            self._server.jobs.update_many(there, _removal())
            self.end_queued(None)
            self._server.jobs.delete_many(_SETTLED)

        self._server.run(write)

    def refuse_unknown(self, ids: Iterable[str]) -> None:
        """See to it that there are jobs with these ids.

        Raises:
            JobLookupError: there is none with one of them.
        """
        for job_id in sorted(ids):
            if self._server.jobs.find_one({"_id": job_id, "state": {"$nin": HIDDEN}}, {"_id": 1}) is None:
                raise JobLookupError(job_id)


def _adding(stamp: str) -> Document:
    """The jobs that are being added together, under a stamp."""
    return {"found_by": IS_ADDING, "stamp": stamp, "state": ADDING}


def _mark() -> Document:
    """The mark of a new document, which each change counts up.

    It begins anywhere, so that it is never that of another document, nor of one that had the same id before.
    """
    return {"mark": randbits(62)}


def _removal() -> list[Document]:
    """What becomes of a job that is removed: it is at a version that nobody has read, whatever it had before.

    The runs of it that go on are marked: nothing follows from them, though another job may get the id.
    """
    disowned = {"$mergeObjects": ["$$this", {"job_removed": True}]}
    removed: Document = {
        "state": ENDING,
        "is_removed": True,
        "version": randbits(40),
        "mark": {"$add": [{"$ifNull": ["$mark", 0]}, 1]},
        "next_run_time": "$$REMOVE",
        "follows": "$$REMOVE",
        "active": {"$map": {"input": {"$ifNull": ["$active", []]}, "in": disowned}},
    }
    return [{"$set": removed}]
