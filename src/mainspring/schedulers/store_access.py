"""Which job stores can be asked now, which of them has a job, and what is said where that isn't known."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mainspring.call_stack import outside
from mainspring.coercion import nearest
from mainspring.errors import (
    JobLookupError,
    JobNotLookedUpError,
    SchedulerNotRunningError,
    StoreNotOpenError,
    StoreNotOpenWarning,
)
from mainspring.job import Job
from mainspring.jobstores.contract import JobQuery
from mainspring.schedulers.doubtful_jobs import LOOKED_AT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mainspring.jobstores.contract import RunStore
    from mainspring.schedulers.life import Life
    from mainspring.schedulers.pending import PendingJob, PendingJobs
    from mainspring.schedulers.service_host import ServiceHost
    from mainspring.schedulers.stores import Stores


class StoreAccess:
    """The way of one scheduler's methods to its job stores."""

    def __init__(self, host: ServiceHost, life: Life, stores: Stores, waiting_jobs: PendingJobs) -> None:
        self._host = host
        self._life = life
        self._stores = stores
        self._waiting_jobs = waiting_jobs

    def is_closed(self, alias: str | None = None) -> bool:
        """Whether job stores can't be asked: before the start, and while they are being started elsewhere.

        Waits for those that are being started on another thread, unless they are in trouble: on the thread of an event loop a moment.

        Args:
            alias: of the job store that is meant; ``None``: all that there are.
        """
        life = self._life
        starting = life.starting
        if starting is not None and life.is_started_aside:
            starting.wait_a_moment(
                [store for _, store in self._stores.items()], on_loop=self._host.must_not_wait()
            )
        if life.is_stopped:
            return True
        for name, added in list(life.added.items()) if life.added else ():
            if alias in (None, name):
                stores = [store for _, store in self._stores.starting()]
                added.wait_a_moment(stores, on_loop=self._host.must_not_wait())
        return alias is not None and alias in life.added

    def readable(self, alias: str | None) -> list[tuple[str, RunStore]]:
        """The job stores to look into.

        Raises:
            StoreNotOpenError: one of them can't be asked.
            KeyError: there is no job store with this alias.
        """
        stores, reason = self._open_stores(alias)
        if reason is not None:
            raise StoreNotOpenError(reason)
        if alias is not None and not stores and alias != "default":  # which a start makes
            self._stores[alias]  # there is none
        return stores

    def readable_for_listing(self, alias: str | None) -> list[tuple[str, RunStore]]:
        """The job stores to look into that can be; that others can't is a warning."""
        stores, reason = self._open_stores(alias)
        if reason is not None:
            warnings.warn(
                f"only what is pending is found: {reason}", StoreNotOpenWarning, stacklevel=outside()
            )
        return stores

    def pending(self, job_id: str, alias: str | None) -> PendingJob | None:
        """The pending job with this id; as with APScheduler the one of another job store, where the one that is named has none."""
        pending = self._waiting_jobs.find(job_id, alias)
        if pending is None and not self._host.is_strict and self._life.is_stopped:
            pending = self._waiting_jobs.find(job_id, None)
        return pending

    def find(self, job_id: str, alias: str | None) -> tuple[str, RunStore]:
        """The store that has the job; without asking it, where the alias is known.

        Raises:
            JobLookupError: none has it; `JobNotLookedUpError` if one of them can't be asked.
        """
        if not self.is_closed(alias) and alias is not None:
            if self._has_no_such_store(alias):
                raise JobLookupError(job_id)
            return alias, self._stores[alias]
        stopped = self._life.is_stopped  # once: it may be started meanwhile
        closed = self._stores.closed(alias, stopped=stopped)
        found = self._stores.find(job_id, alias, stopped=stopped)
        if found is None:
            if closed:
                reason = self._why_closed(closed)
                raise JobNotLookedUpError(job_id, f"{reason}. No pending job has the id {job_id!r}")
            raise self.no_job(job_id, alias)
        return found

    def no_job(self, job_id: Any, alias: str | None) -> JobLookupError:
        """The error that there is no such job, with the nearest id that there is."""
        known = [pending.job.id for pending in self._waiting_jobs.of(alias)]
        for _, store in self._stores.readable(alias, stopped=self._life.is_stopped):
            known += [record.id for record in store.list_records(JobQuery(limit=LOOKED_AT))]
        return JobLookupError(job_id, job_id.id if isinstance(job_id, Job) else nearest(job_id, known))

    @contextmanager
    def hinting(self, job_id: str, alias: str) -> Iterator[None]:
        """If a store says that it has no such job, say which may have been meant."""
        try:
            yield
        except JobLookupError as error:
            if error.job_id != job_id or error.hint is not None:
                raise
            raise self.no_job(job_id, alias) from None

    def now_of(self, alias: str) -> datetime:
        """The present by the clock that says what is due in a job store, in the scheduler's zone."""
        return self._stores[alias].store_time(self._host.clock).astimezone(self._host.timezone)

    def refuse_unstarted(self, what: str, alias: str | None = None) -> None:
        """Refuse a call that needs job stores, if they can't be asked.

        Args:
            what: the name of the method.

        Raises:
            SchedulerNotRunningError: they can't.
        """
        if self.is_closed(alias):
            when = "has been shut down" if self._life.was_shut_down else "has not been started"
            raise SchedulerNotRunningError(
                f"it {when}, and {what}() needs its job stores. start(paused=True) opens them and runs nothing here"
            )

    def _open_stores(self, alias: str | None) -> tuple[list[tuple[str, RunStore]], str | None]:
        """The job stores that are meant and can be asked, and why others can't; ``None``: all can."""
        if self._has_no_such_store(alias):
            return [], None
        if not self.is_closed(alias) and alias is not None:
            return [(alias, self._stores[alias])], None
        stopped = self._life.is_stopped  # once: it may be started meanwhile
        closed = self._stores.closed(alias, stopped=stopped)
        return self._stores.readable(alias, stopped=stopped), self._why_closed(closed) if closed else None

    def _has_no_such_store(self, alias: str | None) -> bool:
        """Whether no job store has this alias, and that is no error, as with APScheduler: it has no jobs then."""
        if self._host.is_strict or alias is None or alias in self._stores.used or alias in self._life.added:
            return False
        try:
            self._stores[alias]
        except KeyError as error:
            self._host.log.warning("%s. It is taken for one without jobs", error.args[0])
            return True
        return False

    def _why_closed(self, closed: list[str]) -> str:
        """Why job stores can't be asked, and what to do."""
        unasked = f"job store {', '.join(map(repr, closed))} has not been asked"
        if self._life.starting is not None or not self._life.is_stopped:
            return f"{unasked}: the start still goes on; scheduler.started says when it is over"
        when = "after shutdown()" if self._life.was_shut_down else "before start()"
        return f"{unasked}, {when}. To look without running anything: start(paused=True)"
