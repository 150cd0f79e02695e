"""The one place where it is decided what becomes of a job that is due."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from mainspring.engine.attempts import attempt_of
from mainspring.engine.counting import counted, runs_left
from mainspring.engine.due import due_times
from mainspring.engine.misfire import is_misfired, is_too_late, late_since, too_late_at
from mainspring.engine.reasons import (
    BACKLOG_DROPPED,
    TRIGGER_FAILED,
    lateness,
    no_executor,
    no_function,
    overlap,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mainspring.engine.grouping import Capacity
    from mainspring.engine.searching import Slices
    from mainspring.model import Cause, JobRecord, Lease, Outcome, QueuedRun


_ALL_FIRST: Mapping[datetime, int] = MappingProxyType({})


class Decision:
    """What is to be done about one due job, or one queued run. Whoever carries it out does so for all parts that are set.

    Attributes:
        job: the record that was decided on; if the store has another by now, the decision is void.
        submit: due times to run, oldest first.
        missed: due times past their grace, not to be run.
        overlapping: due times skipped, because as many instances run as may.
        buffered: due times to be queued, because as many instances run as may.
        cancels: whether the instances that run are to be cancelled.
        due_times: how many due times the run stands for that it makes, as of `RunRecord`; of several, each stands for its own.
        dropped: the oldest due time beyond the backlog's limit, or ``None``.
        dropped_due_times: how many due times that one stands for.
        kept_from: the oldest due time within that limit, whatever becomes of it.
        following: the job's record from now on, or ``None`` when the job has ended.
        waits: nothing is done and nothing moves until an instance of the job ends, or its group has room.
        full_group: the name of the group that has no room; ``None``: the job itself is at its limit.
        waits_until: when it is to be decided about again, though no instance has ended: its group has room then, or it has waited for too long.
        reason: why the job can't be run here for now, or ``None``; nothing moves, and it is tried again later.
        error: what was raised, where that is the reason.
        is_told: whether the reason is the one that was said the last time.
        retry_at: when it is tried again; filled in by the store, which counts the attempts.
        run: the queued run that this is about; ``None``: it is about the job's next run time.
        cause: what made the runs in `submit`.
        attempts: which attempts at their due times its runs are, by the time in UTC; the first, where it says nothing. Filled in by the
            store, which knows the others.
        lease: under which `submit` was claimed; filled in by a store that nodes share.
        claimed: when it was claimed, by the store's clock; filled in by the store, where a group counts it.
    """

    # One is made for each due job. What stands in slots is read in a tenth of the time that a default of the class takes.
    __slots__ = (
        "attempts",
        "buffered",
        "cancels",
        "cause",
        "claimed",
        "dropped",
        "dropped_due_times",
        "due_times",
        "error",
        "following",
        "full_group",
        "is_told",
        "job",
        "kept_from",
        "lease",
        "missed",
        "overlapping",
        "reason",
        "retry_at",
        "run",
        "submit",
        "waits",
        "waits_until",
    )

    def __init__(self, job: JobRecord) -> None:
        self.job = job
        self.submit: Sequence[datetime] = ()
        self.missed: Sequence[datetime] = ()
        self.overlapping: Sequence[datetime] = ()
        self.buffered: Sequence[datetime] = ()
        self.cancels = False
        self.due_times: int | None = 1
        self.dropped: datetime | None = None
        self.dropped_due_times: int | None = 1
        self.kept_from: datetime | None = None
        self.following: JobRecord | None = None
        self.waits = False
        self.full_group: str | None = None
        self.waits_until: datetime | None = None
        self.reason: str | None = None
        self.error: Exception | None = None
        self.is_told = False
        self.retry_at: datetime | None = None
        self.run: QueuedRun | None = None
        self.cause: Cause = "schedule"
        self.attempts: Mapping[datetime, int] = _ALL_FIRST
        self.lease: Lease | None = None
        self.claimed: datetime | None = None

    @property
    def requeues(self) -> bool:
        """Whether its runs wait in the queue if they are given back: they came from there, or later ones do already."""
        return self.run is not None or bool(self.buffered)

    @property
    def is_eventful(self) -> bool:
        """Whether there is more to be said of it than what is run."""
        if self.missed or self.overlapping or self.cancels:
            return True
        return self.reason is not None or self.dropped is not None

    def attempt_of(self, time: datetime) -> int:
        """Which attempt its run at a due time is."""
        return attempt_of(self.attempts, time)

    @property
    def attempt(self) -> int:
        """Which attempt the queued run is, or the first of its runs that are to be run."""
        if self.run is not None:
            return self.run.attempt
        return self.attempt_of(self.submit[0]) if self.submit else 1

    def run_times(self) -> list[datetime]:
        """The due times of which it makes runs: those to be run, those that are not run as in `not_run`, those that wait."""
        dropped = () if self.dropped is None else (self.dropped,)
        return [*self.submit, *self.missed, *self.overlapping, *dropped, *self.buffered]

    def not_run(self, now: datetime) -> list[tuple[datetime, Outcome, str, int | None]]:
        """The due times that are not run: with the outcome, what is said of it, and how many due times the record stands for."""
        told: list[tuple[datetime, Outcome, str, int | None]] = []
        if self.missed or self.overlapping or self.dropped is not None:
            count = self.due_times
            told += [(time, "missed", lateness(time, now), count) for time in self.missed]
            skipped = overlap(self.job.options.max_instances)
            told += [(time, "skipped", skipped, count) for time in self.overlapping]
            if self.dropped is not None:
                told.append((self.dropped, "missed", BACKLOG_DROPPED, self.dropped_due_times))
        return told


def decide(
    job: JobRecord,
    now: datetime,
    running: int,
    executor_known: bool = True,
    buffered: int = 0,
    capacity: Capacity | None = None,
    slices: Slices | None = None,
) -> Decision:
    """What to do about `job`, whose next run time has come.

    Args:
        job: its record; ``next_run_time`` is not ``None`` and not after `now`.
        now: the time of dispatch: lateness is judged by it, once. Waiting for a free worker later on counts no more.
        running: how many instances of the job run at present.
        executor_known: whether this node has the job's executor.
        buffered: how many of its runs are queued, because they overlapped.
        capacity: what its group has room for; ``None``: it is in none that has limits.
        slices: what says how long a search for its next run time may take at a time.

    Anything that the trigger raises becomes part of the decision: one bad trigger is no reason to stop.
    """
    decision = Decision(job)
    first = job.next_run_time
    if first is None:
        raise ValueError(f"job {job.id!r} is paused: it can't be due")
    if not executor_known or job.func is None:
        decision.reason = _obstacle(job)
        return decision
    options = job.options
    try:
        times, following_time, dropped, count = due_times(
            job.trigger, first, now, options.coalesce, options.catch_up_limit, slices
        )
    except Exception as error:  # noqa: BLE001 - triggers are users' code
        decision.reason, decision.error = TRIGGER_FAILED, error
        return decision

    kept_from = times[0] if times else None
    grace = options.misfire_grace_time
    missed = () if grace is None else [time for time in times if is_misfired(time, now, grace)]
    times = times[len(missed) :] if missed else times
    left = None if options.is_plain else runs_left(job)
    times = times if left is None else times[:left]
    if not times or running < options.max_instances or options.overlap == "allow":
        if capacity is None:
            decision.submit = times
        else:
            _begin(decision, times, capacity)
    elif options.overlap != "skip":
        _buffer(decision, times, buffered)
    elif following_time is None or len(times) == left:
        # No later time would make up for this one, so it keeps its turn instead of being skipped.
        decision.waits = True
    else:
        decision.overlapping = times
    if decision.waits:
        _wait_until(decision, capacity, times[0])
        return decision
    decision.missed = missed
    decision.dropped, decision.kept_from = dropped, kept_from
    decision.due_times, decision.dropped_due_times = (count, 1) if dropped is None else (1, count)
    if left is not None:
        runs = len(decision.submit) + len(decision.buffered)
        decision.following = counted(job, following_time, runs, left)
    elif following_time is not None:
        decision.following = job.rescheduled(following_time)
    return decision


def _begin(decision: Decision, times: Sequence[datetime], capacity: Capacity) -> None:
    """Have as many of `times` run as the job's group has room for, and queue the others."""
    if times and capacity.is_full:
        decision.waits, decision.full_group = True, decision.job.options.group
    else:
        decision.submit, decision.buffered = times[: capacity.runs], times[len(times[: capacity.runs]) :]


