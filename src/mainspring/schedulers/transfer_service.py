"""Jobs that come from elsewhere, or go there: files, what APScheduler has stored, a list that somebody keeps."""

from __future__ import annotations

from logging import INFO
from typing import TYPE_CHECKING, Any

from mainspring.events import EVENT_JOB_ADDED, EVENT_JOB_REMOVED, JobEvent
from mainspring.printable import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mainspring.job import Job
    from mainspring.model import JobRecord
    from mainspring.schedulers.adoption_report import AdoptionReport
    from mainspring.schedulers.doubtful_jobs import DoubtfulJobs
    from mainspring.schedulers.job_factory import JobFactory
    from mainspring.schedulers.service_host import ServiceHost
    from mainspring.schedulers.store_access import StoreAccess
    from mainspring.schedulers.store_adoptions import StoreAdoptions
    from mainspring.schedulers.stores import Stores
    from mainspring.schedulers.syncing import SyncPlan

# What most programs never need is imported when it is asked for.


class TransferService:
    """Moves jobs in and out of the stores of one scheduler in one process."""

    def __init__(
        self,
        host: ServiceHost,
        access: StoreAccess,
        stores: Stores,
        factory: JobFactory,
        doubtful_jobs: DoubtfulJobs,
        adoptions: StoreAdoptions,
    ) -> None:
        self._host = host
        self._access = access
        self._stores = stores
        self._factory = factory
        self._doubtful_jobs = doubtful_jobs
        self._adoptions = adoptions

    def write(self, outfile: Any, jobs: Sequence[Job], *, mask_secrets: bool) -> None:
        """See `BaseScheduler.export_jobs`."""
        from mainspring.schedulers.exchange import write_jobs

        write_jobs(outfile, jobs, mask_secrets=mask_secrets)

    def read(self, infile: Any) -> list[JobRecord]:
        """The jobs of a file; see `BaseScheduler.import_jobs`."""
        from mainspring.schedulers.exchange import read_jobs

        return read_jobs(infile)

    def sync(
        self,
        jobs: Sequence[dict[str, Any]],
        owner: str,
        alias: str,
        *,
        prune: bool,
        take_over: bool,
        dry_run: bool,
    ) -> SyncPlan:
        """See `BaseScheduler.sync`."""
        from mainspring.schedulers.syncing import apply_plan, owned_by, plan_of

        self._access.refuse_unstarted("sync", alias)
        store, now = self._stores[alias], self._access.now_of(alias)
        for job in jobs:
            if not job.get("id"):
                raise ValueError(f"each job needs an id, by which it is found again, got {shown(job)}")
        wanted = owned_by(owner, self._factory.records(jobs, now))
        plan = plan_of(wanted, store.list_records(), owner, now, prune=prune, take_over=take_over)
        if not dry_run and plan.changes_something:
            kept = apply_plan(plan, wanted, store, take_over=take_over)
            self._tell_synced(plan, kept, alias)
        return plan

    def _tell_synced(self, plan: SyncPlan, kept: list[JobRecord], alias: str) -> None:
        """Tell of what a plan has changed."""
        self._host.log.info('Job store "%s" is in step with %s', alias, plan.summary)
        for job in plan.of("add", "change", "remove"):
            code = EVENT_JOB_REMOVED if job.action == "remove" else EVENT_JOB_ADDED
            self._host.log.of_job(INFO, job.id, 'Job "%s" of %s: %s', job.id, plan.owner, job.said)
            self._host.tell(JobEvent(code, job.id, alias))
        self._doubtful_jobs.look(kept, alias)
        self._host.wake()

    def adopt(
        self, source: Any, alias: str, names: Mapping[str, str], *, dry_run: bool
    ) -> AdoptionReport | None:
        """See `BaseScheduler.adopt_jobs`."""
        from mainspring.jobstores.shared.predecessor import has_predecessor
        from mainspring.schedulers.adopting import Adoption, counted
        from mainspring.schedulers.adoption_report import tell
        from mainspring.schedulers.adoption_sources import opened

        self._access.readable(alias)  # an error, where it can't be asked
        self._stores[alias]  # an error, where there is none
        store = self._stores.given[alias]
        if not has_predecessor(store):
            raise TypeError(
                f"job store {alias!r} is none that APScheduler's jobs can be adopted into: import_jobs() takes what its export_jobs() writes"
            )
        old_jobs = opened(source, names, store.predecessor())
        if old_jobs is None:
            return None
        try:
            adoption = Adoption(store, self._factory, self._host.clock)
            report = adoption.report(old_jobs, takes_later=True, writes=not dry_run)
            if not dry_run:
                tell(self._host.log, alias, report)
                if not old_jobs.source:
                    self._adoptions.note(alias, counted(old_jobs, adoption.marks(old_jobs)))
                self._host.wake()
        finally:
            old_jobs.close()
        return report
