"""What a store that several nodes share asks of the database behind it.

Each method is one step that is done whole or not at all, is tried again where it failed for a reason that passes, and may be
called from any thread. What a node knows of itself alone (what it set aside, what is to be written) is the store's affair.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from mainspring.clock import Clock
    from mainspring.engine.decision import Decision
    from mainspring.engine.setbacks import KnownNode
    from mainspring.jobstores.contract import Decide, JobQuery
    from mainspring.jobstores.shared.audit import AuditLog
    from mainspring.jobstores.shared.change_feed import ChangeFeed
    from mainspring.jobstores.shared.claims import Claimed, ClaimRequest
    from mainspring.jobstores.shared.lease import Heartbeats, LivingNode, Registration
    from mainspring.jobstores.shared.node_context import NodeContext
    from mainspring.jobstores.shared.outage import Outage
    from mainspring.jobstores.shared.predecessor import Marks, OldJobs
    from mainspring.jobstores.shared.rollups import RollUps
    from mainspring.jobstores.shared.rows import Unreadable
    from mainspring.jobstores.shared.runs import Ended, Finished, LostRun
    from mainspring.model import Group, JobRecord, NodeRecord, QueuedRun, RunKey, RunRecord, Submission


class ClusterStatus(NamedTuple):
    """What is to be seen of the nodes and their runs.

    Attributes:
        living: who is counted among the living.
        has_orphans: whether there are runs in the hands of nobody of them.
        next_queued: when the first queued run is available; ``None``: none is queued.
        to_cancel: the runs of this node that it is to cancel.
    """

    living: list[LivingNode]
    has_orphans: bool
    next_queued: datetime | None
    to_cancel: Sequence[RunKey]


class Collected(NamedTuple):
    """What a look for runs without a living node came to.

    Attributes:
        lost: those that are lost.
        again: those of them that will be run again, and when.
        queued_from: when a run that follows from that is available; ``None``: none does.
        paused: the jobs that have paused themselves because of that.
        given_up: those of them that were to be run again, but have been so too often.
    """

    lost: Sequence[LostRun]
    again: Mapping[LostRun, datetime]
    queued_from: datetime | None
    paused: Sequence[JobRecord] = ()
    given_up: Collection[LostRun] = ()


#: What `Backend.lacks` says of a store that is there, and is to be brought up to date.
OLDER_RELEASE = "are of an older release, and starting a scheduler of this one brings them up to date (or mainspring db upgrade)"


class StoredJobs(ABC):
    """The jobs in a database, as programs read and change them: as in `RunStore`, but with rows that can't be read."""

    @abstractmethod
    def add(
        self, records: Sequence[JobRecord], replace: Callable[[JobRecord, JobRecord], JobRecord] | None
    ) -> list[JobRecord]:
        """See `RunStore.add_records`."""

    @abstractmethod
    def get(self, job_id: str) -> JobRecord | None:
        """The job with this id, or ``None``.

        Raises:
            SerializationError: it can't be read.
        """

    @abstractmethod
    def list_jobs(self, query: JobQuery) -> list[JobRecord | Unreadable]:
        """The jobs that are asked for, soonest first, paused ones last; and rows that can't be read."""

    @abstractmethod
    def find_equal(self, record: JobRecord) -> str | None:
        """See `RunStore.find_equal`."""

    @abstractmethod
    def earliest(self) -> JobRecord | None:
        """The job with the earliest next run time; what is known of it, if it can't be read."""

    @abstractmethod
    def change(self, job_id: str, change: Callable[[JobRecord], JobRecord]) -> JobRecord:
        """See `RunStore.change`."""

    @abstractmethod
    def list_ending(self) -> list[JobRecord | Unreadable]:
        """The jobs that nobody sees any more, since their schedules have ended, and that stay for runs of theirs."""

    @abstractmethod
    def write_ending(self, job_id: str) -> bool:
        """Write one of those again as it is, with a signature; whether it is still there."""

    @abstractmethod
    def remove(self, job_id: str) -> None:
        """See `RunStore.remove`."""

    @abstractmethod
    def remove_all(self) -> None:
        """Remove all jobs."""


class Adoptions(Protocol):
    """Jobs that come from APScheduler, and what has become of each."""

    def marks(self, source: str) -> Marks:
        """See `HasPredecessor.adoption_marks`."""

    def adopt(
        self,
        source: str,
        records: Sequence[JobRecord],
        outcomes: Mapping[str, str],
        seen: Mapping[str, str],
        *,
        completes: bool,
    ) -> bool:
        """See `HasPredecessor.adopt_records`."""


