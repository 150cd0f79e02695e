"""What is known, in the order in which it is asked for."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from mainspring.model import RunKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mainspring.model import JobOptions, RunRecord
    from mainspring.testing.checker.values import Call, NodeLife, Observed, ObservedJob, Span

#: Runs that are made for a due time of the schedule.
BY_SCHEDULE = frozenset({"schedule", "buffered"})
#: Runs that are made since another has failed, or was lost.
AGAIN = frozenset({"retry", "rerun"})
#: Runs that may be made again.
RETRIED = frozenset({"failed", "timed_out", "lost"})
#: Runs of which nothing was called.
NOT_BEGUN = frozenset({"missed", "skipped"})


class Evidence:
    """What was observed, sorted.

    Attributes:
        observed: as it was given.
        jobs: by id.
        runs: by job, in the order of due times and attempts.
        by_key: the records by which run they are of, in UTC.
    """

    def __init__(self, observed: Observed) -> None:
        self.observed = observed
        self.jobs: dict[str, ObservedJob] = {job.id: job for job in observed.jobs}
        self.runs: dict[str, list[RunRecord]] = defaultdict(list)
        self.by_key: dict[RunKey, list[RunRecord]] = defaultdict(list)
        for run in sorted(observed.runs, key=lambda run: (in_utc(run.scheduled_run_time), run.attempt)):
            self.runs[run.job_id].append(run)
            self.by_key[_key(run.job_id, run.scheduled_run_time, run.attempt)].append(run)
        self._callers: dict[RunKey, RunRecord] = {}
        self._follow_ups: dict[RunKey, RunRecord] = {}
        for runs in self.runs.values():
            for _, attempts in groupby(runs, key=lambda run: in_utc(run.scheduled_run_time)):
                self._connect(list(attempts))
        self.calls: dict[RunKey, list[Call]] = defaultdict(list)
        self.calls_at: dict[tuple[str, datetime], list[Call]] = defaultdict(list)
        for call in sorted(observed.calls or (), key=lambda call: call.began):
            if call.scheduled_run_time is not None:
                self.calls_at[call.job_id, in_utc(call.scheduled_run_time)].append(call)
                if call.attempt is not None:
                    self.calls[_key(call.job_id, call.scheduled_run_time, call.attempt)].append(call)

    def _connect(self, attempts: list[RunRecord]) -> None:
        """Find out of which attempt each retry and rerun is one.

        It is of the one before it, unless the job ran several times for one due time: it was moved back, backfilled, or given another's id. Then it
        is of any that ended before it began, and of which no other is.
        """
        for number, run in enumerate(attempts):
            if run.cause not in AGAIN:
                continue
            begin = run.claimed or run.started or run.available
            candidates = [
                each
                for each in attempts[:number]
                if each.outcome in RETRIED
                and each.finished is not None
                and each.attempt < run.attempt
                and _key_of(each) not in self._follow_ups
            ]
            if candidates:
                caller = max(candidates, key=lambda each: self._likeliness(each, begin))
                self._callers[_key_of(run)] = caller
                self._follow_ups[_key_of(caller)] = run

    def _likeliness(self, run: RunRecord, begin: datetime | None) -> tuple[bool, bool, datetime, int]:
        """How likely it is that what began at a time was made since this run has failed: greater is likelier."""
        job, end = self.jobs.get(run.job_id), in_utc(run.finished or run.scheduled_run_time)
        options = [] if job is None else [*self.options_when_claimed(job, run), *self.options(job, end)]
        promising = [each for each in options if is_promised(run, each) is not False]
        waits = [shortest_wait(run, each) for each in promising or options]
        earliest = end + min(waits, default=timedelta(0)) - self.observed.precision
        is_over = begin is None or earliest <= in_utc(begin)
        return is_over, job is None or bool(promising), end, run.attempt

    def caller_of(self, run: RunRecord) -> RunRecord | None:
        """The attempt that failed, or was lost, so that a retry or a rerun was made."""
        return self._callers.get(_key_of(run))

    def follow_up_of(self, run: RunRecord) -> RunRecord | None:
        """The retry or the rerun that was made of a run: the inverse of `caller_of`."""
        return self._follow_ups.get(_key_of(run))

    def calls_of(self, run: RunRecord) -> list[Call]:
        """The calls that are known to be for a run."""
        return self.calls.get(_key(run.job_id, run.scheduled_run_time, run.attempt), [])

    def records_of(self, job_id: str, time: datetime, attempt: int) -> list[RunRecord]:
        """The records of one run: one, unless something is wrong."""
        return self.by_key.get(_key(job_id, time, attempt), [])

    def options(self, job: ObservedJob, moment: datetime) -> list[JobOptions]:
        """The options that a job may have had at a moment, by who noticed a change and who didn't yet."""
        patience = self.observed.patience
        possible = [job.options]
        for change in job.changes:
            if change.options is None or change.at > moment + patience:
                continue
            if change.at + patience <= moment:
                possible.clear()
            possible.append(change.options)
        return possible

    def options_when_claimed(self, job: ObservedJob, run: RunRecord) -> list[JobOptions]:
        """The options that a job may have had when a run was made of it: at any time until it began, where that isn't recorded."""
        if run.claimed is not None:
            return self.options(job, run.claimed)
        due = in_utc(run.scheduled_run_time)
        return self.options_between(job, due, in_utc(run.started or run.finished or due))

    def options_between(self, job: ObservedJob, start: datetime, end: datetime) -> list[JobOptions]:
        """The options that a job may have had at any moment of a span."""
        between = [
            change.options
            for change in job.changes
            if change.options is not None and start <= change.at <= end
        ]
        return [*self.options(job, start), *between, *self.options(job, end)]

    def served(self, start: datetime, end: datetime) -> timedelta:
        """For how long of a span there was a node that could do something."""
        if end <= start:
            return timedelta(0)
        blocked = list(self.observed.outages)
        if self.observed.nodes:
            lives = [
                part
                for node in self.observed.nodes
                for part in _without(node.started, node.ended, node.stopped)
            ]
            return _length(lives, blocked, start, end)
        return _length([(start, end)], blocked, start, end)

    def node_of(self, name: str | None) -> list[NodeLife]:
        """The lives of the node that is called so in a record."""
        if name is None:
            return []
        return [
            node
            for node in self.observed.nodes
            if node.name == name or (node.pid is not None and name.rsplit("-", 1)[-1] == str(node.pid))
        ]

    def end_of(self, call: Call) -> datetime | None:
        """When a call ended at the latest: when it said so, or its process was ended; ``None``: it goes on."""
        if call.ended is not None:
            return call.ended
        ends = [
            node.ended
            for node in self.observed.nodes
            if node.pid in call.pids or (call.node is not None and call.node == node.name)
        ]
        return ends[0] if len(ends) == 1 else None


