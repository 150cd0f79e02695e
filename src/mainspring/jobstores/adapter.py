"""Lets a store written for APScheduler 3 serve as a `RunStore`, for one scheduler.

Such a store can't claim. What it lacks is kept here, in memory: which jobs run, wait or are parked, and a stamp for each
job that is counted up with every write, so that a decision about a job that was changed meanwhile is not carried out.
The store is called by one thread at a time, as APScheduler promised it.
"""

from __future__ import annotations

from itertools import count
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any

from mainspring.errors import ConflictingIdError, JobLookupError
from mainspring.job import Job
from mainspring.jobstores.contract import ALL_JOBS, ClaimedBatch, JobQuery, ParkedJob, RunStore
from mainspring.jobstores.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from mainspring.engine.decision import Decision
    from mainspring.jobstores.base import BaseJobStore
    from mainspring.jobstores.contract import Decide
    from mainspring.model import JobRecord, Submission


class AdaptedStore(RunStore):
    """A `RunStore` over a store of APScheduler's interface.

    Attributes:
        store: the store itself.
    """

    def __init__(self, store: BaseJobStore) -> None:
        self.store = store
        self._scheduler: Any = None
        self._alias: str | None = None
        # Reentrant, since a store may ask its scheduler something from inside a call.
        self._store_lock = RLock()
        self._ledger_lock = Lock()
        self._ledger = Ledger()
        self._stamps: dict[str, int] = {}
        self._stamp = count(1)

    def start(self, scheduler: Any, alias: str) -> None:
        self._scheduler = scheduler
        self._alias = alias
        with self._store_lock:
            self.store.start(scheduler, alias)

    def shutdown(self) -> None:
        with self._store_lock:
            self.store.shutdown()

    def add_records(
        self, records: Sequence[JobRecord], replace: Callable[[JobRecord, JobRecord], JobRecord] | None
    ) -> list[JobRecord]:
        kept: list[JobRecord] = []
        for record in records:
            try:
                kept.append(self._add(record, replace))
            except Exception:
                if replace is None:
                    for added in kept:  # all or none
                        self.remove(added.id)
                raise
        return kept

    def _add(
        self, record: JobRecord, replace: Callable[[JobRecord, JobRecord], JobRecord] | None
    ) -> JobRecord:
        while True:
            try:
                with self._store_lock:
                    self.store.add_job(self._handle(record))
                    self._written(record.id)
            except ConflictingIdError:
                if replace is None:
                    raise
            else:
                return record
            try:
                return self.change(record.id, lambda old: replace(old, record))
            except JobLookupError:
                continue  # removed in between: add it after all

    def get_record(self, job_id: str) -> JobRecord | None:
        with self._store_lock:
            job = self.store.lookup_job(job_id)
        return None if job is None else _record_of(job)

    def list_records(self, query: JobQuery = ALL_JOBS) -> list[JobRecord]:
        with self._store_lock:
            records = [_record_of(job) for job in self.store.get_all_jobs()]
        return query.of(records)

    def change(self, job_id: str, change: Callable[[JobRecord], JobRecord]) -> JobRecord:
        while True:
            with self._store_lock:
                stamp = self._stamps.get(job_id)
                job = self.store.lookup_job(job_id)
            if job is None:
                raise JobLookupError(job_id)
            after = change(_record_of(job))
            with self._store_lock:
                if self._stamps.get(job_id) != stamp:
                    continue
                self.store.update_job(self._handle(after))
                self._written(job_id)
            return after

    def remove(self, job_id: str) -> None:
        with self._store_lock:
            self.store.remove_job(job_id)
            self._gone(job_id)

    def remove_all(self) -> None:
        with self._store_lock:
            self.store.remove_all_jobs()
            self._stamps.clear()
            with self._ledger_lock:
                self._ledger.parked.clear()
                self._ledger.waiting.clear()

    def claim(
        self,
        now: datetime,
        decide: Decide,
        limit: int,
        executors: Collection[str],  # noqa: ARG002 - serves one node
    ) -> ClaimedBatch:
        with self._store_lock:
            stamps = dict(self._stamps)
            records = [_record_of(job) for job in self.store.get_due_jobs(now)]
        due = [record for record in records if self._may_be_tried(record.id, now)]
        decisions = []
        for record in due[:limit]:
            with self._ledger_lock:
                running = self._ledger.running.get(record.id, 0)
            decision = decide(record, running)
            if self._apply(decision, stamps.get(record.id), now):
                decisions.append(decision)
        return ClaimedBatch(decisions, len(due) > limit)

    def _may_be_tried(self, job_id: str, now: datetime) -> bool:
        with self._ledger_lock:
            parked = self._ledger.parked.get(job_id)
            return job_id not in self._ledger.waiting and (parked is None or parked.retry_at <= now)

    def _apply(self, decision: Decision, stamp: int | None, now: datetime) -> bool:
        """Make a decision true in the store; whether it was still about the job as it is."""
        job_id = decision.job.id
        if decision.reason is not None:
            decision.retry_at = self._park(job_id, decision.reason, now)
            return True
        if decision.waits:
            with self._ledger_lock:
                if self._ledger.running.get(job_id, 0) >= decision.job.options.max_instances:
                    self._ledger.waiting.add(job_id)
            return False
        with self._store_lock:
            if self._stamps.get(job_id) != stamp:
                return False
            try:
                if decision.following is None:
                    self.store.remove_job(job_id)
                    self._stamps.pop(job_id, None)
                else:
                    self.store.update_job(self._handle(decision.following))
                    self._stamps[job_id] = next(self._stamp)
            except JobLookupError:
                return False  # somebody else removed it: there is nothing to run
            except Exception as error:  # noqa: BLE001 - stores are third parties' code; the others' jobs go on
                decision.reason, decision.error = "its job store failed", error
                decision.retry_at = self._park(job_id, decision.reason, now)
                return True
        with self._ledger_lock:
            if decision.submit:
                self._ledger.begin(job_id)
            else:
                self._ledger.parked.pop(job_id, None)
        return True

    def _park(self, job_id: str, reason: str, now: datetime) -> datetime:
        with self._ledger_lock:
            return self._ledger.park(job_id, reason, now)

    def finish(self, submissions: Sequence[Submission]) -> bool:
        with self._ledger_lock:
            awaited = [self._ledger.end(submission.job.id) for submission in submissions]
        return any(awaited)

    @property
    def has_waiting(self) -> bool:
        return bool(self._ledger.waiting)

    def give_back(self, decision: Decision, now: datetime) -> datetime | None:
        job = decision.job
        with self._ledger_lock:
            self._ledger.take_back(job.id)
        with self._store_lock:
            present = self.store.lookup_job(job.id)
            try:
                if present is None and decision.following is None:
                    self.store.add_job(self._handle(job))
                elif (
                    present is not None
                    and decision.following is not None
                    and present.next_run_time == decision.following.next_run_time
                ):
                    self.store.update_job(self._handle(_record_of(present).rescheduled(job.next_run_time)))
                else:
                    return None
            except (ConflictingIdError, JobLookupError):
                return None
            self._stamps[job.id] = next(self._stamp)
        return self._park(job.id, "its executor refused it", now)

    def next_time(self) -> datetime | None:
        with self._ledger_lock:
            set_aside = bool(self._ledger.waiting or self._ledger.parked)
        if not set_aside:
            with self._store_lock:
                return self.store.get_next_run_time()
        records = self.list_records()
        with self._ledger_lock:
            times = [self._time_of(record) for record in records]
        return min((time for time in times if time is not None), default=None)

    def _time_of(self, record: JobRecord) -> datetime | None:
        if record.next_run_time is None or record.id in self._ledger.waiting:
            return None
        parked = self._ledger.parked.get(record.id)
        return record.next_run_time if parked is None else max(record.next_run_time, parked.retry_at)

    def parked(self) -> list[ParkedJob]:
        with self._ledger_lock:
            return list(self._ledger.parked.values())

    def retry_parked(self) -> None:
        with self._ledger_lock:
            self._ledger.parked.clear()

    def _written(self, job_id: str) -> None:
        self._stamps[job_id] = next(self._stamp)
        self._forget(job_id)

    def _gone(self, job_id: str) -> None:
        self._stamps.pop(job_id, None)
        self._forget(job_id)

    def _forget(self, job_id: str) -> None:
        with self._ledger_lock:
            self._ledger.forget(job_id)

    def _handle(self, record: JobRecord) -> Job:
        return Job._from_record(record, self._scheduler, self._alias)  # noqa: SLF001 - a handle is a view of its record


def _record_of(job: Job) -> JobRecord:
    return job._record  # noqa: SLF001 - as above
