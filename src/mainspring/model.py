"""The plain values that all layers pass round: a job as data, and a submission of its runs.

Nothing here acts. A record is never changed in place, so a run that waits in a queue keeps the arguments it was
submitted with, whatever becomes of the job meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from mainspring.masking import masked_arguments
from mainspring.printable import shown

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Mapping, Sequence

    from mainspring.retry import Retry
    from mainspring.storable import RunLimits
    from mainspring.triggers.base import BaseTrigger

#: What is done about a due run while as many instances of its job run as may.
Overlap = Literal["skip", "buffer_one", "buffer_all", "cancel_running", "allow"]

#: What made a run: the trigger, a failure, somebody who asked for it, an overlap, a loss, a backfill (one after another, or in
#: parallel), or the end of a run of another job.
Cause = Literal["schedule", "retry", "manual", "buffered", "rerun", "backfill", "parallel", "after"]


#: The causes of runs that backfills have made.
BACKFILLED: tuple[Cause, ...] = ("backfill", "parallel")


@dataclass(frozen=True, slots=True)
class JobOptions:
    """How a job is run; records of like jobs share one object.

    Attributes:
        executor: alias of the executor.
        misfire_grace_time: how late a run may be dispatched; ``None``: however late.
        coalesce: whether several overdue times make one run.
        max_instances: how many submissions of the job may run at a time, on all nodes together.
        on_lost: what follows when the node that runs the job dies: the loss is recorded, or the run is run again.
        reruns: how often a run is run again at most because its node has died.
        tags: words by which jobs are found, in alphabetical order.
        retry: when a run that failed is run again; ``None``: it isn't.
        timeout: how long a run may take; ``None``: however long.
        overlap: what is done about a run that is due while as many instances run as may.
        group: the name of the group of jobs with which it shares limits; ``None``: none.
        catch_up_limit: how many overdue runs are made up for at most, where each is.
        priority: of jobs that are due together, those with a higher one come first.
        max_runs: the job ends after so many runs of its schedule; ``None``: when its trigger does.
        pause_after_failures: the job is paused after so many failed runs in a row; ``None``: it isn't.
        keep_result: whether what a run returns is kept in the history.
        capture_log: whether what a run logs is kept in the history.
        around_run: references of context managers, in each of which the function is called.
        is_plain: whether its runs need no more than to be run, which is what most need, and is asked at every step of each.
        metadata: what the user wants to know of the job, as JSON text; ``None``: nothing.
        owner: who keeps it in step with a list, as of `BaseScheduler.sync`; ``None``: nobody.
    """

    executor: str = "default"
    misfire_grace_time: timedelta | None = None
    coalesce: bool = True
    max_instances: int = 1
    on_lost: Literal["record", "rerun"] = "record"
    tags: tuple[str, ...] = ()
    retry: Retry | None = None
    timeout: timedelta | None = None
    overlap: Overlap = "skip"
    group: str | None = None
    catch_up_limit: int = 1000
    priority: int = 0
    max_runs: int | None = None
    pause_after_failures: int | None = None
    keep_result: bool = True
    capture_log: bool = False
    around_run: tuple[str, ...] = ()
    metadata: str | None = None
    reruns: int = 3
    owner: str | None = None
    is_plain: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        is_plain = (
            self.overlap == "skip"
            and not self.capture_log
            and not self.priority
            and not self.around_run
            and (self.retry, self.timeout, self.group, self.max_runs, self.pause_after_failures)
            == (None,) * 5
        )
        object.__setattr__(self, "is_plain", is_plain)

    def __hash__(self) -> int:
        # Written options are found by it, for each row that is written. Few options are alike in all of these.
        return hash((self.executor, self.misfire_grace_time, self.group, self.metadata))

    @property
    def outlasts_schedule(self) -> bool:
        """Whether the job may be needed when the last run of its schedule has been claimed: it may be run again."""
        return self.retry is not None or self.on_lost == "rerun"

    @property
    def looks_at_outcomes(self) -> bool:
        """Whether something may follow at once from how a run of the job ended."""
        return self.retry is not None or self.pause_after_failures is not None


class Group(NamedTuple):
    """Jobs that together are limited, whichever nodes run them.

    Attributes:
        limit: how many of their instances run at a time; ``None``: any number.
        rate: how many of their runs begin in any span of time as long as `per`; ``None``: any number.
    """

    name: str
    limit: int | None = None
    rate: int | None = None
    per: timedelta = timedelta(minutes=1)


class JobCounters(NamedTuple):
    """What a job remembers of its past; only jobs with options that ask for it have one.

    Attributes:
        runs: how many runs of its schedule were claimed.
        failures: how many runs in a row have failed for good.
        note: why it is paused.
    """

    runs: int = 0
    failures: int = 0
    note: str | None = None


class JobRecord(NamedTuple):
    """One job as a store keeps it.

    A named tuple, because it is made several times in the life of a job, and a frozen dataclass takes three times as long.

    Attributes:
        func: the function, or ``None`` where only its reference is known.
        func_ref: its text reference ``"package.module:name"``, or ``None`` if it has none.
        next_run_time: aware; ``None`` while the job is paused.
        version: counted up by the store at every change.
        counters: what it remembers; ``None``: nothing.
    """

    id: str
    name: str
    func: Callable[..., Any] | None
    func_ref: str | None
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    trigger: BaseTrigger
    options: JobOptions
    next_run_time: datetime | None
    version: int = 0
    counters: JobCounters | None = None

    def __repr__(self) -> str:
        args, kwargs = masked_arguments(self.func, self.args, self.kwargs)
        return (
            f"<{type(self).__name__} {self.id!r}: {self.func_ref or self.func!r}, args={args!r}, kwargs={kwargs!r}, trigger={self.trigger!r}, "
            f"next_run_time={self.next_run_time}, version={self.version}>"
        )

    def rescheduled(self, next_run_time: datetime | None) -> JobRecord:
        """The same job with another next run time."""
        # By place: this is done for each run, and a field of a named tuple takes long to read by its name.
        return tuple.__new__(
            JobRecord, (*self[:_NEXT_RUN_TIME], next_run_time, self.version + 1, *self[_NEXT_RUN_TIME + 2 :])
        )

    def bound(self, trigger: BaseTrigger, next_run_time: datetime | None) -> JobRecord:
        """The same job, which isn't stored yet, with a trigger that is bound and its first run time."""
        return JobRecord(
            self.id,
            self.name,
            self.func,
            self.func_ref,
            self.args,
            self.kwargs,
            trigger,
            self.options,
            next_run_time,
            self.version,
            self.counters,
        )

    def changed(self, **changes: Any) -> JobRecord:
        """The same job with other values."""
        return self._replace(version=self.version + 1, **changes)


