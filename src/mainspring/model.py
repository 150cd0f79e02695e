"""The plain values that all layers pass round: a job as data, and a submission of its runs.

Nothing here acts. A record is never changed in place, so a run that waits in a queue keeps the arguments it was
submitted with, whatever becomes of the job meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from mainspring.triggers.base import BaseTrigger


@dataclass(frozen=True, slots=True)
class JobOptions:
    """How a job is run; records of like jobs share one object.

    Attributes:
        executor: alias of the executor.
        misfire_grace_time: how late a run may be dispatched; ``None``: however late.
        coalesce: whether several overdue times make one run.
        max_instances: how many submissions of the job may run at a time, on all nodes together.
        on_lost: what follows when the node that runs the job dies: the loss is recorded, or the run is run again.
        tags: words by which jobs are found, in alphabetical order.
    """

    executor: str = "default"
    misfire_grace_time: timedelta | None = None
    coalesce: bool = True
    max_instances: int = 1
    on_lost: Literal["record", "rerun"] = "record"
    tags: tuple[str, ...] = ()


class JobRecord(NamedTuple):
    """One job as a store keeps it.

    A named tuple, because it is made several times in the life of a job, and a frozen dataclass takes three times as long.

    Attributes:
        func: the function, or ``None`` where only its reference is known.
        func_ref: its text reference ``"package.module:name"``, or ``None`` if it has none.
        next_run_time: aware; ``None`` while the job is paused.
        version: counted up by the store at every change.
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

    def rescheduled(self, next_run_time: datetime | None) -> JobRecord:
        """The same job with another next run time."""
        return JobRecord(
            self.id,
            self.name,
            self.func,
            self.func_ref,
            self.args,
            self.kwargs,
            self.trigger,
            self.options,
            next_run_time,
            self.version + 1,
        )

    def changed(self, **changes: Any) -> JobRecord:
        """The same job with other values."""
        return self._replace(version=self.version + 1, **changes)


def run_id(job_id: str, scheduled_run_time: datetime, attempt: int = 1) -> str:
    """The identifier of a run: the same for the same job, time and attempt, on every node, for ever."""
    moment = scheduled_run_time.astimezone(UTC).replace(tzinfo=None)
    return f"{job_id}/{moment.isoformat(timespec='microseconds')}Z/{attempt}"


#: How a due run may end.
Outcome = Literal["succeeded", "failed", "missed", "skipped", "cancelled", "lost"]


class RunResult(NamedTuple):
    """What became of one run.

    Attributes:
        started, finished: aware; ``None`` where the function was not called.
        error: the error in one line, or why it was not run.
        result: what the function returned.
    """

    scheduled_run_time: datetime
    outcome: Outcome
    started: datetime | None = None
    finished: datetime | None = None
    error: str | None = None
    result: Any = None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as the store has it.

    Attributes:
        job_id, scheduled_run_time, attempt: which run.
        node: the name of the node that claimed it; ``None`` before that.
        token: under which it was claimed.
        claimed, started, finished: aware, in UTC; ``None`` for what hasn't come, or never will.
        outcome: ``"succeeded"``, ``"failed"``, ``"missed"``, ``"skipped"``,
            ``"cancelled"``, ``"lost"``; ``None`` while it goes on.
        error: in one line.
        result: what the function returned, as JSON text.
    """

    job_id: str
    scheduled_run_time: datetime
    attempt: int
    node: str | None
    token: int | None
    claimed: datetime | None
    started: datetime | None
    finished: datetime | None
    outcome: str | None
    error: str | None
    result: str | None


class Lease(Protocol):
    """A node's right to the runs that it claimed from a shared store.

    Attributes:
        token: the number under which they were claimed; a later lease has a higher one.
    """

    token: int

    def is_held(self) -> bool:
        """Whether no other node can have taken the runs over; true while the lease is renewed in time."""


class Submission:
    """Due times of one job that are run one after another by its executor, as one instance.

    Attributes:
        job: the job as it was when its runs were claimed.
        jobstore: alias of the job's store.
        run_times: the due times, oldest first.
        attempt: counted from 1; more where runs of a node that died are run again.
        lease: under which they were claimed; ``None`` from a store that serves one process.
        results: what became of the runs so far, and was not taken over by the store yet; ``None`` where it keeps no record.
        recorded: how many runs the store has taken over.
        following: the job as the claim left it, for the case that the claim is undone; ``None`` if it was its last.
        has_begun: whether a worker has taken it up.
    """

    __slots__ = (
        "__weakref__",
        "attempt",
        "following",
        "has_begun",
        "job",
        "jobstore",
        "lease",
        "recorded",
        "results",
        "run_times",
    )

    def __init__(
        self,
        job: JobRecord,
        jobstore: str,
        run_times: Sequence[datetime],
        attempt: int = 1,
        lease: Lease | None = None,
        following: JobRecord | None = None,
    ) -> None:
        self.job = job
        self.jobstore = jobstore
        self.run_times = run_times
        self.attempt = attempt
        self.lease = lease
        self.following = following
        self.results: list[RunResult] | None = None if lease is None else []
        self.recorded = 0
        self.has_begun = False

    def __repr__(self) -> str:
        return f"<Submission of {self.job.id!r}: {len(self.run_times)} runs>"
