"""A scheduler that runs nothing: it asks and changes job stores which others run, without being a node of theirs.

It has no loop, no threads of its own, no lease and no executors. What it changes, the nodes find as they find what other nodes change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainspring.definition import changed_record
from mainspring.errors import JobLookupError, SchedulerNotRunningError
from mainspring.schedulers.base import BaseScheduler
from mainspring.schedulers.doubtful_jobs import DoubtfulJobs
from mainspring.schedulers.states import STATE_ATTACHED, STATE_STOPPED
from mainspring.schedulers.syncing import difference_of
from mainspring.triggers.base import BaseTrigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mainspring.jobstores.shared.store import SharedJobStore
    from mainspring.model import JobRecord, RunRecord
    from mainspring.schedulers.syncing import SyncedJob

__all__ = ["AttachedScheduler"]

#: Seconds for which a server that doesn't answer is waited for: whoever looks sits before a screen.
ATTACH_TIMEOUT_SECONDS = 10.0


class _NoDoubts(DoubtfulJobs):
    """Doubts nothing: executors and functions are the nodes'."""

    def look(self, records: Iterable[JobRecord], alias: str) -> None:
        """Warn of nothing."""


class AttachedScheduler(BaseScheduler):
    """The methods of every scheduler that are about jobs, runs and groups, on a shared store."""

    def attach(self, store: SharedJobStore, alias: str = "default", *, makes: bool = False) -> None:
        """Open a job store.

        Args:
            makes: make what isn't there, as a node would, instead of refusing it.

        Raises:
            ConfigurationError: it can't be used as it is set up, or mainspring has no jobs there.
            StoreUnavailableError: it can't be had.
        """
        store.attach(self.timezone, ATTACH_TIMEOUT_SECONDS, makes=makes)
        self.add_jobstore(store, alias)
        self.state = STATE_ATTACHED

    def _create_doubtful_jobs(self) -> DoubtfulJobs:
        return _NoDoubts(self._stores, self._executors, lambda: self._logger)

    def no_job(self, job_id: str) -> JobLookupError:
        """The error that there is no such job, with the nearest id that there is."""
        return self._access.no_job(job_id, None)

    def planned_change(self, job_id: str, changes: Mapping[str, Any]) -> SyncedJob:
        """What `modify_job` would change of a job.

        Raises:
            JobLookupError: there is none.
            AttributeError, TypeError, ValueError, LookupError: as for `modify_job`.
        """
        alias, store = self._access.find(job_id, None)
        old = store.get_record(job_id)
        if old is None:
            raise self.no_job(job_id)
        now = self._access.now_of(alias)
        bound = dict(changes)
        if isinstance(bound.get("trigger"), BaseTrigger):
            bound["trigger"] = bound["trigger"].bind(timezone=self.timezone, now=now, job_id=job_id)
        return difference_of(old, changed_record(old, bound), now)

    def start(self, paused: bool = False) -> None:
        """Refuse: it runs nothing.

        Raises:
            SchedulerNotRunningError: always.
        """
        del paused
        raise SchedulerNotRunningError("it is attached to job stores that others run, and can't be started")

    def shutdown(self, wait: bool = True, timeout: float | None = None) -> None:
        """Close the job stores; nothing of them ends."""
        del wait, timeout
        if self.state == STATE_STOPPED:
            raise SchedulerNotRunningError
        self.state = STATE_STOPPED
        for _, store in self._stores.items():  # noqa: PERF102 - no dict
            store.shutdown()

    def wakeup(self) -> None:
        """Do nothing: there is no loop."""

    def _refuse_to_wait_for(self, run: RunRecord, alias: str | None) -> None:
        """Waits for any run, by asking: others run it."""

    def _wake_for(self, moment: Any, alias: str) -> None:
        """Nobody here waits for it."""
