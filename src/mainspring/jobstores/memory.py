"""Jobs kept in this process's memory, in a heap by the time when they are next looked at.

Adding, changing and claiming a job cost O(log n). Entries that a change made stale stay in the heap until they come up
or outnumber the others. Jobs stay over `shutdown()` and a later `start()`, and end with the process.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, ClassVar

from mainspring.errors import ConflictingIdError, JobLookupError
from mainspring.jobstores.contract import ALL_JOBS, ClaimedBatch, JobQuery, ParkedJob
from mainspring.jobstores.ledger import Ledger
from mainspring.jobstores.native import NativeJobStore

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from mainspring.engine.decision import Decision
    from mainspring.jobstores.contract import Decide
    from mainspring.model import JobRecord, Submission


class _Entry:
    """One job, and the time under which it stands in the heap: ``None`` when it doesn't."""

    __slots__ = ("record", "when")

    def __init__(self, record: JobRecord) -> None:
        self.record = record
        self.when: float | None = None


class MemoryJobStore(NativeJobStore):
    """Keeps jobs in memory: the default store. Needs nothing, and nothing survives the process."""

    live_records: ClassVar[bool] = True

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: dict[str, _Entry] = {}
        # Heap keys are POSIX timestamps: datetimes of one zone compare by their wall time, wrongly in a repeated hour.
        self._heap: list[tuple[float, int, _Entry]] = []
        self._sequence = count()
        self._ledger = Ledger()

    def add_records(
        self, records: Sequence[JobRecord], replace: Callable[[JobRecord, JobRecord], JobRecord] | None
    ) -> list[JobRecord]:
        if replace is None:
            with self._lock:
                self._refuse_conflicts(records)
                for record in records:
                    self._insert(record)
            return list(records)
        kept = []
        for record in records:
            while True:
                with self._lock:
                    old = self._entries.get(record.id)
                    if old is None:
                        self._insert(record)
                        kept.append(record)
                        break
                    before = old.record
                after = replace(before, record)
                if self._exchange(before, after):
                    kept.append(after)
                    break
        return kept

    def _refuse_conflicts(self, records: Sequence[JobRecord]) -> None:
        ids = {record.id for record in records}
        if len(ids) == len(records) and self._entries.keys().isdisjoint(ids):
            return
        seen: set[str] = set()
        for record in records:
            if record.id in self._entries or record.id in seen:
                raise ConflictingIdError(record.id)
            seen.add(record.id)

    def _insert(self, record: JobRecord) -> None:
        entry = self._entries[record.id] = _Entry(record)
        self._enqueue(entry)

    def _enqueue(self, entry: _Entry) -> None:
        """Put the entry into the heap by when it is to be looked at next, if ever. Needs the lock."""
        record = entry.record
        entry.when = None
        if record.next_run_time is None or record.id in self._ledger.waiting:
            return
        when = record.next_run_time.timestamp()
        parked = self._ledger.parked.get(record.id)
        if parked is not None:
            when = max(when, parked.retry_at.timestamp())
        entry.when = when
        heappush(self._heap, (when, next(self._sequence), entry))

    def _exchange(self, before: JobRecord, after: JobRecord) -> bool:
        """Put `after` in the place of `before`, if that is still the job's record."""
        with self._lock:
            entry = self._entries.get(before.id)
            if entry is None or entry.record is not before:
                return False
            entry.record = after
            self._ledger.forget(before.id)
            self._enqueue(entry)
            self._compact()
            return True

    def _compact(self) -> None:
        if len(self._heap) > 2 * len(self._entries) + 64:
            self._heap = [item for item in self._heap if item[2].when == item[0]]
            heapify(self._heap)

    def get_record(self, job_id: str) -> JobRecord | None:
        entry = self._entries.get(job_id)
        return None if entry is None else entry.record

    def list_records(self, query: JobQuery = ALL_JOBS) -> list[JobRecord]:
        with self._lock:
            records = [entry.record for entry in self._entries.values()]
        records.sort(
            key=lambda record: (
                record.next_run_time is None,
                0.0 if record.next_run_time is None else record.next_run_time.timestamp(),
            ),
        )
        return records if query is ALL_JOBS else query.of(records)

    def change(self, job_id: str, change: Callable[[JobRecord], JobRecord]) -> JobRecord:
        while True:
            entry = self._entries.get(job_id)
            if entry is None:
                raise JobLookupError(job_id)
            before = entry.record
            after = change(before)
            if self._exchange(before, after):
                return after

    def remove(self, job_id: str) -> None:
        with self._lock:
            entry = self._entries.pop(job_id, None)
            if entry is None:
                raise JobLookupError(job_id)
            entry.when = None
            self._ledger.forget(job_id)
            self._compact()

    def remove_all(self) -> None:
        with self._lock:
            self._entries.clear()
            self._heap.clear()
            self._ledger.parked.clear()
            self._ledger.waiting.clear()

    def claim(
        self,
        now: datetime,
        decide: Decide,
        limit: int,
        executors: Collection[str],  # noqa: ARG002 - serves one node
    ) -> ClaimedBatch:
        taken = self._take_due(now.timestamp(), limit)
        decisions: list[Decision] = []
        try:
            for entry, running in taken:
                decisions.append(decide(entry.record, running))
        except BaseException:
            # A decision doesn't raise; an interrupt may. What was taken goes back to where it was.
            with self._lock:
                for entry, _ in taken:
                    if entry.when is None and self._entries.get(entry.record.id) is entry:
                        self._enqueue(entry)
            raise
        with self._lock:
            effective = [
                decision
                for (entry, _), decision in zip(taken, decisions, strict=True)
                if self._apply(entry, decision, now)
            ]
            self._drop_stale()
            more = bool(self._heap) and self._heap[0][0] <= now.timestamp()
        return ClaimedBatch(effective, more)

    def _take_due(self, until: float, limit: int) -> list[tuple[_Entry, int]]:
        taken: list[tuple[_Entry, int]] = []
        heap = self._heap
        running = self._ledger.running
        with self._lock:
            while heap and heap[0][0] <= until and len(taken) < limit:
                when, _, entry = heappop(heap)
                if entry.when != when:
                    continue
                entry.when = None
                taken.append((entry, running.get(entry.record.id, 0)))
        return taken

    def _apply(self, entry: _Entry, decision: Decision, now: datetime) -> bool:
        """Make a decision true; whether it was still about the job's present record. Needs the lock."""
        job = decision.job
        job_id = job.id
        if entry.record is not job or self._entries.get(job_id) is not entry:
            return False
        if decision.reason is not None:
            decision.retry_at = self._ledger.park(job_id, decision.reason, now)
            self._enqueue(entry)
            return True
        if decision.waits:
            if self._ledger.running.get(job_id, 0) < job.options.max_instances:
                self._enqueue(entry)  # the instance has ended since it was counted
            else:
                self._ledger.waiting.add(job_id)
            return False
        if decision.submit:
            self._ledger.begin(job_id)
        elif self._ledger.parked:
            self._ledger.parked.pop(job_id, None)
        if decision.following is None:
            del self._entries[job_id]
        else:
            entry.record = decision.following
            self._enqueue(entry)
        return True

    def _drop_stale(self) -> None:
        heap = self._heap
        while heap and heap[0][2].when != heap[0][0]:
            heappop(heap)

    def _next_time(self) -> datetime | None:
        self._drop_stale()
        if not self._heap:
            return None
        record = self._heap[0][2].record
        parked = self._ledger.parked.get(record.id)
        return parked.retry_at if parked is not None else record.next_run_time

    def finish(self, submissions: Sequence[Submission]) -> bool:
        was_awaited = False
        with self._lock:
            for submission in submissions:
                job_id = submission.job.id
                if self._ledger.end(job_id):
                    entry = self._entries.get(job_id)
                    if entry is not None:
                        self._enqueue(entry)
                        was_awaited = True
        return was_awaited

    @property
    def has_waiting(self) -> bool:
        return bool(self._ledger.waiting)

    def give_back(self, decision: Decision, now: datetime) -> datetime | None:
        job = decision.job
        with self._lock:
            self._ledger.take_back(job.id)
            entry = self._entries.get(job.id)
            if entry is None and decision.following is None:
                entry = self._entries[job.id] = _Entry(job)
            elif entry is not None and entry.record is decision.following:
                entry.record = job
            else:
                return None
            retry_at = self._ledger.park(job.id, "its executor refused it", now)
            self._enqueue(entry)
            return retry_at

    def earliest(self) -> JobRecord | None:
        with self._lock:
            self._drop_stale()
            candidates = [self._heap[0][2].record] if self._heap else []
            set_aside = (*self._ledger.parked, *self._ledger.waiting)
            candidates += [self._entries[job_id].record for job_id in set_aside if job_id in self._entries]
        timed = [(record.next_run_time.timestamp(), record) for record in candidates if record.next_run_time]
        return min(timed, key=lambda pair: pair[0])[1] if timed else None

    def next_time(self) -> datetime | None:
        with self._lock:
            return self._next_time()

    def parked(self) -> list[ParkedJob]:
        with self._lock:
            return list(self._ledger.parked.values())

    def retry_parked(self) -> None:
        with self._lock:
            parked = list(self._ledger.parked)
            self._ledger.parked.clear()
            for job_id in parked:
                entry = self._entries.get(job_id)
                if entry is not None:
                    self._enqueue(entry)
