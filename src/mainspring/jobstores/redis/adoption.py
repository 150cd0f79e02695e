"""Jobs that come from APScheduler, and a hash of what has become of each, for each source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainspring.engine.reasons import JOB_REMOVED
from mainspring.jobstores.redis.audit import audit_of
from mainspring.jobstores.redis.rows import written_job
from mainspring.jobstores.redis.runs import not_begun
from mainspring.jobstores.redis.server import text_of
from mainspring.jobstores.shared.predecessor import COMPLETE, Marks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mainspring.jobstores.redis.server import Server
    from mainspring.jobstores.shared.node_context import NodeContext
    from mainspring.model import JobRecord

#: The server does nothing else meanwhile, so many jobs, or characters, are adopted at a time.
_AT_ONCE, _CHARACTERS_AT_ONCE = 500, 2_000_000


class Adoptions:
    """What one store has adopted."""

    def __init__(self, server: Server, node_context: NodeContext) -> None:
        self._server = server
        self._node_context = node_context

    def marks(self, source: str) -> Marks:
        """See `HasPredecessor.adoption_marks`."""
        client, key = self._server.client, self._server.key(f"adopted:{source}")
        found = self._server.run(lambda: client.hgetall(key))
        return Marks.of({text_of(job_id): text_of(outcome) for job_id, outcome in found.items()})

    def adopt(
        self,
        source: str,
        records: Sequence[JobRecord],
        outcomes: Mapping[str, str],
        seen: Mapping[str, str],
        *,
        completes: bool,
    ) -> bool:
        """See `HasPredecessor.adopt_records`: in parts, each of them whole or not at all; that all is there comes last."""
        new = {record.id: record for record in records}
        for part in self._parts(new, outcomes):
            marks = {job_id: outcomes[job_id] for job_id in part}
            if not self._adopted(source, [job for job in part.values() if job], marks, seen):
                return False
        return not completes or self._adopted(source, [], dict([COMPLETE]), dict([COMPLETE]))

    def _parts(
        self, new: Mapping[str, JobRecord], outcomes: Mapping[str, str]
    ) -> Iterator[dict[str, dict[str, Any] | None]]:
        now = self._node_context.now()
        part: dict[str, dict[str, Any] | None] = {}
        characters = 0
        for job_id in outcomes:
            record = new.get(job_id)
            job = None if record is None else written_job(record, self._node_context, now)
            size = 0 if job is None else sum(map(len, job["fields"]))
            if part and (len(part) >= _AT_ONCE or characters + size > _CHARACTERS_AT_ONCE):
                yield part
                part, characters = {}, 0
            part[job_id] = job
            characters += size
        if part:
            yield part

    def _adopted(
        self,
        source: str,
        jobs: Sequence[dict[str, Any]],
        marks: Mapping[str, str],
        seen: Mapping[str, str],
    ) -> bool:
        question = {
            "source": source,
            "jobs": jobs,
            "ids": list(marks),
            "outcomes": list(marks.values()),
            "seen": [seen.get(job_id, "") for job_id in marks],
            "announce": str(self._node_context.token) if jobs else False,
            "skipped": not_begun(self._node_context.now(), "skipped", JOB_REMOVED),
            "audit": audit_of(self._node_context.now(), "add", (job["id"] for job in jobs)),
        }
        return not self._server.ask("adopt", question)
