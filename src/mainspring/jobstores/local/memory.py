"""Jobs kept in this process's memory, in a heap by the time when they are next looked at.

Adding, changing and claiming a job cost O(log n). Entries that a change made stale stay in the heap until they come up
or outnumber the others. Jobs stay over `shutdown()` and a later `start()`, and end with the process; where the process stands in for
APScheduler, they are gone after `shutdown()`, as there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any, ClassVar

from mainspring import profile
from mainspring.engine.counting import given_back
from mainspring.engine.failures import has_paused_itself
from mainspring.engine.following import followed_job, following_runs
from mainspring.engine.precedence import by_priority, in_turn, turn_of_job
from mainspring.engine.reasons import EXECUTOR_REFUSED
from mainspring.errors import ConfigurationError, ConflictingIdError, JobLookupError
from mainspring.forks import deep_copied, leaves_to_parent
from mainspring.jobstores.contract import ALL_JOBS, ClaimedBatch, JobQuery
from mainspring.jobstores.local.runs import LocalRuns
from mainspring.jobstores.local.store import LocalRunStore
from mainspring.jobstores.native import NativeJobStore
from mainspring.triggers.after import AfterJob

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from mainspring.engine.decision import Decision
    from mainspring.engine.grouping import GroupBudget
    from mainspring.jobstores.contract import Decide
    from mainspring.model import JobRecord, QueuedRun, Submission


class _Entry:
    """One job, and the time under which it stands in the heap: ``None`` when it doesn't."""

    __slots__ = ("may_repeat", "record", "when")

    def __init__(self, record: JobRecord) -> None:
        self.record = record
        self.when: float | None = None
        self.may_repeat = False  # it may be due at a time at which there has been a run


