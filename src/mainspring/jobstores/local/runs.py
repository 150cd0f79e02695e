"""The runs of a store that serves one process: which go on, which are queued, and what became of the others.

Not thread-safe: the store that owns it guards it with its own lock.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from mainspring.engine import transitions
from mainspring.engine.attempts import attempt_of, next_attempts
from mainspring.engine.failures import after_outcomes
from mainspring.engine.grouping import GroupBudget, without
from mainspring.engine.misfire import how_late
from mainspring.engine.reasons import EXECUTOR_REFUSED
from mainspring.engine.transitions import next_attempt
from mainspring.jobstores.history import History, this_process
from mainspring.jobstores.ledger import Ledger
from mainspring.jobstores.local.run_queue import RunQueue
from mainspring.model import QueuedRun, RunKey, RunRecord, RunResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from mainspring.engine.decision import Decision
    from mainspring.jobstores.contract import Decide
    from mainspring.model import Group, JobRecord, Submission


class LocalRuns:
    """Runs by what becomes of them.

    Args:
        keep: how many ended runs of each job are kept.

    Attributes:
        ledger: the instances that go on, and who waits for them.
        queue: the runs that aren't made by their job's next run time.
        history: the runs that have ended.
        claimed: of the runs that were queued those that go on.
        due_times: of the runs that go on those that stand for another number of due times than one, with that.
        group_waiting: by group, the jobs that are due and wait for room in it.
        ended_jobs: jobs whose schedule is over, and of which runs go on or are queued.
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self.ledger = Ledger()
        self.queue = RunQueue()
        self.history = History(keep, this_process())
        self.claimed: dict[RunKey, QueuedRun] = {}
        self.due_times: dict[RunKey, int | None] = {}
        self.ended_jobs: dict[str, JobRecord] = {}
        self.groups: dict[str, Group] = {}
        self._group_running: dict[str, int] = {}
        self._group_begun: dict[str, list[datetime]] = {}
        self.group_waiting: dict[str, set[str]] = {}
        self._freed = self._freed_before = 0

    def copy_without_runs(self) -> LocalRuns:
        """For a forked process: with the history and the limits of groups, and without what goes on or is queued."""
        copy = LocalRuns(self._keep)
        copy.history.take_over(self.history)
        copy.groups = dict(self.groups)
        return copy

    def budget(self, now: datetime) -> GroupBudget:
        """What the groups have room for, to keep account of in a claim."""
        self._freed_before = self._freed
        return GroupBudget(self.groups, self._group_running, self._group_begun, now)

    def wait(self, decision: Decision) -> None:
        """A job that is due waits for an instance to end, of it or of its group; or for a time.

        Not if what it waits for has happened since it was decided on.
        """
        job_id, group = decision.job.id, decision.full_group
        if group is None:
            may_begin = self.ledger.count(job_id) < decision.job.options.max_instances
        else:
            may_begin = self._freed != self._freed_before
            if not may_begin:
                self.group_waiting.setdefault(group, set()).add(job_id)
        if not may_begin:
            self.ledger.waiting[job_id] = decision.waits_until

    def begin(self, decision: Decision, now: datetime) -> None:
        """An instance begins."""
        self.ledger.begin(decision.job.id, now, decision.submit, decision.attempts)
        if decision.due_times != 1:
            self.due_times[_key_of(decision.job.id, decision.submit, decision)] = decision.due_times
        group = decision.job.options.group
        if group is not None:
            decision.claimed = now
            self._group_running[group] = self._group_running.get(group, 0) + 1
            limits = self.groups.get(group)
            if limits is not None and limits.rate is not None:
                begun = self._group_begun.setdefault(group, [])
                begun += [now] * len(decision.submit)
                del begun[: -limits.rate]

    def take_back(self, decision: Decision, now: datetime) -> tuple[datetime | None, set[str]]:
        """An instance was not begun after all; when its runs are tried again, if they wait in the queue, and the jobs that wait for room no more."""
        job = decision.job
        self.ledger.take_back(job.id, decision.submit)
        if decision.due_times != 1:
            self.due_times.pop(_key_of(job.id, decision.submit, decision), None)
        # What waited for it to end would wait for ever.
        self.ledger.waiting.pop(job.id, None)
        self.queue.release(job.id, job.options.group)
        freed = self._group_ended(job)
        group = job.options.group or ""
        if decision.claimed is not None and group in self._group_begun:
            self._group_begun[group] = without(
                self._group_begun[group], decision.claimed, len(decision.submit)
            )
        decision.reason = decision.reason or EXECUTOR_REFUSED
        if decision.run is not None:
            return self.put_off(decision, now), freed
        if not decision.buffered:
            return None, freed
        retry_at = self.ledger.park(job.id, decision.reason, now)
        for time in decision.submit:
            attempt, count = decision.attempt_of(time), decision.due_times
            self.queue.add(QueuedRun(job.id, time, attempt, retry_at, decision.cause, due_times=count))
        return retry_at, freed

    def _group_ended(self, job: JobRecord) -> set[str]:
        """An instance in a group counts no more; the jobs that were waiting for that."""
        group = job.options.group
        if group is None:
            return set()
        self._freed += 1
        left = self._group_running.get(group, 1) - 1
        if left > 0:
            self._group_running[group] = left
        else:
            self._group_running.pop(group, None)  # programs may have a group for each of their customers
        return self._no_longer_waiting(group)

    def _no_longer_waiting(self, group: str) -> set[str]:
        waiting = self.group_waiting.pop(group, set())
        for job_id in waiting:
            self.ledger.waiting.pop(job_id, None)
        return waiting

    def set_limits(self, name: str, group: Group | None) -> set[str]:
        """Give a group its limits, or take them from it; the jobs that were waiting for room in it."""
        if group is None:
            self.groups.pop(name, None)
            self._group_begun.pop(name, None)  # a group that gets limits later begins anew
        else:
            self.groups[name] = group
        self._freed += 1
        self.queue.release_group(name)
        return self._no_longer_waiting(name)

    @property
    def is_in_use(self) -> bool:
        """Whether there is more than instances that begin by the schedule and end."""
        return bool(self.queue or self.claimed or self.ended_jobs or self.groups)

    @property
    def has_waiting(self) -> bool:
        """Whether something waits for an instance to end."""
        return bool(self.ledger.waiting or self.queue.held)

    def count_attempts(self, decision: Decision) -> None:
        """The job was changed, and may be due at times at which it has been run: those are further attempts."""
        times = [time.astimezone(UTC) for time in decision.run_times()]
        latest = self._latest_attempts(decision.job.id, times)
        decision.attempts = next_attempts(times, latest)

    def _latest_attempts(self, job_id: str, times: Sequence[datetime]) -> dict[datetime, int]:
        """The latest attempts at due times, in UTC, whatever has become of them; times without are left out."""
        ended = self.history.latest_attempts(job_id)
        latest = {time: ended.get(time.timestamp(), 0) for time in times}
        for begun, attempts in self.ledger.instances(job_id):
            for time in {time.astimezone(UTC) for time in begun} & latest.keys():
                latest[time] = max(latest[time], attempt_of(attempts, time))
        for time in times:
            while RunKey(job_id, time, latest[time] + 1) in self.queue:
                latest[time] += 1
        return {time: attempt for time, attempt in latest.items() if attempt}

    def not_run(self, decision: Decision, now: datetime) -> None:
        """Record the due times of a decision that are not run, and queue those that have to wait."""
        job_id, attempt_of = decision.job.id, decision.attempt_of
        for time, outcome, told, count in decision.not_run(now):
            result = transitions.not_run(None, time, outcome, told, now)
            self.history.add(job_id, attempt_of(time), "schedule", result, count)
        count = decision.due_times
        for time in decision.buffered:
            self.queue.add(QueuedRun(job_id, time, attempt_of(time), now, "buffered", due_times=count))

    def buffered(self, job_id: str) -> int:
        """How many runs of a job are queued because they overlapped."""
        return sum(run.cause == "buffered" for run in self.queue.of(job_id)) if self.queue else 0

    def schedule_ended(self, job: JobRecord) -> None:
        """The last run of a job's schedule was claimed, and the job is no more; but runs of it may still be needed."""
        if job.options.outlasts_schedule or (self.queue and self.queue.of(job.id)):
            self.ended_jobs[job.id] = job

    def job_of(self, run: QueuedRun, record: JobRecord | None) -> JobRecord | None:
        """The job of a queued run.

        Args:
            record: the job with its id that is in the store.
        """
        return record or self.ended_jobs.get(run.job_id)

    def claim(
        self, run: QueuedRun, job: JobRecord | None, now: datetime, decide: Decide, budget: GroupBudget
    ) -> Decision | None:
        """Decide about a queued run that is due, and make it true; ``None``: it waits, or is gone.

        Args:
            job: as `job_of` has it.
        """
        if self.queue.runs.get(run.key) is not run:
            return None  # somebody has cancelled it
        if job is None:
            self.queue.remove(run.key)
            self._skip(run, now)
            return None
        decision = decide(
            job, self.ledger.count(run.job_id), run, capacity=budget.capacity(job.options.group)
        )
        if decision.waits:
            if decision.full_group is not None and self._freed != self._freed_before:
                self.queue.requeue(run)  # perhaps it has room by now
            else:
                self.queue.hold(run, decision.full_group, decision.waits_until)
            return None
        if decision.reason is not None:
            self.put_off(decision, now)
            return decision
        self.queue.remove(run.key)
        if decision.submit:
            budget.reserve(job.options.group, 1)
            self.begin(decision, now)
            self.claimed[run.key] = run
        else:
            late = transitions.not_run("queued", run.scheduled_run_time, "missed", how_late(run, now), now)
            self.history.add(job.id, run.attempt, run.cause, late, run.due_times)
            self._forget_if_ended(job.id)
        return decision

    def _forget_if_ended(self, job_id: str) -> None:
        """A job whose schedule is over is needed no more when nothing of it goes on or waits."""
        if job_id in self.ended_jobs and job_id not in self.ledger.running and not self.queue.of(job_id):
            del self.ended_jobs[job_id]

    def put_off(self, decision: Decision, now: datetime) -> datetime:
        """A queued run can't be run for now: it is tried again later."""
        run = decision.run
        if run is None:
            raise ValueError("the decision is about no queued run")
        self.claimed.pop(run.key, None)
        decision.retry_at = self.ledger.park(run.job_id, decision.reason or "", now)
        self.queue.add(run._replace(available=decision.retry_at))
        return decision.retry_at

    def _skip(self, run: QueuedRun, now: datetime) -> None:
        self.history.add(run.job_id, run.attempt, run.cause, transitions.removed(run, now), run.due_times)

    def job_removed(self, job_id: str | None, now: datetime) -> None:
        """A job was removed, or all were: their queued runs are not run, and nothing follows from those that go on."""
        self.ledger.disown(job_id)
        if job_id is None:
            self.ended_jobs.clear()
        else:
            self.ended_jobs.pop(job_id, None)
        if not self.queue:
            return
        runs = self.queue.of(job_id)
        self.queue.drop(runs)
        for run in runs:
            self._skip(run, now)

    def is_disowned(self, job_id: str, times: Sequence[datetime]) -> bool:
        """Whether the job of an instance was removed since it was claimed; if there is one with its id, it is another."""
        return self.ledger.is_disowned(job_id, times)

    def end(self, submission: Submission, now: Callable[[], datetime]) -> tuple[bool, set[str]]:
        """An instance has ended; whether something was waiting for that, and the jobs that wait for room in their group no more."""
        job = submission.job
        is_retried = self.keep_results(submission, now)
        if self.claimed:
            key = submission.key
            self.claimed.pop(key._replace(scheduled_run_time=key.scheduled_run_time.astimezone(UTC)), None)
        if submission.due_times != 1:
            self.due_times.pop(_key_of(job.id, submission.run_times, submission), None)
        was_awaited = self.ledger.end(job.id, submission.run_times)
        if self.queue:
            was_awaited = self.queue.release(job.id, job.options.group) or was_awaited
        freed = self._group_ended(job)
        if self.ended_jobs:
            self._forget_if_ended(job.id)
        return was_awaited or is_retried or bool(freed), freed

    def keep_results(self, submission: Submission, now: Callable[[], datetime]) -> bool:
        """Keep what became of runs of an instance, and queue those that are tried again; whether there are any."""
        job = submission.job
        self.history.add_all(submission)
        is_disowned = self.is_disowned(job.id, submission.run_times)
        is_retried = False
        if job.options.retry is not None:
            for result in submission.results:
                if result.retry_at is not None:
                    retry = self._retry_of(submission, result.scheduled_run_time, result.retry_at)
                    if is_disowned:
                        self._skip(retry, now())
                    else:
                        is_retried = True
                        self.queue.add(retry)
        return is_retried

    def _retry_of(self, submission: Submission, scheduled: datetime, retry_at: datetime) -> QueuedRun:
        """The run by which one that failed is tried again."""
        job_id, attempt = submission.job.id, submission.attempt_of(scheduled)
        time = scheduled.astimezone(UTC)
        latest = max(attempt, self._latest_attempts(job_id, [time]).get(time, 0))
        key = RunKey(job_id, scheduled, latest)
        return next_attempt(key, retry_at, "retry", submission.reruns, submission.due_times)

    @staticmethod
    def after(job: JobRecord, results: Sequence[RunResult]) -> JobRecord:
        """The job as outcomes of its runs leave it."""
        return after_outcomes(job, [(result.outcome, result.retry_at) for result in results])

    def results_of(self, submission: Submission) -> list[RunResult]:
        """The outcomes of an instance that its store has not taken over yet; a run that was reported in the log of successes has succeeded."""
        if submission.success_log is None:
            return list(submission.results)
        told = {result.scheduled_run_time.astimezone(UTC): result for result in submission.results}
        return [
            told.get(time.astimezone(UTC)) or RunResult(time, "succeeded") for time in submission.run_times
        ]

    def cancel(self, key: RunKey, now: datetime) -> bool:
        """End a queued run; whether it was one."""
        run = self.queue.remove(key._replace(scheduled_run_time=key.scheduled_run_time.astimezone(UTC)))
        if run is None:
            return False
        self.history.add(run.job_id, run.attempt, run.cause, transitions.cancelled(run, now), run.due_times)
        return True

    def enqueue(self, runs: Sequence[QueuedRun]) -> list[QueuedRun]:
        """Queue those of `runs` that aren't known yet, and return them."""
        times: dict[str, list[datetime]] = {}
        for run in runs:
            times.setdefault(run.job_id, []).append(run.key.scheduled_run_time)
        latest = {job_id: self._latest_attempts(job_id, of_job) for job_id, of_job in times.items()}
        new = []
        for run in runs:
            key = run.key
            if key not in self.queue and run.attempt > latest[run.job_id].get(key.scheduled_run_time, 0):
                self.queue.add(run)
                new.append(run)
        return new

    def record(self, key: RunKey) -> RunRecord | None:
        """A run, if it is known."""
        key = key._replace(scheduled_run_time=key.scheduled_run_time.astimezone(UTC))
        queued = self.queue.runs.get(key)
        if queued is not None:
            return _queued_record(queued)
        ended = next(self.history.records(key.job_id, key), None)
        if ended is not None:
            return ended
        return next((one for one in self._going_on(key.job_id) if one.key == key), None)

    def records(self, job_id: str | None) -> list[RunRecord]:
        """The runs of a job, or of all."""
        ended = list(self.history.records(job_id))
        going_on = list(self._going_on(job_id))
        if going_on:
            told = {record.key for record in ended}  # of an instance that hasn't been settled
            going_on = [record for record in going_on if record.key not in told]
        return [*going_on, *map(_queued_record, self.queue.of(job_id)), *ended]

    def _going_on(self, job_id: str | None) -> Iterator[RunRecord]:
        for one in list(self.ledger.running) if job_id is None else [job_id]:
            for times, attempts in self.ledger.instances(one):
                for time in times:
                    key = RunKey(one, time.astimezone(UTC), attempt_of(attempts, time))
                    queued = self.claimed.get(key)
                    cause = "schedule" if queued is None else queued.cause
                    count = self.due_times.get(key, 1)
                    yield RunRecord(*key, node=self.history.node, cause=cause, due_times=count)


def _queued_record(run: QueuedRun) -> RunRecord:
    return RunRecord(*run.key, cause=run.cause, available=run.available, due_times=run.due_times)


def _key_of(job_id: str, times: Sequence[datetime], begun: Decision | Submission) -> RunKey:
    """The run of an instance that stands for several due times: its only one."""
    return RunKey(job_id, times[0].astimezone(UTC), begun.attempt_of(times[0]))