_NEXT_RUN_TIME = JobRecord._fields.index("next_run_time")  # the version comes after it


def run_id(job_id: str, scheduled_run_time: datetime, attempt: int = 1) -> str:
    """The identifier of a run: the same for the same job, time and attempt, on every node, for ever."""
    moment = scheduled_run_time.astimezone(UTC).replace(tzinfo=None)
    return f"{job_id}/{moment.isoformat(timespec='microseconds')}Z/{attempt}"


class RunKey(NamedTuple):
    """Which run."""

    job_id: str
    scheduled_run_time: datetime
    attempt: int

    @property
    def id(self) -> str:
        """Its identifier, as of `run_id`."""
        return run_id(*self)


#: More than any database has room for.
_MOST_ATTEMPTS = 2**31


def run_key(identifier: str) -> RunKey:
    """The run with this identifier, as of `run_id`.

    Raises:
        ValueError: it is none.
    """
    try:
        parts = identifier.rsplit("/", 2)
        if len(parts) != 3:  # noqa: PLR2004 - as in the example
            raise ValueError("it has no job, due time and attempt")  # noqa: TRY301 - told as the rest is
        job_id, moment, attempt = parts
        key = RunKey(job_id, datetime.fromisoformat(moment), int(attempt))
        if not job_id or key.scheduled_run_time.tzinfo is None or not 0 < key.attempt < _MOST_ATTEMPTS:
            raise ValueError("a part of it says nothing, or too much")  # noqa: TRY301 - told as the rest is
    except (AttributeError, ValueError) as error:
        raise ValueError(
            f"the identifier of a run looks like 'job/2026-01-31T09:30:00.000000Z/1', got {shown(identifier)}: {error}"
        ) from None
    return key


