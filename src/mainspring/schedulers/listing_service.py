"""Looks at the jobs of one scheduler: those that wait for its start, and those in its stores."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal, TextIO

from mainspring.coercion import unknown_name
from mainspring.definition import has_ended
from mainspring.errors import JobLookupError
from mainspring.jobstores.contract import JobQuery
from mainspring.jobstores.shared.namespaces import shown_with

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainspring.job import Job
    from mainspring.jobstores.contract import ParkedJob, RunStore
    from mainspring.model import JobRecord
    from mainspring.schedulers.pending import PendingJobs
    from mainspring.schedulers.service_host import ServiceHost
    from mainspring.schedulers.store_access import StoreAccess
    from mainspring.schedulers.stores import Stores

_STATES = ("scheduled", "paused", "ended")


class ListingService:
    """What is asked about jobs of one scheduler; it changes nothing."""

    def __init__(
        self, host: ServiceHost, access: StoreAccess, stores: Stores, waiting_jobs: PendingJobs
    ) -> None:
        self._host = host
        self._access = access
        self._stores = stores
        self._waiting_jobs = waiting_jobs

    def jobs(
        self,
        jobstore: str | None,
        pending: bool | None,
        state: Literal["scheduled", "paused", "ended"] | None,
        tag: str | None,
        executor: str | None,
        search: str | None,
        limit: int | None,
        after: str | None,
    ) -> list[Job]:
        """See `BaseScheduler.get_jobs`."""
        if state not in (None, *_STATES):
            raise ValueError(unknown_name("state", state, _STATES))
        stores = [] if pending else self._access.readable_for_listing(jobstore)
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
        now = store.store_time(self._host.clock)
        found: list[JobRecord] = []
        page = query._replace(state="paused")
        while records := store.list_records(page):
            found += [record for record in records if has_ended(record, now) == has_to_have_ended]
            if query.limit is None or len(records) < query.limit or len(found) >= query.limit:
                break
            page = page._replace(after=records[-1].id)
        return found[: query.limit]

    def job(self, job_id: str, alias: str | None) -> tuple[Job, str | None]:
        """A job, and the alias of its store; ``None`` for one that waits for the start.

        Raises:
            JobLookupError: there is none.
        """
        pending = self._access.pending(job_id, alias)
        if pending is not None:
            return pending.job, None
        for name, store in self._access.readable_for_listing(alias):
            record = store.get_record(job_id)
            if record is not None:
                return self._stores.handle(record, name), name
        raise JobLookupError(job_id)

    def parked(self, jobstore: str | None) -> list[ParkedJob]:
        """See `BaseScheduler.get_parked_jobs`."""
        return [job for _, store in self._access.readable(jobstore) for job in store.parked()]

    def print(
        self, jobstore: str | None, out: TextIO | None, get_jobs: Callable[[str | None], list[Job]]
    ) -> None:
        """See `BaseScheduler.print_jobs`.

        Args:
            get_jobs: gives the jobs that wait for the start; somebody may have replaced it.
        """
        out = out or sys.stdout
        if self._access.is_closed():
            _print("Pending jobs", get_jobs(jobstore), "No pending jobs", out)
            return
        for alias, store in sorted(self._access.readable_for_listing(jobstore)):
            jobs = [self._stores.handle(record, alias) for record in store.list_records()]
            _print(shown_with(store.namespace, f"Jobstore {alias}"), jobs, "No scheduled jobs", out)


def _print(title: str, jobs: list[Job], none: str, out: TextIO) -> None:
    print(f"{title}:", file=out)
    lines: list[Any] = [*jobs] or [none]
    for line in lines:
        print(f"    {line}", file=out)