def _wait_until(decision: Decision, capacity: Capacity | None, since: datetime | None) -> None:
    """Say when something else is to be decided, if time alone makes that.

    Args:
        since: since when it is late.
    """
    free_at = capacity.free_at if capacity is not None and decision.full_group is not None else None
    late_at = too_late_at(since, decision.job.options.misfire_grace_time)
    decision.waits_until = min(filter(None, (free_at, late_at)), default=None)


def _buffer(decision: Decision, times: Sequence[datetime], buffered: int) -> None:
    """Queue as many of `times` as the job's overlap policy lets, and skip the others."""
    options = decision.job.options
    capacity = options.catch_up_limit if options.overlap == "buffer_all" else 1
    capacity = max(capacity - buffered, 0)
    if options.overlap == "cancel_running":
        # The latest is what is wanted: it takes the place of what runs.
        decision.cancels = True
        decision.buffered, decision.overlapping = (times[-1:], times[:-1]) if capacity else ((), times)
    else:
        decision.buffered, decision.overlapping = times[:capacity], times[capacity:]


def decide_queued(
    job: JobRecord,
    run: QueuedRun,
    running: int,
    *,
    executor_known: bool = True,
    capacity: Capacity | None = None,
    now: datetime | None = None,
) -> Decision:
    """What to do about a queued run of `job` that has become available.

    Args:
        running, executor_known, room: as for `decide`.
        now: the time of dispatch; ``None``: it isn't judged whether it has waited for too long.
    """
    decision = Decision(job)
    decision.run = run
    decision.cause = run.cause
    decision.due_times = run.due_times
    decision.attempts = {run.key.scheduled_run_time: run.attempt}
    decision.following = job
    if not executor_known or job.func is None:
        decision.reason = _obstacle(job)
    elif now is not None and is_too_late(run, now, job.options.misfire_grace_time):
        decision.missed = [run.scheduled_run_time]
    elif running < job.options.max_instances or job.options.overlap == "allow" or run.cause == "parallel":
        if capacity is not None and capacity.is_full:
            decision.waits, decision.full_group = True, job.options.group
        else:
            decision.submit = [run.scheduled_run_time]
    else:
        decision.waits = True
    if decision.waits:
        _wait_until(decision, capacity, late_since(run))
    return decision


def _obstacle(job: JobRecord) -> str:
    """Why a job can't be run here that has no executor or no function here."""
    return no_function(job.func_ref) if job.func is None else no_executor(job.options.executor)
