"""How jobs are changed, resumed and removed, wherever they are, and told of."""

from __future__ import annotations

from functools import partial
from logging import INFO
from typing import TYPE_CHECKING, Any

from mainspring.clock import slices_of
from mainspring.definition import changed_record
from mainspring.engine.searching import first_time
from mainspring.events import (
    EVENT_ALL_JOBS_REMOVED,
    EVENT_JOB_MODIFIED,
    EVENT_JOB_REMOVED,
    JobEvent,
    SchedulerEvent,
)
from mainspring.job import Job, is_ours
from mainspring.triggers.base import BaseTrigger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mainspring.model import JobRecord
    from mainspring.option_types import JobChanges
    from mainspring.schedulers.adding_service import AddingService
    from mainspring.schedulers.doubtful_jobs import DoubtfulJobs
    from mainspring.schedulers.hooks import JobHooks
    from mainspring.schedulers.job_factory import JobFactory
    from mainspring.schedulers.pending import PendingJob, PendingJobs
    from mainspring.schedulers.service_host import ServiceHost
    from mainspring.schedulers.store_access import StoreAccess
    from mainspring.schedulers.stores import Stores
    from mainspring.schedulers.unlimited_groups import UnlimitedGroups

#: What doesn't let a run begin that has waited, unless it makes the job due.
_ONLY_LATER = {"next_run_time", "trigger", "note", "name"}


