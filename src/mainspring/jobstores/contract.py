"""What a scheduler asks of a store: jobs kept as records, and due runs claimed in batches.

A claim is made before anything runs: the store moves the job's next run time, and only then hands the run out. That is
what makes a run happen once, however many ask. A change is made on what was read, or not at all: `change` is given a
function from the old record to the new, which is called again if somebody else was faster.

All methods may be called from any thread. None calls into user code (triggers, functions) while it holds a lock.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from mainspring.errors import JobLookupError
from mainspring.jobstores.host import NullHost

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from mainspring.clock import Clock
    from mainspring.engine.decision import Decision
    from mainspring.engine.grouping import Capacity
    from mainspring.jobstores.host import StoreHost
    from mainspring.model import CompactSuccess, Group, JobRecord, QueuedRun, RunKey, RunRecord, Submission


#: More runs than any store in memory keeps of a job.
EVERY_RUN = 1_000_000


class Decide(Protocol):
    """The engine's decision, closed over the time and the executors of this node."""

    def __call__(
        self,
        job: JobRecord,
        running: int,
        run: QueuedRun | None = None,
        buffered: int = 0,
        capacity: Capacity | None = None,
    ) -> Decision:
        """What to do about `job`, of which `running` instances run, or about a queued `run` of it.

        Args:
            buffered: how many runs of it are queued because they overlapped; asked for only where its options do.
            capacity: what its group has room for; ``None``: it is in none that has limits.
        """


class ClaimedBatch(NamedTuple):
    """What a call of `claim` came to.

    Attributes:
        decisions: those that took effect in the store, still to be carried out by the scheduler.
        more: whether more is due already.
    """

    decisions: list[Decision]
    more: bool


class ParkedJob(NamedTuple):
    """A job that can't be run here for now, and why.

    Attributes:
        reason: what is in the way.
        attempts: how often in a row it was tried.
        retry_at: when it is tried again.
    """

    job_id: str
    reason: str
    attempts: int
    retry_at: datetime


class JobQuery(NamedTuple):
    """Which jobs to list; ``None`` asks for no more than the others do.

    Attributes:
        state: ``"scheduled"`` or ``"paused"``.
        tag: one of their tags.
        executor: alias of their executor.
        search: text that is in the id, the name or the function's reference, in upper or lower case.
        limit: at most so many.
        after: the id of a job: those that come after it in the list.
        group: the name of their group.
        owner: who keeps them in step with a list.
    """

    state: str | None = None
    tag: str | None = None
    executor: str | None = None
    search: str | None = None
    limit: int | None = None
    after: str | None = None
    group: str | None = None
    owner: str | None = None

    def of(self, records: Sequence[JobRecord]) -> list[JobRecord]:
        """Those of `records`, which are all in their order, that are asked for.

        Raises:
            JobLookupError: there is no job with the id `after`.
        """
        if self.after is not None:
            ids = [record.id for record in records]
            if self.after not in ids:
                raise JobLookupError(self.after)
            records = records[ids.index(self.after) + 1 :]
        return [record for record in records if self._matches(record)][: self.limit]

    def _matches(self, record: JobRecord) -> bool:
        if self.state is not None and (record.next_run_time is None) != (self.state == "paused"):
            return False
        if self.tag is not None and self.tag not in record.options.tags:
            return False
        if self.executor is not None and record.options.executor != self.executor:
            return False
        if not self.is_of_group_and_owner(record):
            return False
        if self.search is None:
            return True
        searched = (record.id, record.name, record.func_ref or "")
        return any(self.search.lower() in text.lower() for text in searched)

    def is_of_group_and_owner(self, record: JobRecord) -> bool:
        """Whether a job is of the group and the owner that are asked for: databases keep both among the options, where they don't look."""
        options = record.options
        return self.group in (None, options.group) and self.owner in (None, options.owner)


ALL_JOBS = JobQuery()