def is_promised(run: RunRecord, options: JobOptions) -> bool | None:
    """Whether another attempt follows a run that failed; ``None``: that depends on the error, which a record has only as text."""
    if run.outcome == "lost" and options.on_lost == "rerun":
        return run.reruns < options.reruns
    retry = options.retry
    if retry is None or run.attempt - run.reruns >= retry.attempts:
        return False
    return None if retry.on or retry.not_on else True


def shortest_wait(run: RunRecord, options: JobOptions) -> timedelta:
    """How long after the end of a run that failed another attempt may begin at the earliest."""
    retry = options.retry
    if retry is None or (run.outcome == "lost" and options.on_lost == "rerun"):
        return timedelta(0)
    factor = min(retry.backoff ** min(run.attempt - run.reruns - 1, 64), 1e12)
    return timedelta(seconds=min(retry.delay.total_seconds() * factor, retry.longest_delay.total_seconds()))


def _key_of(run: RunRecord) -> RunKey:
    return _key(run.job_id, run.scheduled_run_time, run.attempt)


def _key(job_id: str, time: datetime, attempt: int) -> RunKey:
    return RunKey(job_id, in_utc(time), attempt)


def in_utc(moment: datetime) -> datetime:
    """A moment in UTC: times of one zone compare by the wall clock, wrongly where an hour is repeated."""
    return moment.astimezone(UTC)


def caught_up(options: JobOptions) -> int:
    """How many overdue runs of a job are made at least; a job with `max_runs` may have one left."""
    return options.catch_up_limit if options.max_runs is None else 1


def begun(run: RunRecord) -> bool:
    """Whether a record says that the run's function was called."""
    return run.started is not None and run.outcome not in NOT_BEGUN


def name_of(run: RunRecord) -> str:
    """How a run is spoken of."""
    return f"run {run.id!r}"


def at(moment: datetime | None) -> str:
    """How a moment is written."""
    if moment is None:
        return "never"
    text = in_utc(moment).replace(tzinfo=None).isoformat(" ", "microseconds").rstrip("0").rstrip(".")
    return f"{text} UTC"


def _without(start: datetime, end: datetime | None, gaps: Sequence[Span]) -> list[tuple[datetime, datetime]]:
    """What is left of a span."""
    last = datetime.max.replace(tzinfo=UTC)
    parts = []
    for gap in sorted(gaps, key=lambda gap: gap.start):
        if gap.start > start:
            parts.append((start, gap.start))
        start = max(start, gap.end or last)
    if start < (end or last):
        parts.append((start, end or last))
    return parts


def _length(
    parts: list[tuple[datetime, datetime]], gaps: list[Span], start: datetime, end: datetime
) -> timedelta:
    """How much of ``[start, end]`` is in one of `parts` and in none of `gaps`."""
    total = timedelta(0)
    reached = start
    for first, last in sorted(part for whole in parts for part in _without(*whole, gaps)):
        first, last = max(first, reached), min(last, end)  # noqa: PLW2901 - the part that counts
        if last > first:
            total += last - first
            reached = last
    return total
