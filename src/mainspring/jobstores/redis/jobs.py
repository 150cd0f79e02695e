"""Jobs, as they are read and changed by programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainspring.engine.reasons import JOB_REMOVED
from mainspring.errors import ConflictingIdError, JobLookupError
from mainspring.jobstores.redis.audit import audit_of
from mainspring.jobstores.redis.rows import FIELDS, micros, read_job, readable, written_job
from mainspring.jobstores.redis.runs import not_begun
from mainspring.jobstores.redis.server import text_of
from mainspring.jobstores.shared.backend import StoredJobs
from mainspring.jobstores.shared.rows import (
    ENDING,
    Unreadable,
    due_timestamp,
    in_order,
    is_equal,
    record_of,
)
from mainspring.triggers.date import DateTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from mainspring.jobstores.contract import JobQuery
    from mainspring.jobstores.redis.server import Server
    from mainspring.jobstores.shared.node_context import NodeContext
    from mainspring.model import JobRecord

_CHUNK = 1000
_COMPARED = 20
_COLUMNS = [*FIELDS, "state"]


class Jobs(StoredJobs):
    """The jobs of one store."""

    def __init__(self, server: Server, node_context: NodeContext) -> None:
        self._server = server
        self._node_context = node_context

    def _announcement(self, next_run_times: Iterable[datetime | None]) -> str | bool:
        return str(self._node_context.token) if self._node_context.is_soon(next_run_times) else False

    def _skipped(self) -> str:
        """What becomes of runs that are queued when their job is removed."""
        return not_begun(self._node_context.now(), "skipped", JOB_REMOVED)

    def _rows(self, ids: Sequence[str]) -> list[tuple[str, list[Any], str]]:
        """Those of these jobs that are there: id, fields, state."""
        found = []
        for at in range(0, len(ids), _CHUNK):
            question = {"ids": ids[at : at + _CHUNK], "columns": _COLUMNS, "func": False}
            for job_id, fields in self._server.ask("rows", question)["rows"]:
                found.append((job_id, fields[:-1], fields[-1]))
        return found

    def add(
        self, records: Sequence[JobRecord], replace: Callable[[JobRecord, JobRecord], JobRecord] | None
    ) -> list[JobRecord]:
        """See `RunStore.add_records`."""
        ids = sorted(record.id for record in records)
        tries = 0
        while True:
            self._hold(ids, tries)
            tries += replace is not None
            now = self._node_context.now()
            stored = {} if replace is None else {row[0]: row for row in self._rows(ids)}
            kept: list[JobRecord] = []
            written: list[dict[str, Any]] = []
            for record in records:
                after, expects = record, None
                if record.id in stored and replace is not None:
                    after, expects = self._replaced(stored[record.id], record, replace)
                kept.append(after)
                written.append(written_job(after, self._node_context, now, expects))
            announce = self._announcement(record.next_run_time for record in kept)
            question: dict[str, Any] = {"jobs": written, "announce": announce, "skipped": self._skipped()}
            question["audit"] = [
                *audit_of(now, "add", (record.id for record in kept if record.id not in stored)),
                *audit_of(now, "change", stored),
            ]
            answer = self._server.ask("add", question)
            if "taken" in answer and replace is None:
                raise ConflictingIdError(records[int(answer["taken"])].id)
            if not answer:
                return kept

    def _replaced(
        self,
        row: tuple[str, list[Any], str],
        record: JobRecord,
        replace: Callable[[JobRecord, JobRecord], JobRecord],
    ) -> tuple[JobRecord, int]:
        """What to put in the place of a stored job, and the version that this has."""
        job_id, fields, state = row
        old = read_job(job_id, fields, self._node_context)
        version = record_of(old).version
        if isinstance(old, Unreadable) or state == ENDING:
            return record._replace(version=version + 1), version
        return replace(old, record), version

    def get(self, job_id: str) -> JobRecord | None:
        """The job with this id, or ``None``."""
        for _, fields, state in self._rows([job_id]):
            if state != ENDING:
                return readable(job_id, fields, self._node_context)
        return None

    def list_jobs(self, query: JobQuery) -> list[JobRecord | Unreadable]:
        """The jobs that are asked for, soonest first, paused ones last; and rows that can't be read."""
        ids = self._server.run(self._ids_in_order)
        if query.after is not None:
            if query.after not in ids:
                raise JobLookupError(query.after)
            ids = ids[ids.index(query.after) + 1 :]
        rest = query._replace(after=None)
        found: list[JobRecord | Unreadable] = []
        for at in range(0, len(ids), _CHUNK):
            rows = self._rows(ids[at : at + _CHUNK])
            read = (
                read_job(job_id, fields, self._node_context)
                for job_id, fields, state in rows
                if state != ENDING
            )
            found += in_order(read, rest)
            if query.limit is not None:
                whole = [one for one in found if not isinstance(one, Unreadable)][: query.limit]
                if len(whole) == query.limit:
                    return [*whole]
        return found

    def list_ending(self) -> list[JobRecord | Unreadable]:
        """See `StoredJobs.list_ending`."""
        ids = sorted(
            map(text_of, self._server.run(lambda: self._server.client.smembers(self._server.key("ids"))))
        )
        return [
            read_job(job_id, fields, self._node_context)
            for job_id, fields, state in self._rows(ids)
            if state == ENDING
        ]

    def write_ending(self, job_id: str) -> bool:
        """See `StoredJobs.write_ending`."""
        for _, fields, state in self._rows([job_id]):
            record = read_job(job_id, fields, self._node_context)
            if state != ENDING or isinstance(record, Unreadable):
                return False
            # The version stays, by which a claim that is given back knows the job.
            job = written_job(record, self._node_context, self._node_context.now(), record.version)
            job["fields"][job["fields"].index("state") + 1] = ENDING
            return not self._server.ask("change", {"job": job, "announce": False})
        return False

    def _ids_in_order(self) -> list[str]:
        """All jobs, soonest first, paused ones last; those that somebody is about to claim may come two seconds later."""
        client = self._server.client
        due = [
            (score, text_of(job_id))
            for executor in client.smembers(self._server.key("executors"))
            for job_id, score in client.zrange(
                self._server.due_key(text_of(executor)), 0, -1, withscores=True
            )
        ]
        scheduled = [job_id for _, job_id in sorted(due)]
        others = set(map(text_of, client.smembers(self._server.key("ids")))).difference(scheduled)
        return [*scheduled, *sorted(others)]

    def find_equal(self, record: JobRecord) -> str | None:
        """See `RunStore.find_equal`. Looks at some jobs of the same function alone."""
        if isinstance(record.trigger, DateTrigger):
            return None
        arguments = self._node_context.arguments
        written = self._node_context.writable(record)
        question = {"func": written["func"], "limit": _COMPARED, "columns": _COLUMNS}
        for job_id, fields in self._server.ask("rows", question)["rows"]:
            other = read_job(job_id, fields[:-1], self._node_context)
            if fields[-1] != ENDING and is_equal(other, record, written["arguments"], arguments):
                return str(job_id)
        return None

    def earliest(self) -> JobRecord | None:
        """The job with the earliest next run time; what is known of it, if it can't be read."""
        client = self._server.client

        def look() -> list[str]:
            executors = client.smembers(self._server.key("executors"))
            keys = [self._server.due_key(text_of(executor)) for executor in executors]
            return [text_of(job_id) for key in keys for job_id in client.zrange(key, 0, 0)]

        found = [
            read_job(job_id, fields, self._node_context)
            for job_id, fields, _ in self._rows(self._server.run(look))
        ]
        records = [*map(record_of, found)]
        return min((one for one in records if one.next_run_time), key=due_timestamp, default=None)

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
            now = self._node_context.now()
            question = {
                "job": written_job(after, self._node_context, now, before.version),
                "announce": self._announcement([after.next_run_time]),
                "audit": audit_of(now, "change", [job_id]),
            }
            if not self._server.ask("change", question):
                return after

    def _hold(self, ids: Sequence[str], tries: int) -> None:
        """From the second try on keep nodes from claiming jobs: one that is claimed faster than it is changed would never be."""
        if tries:
            until = micros(self._node_context.held_until(tries))
            self._server.ask("hold", {"ids": list(ids), "hold_until": until})

    def remove(self, job_id: str) -> None:
        """See `RunStore.remove`."""
        audit = audit_of(self._node_context.now(), "remove", [job_id])
        if not self._server.ask("remove", {"id": job_id, "skipped": self._skipped(), "audit": audit})[
            "found"
        ]:
            raise JobLookupError(job_id)

    def remove_all(self) -> None:
        """Remove all jobs."""
        self._server.ask("remove", {"id": False, "skipped": self._skipped()})