class QueuedRun(NamedTuple):
    """A run that isn't made by its job's next run time: it waits until it may be claimed.

    Attributes:
        scheduled_run_time, attempt: which run of the job it is.
        available: not before this time.
        reruns: how many of the attempts at its due time, up to this one, were made because a node had died.
        due_times: how many due times it stands for, as of `RunRecord`.
    """

    job_id: str
    scheduled_run_time: datetime
    attempt: int
    available: datetime
    cause: Cause
    reruns: int = 0
    due_times: int | None = 1

    @property
    def key(self) -> RunKey:
        """Which run; its time in UTC, since times of one zone are alike where an hour is repeated."""
        return RunKey(self.job_id, self.scheduled_run_time.astimezone(UTC), self.attempt)


#: What stops a submission in a process that its run has forked: it is the parent's to say how it ends.
FORKED: Any = "forked"

#: How a run may end.
Outcome = Literal["succeeded", "failed", "missed", "skipped", "timed_out", "cancelled", "lost"]

#: Those that somebody should look at.
TROUBLE: tuple[Outcome, ...] = ("failed", "timed_out", "lost", "missed")


#: What a run does, or how it ended; `engine.moves` has the moves from one to another.
RunState = Literal[
    "queued", "running", "succeeded", "failed", "missed", "skipped", "timed_out", "cancelled", "lost"
]