class RunStore(ABC):
    """A store that claims due runs itself."""

    #: What is asked of the scheduler that the store serves; given by `start`.
    _host: StoreHost = NullHost()

    #: What kind of store this is, by its name in `abilities.ABILITIES`; ``None``: none of those.
    kind: str | None = None

    #: Whether `get_record` is a look into this process's memory, so that a `Job` handle may ask it at every access.
    live_records: ClassVar[bool] = False

    @property
    def serves_one_process(self) -> bool:
        """Whether what is kept is this process's alone, so that another one forked from it has a copy at best."""
        return self.poll_interval is None

    #: How many due jobs are claimed at a time, so that the first run while the rest are still being decided on.
    claim_limit: ClassVar[int] = 500

    #: How often others are looked at for what they changed, where that isn't told; ``None``: nobody else can.
    poll_interval: ClassVar[timedelta | None] = None

    #: Where runs that ended well, and from which nothing follows, are told of, instead of with `finish`; ``None``: nowhere.
    success_log: deque[CompactSuccess] | None = None

    @property
    def clock_offset(self) -> timedelta:
        """By how much the clock that says what is due is ahead of this machine's; nothing where they are the same."""
        return timedelta(0)

    @property
    def trouble(self) -> str | None:
        """Why the store can't do its work at present, where it tells of that in the log itself; ``None``: it can.

        As long as there is any, an empty answer of `claim` doesn't say that the store works.
        """
        return None

    @property
    def namespace(self) -> str:
        """The deployment among others in the same database; empty: it has none."""
        return ""

    def has_told(self, error: Exception) -> bool:  # noqa: ARG002 - for stores that tell of outages
        """Whether the store has told in the log itself of what an error means that it raised."""
        return False

    def store_time(self, clock: Clock) -> datetime:
        """The present by the clock that says what is due, in UTC.

        Args:
            clock: the scheduler's.
        """
        return clock.now() + self.clock_offset

    @abstractmethod
    def start(self, scheduler: Any, alias: str) -> None:
        """Called before anything else, also after a `shutdown`.

        Args:
            scheduler: whose `store_host` says what may be asked of it (`host.host_of`); or ``None``, in tests.
            alias: the store's name there.
        """

    @abstractmethod
    def shutdown(self) -> None:
        """Free what `start` took. What is kept durably stays."""

    def leave(self, seconds: float) -> None:  # noqa: ARG002 - for stores that may have to wait
        """`shutdown`, in about so many seconds, whether what the store keeps can be reached or not."""
        self.shutdown()

    @abstractmethod
    def add_records(
        self, records: Sequence[JobRecord], replace: Callable[[JobRecord, JobRecord], JobRecord] | None
    ) -> list[JobRecord]:
        """Keep all of `records`, or none of them; returns them as they were kept.

        The id of a job whose schedule has ended is free, though runs of it may go on. One that is given it with `replace` has what is queued of that
        job; for one without it is as if that had been removed.

        Args:
            replace: from the stored record and the new one of the same id to the one to keep; ``None``: ids must be new.

        Raises:
            ConflictingIdError: an id is taken.
        """

    @abstractmethod
    def get_record(self, job_id: str) -> JobRecord | None:
        """The job with this id, or ``None``."""

    @abstractmethod
    def list_records(self, query: JobQuery = ALL_JOBS) -> list[JobRecord]:
        """The jobs that are asked for, soonest first, paused ones last."""

    def find_equal(self, record: JobRecord) -> str | None:  # noqa: ARG002 - for stores that outlive a program
        """The id of a stored job that calls the same with the same arguments on the same recurring schedule."""
        return None

    @abstractmethod
    def change(self, job_id: str, change: Callable[[JobRecord], JobRecord]) -> JobRecord:
        """Put ``change(record)`` in the place of the job's record, and return it.

        Raises:
            JobLookupError: there is no such job.
        """

    @abstractmethod
    def remove(self, job_id: str) -> None:
        """Remove a job, and end what is queued of it: skipped.

        Nothing follows for a job of this id from the runs of it that go on, if another one gets the id; but they count among its instances.

        Raises:
            JobLookupError: there is no such job.
        """

    @abstractmethod
    def remove_all(self) -> None:
        """Remove all jobs, and end what is queued: see `remove`."""

    @abstractmethod
    def claim(self, now: datetime, decide: Decide, limit: int, executors: Collection[str]) -> ClaimedBatch:
        """Decide about up to `limit` due jobs, and make what was decided true in the store.

        Args:
            now: by the store's clock.
            executors: the aliases that this node has: a shared store leaves other jobs to other nodes.
        """

    @abstractmethod
    def finish(self, submissions: Sequence[Submission]) -> bool:
        """These instances have ended; whether that made a job due that was waiting for one of them.

        A store may raise whatever it likes, here and in `progress`, `say` and `release`: the scheduler keeps what it has told, and tells
        it again, before its next claim and with growing pauses, and for some seconds at its shutdown. Nobody knows whether what was told has
        taken effect. So the store counts each submission once, by `Submission.is_noted`, which it sets when it has noted the end; and
        it takes the outcomes in `Submission.results`, or leaves them there until it can.
        """

    def progress(self, submission: Submission) -> None:  # noqa: B027 - for stores that keep a history
        """A run of an instance has ended, and others of it are still to come. Called by the worker: not to wait for anything."""

    def write_outcomes(self) -> None:  # noqa: B027 - for stores that write them a moment later
        """Write at once what has become of runs, so that what follows from it is there, and how far they say that they are; for tests, whose clock stands still."""

    def report_progress(self, submission: Submission, text: str) -> None:  # noqa: B027 - for stores that others look into
        """The run that was begun last has said how far it is, in JSON. Called by the worker: not to wait for anything."""

    @property
    @abstractmethod
    def has_waiting(self) -> bool:
        """Whether some job waits for one of its instances to end; looked at after every run, without a lock."""

    @abstractmethod
    def give_back(self, decision: Decision, now: datetime) -> datetime | None:
        """A claimed submission could not be handed to its executor: undo the claim and try again later.

        As with `finish`, a store may raise, and is told again; it undoes each claim once.

        Returns:
            when it is tried again; ``None`` if the job was changed or removed meanwhile, so that the claim stands: its runs
            go on for the store until `finish` says what became of them.
        """

    def release(self, submissions: Sequence[Submission]) -> None:  # noqa: B027 - nothing is to be done for one process
        """These were claimed and will not be begun here: leave them to other nodes."""

    @abstractmethod
    def next_time(self) -> datetime | None:
        """When the next job is due, or ``None`` where none is."""

    def earliest(self) -> JobRecord | None:
        """The job with the earliest next run time, parked or waiting ones included."""
        records = self.list_records()
        return records[0] if records and records[0].next_run_time is not None else None

    def warnings(self) -> Sequence[str]:
        """What may be lost as the store is set up, each in a sentence."""
        return ()

    @abstractmethod
    def parked(self) -> list[ParkedJob]:
        """The jobs that can't be run here for now."""

    @abstractmethod
    def retry_parked(self) -> None:
        """Try the parked jobs again at the next claim."""

    @abstractmethod
    def enqueue(self, runs: Sequence[QueuedRun]) -> list[QueuedRun]:
        """Queue runs, to be claimed as soon as they are available and their job's limits allow it.

        Returns:
            those of them that are new: a run whose key is known is left as it is.

        Raises:
            JobLookupError: there is no such job.
        """

    @abstractmethod
    def cancel(self, key: RunKey) -> bool:
        """End a queued run, or have the node that runs it cancel it; whether it is queued, or goes on at another node."""

    @abstractmethod
    def set_group(self, group: Group) -> None:
        """Give a group of jobs its limits, in the place of those that it had."""

    @abstractmethod
    def remove_group(self, name: str) -> bool:
        """Take a group's limits from it; whether it had some."""

    @abstractmethod
    def list_groups(self) -> list[Group]:
        """The groups that have limits, in the order of their names."""

    @abstractmethod
    def list_runs(
        self, job_id: str | None, outcome: str | None, since: datetime | None, limit: int
    ) -> list[RunRecord]:
        """Runs, latest due time first.

        Args:
            job_id: of this job only.
            outcome: with this outcome only; ``"running"`` for those that go on, ``"queued"`` for those that wait.
            since: due at this time or later.
            limit: at most so many.
        """

    def get_run(self, key: RunKey) -> RunRecord | None:
        """One run; ``None`` if it is not known."""
        since = key.scheduled_run_time
        for run in self.list_runs(key.job_id, None, since, EVERY_RUN):
            if (run.scheduled_run_time, run.attempt) == (since, key.attempt):
                return run
        return None
