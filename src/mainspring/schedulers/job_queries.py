"""The methods of schedulers that look, and change nothing."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any, Literal, TextIO

from mainspring.call_stack import outside
from mainspring.coercion import names_parameters, unknown_name
from mainspring.definition import has_ended
from mainspring.errors import JobLookupError, SchedulerNotRunningError, StoreNotOpenError, StoreNotOpenWarning
from mainspring.jobstores.contract import JobQuery
from mainspring.jobstores.shared.namespaces import shown_with
from mainspring.schedulers.states import STATE_STOPPED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from mainspring.clock import Clock
    from mainspring.job import Job
    from mainspring.jobstores.contract import ParkedJob, RunStore
    from mainspring.model import JobRecord
    from mainspring.safe_logging import SafeLogger
    from mainspring.schedulers.pending import PendingJob, PendingJobs
    from mainspring.schedulers.starting import Starting
    from mainspring.schedulers.stores import Stores

_STATES = ("scheduled", "paused", "ended")


@names_parameters
class JobQueries:
    """What every scheduler can be asked."""

    state: int
    timezone: tzinfo
    _stores: Stores
    _clock: Clock
    _waiting_jobs: PendingJobs
    _starting: Starting | None
    _was_shut_down: bool
    _added: Mapping[str, Any]

    def get_jobs(
        self,
        jobstore: str | None = None,
        pending: bool | None = None,
        *,
        state: Literal["scheduled", "paused", "ended"] | None = None,
        tag: str | None = None,
        executor: str | None = None,
        search: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> list[Job]:
        """The jobs, of one job store or of all, soonest first in each.

        Before `start` and after `shutdown` only pending ones, as with APScheduler, and those in memory; with a warning if there are other job stores.

        Args:
            jobstore: alias of a job store.
            pending: only pending jobs (true) or only stored ones (false). Under the alias, without ``strict=True``, it means nothing, as with
                APScheduler, and is a `DeprecationWarning`.
            state: only scheduled ones (those that wait for another job are among them), only paused ones, or only those that have ended: their trigger
                has no time left. Of pending ones, those that will be that.
            tag: only those with this among their tags.
            executor: only those with this executor.
            search: only those with this text in their id, name or function's reference.
            limit: at most so many of each job store.
            after: those that come after the job with this id: the next page. Needs `jobstore`, if there are several.

        Raises:
            JobLookupError: there is no job `after` which to go on.
        """
        if state not in (None, *_STATES):
            raise ValueError(unknown_name("state", state, _STATES))
        if pending is not None and not self._is_strict:
            warnings.warn(
                "with APScheduler, get_jobs(pending=…) means nothing: all jobs are returned that can be. mainspring's own name, or strict=True, gives it its meaning",
                DeprecationWarning,
                stacklevel=outside(),
            )
            pending = None
        stores = [] if pending else self._readable_for_listing(jobstore)
        if after is not None and len(stores) > 1:
            raise ValueError("after needs a jobstore: there are several, each with an order of its own")
        query = JobQuery(state, tag, executor, search, limit, after)
        stored = [
            job for alias, store in stores for job in self._stores.handles(self._listed(store, query), alias)
        ]
        if pending is False or after is not None:
            return stored
        waiting = [
            (one.job._record, one.job)  # noqa: SLF001 - handles are ours
            for one in self._waiting_jobs.of(jobstore)
            if state is None or (state != "ended" and one.is_paused == (state == "paused"))
        ]
        # By the records themselves: an id may be there for several job stores.
        handles = {id(record): job for record, job in waiting}
        asked = query._replace(state=None).of([record for record, _ in waiting])
        return [handles[id(record)] for record in asked] + stored

    def _listed(self, store: RunStore, query: JobQuery) -> list[JobRecord]:
        """What a store lists, where it knows jobs that are paused and such that have ended as one kind."""
        if query.state not in ("paused", "ended"):
            return store.list_records(query)
        has_to_have_ended = query.state == "ended"
        now = store.store_time(self._clock)
        found: list[JobRecord] = []
        page = query._replace(state="paused")
        while records := store.list_records(page):
            found += [record for record in records if has_ended(record, now) == has_to_have_ended]
            if query.limit is None or len(records) < query.limit or len(found) >= query.limit:
                break
            page = page._replace(after=records[-1].id)
        return found[: query.limit]

    def get_job(self, job_id: str, jobstore: str | None = None) -> Job | None:
        """The job with this id, or ``None``; before `start` and after `shutdown` only pending ones are found, with a warning."""
        try:
            job, _ = self._lookup_job(job_id, jobstore)
        except JobLookupError:
            return None
        return job

    def _lookup_job(self, job_id: str, jobstore_alias: str | None) -> tuple[Job, str | None]:
        pending = self._pending_job(job_id, jobstore_alias)
        if pending is not None:
            return pending.job, None
        for alias, store in self._readable_for_listing(jobstore_alias):
            record = store.get_record(job_id)
            if record is not None:
                return self._stores.handle(record, alias), alias
        raise JobLookupError(job_id)

    def _pending_job(self, job_id: str, alias: str | None) -> PendingJob | None:
        """The pending job with this id; as with APScheduler the one of another job store, where the one that is named has none."""
        pending = self._waiting_jobs.find(job_id, alias)
        if pending is None and not self._is_strict and self.state == STATE_STOPPED:
            pending = self._waiting_jobs.find(job_id, None)
        return pending

    def print_jobs(self, jobstore: str | None = None, out: TextIO | None = None) -> None:
        """Print what `get_jobs` returns, by job store, to `out` (``sys.stdout`` if it is not given)."""
        out = out or sys.stdout
        if self._is_closed():
            _print("Pending jobs", self.get_jobs(jobstore), "No pending jobs", out)
            return
        for alias, store in sorted(self._readable_for_listing(jobstore)):
            jobs = [self._stores.handle(record, alias) for record in store.list_records()]
            _print(shown_with(store.namespace, f"Jobstore {alias}"), jobs, "No scheduled jobs", out)

    def get_parked_jobs(self, jobstore: str | None = None) -> list[ParkedJob]:
        """The jobs that can't be run here for now, with what is in the way of each.

        Raises:
            StoreNotOpenError: the scheduler has not been started.
        """
        return [job for _, store in self._readable(jobstore) for job in store.parked()]

    def _readable(self, alias: str | None) -> list[tuple[str, RunStore]]:
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

    def _readable_for_listing(self, alias: str | None) -> list[tuple[str, RunStore]]:
        """The job stores to look into that can be; that others can't is a warning."""
        stores, reason = self._open_stores(alias)
        if reason is not None:
            warnings.warn(
                f"only what is pending is found: {reason}", StoreNotOpenWarning, stacklevel=outside()
            )
        return stores

    def _open_stores(self, alias: str | None) -> tuple[list[tuple[str, RunStore]], str | None]:
        """The job stores that are meant and can be asked, and why others can't; ``None``: all can."""
        if self._has_no_such_store(alias):
            return [], None
        if not self._is_closed(alias) and alias is not None:
            return [(alias, self._stores[alias])], None
        stopped = self.state == STATE_STOPPED  # once: it may be started meanwhile
        closed = self._stores.closed(alias, stopped=stopped)
        return self._stores.readable(alias, stopped=stopped), self._why_closed(closed) if closed else None

    def _has_no_such_store(self, alias: str | None) -> bool:
        """Whether no job store has this alias, and that is no error, as with APScheduler: it has no jobs then."""
        if self._is_strict or alias is None or alias in self._stores.used or alias in self._added:
            return False
        try:
            self._stores[alias]
        except KeyError as error:
            self._log.warning("%s. It is taken for one without jobs", error.args[0])
            return True
        return False

    def _why_closed(self, closed: list[str]) -> str:
        """Why job stores can't be asked, and what to do."""
        unasked = f"job store {', '.join(map(repr, closed))} has not been asked"
        if self._starting is not None or self.state != STATE_STOPPED:
            return f"{unasked}: the start still goes on; scheduler.started says when it is over"
        when = "after shutdown()" if self._was_shut_down else "before start()"
        return f"{unasked}, {when}. To look without running anything: start(paused=True)"

    def _refuse_unstarted(self, what: str, alias: str | None = None) -> None:
        """Refuse a call that needs job stores, if they can't be asked.

        Raises:
            SchedulerNotRunningError: they can't.
        """
        if self._is_closed(alias):
            when = "has been shut down" if self._was_shut_down else "has not been started"
            raise SchedulerNotRunningError(
                f"it {when}, and {what}() needs its job stores. start(paused=True) opens them and runs nothing here"
            )

    @property
    def _log(self) -> SafeLogger:
        raise NotImplementedError

    @property
    def _is_strict(self) -> bool:
        raise NotImplementedError

    def _is_closed(self, alias: str | None = None) -> bool:
        raise NotImplementedError


def _print(title: str, jobs: list[Job], none: str, out: TextIO) -> None:
    print(f"{title}:", file=out)
    lines: list[Any] = [*jobs] or [none]
    for line in lines:
        print(f"    {line}", file=out)