class RunResult(NamedTuple):
    """What became of one run.

    Attributes:
        started, finished: aware, or POSIX timestamps; ``None`` where the function was not called.
        error: the error in one line, or why it was not run.
        result: what the function returned, as the JSON text that is kept of it; ``None`` where none is.
        traceback: the formatted traceback of the error.
        log: what it logged, and was to be kept.
        retry_at: when the next attempt is made; ``None``: none is.
        progress: what it said last of how far it was, as JSON.
    """

    scheduled_run_time: datetime
    outcome: Outcome
    started: Any = None
    finished: Any = None
    error: str | None = None
    result: Any = None
    traceback: str | None = None
    log: str | None = None
    retry_at: datetime | None = None
    progress: str | None = None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as the store has it.

    Attributes:
        job_id, scheduled_run_time, attempt: which run.
        node: the name of the node that claimed it; ``None`` before that.
        token: under which it was claimed.
        claimed, started, finished: aware, in UTC; ``None`` for what hasn't come, or never will.
        outcome: ``"succeeded"``, ``"failed"``, ``"missed"``, ``"skipped"``, ``"timed_out"``,
            ``"cancelled"``, ``"lost"``; ``None`` while it waits or goes on.
        error: in one line.
        result: what the function returned, as JSON text.
        cause: what made it: ``"schedule"``, ``"retry"``, ``"manual"``, ``"buffered"``, ``"rerun"``, ``"backfill"``, ``"parallel"`` (a
            backfill, too), ``"after"``.
        available: for a run that waits: not before this time.
        traceback: the formatted traceback of the error.
        log: lines that it logged, if its job asks for them.
        progress: what it said last of how far it is: done, total (``None``: unknown) and a text.
        reruns: how many of the attempts at its due time, up to this one, were made because a node had died.
        due_times: how many due times of the schedule it stands for: 1 for its own, and more if it makes up for others that were overdue
            with it, or tells of them that they were dropped; ``None``: more than could be counted at once. A further attempt stands for as many.
    """

    job_id: str
    scheduled_run_time: datetime
    attempt: int
    node: str | None = None
    token: int | None = None
    claimed: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    outcome: Outcome | None = None
    error: str | None = None
    result: str | None = None
    cause: Cause = "schedule"
    available: datetime | None = None
    traceback: str | None = None
    log: str | None = None
    progress: tuple[float, float | None, str] | None = None
    reruns: int = 0
    due_times: int | None = 1

    @property
    def key(self) -> RunKey:
        """Which run."""
        return RunKey(self.job_id, self.scheduled_run_time, self.attempt)

    @property
    def state(self) -> RunState:
        """What it does, ``"queued"`` or ``"running"``, or its outcome."""
        if self.outcome is not None:
            return self.outcome
        return "queued" if self.node is None else "running"

    @property
    def id(self) -> str:
        """The run's identifier, as in its events."""
        return run_id(self.job_id, self.scheduled_run_time, self.attempt)


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """One registration of a node, as its store has it.

    Attributes:
        token: the number of the registration; a later one has a higher number.
        name, host, pid: which process it is.
        version: the release of mainspring that it runs.
        executors: aliases of those that it has.
        clock_offset: by how much the store's clock is ahead of its own.
        lease: for how long it may be silent until it counts as dead.
        started, heartbeat: by the store's clock, in UTC.
        state: ``"alive"``, ``"stopped"`` (it has left in good order) or ``"dead"`` (others have found it silent).
    """

    token: int
    name: str
    host: str
    pid: int
    version: str
    executors: tuple[str, ...]
    clock_offset: timedelta
    lease: timedelta
    started: datetime
    heartbeat: datetime
    state: Literal["alive", "stopped", "dead"]


class Teller(Protocol):
    """Is told what runs say.

    Attributes:
        limits: how much is kept of what they hand in.
    """

    limits: RunLimits

    def __call__(self, submission: Submission, text: str) -> None:
        """The run of a submission that was begun last has said how far it is, in JSON."""


class Lease(Protocol):
    """A node's right to the runs that it claimed from a shared store.

    Attributes:
        token: the number under which they were claimed; a later lease has a higher one.
    """

    token: int

    def is_held(self) -> bool:
        """Whether no other node can have taken the runs over; true while the lease is renewed in time."""

    def is_lost(self) -> bool:
        """Whether others have taken over what was claimed under it, for good."""

    def now(self) -> datetime:
        """The present by the clock of the store, in UTC."""

    def skipped(self, submission: Submission) -> None:
        """A run of a submission is not begun, because the lease isn't held."""


#: Of a run that ended well, as most do: the job's id, attempt, cause, due time, when it began and ended (POSIX timestamps), and its
#: result as text. A plain tuple, since it is made once for each run, and seldom looked at.
CompactSuccess = tuple[str, int, Cause, "datetime", float, float, "str | None"]

_NO_RESULTS: list[RunResult] = []  # of all that have none, so that none is made for each


