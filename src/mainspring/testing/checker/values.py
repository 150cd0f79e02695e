"""What the checker is given, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from mainspring.coercion import NamesParameters
from mainspring.model import JobOptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mainspring.job import Job
    from mainspring.model import RunRecord
    from mainspring.triggers.base import BaseTrigger

#: What kinds of faults there are:
#:
#: - ``"miss"``: a due time, a retry or a rerun has no run; ``"unscheduled"``: a run of the schedule at a time at which nothing was due;
#:   ``"double"``: a due time has more runs than it may; ``"due_times"``: a run says that it stands for other due times than it does;
#: - ``"early"``: a run began before it was due;
#: - ``"same_id"``: two records have one identifier; ``"attempts"``: attempts of a run have a gap, or nothing calls for one of them;
#: - ``"instances"``, ``"group_limit"``, ``"group_rate"``, ``"max_runs"``: more ran than may;
#: - ``"not_allowed"``: a run was missed or skipped though the job's options don't allow it, or nothing was in its way;
#: - ``"after"``: a job that comes after another has too few or too many runs;
#: - ``"called_twice"``: a function was called twice for one run, or again while it still went on;
#: - ``"no_record"``: a function was called without a record of a run that had begun; ``"no_call"``: a record says it was called, the diary doesn't;
#: - ``"left_running"``: a run goes on by its record, though its function or its node has ended; ``"lost_alive"``: a run is lost, and its node lives;
#: - ``"untold"``: a run has no event of its outcome; ``"told_wrong"``: an event twice, of another outcome, or of a run that has no record;
#: - ``"times"``: a run ended before it began.
FaultKind = Literal[
    "miss",
    "unscheduled",
    "double",
    "due_times",
    "early",
    "same_id",
    "attempts",
    "instances",
    "group_limit",
    "group_rate",
    "max_runs",
    "not_allowed",
    "after",
    "called_twice",
    "no_record",
    "no_call",
    "left_running",
    "lost_alive",
    "untold",
    "told_wrong",
    "times",
]


class Fault(NamedTuple):
    """One thing that went wrong.

    Attributes:
        kind: one of `FaultKind`.
        sentence: what happened and what should have, for a reader.
    """

    kind: FaultKind
    sentence: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.sentence}"


class Span(NamedTuple):
    """A span of time; the end doesn't belong to it. ``None``: it hasn't ended."""

    start: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change(metaclass=NamesParameters):
    """What a program did to a job.

    Attributes:
        at: when, by the store's clock.
        kind: ``"changed"`` (its options, its schedule, or its next run time), ``"paused"``, ``"resumed"``, ``"removed"``, or ``"added"``
            (again, with its id).
        schedule: the one from now on, of what is ``"changed"`` or ``"added"``; ``None``: as before.
        options: those from now on; ``None``: as before.
        next_run_time: the one that was asked for; ``None``: it follows from the schedule.
    """

    at: datetime
    kind: Literal["changed", "paused", "resumed", "removed", "added"]
    schedule: BaseTrigger | Sequence[datetime] | None = None
    options: JobOptions | None = None
    next_run_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class ObservedJob(metaclass=NamesParameters):
    """A job, and what it was to do.

    Attributes:
        schedule: its trigger, bound (as `Job.trigger` is); or its due times in order; ``None``: they are not known, and not judged.
        options: as of its record.
        added: when; ``None``: before the observation began.
        next_run_time: its first, if it was asked for.
        is_paused: whether it was paused at first.
        changes: what was done to it afterwards, in order.
        is_prompt: whether its runs are claimed as soon as they are due, unless its own limits or its group's are in the way. Where workers may all be
            busy, or an executor refuses runs, they aren't: then lateness explains coalesced and dropped due times, and skipped runs.
        keeps_diary: whether its function notes its calls.
    """

    id: str
    schedule: BaseTrigger | Sequence[datetime] | None
    options: JobOptions = JobOptions()  # noqa: RUF009 - frozen
    added: datetime | None = None
    next_run_time: datetime | None = None
    is_paused: bool = False
    changes: Sequence[Change] = ()
    is_prompt: bool = True
    keeps_diary: bool = True

    @classmethod
    def of(cls, job: Job, **values: Any) -> ObservedJob:
        """A job as it is now, that is scheduled: what `add_job` returned, after the scheduler was started.

        Args:
            values: others of the attributes.
        """
        record = job._record  # noqa: SLF001 - the job's options as one value
        return cls(**{"id": record.id, "schedule": record.trigger, "options": record.options, **values})


@dataclass(frozen=True, slots=True)
class GroupLimits(metaclass=NamesParameters):
    """What a group of jobs was limited to.

    Attributes:
        limit, rate, per: as of `Group`.
        span: when the limits held; ``None``: all the time.
    """

    name: str
    limit: int | None = None
    rate: int | None = None
    per: timedelta = timedelta(minutes=1)
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Call(metaclass=NamesParameters):
    """A call of a job's function, as it noted it itself.

    Attributes:
        began, ended: by the store's clock; ``None``: it goes on, or its process was ended.
        scheduled_run_time, attempt: which run it was for; ``None``: the function doesn't know.
        pids: of the process in which it was called, and of those above that.
        node: the name of the node, where it is known.
    """

    job_id: str
    began: datetime
    ended: datetime | None = None
    scheduled_run_time: datetime | None = None
    attempt: int | None = None
    pids: Sequence[int] = ()
    node: str | None = None


@dataclass(frozen=True, slots=True)
class NodeLife(metaclass=NamesParameters):
    """One node.

    Attributes:
        started, ended: by the store's clock; ``None``: it lives still. A node that was killed has ended at that moment, one that was shut down when
            its process ended.
        name: as in the records of its runs.
        pid: of its process; a name that ends with it is taken for this node's, too.
        stopped: when it could give no sign of life: stopped, suspended, cut off.
    """

    started: datetime
    ended: datetime | None = None
    name: str | None = None
    pid: int | None = None
    stopped: Sequence[Span] = ()


@dataclass(frozen=True, slots=True)
class Observed(metaclass=NamesParameters):
    """All that is known.

    Attributes:
        since, until: the span of time that is judged, by the store's clock. All that is known was asked for at `until`, or later.
        jobs: those that are judged; runs of others are only counted in their groups.
        runs: the store's history, complete: nothing pruned.
        calls: the functions' own diary; ``None``: they keep none.
        nodes: all that there were; empty: nothing is known of them.
        groups: the limits that there were.
        events: what listeners of all nodes were told; ``None``: not known, such as where nodes were killed, which tell nothing of their last moment.
        outages: when no node could reach the store.
        patience: how long what is due may take: to be claimed, run, written and told. Where something is changed, both what was and what is then
            may hold for as long.
        precision: how exact times are.
    """

    since: datetime
    until: datetime
    jobs: Sequence[ObservedJob]
    runs: Sequence[RunRecord]
    calls: Sequence[Call] | None = None
    nodes: Sequence[NodeLife] = ()
    groups: Sequence[GroupLimits] = ()
    events: Sequence[Any] | None = None
    outages: Sequence[Span] = ()
    patience: timedelta = timedelta(0)
    precision: timedelta = timedelta(milliseconds=1)