class Backend(ABC):
    """One database with the jobs, runs, nodes and groups of a store."""

    node_context: NodeContext
    jobs: StoredJobs
    adoptions: Adoptions
    audit: AuditLog
    rollups: RollUps
    outage: Outage
    #: Whether the database takes names that differ by spaces at their end for the same.
    pads_ids = False

    # Life

    def go_by(self, clock: Clock) -> None:
        """Measure time by the clock of the scheduler that the store serves from now on."""
        self.node_context.go_by(clock)

    def ask_first(self) -> None:  # noqa: B027 - where there is no server, there is nothing to ask
        """Ask the server anything that changes nothing, on a new connection: whether it answers at all."""

    @abstractmethod
    def prepare(self) -> None:
        """Make what the store needs where it isn't there.

        Raises:
            ConfigurationError: what is there is something else's.
        """

    @abstractmethod
    def lacks(self) -> str | None:
        """What `prepare` would change, in words; ``None``: nothing, since all is there and of this release."""

    @abstractmethod
    def ask_time(self) -> None:
        """Measure the offset of the store's clock, if it has one."""

    @abstractmethod
    def close(self) -> None:
        """Close connections; later calls make new ones."""

    def flaw(self, error: Exception) -> str | None:  # noqa: ARG002 - for those who can find out more
        """What is wrong with the way the store is set up, if that is why an error was raised, and what to do."""
        return None

    def predecessor(self) -> OldJobs | None:
        """What APScheduler has left where this store is; ``None``: nothing."""
        return None

    @abstractmethod
    def listen(self, heard: Callable[[], None]) -> ChangeFeed | None:
        """Have `heard` called when another node has changed something that is due soon; ``None``: that isn't told here."""

    # Nodes

    @abstractmethod
    def register(self, node: Registration, beats: Heartbeats) -> tuple[int, float]:
        """Enter a node; its token, and when that was asked for, on the monotonic clock. Measures the clock's offset."""

    @abstractmethod
    def renew(self, token: int, node: Registration, beats: Heartbeats) -> bool:
        """Write a heartbeat, if this registration is still counted among the living, with the last that was taken, or a later one; whether it is.

        Measures the clock's offset.
        """

    @abstractmethod
    def known_nodes(self) -> list[KnownNode]:
        """All nodes that are known, also those that have ended."""

    @abstractmethod
    def list_nodes(self) -> list[NodeRecord]:
        """All registrations that are known, with what there is to be known of each; the latest first."""

    @abstractmethod
    def declare_dead(self, token: int, heartbeat: datetime) -> bool:
        """Count a node among the dead, if its last heartbeat is still `heartbeat`; whether this call did it."""

    @abstractmethod
    def sign_off(self, token: int) -> None:
        """This node has ended in good order."""

    @abstractmethod
    def cluster_status(self, token: int) -> ClusterStatus:
        """What there is to be done for a node, and for others that have died."""

    # Runs

    @abstractmethod
    def next_time(
        self, now: datetime, executors: Collection[str], set_aside: Collection[str]
    ) -> datetime | None:
        """When the first job is due that isn't `set_aside`, of those with one of these executors."""

    @abstractmethod
    def poll(
        self, now: datetime, executors: Collection[str], set_aside: Collection[str], token: int | None
    ) -> tuple[datetime | None, ClusterStatus | None]:
        """`next_time`, and with it a `look`, if it is for a token."""

    @abstractmethod
    def unclaimable(
        self, before: datetime, decide: Decide, executors: Collection[str], limit: int
    ) -> list[Decision]:
        """What is to be said of jobs that were due before a time, and that nobody has run: they name other executors."""

    @abstractmethod
    def claim(self, request: ClaimRequest, give_up: Callable[[], bool]) -> Claimed:
        """Take due jobs and queued runs, and write outcomes along with that.

        Args:
            give_up: asked before each new try, as in the methods below.
        """

    @abstractmethod
    def give_back(self, decision: Decision, token: int, later: datetime | None) -> bool:
        """Undo what was claimed for a decision; whether the job was still as the claim left it.

        Args:
            later: when it may be claimed again, if it was queued.
        """

    @abstractmethod
    def release(self, submissions: Sequence[Submission], give_up: Callable[[], bool]) -> None:
        """Undo the claims of submissions that were not begun; what can't be undone waits to be run by any node."""

    @abstractmethod
    def finish(self, ended: Sequence[Ended], give_up: Callable[[], bool] | None) -> Finished:
        """Write outcomes, and what follows from them.

        One of a run that another token holds, or whose loss is recorded, changes nothing, has nothing follow from it, and is refused.
        """

    @abstractmethod
    def report_progress(self, said: Mapping[tuple[RunKey, int], str], give_up: Callable[[], bool]) -> None:
        """Write how far runs, in the hands of tokens, say that they are."""

    @abstractmethod
    def collect_lost(self, own: Callable[[], Collection[tuple[str, datetime, int]]]) -> Collected:
        """Runs in the hands of nobody who is alive are lost.

        Args:
            own: asked, when they have been found, for the keys of those that go on here, whatever the store says: these are not.
        """

    @abstractmethod
    def prune(self, job_ids: Sequence[str], keep: int, before: datetime) -> None:
        """Remove history: of these jobs all but the latest `keep` runs, and whatever is from before a time.

        What is removed is counted in `rollups`, once.
        """

    @abstractmethod
    def prunable(self, job_ids: Sequence[str], keep: int, before: datetime) -> int:
        """How many runs `prune` would remove now."""

    @abstractmethod
    def enqueue(self, runs: Sequence[QueuedRun]) -> list[QueuedRun]:
        """See `RunStore.enqueue`."""

    @abstractmethod
    def cancel(self, key: RunKey) -> bool:
        """See `RunStore.cancel`."""

    @abstractmethod
    def get_run(self, key: RunKey) -> RunRecord | None:
        """One run."""

    @abstractmethod
    def list_runs(
        self, job_id: str | None, outcome: str | None, since: datetime | None, limit: int
    ) -> list[RunRecord]:
        """See `RunStore.list_runs`."""

    # Groups

    @abstractmethod
    def set_group(self, group: Group) -> None:
        """Give a group its limits."""

    @abstractmethod
    def remove_group(self, name: str) -> bool:
        """Take a group's limits from it; whether it had some."""

    @abstractmethod
    def list_groups(self) -> list[Group]:
        """The groups that have limits, in the order of their names."""