class Submission:
    """Due times of one job that are run one after another by its executor, as one instance.

    Attributes:
        job: the job as it was when its runs were claimed.
        jobstore: alias of the job's store.
        run_times: the due times, oldest first.
        attempt: of the run that was begun last, or of the first; counted from 1, more where runs are run again.
        attempts: of all of them, by the due time in UTC, where they aren't all the first; ``None``: as `attempt`.
        lease: under which they were claimed; ``None`` from a store that serves one process.
        results: what became of the runs so far, and was not taken over by the store yet; not of those in the log of successes.
        success_log: where a store in memory wants to find what became of runs that nothing follows from, if they end well.
        recorded: how many runs the store has taken over.
        following: the job as the claim left it, for the case that the claim is undone; ``None`` if it was its last.
        cause: what made its runs.
        claimed: when they were claimed, by the store's clock, where a group counts that.
        is_partial: whether later runs of the same claim were queued.
        reruns: how many of the attempts at its due time, up to this one, were made because a node had died.
        due_times: how many due times each of its runs stands for, as of `RunRecord`.
        run_time: the due time of the run that was begun last; ``None``: no worker has taken it up.
        outcome_lock: a lock; whoever acquires it tells the outcome of that run, nobody else.
        stop: the outcome that the run is to have, once it is to be stopped; `FORKED` in a process that it has forked.
        is_abandoned: whether it has been told to have ended, though its thread still runs.
        is_noted: whether its store has noted that it has ended, or is left to others: each counts once, however often that is said.
        started: when that run began.
        details: what the run itself says and asks; ``None`` until it does.
        tell: called with this submission and what the run says of how far it is; knows how much is kept of what runs hand in.
    """

    __slots__ = (
        "__weakref__",
        "attempt",
        "attempts",
        "cause",
        "claimed",
        "details",
        "due_times",
        "following",
        "is_abandoned",
        "is_noted",
        "is_partial",
        "job",
        "jobstore",
        "lease",
        "outcome_lock",
        "recorded",
        "reruns",
        "results",
        "run_time",
        "run_times",
        "started",
        "stop",
        "success_log",
        "tell",
    )

    def __init__(
        self,
        job: JobRecord,
        jobstore: str,
        run_times: Sequence[datetime],
        attempt: int = 1,
        lease: Lease | None = None,
        following: JobRecord | None = None,
        cause: Cause = "schedule",
        success_log: deque[CompactSuccess] | None = None,
        claimed: datetime | None = None,
        is_partial: bool = False,
        reruns: int = 0,
        attempts: Mapping[datetime, int] | None = None,
        due_times: int | None = 1,
    ) -> None:
        self.job = job
        self.jobstore = jobstore
        self.run_times = run_times
        self.attempt = attempt
        self.attempts = attempts
        self.lease = lease
        self.following = following
        self.cause = cause
        self.results: list[RunResult] = _NO_RESULTS if lease is None else []
        self.success_log = success_log
        self.claimed = claimed
        self.is_partial = is_partial
        self.reruns = reruns
        self.due_times = due_times
        self.recorded = 0
        self.run_time: datetime | None = None
        self.stop: Literal["timed_out", "cancelled"] | None = None
        self.is_abandoned = False
        self.is_noted = False
        self.details: Any = None
        # And these by whoever begins a run, which takes less than to do it here as well.
        self.outcome_lock: Any
        self.started: datetime | float
        self.tell: Teller

    def add_result(self, result: RunResult) -> None:
        """Keep what became of a run."""
        if self.results is _NO_RESULTS:
            self.results = []
        self.results.append(result)

    def attempt_of(self, time: datetime) -> int:
        """Which attempt the run at one of its due times is."""
        return self.attempt if self.attempts is None else self.attempts.get(time.astimezone(UTC), 1)

    def unended(self) -> Sequence[datetime]:
        """The due times of the runs that go on, or have not begun; the run that has ended last may be among them."""
        if self.run_time is None:
            return self.run_times
        # In UTC, since times of one zone are alike where an hour is repeated.
        begun = [time.astimezone(UTC) for time in self.run_times].index(self.run_time.astimezone(UTC))
        return self.run_times[max(begun, self.recorded) :]

    def results_are_taken(self) -> None:
        """Its store has taken over what became of its runs so far."""
        self.recorded += len(self.results)  # first: who asks meanwhile finds them in the store
        self.results = []

    @property
    def key(self) -> RunKey:
        """Which run was begun last; the first, if none was."""
        return RunKey(self.job.id, self.run_time or self.run_times[0], self.attempt)

    def __repr__(self) -> str:
        return f"<Submission of {self.job.id!r}: {len(self.run_times)} runs>"
