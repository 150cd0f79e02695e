"""What the stores of one process share: the runs, their history and the limits of groups, all of it in memory."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Protocol, TypeVar

from mainspring.engine.precedence import in_turn, turn_of_job, turn_of_run
from mainspring.jobstores.contract import ParkedJob, RunStore
from mainspring.jobstores.history import chosen

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime

    from mainspring.engine.decision import Decision
    from mainspring.engine.grouping import GroupBudget
    from mainspring.engine.precedence import Turn
    from mainspring.jobstores.contract import Decide
    from mainspring.jobstores.host import StoreHost
    from mainspring.jobstores.local.runs import LocalRuns
    from mainspring.model import Group, JobRecord, QueuedRun, RunKey, RunRecord

T = TypeVar("T")


class DueJob(Protocol):
    """A job that is due, as its store holds it."""

    @property
    def record(self) -> JobRecord:
        """The job."""


D = TypeVar("D", bound=DueJob)


class LocalRunStore(RunStore):
    """A store over `LocalRuns`, which it guards with its lock."""

    _host: StoreHost

    def _begin_runs(self, runs: LocalRuns) -> None:
        """Make what belongs to one process."""
        self._lock = Lock()
        self._runs = runs
        self._ledger = runs.ledger
        self.success_log = runs.history.success_log

    def _now(self) -> datetime:
        return self._host.clock.now()

    def _free(self, job_ids: Collection[str]) -> None:
        """These wait for room in their group no more. Needs the lock."""

    @abstractmethod
    def _requeue(self, due: Iterable[DueJob]) -> None:
        """Have jobs that were taken be due as they were. Needs the lock."""

    def _claim_in_turn(
        self,
        due: Sequence[D],
        queued: Sequence[QueuedRun],
        now: datetime,
        decide: Decide,
        limit: int,
        *,
        job_of: Callable[[QueuedRun], JobRecord | None],
        claim_due: Callable[[D, GroupBudget], Decision | None],
    ) -> tuple[list[Decision], bool]:
        """Claim due jobs and queued runs one after another, each as those before it have left things; and whether some are left.

        Args:
            job_of: the job of a queued run.
            claim_due: decides about a due job and makes it true, without the lock; ``None``: it waits, or was changed.
        """
        claimants: list[tuple[D | None, QueuedRun | None]] = [(one, None) for one in due]
        claimants += [(None, run) for run in queued]
        ordered = deque(claimants)

        def turn_of(claimant: tuple[D | None, QueuedRun | None]) -> Turn:
            one, run = claimant
            if run is not None:
                return turn_of_run(run, job_of(run))
            assert one is not None  # noqa: S101 - one of them is there
            return turn_of_job(one.record)

        def decided(claimant: tuple[D | None, QueuedRun | None]) -> Decision | None:
            one, run = claimant
            if run is not None:
                with self._lock:
                    return self._runs.claim(run, job_of(run), now, decide, budget)
            assert one is not None  # noqa: S101 - one of them is there
            return claim_due(one, budget)

        try:
            if queued or self._runs.groups:
                ordered = deque(in_turn(claimants, turn_of))
            with self._lock:
                budget = self._runs.budget(now)
            return decide_in_turn(ordered, limit, decided), bool(ordered)
        finally:  # whatever is raised: what is left goes back to where it was
            with self._lock:
                self._requeue([one for one, _ in ordered if one is not None])
                for _, run in ordered:
                    if run is not None:
                        self._runs.queue.requeue(run)

    def parked(self) -> list[ParkedJob]:
        """See `RunStore.parked`."""
        with self._lock:
            return self._ledger.listed()

    def cancel(self, key: RunKey) -> bool:
        """See `RunStore.cancel`."""
        with self._lock:
            return self._runs.cancel(key, self._now())

    def set_group(self, group: Group) -> None:
        """See `RunStore.set_group`."""
        with self._lock:
            self._free(self._runs.set_limits(group.name, group))

    def remove_group(self, name: str) -> bool:
        """See `RunStore.remove_group`."""
        with self._lock:
            had_limits = name in self._runs.groups
            self._free(self._runs.set_limits(name, None))
            return had_limits

    def list_groups(self) -> list[Group]:
        """See `RunStore.list_groups`."""
        with self._lock:
            return sorted(self._runs.groups.values())

    def get_run(self, key: RunKey) -> RunRecord | None:
        """See `RunStore.get_run`."""
        with self._lock:
            return self._runs.record(key)

    def list_runs(
        self, job_id: str | None, outcome: str | None, since: datetime | None, limit: int
    ) -> list[RunRecord]:
        """See `RunStore.list_runs`."""
        with self._lock:
            records = self._runs.records(job_id)
        return chosen(records, outcome, since, limit)


def decide_in_turn(ordered: deque[T], limit: int, decide: Callable[[T], Decision | None]) -> list[Decision]:
    """Decide about what is due, one after another, each as those before it have left things, until `limit` of it are begun.

    What stays in `ordered` has not been decided on, also if `decide` raises.
    """
    decisions: list[Decision] = []
    begun = 0
    while ordered and begun < limit:
        decision = decide(ordered[0])
        ordered.popleft()
        if decision is not None:
            decisions.append(decision)
            begun += bool(decision.submit)
    return decisions