class ChangingService:
    """Changes the jobs of one scheduler."""

    def __init__(
        self,
        host: ServiceHost,
        access: StoreAccess,
        stores: Stores,
        waiting_jobs: PendingJobs,
        factory: JobFactory,
        hooks: JobHooks,
        adding: AddingService,
        unlimited_groups: UnlimitedGroups,
        doubtful_jobs: DoubtfulJobs,
    ) -> None:
        self._host = host
        self._access = access
        self._stores = stores
        self._waiting_jobs = waiting_jobs
        self._factory = factory
        self._hooks = hooks
        self._adding = adding
        self._unlimited_groups = unlimited_groups
        self._doubtful_jobs = doubtful_jobs

    def change(self, job_id: str, jobstore: str | None, changes: dict[str, Any], *, fits: bool) -> Job:
        """See `BaseScheduler.modify_job`; `fits` refuses arguments that the job's function doesn't take."""
        found = self._hooks.job(job_id, jobstore)
        if found is not None and not is_ours(found[0]):
            self._change_foreign(*found, changes)
            job: Job = found[0]
            return job
        if found is not None:
            job_id, jobstore = found[0].id, jobstore if found[1] is None else found[1]
        if "next_run_time" in changes:
            changes["next_run_time"] = self._factory.moment(changes["next_run_time"])
        pending = self._access.pending(job_id, jobstore)
        if pending is not None:
            return self._change_pending(pending, changes, fits=fits)
        alias, store = self._access.find(job_id, jobstore)
        upcoming: datetime | None = None
        trigger = changes.get("trigger")
        recomputes = isinstance(trigger, BaseTrigger) and "next_run_time" not in changes
        if isinstance(trigger, BaseTrigger):
            # The trigger is a user's code: it is asked here, once, and not while a store is being changed.
            now = self._access.now_of(alias)
            trigger = changes["trigger"] = trigger.bind(timezone=self._host.timezone, now=now, job_id=job_id)
            self._adding.refuse_cycle(job_id, trigger, alias)
            upcoming = first_time(trigger, now, slices_of(self._host.clock)) if recomputes else None

        def change(old: JobRecord) -> JobRecord:
            new = changed_record(old, changes, fits=fits)
            return new.rescheduled(upcoming) if recomputes and old.next_run_time is not None else new

        with self._access.hinting(job_id, alias):
            changed = store.change(job_id, change)
        self._unlimited_groups.look([changed], alias)
        self._doubtful_jobs.look([changed], alias)
        if not changes.keys() <= _ONLY_LATER:
            self._host.wake()  # what has waited may begin
        return self._told(changed, alias)

    def _change_pending(self, pending: PendingJob, changes: dict[str, Any], *, fits: bool) -> Job:
        """`change` for a job that waits for the start."""
        job = pending.job
        trigger = changes.get("trigger")
        recomputes = (
            isinstance(trigger, BaseTrigger) and "next_run_time" not in changes and not pending.is_paused
        )
        job._change(changes, fits=fits)  # noqa: SLF001 - handles are ours
        if recomputes:
            self._follow_trigger(job)
        self._host.tell(JobEvent(EVENT_JOB_MODIFIED, job.id, pending.alias))
        return job

    def resume(self, job_id: str, jobstore: str | None) -> Job | None:
        """See `BaseScheduler.resume_job`."""
        found = self._hooks.job(job_id, jobstore)
        if found is not None and not is_ours(found[0]):
            return found[0] if self._resumes_foreign(*found) else None
        if found is not None:
            job_id, jobstore = found[0].id, jobstore if found[1] is None else found[1]
        pending = self._access.pending(job_id, jobstore)
        if pending is not None:
            if not self._follow_trigger(pending.job):
                self._hooks.remove(job_id, pending.alias)
                return None
            self._host.tell(JobEvent(EVENT_JOB_MODIFIED, job_id, pending.alias))
            return pending.job
        alias, store = self._access.find(job_id, jobstore)
        while True:
            before = store.get_record(job_id)
            if before is None:
                raise self._access.no_job(job_id, alias)
            upcoming = first_time(before.trigger, self._access.now_of(alias), slices_of(self._host.clock))
            if upcoming is None:
                self._hooks.remove(job_id, alias)
                return None
            if self._hooks.has_own_modify:
                return self._hooks.modify(job_id, alias, next_run_time=upcoming)
            record = store.change(job_id, partial(_resumed, seen=before, upcoming=upcoming))
            if record.next_run_time == upcoming:
                return self._told(record, alias)

    def remove(self, job_id: str, jobstore: str | None) -> None:
        """See `BaseScheduler.remove_job`."""
        pending = self._waiting_jobs.find(job_id, jobstore)
        if pending is not None:
            alias = pending.alias
            self._waiting_jobs.remove([pending])
        else:
            alias, store = self._access.find(job_id, jobstore)
            with self._access.hinting(job_id, alias):
                store.remove(job_id)
        self._host.tell(JobEvent(EVENT_JOB_REMOVED, job_id, alias))
        self._host.log.of_job(INFO, job_id, "Removed job %s", job_id)

    def _follow_trigger(self, job: Job) -> bool:
        """Have a pending job run when its trigger says, from now on; whether that has a time left."""
        now = self._host.clock.now(self._host.timezone)
        trigger = job.trigger.bind(timezone=self._host.timezone, now=now, job_id=job.id)
        upcoming = first_time(trigger, now, slices_of(self._host.clock))
        job._follow_trigger(trigger, upcoming)  # noqa: SLF001 - handles are ours
        return upcoming is not None

    def _told(self, record: JobRecord, alias: str) -> Job:
        """Tell of a changed job, and return a handle on it."""
        self._host.tell(JobEvent(EVENT_JOB_MODIFIED, record.id, alias))
        self._host.wake_for(record.next_run_time, alias)
        return self._stores.handle(record, alias)

    def remove_all(self, jobstore: str | None) -> None:
        """See `BaseScheduler.remove_all_jobs`."""
        stores = self._access.readable_for_listing(jobstore)
        self._waiting_jobs.remove(self._waiting_jobs.of(jobstore))
        for _, store in stores:
            store.remove_all()
        self._host.tell(SchedulerEvent(EVENT_ALL_JOBS_REMOVED, jobstore))

    def add_first_time(self, changes: JobChanges, job_id: str, alias: str | None) -> None:
        """Name the first time of a new trigger among the changes; a paused job stays paused."""
        if self._is_paused(job_id, alias):
            return
        trigger: Any = changes["trigger"]
        now = self._host.clock.now(self._host.timezone)
        if isinstance(trigger, BaseTrigger):
            trigger = changes["trigger"] = trigger.bind(timezone=self._host.timezone, now=now, job_id=job_id)
            changes["next_run_time"] = first_time(trigger, now, slices_of(self._host.clock))
        else:
            changes["next_run_time"] = trigger.get_next_fire_time(None, now)

    def _is_paused(self, job_id: str, alias: str | None) -> bool:
        pending = self._access.pending(job_id, alias)
        if pending is not None:
            return pending.is_paused
        try:
            record = self._access.find(job_id, alias)[1].get_record(job_id)
        except LookupError:
            return False  # which is told by whoever changes it
        return record is not None and record.next_run_time is None

    def is_trigger(self, alias: Any) -> bool:
        """Whether what was given as the alias of a job store was meant to be a trigger."""
        if isinstance(alias, str):
            return alias not in self._stores.used and self._factory.has_trigger(alias)
        return isinstance(alias, BaseTrigger)

    def _change_foreign(self, job: Any, alias: str | None, changes: Mapping[str, Any]) -> None:
        """Change what somebody's own `_lookup_job` gives for a job, and is none of ours, by its own methods and those of its store."""
        job._modify(**changes)  # noqa: SLF001 - APScheduler's interface
        if alias is not None:
            self._hooks.given_store(alias).update_job(job)
        self._host.tell(JobEvent(EVENT_JOB_MODIFIED, job.id, alias))
        self._host.wake()

    def _resumes_foreign(self, job: Any, alias: str | None) -> bool:
        """As `_change_foreign`: have it run again from the next time of its trigger on, if it has one; otherwise remove it."""
        upcoming = job.trigger.get_next_fire_time(None, self._host.clock.now(self._host.timezone))
        if upcoming is None:
            self._hooks.remove(job.id, alias)
        else:
            self._hooks.modify(job.id, alias, next_run_time=upcoming)
        return upcoming is not None


def _resumed(old: JobRecord, *, seen: JobRecord, upcoming: datetime) -> JobRecord:
    """`old` due at `upcoming`, if that still follows from its trigger."""
    if old.trigger is not seen.trigger and old.version != seen.version:
        return old
    counters = None if old.counters is None else old.counters._replace(failures=0, note=None)
    return old.rescheduled(upcoming)._replace(counters=counters)