class MemoryJobStore(LocalRunStore, NativeJobStore):
    """Keeps jobs in memory: the default store. Needs nothing, and nothing survives the process.

    Args:
        keep_runs: how many ended runs of each job are remembered, of all jobs together up to 10,000.
        keep_jobs: whether jobs stay over a `shutdown` of the scheduler, for its next `start`. If not given, they do; under the alias they don't,
            as with APScheduler, where programs add them anew before each start.
    """

    kind = "memory"
    live_records: ClassVar[bool] = True

    def __init__(self, keep_runs: int = 100, *, keep_jobs: bool | None = None) -> None:
        kept: Any = keep_runs
        if isinstance(kept, bool) or not isinstance(kept, int) or kept < 0:
            raise ConfigurationError(f"keep_runs must be a whole number of 0 or more, got {kept!r}")
        self._keeps_jobs = not profile.stands_in() if keep_jobs is None else keep_jobs
        self._entries: dict[str, _Entry] = {}
        self._begin_in_process(LocalRuns(keep_runs))
        leaves_to_parent(self)

    def _begin_in_process(self, runs: LocalRuns) -> None:
        """Make what belongs to one process."""
        self._begin_runs(runs)
        # Heap keys are POSIX timestamps: datetimes of one zone compare by their wall time, wrongly in a repeated hour.
        # By time, then by id, which is the order among what is due at the same moment.
        self._heap: list[tuple[float, str, int, _Entry]] = []
        self._pushed = 0  # how many entries the heap was given, so that those of one time stay in order
        self._has_priorities = False
        self._runs_until = float("-inf")  # all runs that there have been were due by then
        self._followers: dict[
            str, set[str]
        ] = {}  # who came after a job at some time; whether it still does is asked
        # Looked at after every run.
        self._waiting = self._ledger.waiting
        self._held = self._runs.queue.held
        self._queued = self._runs.queue.runs

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return deep_copied(self, memo)

    def leave_to_parent(self) -> None:
        """In a forked process: the jobs and the history are a copy; what goes on, and what is queued, is the parent's."""
        self._begin_in_process(self._runs.copy_without_runs())
        for entry in self._entries.values():
            entry.when = None
            self._enqueue(entry)

    def shutdown(self) -> None:
        """Called when the scheduler shuts down, or the store is removed from it."""
        super().shutdown()
        if not self._keeps_jobs:
            self.remove_all()

    def add_records(
        self, records: Sequence[JobRecord], replace: Callable[[JobRecord, JobRecord], JobRecord] | None
    ) -> list[JobRecord]:
        if replace is None:
            with self._lock:
                self._refuse_conflicts(records)
                if self._runs.ended_jobs:
                    for record in records:
                        if record.id in self._runs.ended_jobs:
                            self._runs.job_removed(record.id, self._now())  # another takes its place
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
        # Another job may have had the id before.
        entry.may_repeat = entry.when is not None and entry.when <= self._runs_until

    def _enqueue(self, entry: _Entry) -> None:
        """A job is new here, or another than before: note what it is, and put it into the heap. Needs the lock."""
        record = entry.record
        if not record.options.is_plain and record.options.priority:
            self._has_priorities = True
        if AfterJob in type(record.trigger).__mro__:  # `comes_after_another`, without a call for each job
            self._followers.setdefault(followed_job(record) or "", set()).add(record.id)
        self._push(entry)

    def _push(self, entry: _Entry) -> None:
        """Put an entry into the heap by when it is to be looked at next, if ever. Needs the lock."""
        record = entry.record
        next_run_time = record.next_run_time
        if next_run_time is None:
            entry.when = None
            return
        when = next_run_time.timestamp()
        if self._waiting or self._ledger.parked:
            put_off = self._ledger.put_off(record.id, when)
            if put_off is None:
                entry.when = None
                return
            when = put_off
        entry.when = when
        self._pushed += 1
        heappush(self._heap, (when, record.id, self._pushed, entry))

    def _exchange(self, before: JobRecord, after: JobRecord) -> bool:
        """Put `after` in the place of `before`, if that is still the job's record."""
        with self._lock:
            entry = self._entries.get(before.id)
            if entry is None or entry.record is not before:
                return False
            entry.record = after
            entry.may_repeat = True
            self._follows_no_more(before)
            self._ledger.forget(before.id)
            if self._held:
                self._runs.queue.release_job(before.id)
            self._enqueue(entry)
            self._compact()
            return True

    def _follows_no_more(self, record: JobRecord) -> None:
        """A job is removed, or becomes another: it comes after none, unless it is entered so again. Needs the lock."""
        followed = followed_job(record) if self._followers else None
        if followed is not None and followed in self._followers:
            self._followers[followed].discard(record.id)
            if not self._followers[followed]:
                del self._followers[followed]

    def _compact(self) -> None:
        if len(self._heap) > 2 * len(self._entries) + 64:
            # A job that is replaced and keeps its time is there twice for the same.
            valid: dict[int, tuple[float, str, int, _Entry]] = {}
            for item in self._heap:
                if item[3].when == item[0]:
                    valid.setdefault(id(item[3]), item)
            self._heap = list(valid.values())
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
            self._follows_no_more(entry.record)
            self._ledger.forget(job_id)
            self._compact()
            self._runs.job_removed(job_id, self._now())

    def remove_all(self) -> None:
        with self._lock:
            self._entries.clear()
            self._followers.clear()
            self._heap.clear()
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
        until = now.timestamp()
        self._runs_until = max(self._runs_until, until)
        taken = self._take_due(until, limit)
        if self._queued:
            with self._lock:
                queued = self._runs.queue.due(until)
            if queued:
                return self._claim_with_queued([entry for entry, _ in taken], queued, now, decide, limit)
        if self._runs.groups:
            # A job that waited for room is taken at the time at which there is some: others may have been due for shorter.
            taken = in_turn(taken, lambda pair: turn_of_job(pair[0].record))
        decisions: list[Decision] = []
        try:
            budget = self._budget(now) if self._runs.groups else None
            for entry, running in taken:
                record = entry.record
                if budget is None and not running:
                    decisions.append(decide(record, 0))
                else:
                    decisions.append(self._decide(record, running, decide, budget))
        except BaseException:
            # A decision doesn't raise; an interrupt may. What was taken goes back to where it was.
            with self._lock:
                self._requeue([entry for entry, _ in taken])
            raise
        with self._lock:
            effective = [
                decision
                for (entry, _), decision in zip(taken, decisions, strict=True)
                if self._apply(entry, decision, now)
            ]
            return ClaimedBatch(effective, self._has_more(until))

    def _budget(self, now: datetime) -> GroupBudget:
        with self._lock:
            return self._runs.budget(now)

    def _decide(
        self, record: JobRecord, running: int, decide: Decide, budget: GroupBudget | None
    ) -> Decision:
        """Have it decided about a due job, whose runs are counted in `budget`; without the lock."""
        if budget is None and (not running or record.options.overlap == "skip"):
            return decide(record, running)
        group = record.options.group
        capacity = None if budget is None else budget.capacity(group)
        decision = decide(record, running, None, self._runs.buffered(record.id), capacity)
        if budget is not None and decision.submit:
            budget.reserve(group, len(decision.submit))
        return decision

    def _requeue(self, due: Iterable[Any]) -> None:
        entry: _Entry
        for entry in due:
            if entry.when is None and self._entries.get(entry.record.id) is entry:
                self._push(entry)

    def _has_more(self, until: float) -> bool:
        """Whether more jobs are due. Needs the lock."""
        self._drop_stale()
        return bool(self._heap) and self._heap[0][0] <= until

    def _claim_with_queued(
        self,
        taken: Sequence[_Entry],
        queued: Sequence[QueuedRun],
        now: datetime,
        decide: Decide,
        limit: int,
    ) -> ClaimedBatch:
        def claim_due(entry: _Entry, budget: GroupBudget) -> Decision | None:
            decision = self._decide(entry.record, self._ledger.count(entry.record.id), decide, budget)
            with self._lock:
                return decision if self._apply(entry, decision, now) else None

        decisions, is_more = self._claim_in_turn(
            taken, queued, now, decide, limit, job_of=self._job_of, claim_due=claim_due
        )
        with self._lock:
            return ClaimedBatch(decisions, is_more or self._has_more(now.timestamp()))

    def _job_of(self, run: QueuedRun) -> JobRecord | None:
        return self._runs.job_of(run, self.get_record(run.job_id))

    def _take_due(self, until: float, limit: int) -> list[tuple[_Entry, int]]:
        taken: list[tuple[_Entry, int]] = []
        heap = self._heap
        ledger = self._ledger
        running = ledger.running
        with self._lock:
            while heap and heap[0][0] <= until and (len(taken) < limit or self._has_priorities):
                when, _, _, entry = heappop(heap)
                if entry.when != when:
                    continue
                entry.when = None
                job_id = entry.record.id
                if ledger.waiting:
                    ledger.waiting.pop(job_id, None)  # it is looked at
                taken.append((entry, ledger.count(job_id) if job_id in running else 0))
            if self._has_priorities:
                taken = by_priority(taken, lambda pair: pair[0].record.options.priority)
                for entry, _ in taken[limit:]:
                    self._push(entry)
                del taken[limit:]
        return taken

    def _apply(self, entry: _Entry, decision: Decision, now: datetime) -> bool:
        """Make a decision true; whether it was still about the job's present record. Needs the lock."""
        job = decision.job
        job_id = job.id
        if entry.record is not job or self._entries.get(job_id) is not entry:
            return False
        if decision.reason is not None or decision.waits:
            return self._set_aside(entry, decision, now)
        if entry.may_repeat:
            entry.may_repeat = False
            self._runs.count_attempts(decision)
        if decision.submit:
            if job.options.group is None and decision.due_times == 1:
                self._ledger.begin(job_id, now, decision.submit, decision.attempts)
            else:
                self._runs.begin(decision, now)
        elif self._ledger.parked:
            self._ledger.moved_on(job_id)
        if decision.missed or decision.overlapping or decision.buffered or decision.dropped:
            self._runs.not_run(decision, now)
        if decision.following is None:
            del self._entries[job_id]
            if not job.options.is_plain or self._queued:
                self._runs.schedule_ended(job)
        else:
            entry.record = decision.following
            self._push(entry)
        return True

    def _set_aside(self, entry: _Entry, decision: Decision, now: datetime) -> bool:
        """Have a job that can't be run for now be looked at later; whether others are to be told. Needs the lock."""
        job = decision.job
        if decision.reason is not None:
            decision.retry_at = self._ledger.park(job.id, decision.reason, now)
        else:
            self._runs.wait(decision)
        self._push(entry)
        return decision.reason is not None

    def _drop_stale(self) -> None:
        heap = self._heap
        while heap and heap[0][3].when != heap[0][0]:
            heappop(heap)

    def _next_time(self) -> datetime | None:
        queued = self._runs.queue.next_time() if self._queued else None
        self._drop_stale()
        if not self._heap:
            return queued
        record = self._heap[0][3].record
        first = record.next_run_time
        if first is not None and first.timestamp() != self._heap[0][0]:
            first = datetime.fromtimestamp(self._heap[0][0], UTC)  # it was put off
        return (
            first if queued is None else min(filter(None, (first, queued)), key=lambda time: time.timestamp())
        )

    def finish(self, submissions: Sequence[Submission]) -> bool:
        was_awaited = False
        paused: list[JobRecord] = []
        with self._lock:
            waiting = self._ledger.waiting
            runs = self._runs
            others_wait = bool(waiting or self._followers) or runs.is_in_use
            for submission in submissions:
                if submission.is_noted:
                    continue
                submission.is_noted = True
                job = submission.job
                if submission.success_log is not None and not others_wait:  # nothing can follow from it
                    if submission.results:
                        runs.history.add_all(submission)
                    self._ledger.end(job.id, submission.run_times)
                    continue
                was_waiting = bool(waiting) and job.id in waiting
                is_ours = not runs.is_disowned(job.id, submission.run_times)
                is_awaited, freed = runs.end(submission, self._now)
                was_awaited = was_awaited or is_awaited
                self._free(freed)
                if is_ours:
                    paused += self._count_failures(submission)
                if was_waiting:
                    self._look_again(job.id)
                was_awaited = self._follow(submission) or was_awaited
            runs.history.bound()
        for job in paused:
            self._host.tell_paused(job, self._alias or "")
        return was_awaited

    def progress(self, submission: Submission) -> None:
        job = submission.job
        if not (job.options.looks_at_outcomes or job.id in self._followers):
            return  # it is kept with the others
        paused: list[JobRecord] = []
        with self._lock:
            if submission.is_noted:
                return
            is_ours = not self._runs.is_disowned(job.id, submission.run_times)
            is_awaited = self._runs.keep_results(submission, self._now)
            if is_ours:
                paused = self._count_failures(submission)
            is_awaited = self._follow(submission) or is_awaited
            submission.results_are_taken()
        for record in paused:
            self._host.tell_paused(record, self._alias or "")
        if is_awaited:
            self._host.wake()

    def _look_again(self, job_id: str) -> None:
        """A job may be run again. Needs the lock."""
        entry = self._entries.get(job_id)
        if entry is not None:
            self._push(entry)

    def _count_failures(self, submission: Submission) -> list[JobRecord]:
        """A job counts its failures, if it is to; it is returned if it is paused for them. Needs the lock."""
        entry = self._entries.get(submission.job.id)
        if entry is None or submission.job.options.pause_after_failures is None:
            return []
        before, entry.record = entry.record, self._runs.after(entry.record, self._runs.results_of(submission))
        if entry.record is before:
            return []
        self._push(entry)
        return [entry.record] if has_paused_itself(before, entry.record) else []

    def _follow(self, submission: Submission) -> bool:
        """Queue the runs that follow from those of `submission`; whether there are any. Needs the lock."""
        followers = self._followers.get(submission.job.id)
        if not followers:
            return False
        now = self._now()
        runs: list[QueuedRun] = []
        for job_id in followers:
            follower = self._entries.get(job_id)
            if follower is not None and followed_job(follower.record) == submission.job.id:
                runs += following_runs(follower.record, self._runs.results_of(submission), now)
        return bool(self._runs.enqueue(runs))

    @property
    def has_waiting(self) -> bool:
        return bool(self._waiting or self._followers or self._held)

    def give_back(self, decision: Decision, now: datetime) -> datetime | None:
        job = decision.job
        with self._lock:
            if self._runs.is_disowned(job.id, decision.submit):
                return None
            if not self._ledger.goes_on(job.id, decision.submit):  # it was done
                parked = self._ledger.parked.get(job.id)
                return now if parked is None else parked.retry_at
            entry = self._entries.get(job.id)
            if decision.requeues:
                retry_at, freed = self._runs.take_back(decision, now)
                self._free(freed)
                if entry is not None:
                    self._enqueue(entry)  # its schedule waits along with it
                return retry_at
            if entry is None and decision.following is None:
                entry = self._entries[job.id] = _Entry(given_back(None, job, decision.submit))
                self._runs.ended_jobs.pop(job.id, None)
            elif entry is None or entry.record is not decision.following:
                return None
            else:
                entry.record = given_back(entry.record, job, decision.submit)
            entry.may_repeat = True  # or a further attempt would be counted as the first
            self._free(self._runs.take_back(decision, now)[1])
            retry_at = self._ledger.park(job.id, decision.reason or EXECUTOR_REFUSED, now)
            self._enqueue(entry)
            return retry_at

    def earliest(self) -> JobRecord | None:
        with self._lock:
            self._drop_stale()
            candidates = [self._heap[0][3].record] if self._heap else []
            set_aside = (*self._ledger.parked, *self._ledger.waiting)
            candidates += [self._entries[job_id].record for job_id in set_aside if job_id in self._entries]
        timed = [(record.next_run_time.timestamp(), record) for record in candidates if record.next_run_time]
        return min(timed, key=lambda pair: pair[0])[1] if timed else None

    def next_time(self) -> datetime | None:
        with self._lock:
            return self._next_time()

    def retry_parked(self) -> None:
        with self._lock:
            parked = list(self._ledger.parked)
            self._ledger.parked.clear()
            for job_id in parked:
                entry = self._entries.get(job_id)
                if entry is not None:
                    self._push(entry)

    def enqueue(self, runs: Sequence[QueuedRun]) -> list[QueuedRun]:
        with self._lock:
            for run in runs:
                if run.job_id not in self._entries:
                    raise JobLookupError(run.job_id)
            for run in runs:
                self._entries[run.job_id].may_repeat = True
                self._runs_until = max(self._runs_until, run.scheduled_run_time.timestamp())
            return self._runs.enqueue(runs)

    def _free(self, job_ids: Collection[str]) -> None:
        for job_id in job_ids:
            self._look_again(job_id)
