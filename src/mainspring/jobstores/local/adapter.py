"""Lets a store written for APScheduler 3 serve as a `RunStore`, for one scheduler.

Such a store can't claim. What it lacks is kept here, in memory: which jobs run, wait or are parked, and a stamp for each
job that is counted up with every write, so that a decision about a job that was changed meanwhile is not carried out.
The store is called by one thread at a time, as APScheduler promised it.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.engine.counting import given_back
from mainspring.engine.failures import has_paused_itself
from mainspring.engine.following import followed_job, following_runs
from mainspring.engine.precedence import by_priority
from mainspring.engine.reasons import EXECUTOR_REFUSED
from mainspring.errors import ConflictingIdError, JobLookupError
from mainspring.forks import leaves_to_parent
from mainspring.job import Job
from mainspring.jobstores.contract import ALL_JOBS, ClaimedBatch, JobQuery
from mainspring.jobstores.host import host_of
from mainspring.jobstores.local.runs import LocalRuns
from mainspring.jobstores.local.store import LocalRunStore

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from mainspring.engine.decision import Decision
    from mainspring.engine.grouping import GroupBudget
    from mainspring.jobstores.base import BaseJobStore
    from mainspring.jobstores.contract import Decide
    from mainspring.model import JobCounters, JobRecord, QueuedRun, RunResult, Submission

#: How many ended runs of each job are remembered.
_KEPT_RUNS = 100


class AdaptedStore(LocalRunStore):
    """A `RunStore` over a store of APScheduler's interface.

    Attributes:
        store: the store itself.
    """

    kind = "adapted"

    def __init__(self, store: BaseJobStore) -> None:
        self.store = store
        self._scheduler: Any = None
        self._alias: str | None = None
        self._begin_in_process()
        leaves_to_parent(self)

    def _begin_in_process(self) -> None:
        """Make what belongs to one process."""
        # Reentrant, since a store may ask its scheduler something from inside a call.
        self._store_lock = RLock()
        self._begin_runs(LocalRuns(_KEPT_RUNS))
        self._stamps: dict[str, int] = {}
        self._has_followers = False
        self._unfollowed: deque[_Outcomes] = deque()  # what follows from these is to be seen to
        self._stamp = count(1)

    def leave_to_parent(self) -> None:
        """In a forked process: what goes on is the parent's. Whether the store itself stands a fork is its own affair."""
        self._begin_in_process()

    def start(self, scheduler: Any, alias: str) -> None:
        self._scheduler = scheduler
        self._host = host_of(scheduler)
        self._alias = alias
        with self._store_lock:
            self.store.start(scheduler, alias)
            self._has_followers = any(
                followed_job(_record_of(job)) for job in self.store.get_all_jobs() or ()
            )

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
                    self._stamps[record.id] = next(self._stamp)
                    self._forget(record.id)
                    if replace is None:
                        with self._lock:
                            if record.id in self._runs.ended_jobs:  # another takes its place
                                self._runs.job_removed(record.id, self._now())
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
        after = self._change(job_id, change)
        self._forget(job_id)
        return after

    def _change(self, job_id: str, change: Callable[[JobRecord], JobRecord]) -> JobRecord:
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
                self._stamps[job_id] = next(self._stamp)
            return after

    def remove(self, job_id: str) -> None:
        with self._store_lock:
            self.store.remove_job(job_id)
            self._gone(job_id)
        with self._lock:
            self._runs.job_removed(job_id, self._now())

    def remove_all(self) -> None:
        with self._store_lock:
            self.store.remove_all_jobs()
            self._stamps.clear()
            with self._lock:
                self._ledger.parked.clear()
                self._ledger.waiting.clear()
                self._runs.job_removed(None, self._now())

    def claim(
        self,
        now: datetime,
        decide: Decide,
        limit: int,
        executors: Collection[str],  # noqa: ARG002 - serves one node
    ) -> ClaimedBatch:
        self._see_to_outcomes()
        with self._store_lock:
            stamps = dict(self._stamps)
            records = [_record_of(job) for job in self.store.get_due_jobs(now)]
        due = [record for record in records if self._may_be_tried(record.id, now)]
        due = by_priority(due, lambda record: record.options.priority)
        queued, jobs = self._queued(now)
        decisions, is_more = self._claim_in_turn(
            [_Due(record, stamps.get(record.id)) for record in due[:limit]],
            queued,
            now,
            decide,
            limit,
            job_of=lambda run: jobs.get(run.job_id),
            claim_due=lambda one, budget: self._claim_due(one, now, decide, budget),
        )
        return ClaimedBatch(decisions, is_more or len(due) > limit)

    def _requeue(self, due: Iterable[Any]) -> None:
        """The store has them as they were."""

    def _claim_due(self, due: _Due, now: datetime, decide: Decide, budget: GroupBudget) -> Decision | None:
        """Decide about a due job, and make it true; ``None``: it waits, or was changed."""
        record = due.record
        with self._lock:
            running = self._ledger.count(record.id)
            buffered = self._runs.buffered(record.id)
        group = record.options.group
        decision = decide(record, running, None, buffered, budget.capacity(group))
        if decision.submit:
            budget.reserve(group, len(decision.submit))
        return decision if self._apply(decision, due.stamp, now) else None

    def _queued(self, now: datetime) -> tuple[list[QueuedRun], dict[str, JobRecord | None]]:
        """The queued runs that are due, and their jobs, those whose schedule is over included."""
        if not self._runs.queue:
            return [], {}
        with self._lock:
            queued = self._runs.queue.due(now.timestamp())
        try:
            stored = {job_id: self.get_record(job_id) for job_id in {run.job_id for run in queued}}
        except BaseException:
            with self._lock:  # the store has failed: they are looked at again
                for run in queued:
                    self._runs.queue.requeue(run)
            raise
        with self._lock:
            return queued, {run.job_id: self._runs.job_of(run, stored[run.job_id]) for run in queued}

    def _may_be_tried(self, job_id: str, now: datetime) -> bool:
        with self._lock:
            when = self._ledger.put_off(job_id, float("-inf"))
            if when is None or when > now.timestamp():
                return False
            self._ledger.waiting.pop(job_id, None)
            return True

    def _apply(self, decision: Decision, stamp: int | None, now: datetime) -> bool:
        """Make a decision true in the store; whether it was still about the job as it is."""
        job_id = decision.job.id
        if decision.reason is not None:
            decision.retry_at = self._park(job_id, decision.reason, now)
            return True
        if decision.waits:
            with self._lock:
                self._runs.wait(decision)
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
        self._note(decision, now)
        return True

    def _note(self, decision: Decision, now: datetime) -> None:
        """Remember what has come of a decision that was made true."""
        job = decision.job
        with self._lock:
            self._runs.count_attempts(decision)
            if decision.submit:
                self._runs.begin(decision, now)
            else:
                self._ledger.moved_on(job.id)
            self._runs.not_run(decision, now)
            if decision.following is None:
                self._runs.schedule_ended(job)

    def _park(self, job_id: str, reason: str, now: datetime) -> datetime:
        with self._lock:
            return self._ledger.park(job_id, reason, now)

    def finish(self, submissions: Sequence[Submission]) -> bool:
        awaited = []
        with self._lock:
            for submission in submissions:
                if submission.is_noted:
                    continue
                submission.is_noted = True
                self._keep_unfollowed(submission)
                awaited.append(self._runs.end(submission, self._now)[0])
            self._runs.history.bound()
        return self._see_to_outcomes() or any(awaited)

    def progress(self, submission: Submission) -> None:
        if not (submission.job.options.looks_at_outcomes or self._has_followers):
            return  # it is kept with the others
        with self._lock:
            if submission.is_noted:
                return
            self._keep_unfollowed(submission)
            self._runs.keep_results(submission, self._now)
            submission.results_are_taken()
        # The store is asked by the next claim: a worker is not to wait for it.
        self._host.wake()

    def _keep_unfollowed(self, submission: Submission) -> None:
        """Keep outcomes from which something may follow. Needs the lock."""
        job = submission.job
        counts = job.options.pause_after_failures is not None and not self._runs.is_disowned(
            job.id, submission.run_times
        )
        if counts or self._has_followers:
            self._unfollowed.append(_Outcomes(job.id, self._runs.results_of(submission), counts=counts))

    def _see_to_outcomes(self) -> bool:
        """Have happen what follows from outcomes; whether runs were queued. It is asked of the store, which may fail: they stay until that has worked."""
        is_followed = False
        while (outcomes := _popped(self._unfollowed)) is not None:
            try:
                if outcomes.counts:
                    self._count_failures(outcomes)
                    outcomes.counts = False
                if self._has_followers:
                    is_followed = self._follow(outcomes) or is_followed
            except BaseException:
                self._unfollowed.appendleft(outcomes)
                raise
        return is_followed

    def _count_failures(self, outcomes: _Outcomes) -> None:
        paused: list[JobRecord] = []

        def count(before: JobRecord) -> JobRecord:
            if outcomes.counters is not None and outcomes.counters == before.counters:
                return before  # it was, and the store raised afterwards
            after = self._runs.after(before, outcomes.results)
            outcomes.counters = after.counters
            paused[:] = [after] if has_paused_itself(before, after) else []
            return after

        with suppress(JobLookupError):
            self._change(outcomes.job_id, count)
        for job in paused:
            self._host.tell_paused(job, self._alias or "")

    def _follow(self, outcomes: _Outcomes) -> bool:
        """Queue the runs of other jobs that follow; whether there are any."""
        now = self._now()
        runs: list[QueuedRun] = []
        for record in self.list_records():
            if followed_job(record) == outcomes.job_id:
                runs += following_runs(record, outcomes.results, now)
        with self._lock:
            return bool(self._runs.enqueue(runs))

    @property
    def has_waiting(self) -> bool:
        return self._has_followers or self._runs.has_waiting

    def give_back(self, decision: Decision, now: datetime) -> datetime | None:
        job = decision.job
        with self._lock:
            if self._runs.is_disowned(job.id, decision.submit):
                return None
            if decision.requeues:
                return self._runs.take_back(decision, now)[0]
        with self._store_lock:
            present = self.store.lookup_job(job.id)
            before = None if present is None else _record_of(present)
            due = None if decision.following is None else decision.following.next_run_time
            after = given_back(before, job, decision.submit)
            try:
                if present is None and decision.following is None:
                    self.store.add_job(self._handle(after))
                elif present is not None and decision.following is not None and present.next_run_time == due:
                    self.store.update_job(self._handle(after))
                elif present is None or present.next_run_time != after.next_run_time:
                    return None
                # Otherwise it was done, and the store raised afterwards.
            except (ConflictingIdError, JobLookupError):
                return None
            self._stamps[job.id] = next(self._stamp)
        with self._lock:
            self._runs.ended_jobs.pop(job.id, None)
            self._runs.take_back(decision, now)
            return self._ledger.park(job.id, decision.reason or EXECUTOR_REFUSED, now)

    def next_time(self) -> datetime | None:
        with self._lock:
            set_aside = bool(self._ledger.waiting or self._ledger.parked)
            queued = self._runs.queue.next_time()
        if not set_aside:
            with self._store_lock:
                return min(filter(None, (self.store.get_next_run_time(), queued)), default=None)
        records = self.list_records()
        with self._lock:
            times = [queued, *(self._time_of(record) for record in records)]
        return min((time for time in times if time is not None), default=None)

    def _time_of(self, record: JobRecord) -> datetime | None:
        if record.next_run_time is None:
            return None
        due = record.next_run_time.timestamp()
        when = self._ledger.put_off(record.id, due)
        return (
            record.next_run_time
            if when == due
            else None
            if when is None
            else datetime.fromtimestamp(when, UTC)
        )

    def retry_parked(self) -> None:
        with self._lock:
            self._ledger.parked.clear()

    def enqueue(self, runs: Sequence[QueuedRun]) -> list[QueuedRun]:
        for job_id in {run.job_id for run in runs}:
            if self.get_record(job_id) is None:
                raise JobLookupError(job_id)
        with self._lock:
            return self._runs.enqueue(runs)

    def _gone(self, job_id: str) -> None:
        self._stamps.pop(job_id, None)
        self._forget(job_id)

    def _forget(self, job_id: str) -> None:
        with self._lock:
            self._ledger.forget(job_id)
            self._runs.queue.release_job(job_id)

    def _handle(self, record: JobRecord) -> Job:
        if followed_job(record) is not None:
            self._has_followers = True
        return Job._from_record(record, self._scheduler, self._alias)  # noqa: SLF001 - a handle is a view of its record


class _Due(NamedTuple):
    """A job that is due, with the stamp of what was read."""

    record: JobRecord
    stamp: int | None


class _Outcomes:
    """Outcomes of runs of a job from which something may follow.

    Attributes:
        counts: whether they are to be counted in their job, which may pause itself.
        counters: what the job was to remember, while that is written.
    """

    counters: JobCounters | None = None

    def __init__(self, job_id: str, results: Sequence[RunResult], *, counts: bool) -> None:
        self.job_id = job_id
        self.results = results
        self.counts = counts


def _popped(queue: deque[_Outcomes]) -> _Outcomes | None:
    try:
        return queue.popleft()
    except IndexError:
        return None


def _record_of(job: Job) -> JobRecord:
    return job._record  # noqa: SLF001 - as above
