"""How jobs are added: kept until the start, or put into their stores, alone or together, and told of."""

from __future__ import annotations

from logging import ERROR, INFO, WARNING
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mainspring.definition import OPTIONS, stable_id
from mainspring.engine.following import cycle, followers_among
from mainspring.engine.replacing import replaced
from mainspring.errors import MainspringError, StoreUnavailableError, TriggerError, safe_str
from mainspring.events import EVENT_JOB_ADDED, JobEvent
from mainspring.job import Job
from mainspring.printable import shown
from mainspring.schedulers.pending import PendingJob

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mainspring.jobstores.contract import RunStore
    from mainspring.model import JobRecord
    from mainspring.schedulers.doubtful_jobs import DoubtfulJobs
    from mainspring.schedulers.hooks import JobHooks
    from mainspring.schedulers.job_factory import JobFactory
    from mainspring.schedulers.life import Life
    from mainspring.schedulers.listeners import Listeners
    from mainspring.schedulers.pending import PendingJobs
    from mainspring.schedulers.service_host import ServiceHost
    from mainspring.schedulers.store_access import StoreAccess
    from mainspring.schedulers.stores import Stores
    from mainspring.schedulers.unlimited_groups import UnlimitedGroups
    from mainspring.triggers.base import BaseTrigger


class AddingService:
    """Adds jobs to the stores of one scheduler."""

    def __init__(
        self,
        host: ServiceHost,
        life: Life,
        access: StoreAccess,
        stores: Stores,
        waiting_jobs: PendingJobs,
        factory: JobFactory,
        hooks: JobHooks,
        listeners: Listeners,
        unlimited_groups: UnlimitedGroups,
        doubtful_jobs: DoubtfulJobs,
    ) -> None:
        self._host = host
        self._life = life
        self._access = access
        self._stores = stores
        self._waiting_jobs = waiting_jobs
        self._factory = factory
        self._hooks = hooks
        self._listeners = listeners
        self._unlimited_groups = unlimited_groups
        self._doubtful_jobs = doubtful_jobs

    def add(self, values: dict[str, Any], alias: str, replace_existing: bool) -> Job:
        """See `BaseScheduler.add_job`.

        Args:
            values: what was given to it, by name.
        """
        _check_alias(alias)
        is_closed = self._access.is_closed(alias)
        said = _said_options(values) if is_closed else None
        is_unnamed = values["id"] is None
        is_tied = not self._hooks.adds_one_by_one and not is_closed
        record, has_own_time = self._factory.record(values, self._access.now_of(alias) if is_tied else None)
        job = Job._from_record(record, self._host.scheduler, None)  # noqa: SLF001 - handles are ours
        job._is_unnamed = is_unnamed  # noqa: SLF001 - as above
        job._has_own_time = has_own_time  # noqa: SLF001 - as above
        job._said_options = said  # noqa: SLF001 - as above
        if is_tied:
            self.add_tied(job, record, alias, replace_existing)
        elif not self._add_pending([job], alias, replace_existing=replace_existing):
            add = self._add_by_hook if self._hooks.adds_one_by_one else self._hooks.add
            add(job, alias, replace_existing)
        return job

    def add_all(self, jobs: Sequence[Mapping[str, Any]], alias: str, replace_existing: bool) -> list[Job]:
        """See `BaseScheduler.add_jobs`."""
        _check_alias(alias)
        if self._access.is_closed(alias):
            pending = self._new_handles(self._factory.records(jobs))
            for handle, given in zip(pending, jobs, strict=True):
                handle._said_options = _said_options(given)  # noqa: SLF001 - handles are ours
            if self._add_pending(pending, alias, replace_existing=replace_existing):
                return pending
        if self._hooks.adds_one_by_one:
            made = self._new_handles(self._factory.records(jobs))
            return self._add_each(made, alias, replace_existing)
        now = self._access.now_of(alias)
        bound = self._factory.records(jobs, now)
        keeps = {record.id: not has for record, has in bound} if replace_existing else {}
        return self._add_together(
            [record for record, _ in bound], alias, replace_existing=replace_existing, keeps=keeps
        )

    def add_stored(self, records: Sequence[JobRecord], alias: str, replace_existing: bool) -> list[Job]:
        """Add jobs as they were elsewhere, with their next run times: all of them, or none."""
        jobs = self._new_handles((record, True) for record in records)
        if self._add_pending(jobs, alias, replace_existing=replace_existing):
            return jobs
        if self._hooks.adds_one_by_one:
            return self._add_each(jobs, alias, replace_existing)
        now = self._access.now_of(alias)
        bound = [self._factory.bound(record, now, has_next_run_time=True) for record in records]
        return self._add_together(
            bound,
            alias,
            replace_existing=replace_existing,
            keeps=dict.fromkeys((one.id for one in bound), False),
        )

    def _new_handles(self, made: Iterable[tuple[JobRecord, bool]]) -> list[Job]:
        """Handles on jobs that are in no store yet, each with whether its next run time was given."""
        handles = []
        for record, has_own_time in made:
            job = Job._from_record(record, self._host.scheduler, None)  # noqa: SLF001 - handles are ours
            job._has_own_time = has_own_time  # noqa: SLF001 - as above
            handles.append(job)
        return handles

    def stable_id(self, func: Any, trigger: BaseTrigger, alias: str) -> str | None:
        """An id for a decorated function without one that is the same at every start, where the store outlives them."""
        store = self._stores.used.get(alias)
        return stable_id(func, trigger) if store is not None and store.poll_interval is not None else None

    def _add_pending(self, jobs: list[Job], alias: str, *, replace_existing: bool) -> bool:
        """Keep `jobs` until the start, if it is still to come; whether it is."""
        if not self._access.is_closed(alias):
            return False
        with self._life.lock:
            if not self._life.is_stopped and alias not in self._life.added:
                return False  # it came while the lock was waited for
            self._waiting_jobs.add([PendingJob(job, alias, replace_existing) for job in jobs])
        for job in jobs:
            # Only for what it says of a trigger that has no time left: it is told at once, and tied when the job is stored.
            self._factory.bound(
                job._record,  # noqa: SLF001 - as above
                self._host.clock.now(self._host.timezone),
                has_next_run_time=job._has_own_time,  # noqa: SLF001 - as above
            )
        if self._life.was_shut_down:
            for job in jobs:
                self._host.log.of_job(
                    WARNING,
                    job.id,
                    'Job "%s" is added after shutdown(): it is kept aside, and lost unless start() is called again',
                    job.name,
                )
        self._host.log.info(
            "Adding job tentatively -- it will be properly scheduled when the scheduler starts"
        )
        return True

    # To a store that is there

    def _add_together(
        self, bound: list[JobRecord], jobstore: str, *, replace_existing: bool, keeps: dict[str, bool]
    ) -> list[Job]:
        """Add jobs to a store that has been started: all of them, or none."""
        place = self._listeners.reserve()
        try:
            kept = self._store_records(
                self._stores[jobstore], jobstore, bound, replace_existing=replace_existing, keeps=keeps
            )
            if self._listeners.mask & EVENT_JOB_ADDED:
                for record in kept:
                    self._listeners.post(JobEvent(EVENT_JOB_ADDED, record.id, jobstore))
        finally:
            self._listeners.cancel(place)
        self._host.log.info('Added %d jobs to job store "%s"', len(kept), jobstore)
        self._doubtful_jobs.look(kept, jobstore)
        if kept:
            self._host.wake()
        return self._stores.handles(kept, jobstore)

    def add_tied(self, job: Job, bound: JobRecord, alias: str, replace_existing: bool) -> None:
        """Put a job, whose trigger knows the zone and the present, into a store that has been started."""
        is_heard = self._listeners.mask & EVENT_JOB_ADDED
        # The place is taken first: a run of the job can't be told of before the job is.
        place = self._listeners.reserve() if is_heard else None
        try:
            record = self._put(job, bound, alias, replace_existing)
        except BaseException:
            if place is not None:
                self._listeners.cancel(place)
            raise
        self._host.log.of_job(INFO, record.id, 'Added job "%s" to job store "%s"', record.name, alias)
        self._doubtful_jobs.look((record,), alias)
        self._listeners.publish(JobEvent(EVENT_JOB_ADDED, record.id, alias), place)
        self._host.wake_for(record.next_run_time, alias)

    def _add_by_hook(self, job: Job, alias: str, replace_existing: bool) -> None:
        """Have somebody's own `_real_add_job` add a job, which is given its next run time before, since it may not call ours."""
        job._record = self.bound(job, alias)  # noqa: SLF001 - handles are ours
        self._hooks.add(job, alias, replace_existing)
        added_to = job._jobstore_alias  # noqa: SLF001 - as above
        if added_to is not None and not job._is_attached:  # noqa: SLF001 - as above
            store = self._stores[added_to]
            stored = store.get_record(job.id)
            if stored is not None:
                self._stores.attach(job, stored, added_to, store)

    def _add_each(self, jobs: list[Job], alias: str, replace_existing: bool) -> list[Job]:
        """Add jobs one after another, as `_add_by_hook` does."""
        for job in jobs:
            self._add_by_hook(job, alias, replace_existing)
        return jobs

    def bound(self, job: Job, alias: str) -> JobRecord:
        """The record of a job that was made before its job store was there, as it is to be put into it."""
        given: Any = job._record  # noqa: SLF001 - handles are ours
        if given.trigger is None or (given.func is None and given.func_ref is None):
            raise TypeError(
                f"job {job.id!r} has no function or no trigger: give both, Job(scheduler, id=…, func=…, trigger=…), or use add_job()"
            )
        return self._factory.bound(given, self._access.now_of(alias), has_next_run_time=job._has_own_time)  # noqa: SLF001 - as above

    def _put(self, job: Job, bound: JobRecord, alias: str, replace_existing: bool) -> JobRecord:
        """Put a job into its store, and return its record as it is there."""
        store = self._stores[alias]
        if job._is_unnamed:  # noqa: SLF001 - handles are ours
            self._warn_of_equal(bound, store)
        (kept,) = self._store_records(
            store,
            alias,
            [bound],
            replace_existing=replace_existing,
            keeps={bound.id: not job._has_own_time},  # noqa: SLF001 - as above
        )
        self._stores.attach(job, kept, alias, store)
        return kept

    def _store_records(
        self,
        store: RunStore,
        alias: str,
        records: list[JobRecord],
        *,
        replace_existing: bool,
        keeps: Mapping[str, bool],
    ) -> list[JobRecord]:
        followers = followers_among(records)
        together = {one.id: one for one in records} if followers else {}
        for record in followers:
            self.refuse_cycle(record.id, record.trigger, alias, together)
        self._unlimited_groups.look(records, alias)
        replace = None
        if replace_existing:

            def replace(old: JobRecord, new: JobRecord) -> JobRecord:
                return replaced(old, new, keeps_schedule=keeps[new.id])

        return store.add_records(records, replace)

    def refuse_cycle(
        self,
        job_id: str,
        trigger: BaseTrigger,
        alias: str,
        new: Mapping[str, JobRecord] = MappingProxyType({}),
    ) -> None:
        """Refuse a trigger that would have jobs come after one another in a ring.

        Args:
            new: jobs that are added together with it, by id.

        Raises:
            TriggerError: it would.
        """
        stored = self._stores[alias].get_record
        ring = cycle(job_id, trigger, lambda other: new.get(other) or stored(other))
        if ring:
            raise TriggerError(f"these jobs would come after one another in a ring: {', '.join(ring)}")

    def _warn_of_equal(self, record: JobRecord, store: RunStore) -> None:
        """A job without a name of its own that is stored already was most likely added by an earlier start."""
        equal = store.find_equal(record)
        if equal is not None:
            self._host.log.of_job(
                WARNING,
                record.id,
                'Job "%s" is added though an equal one is stored, with the id %s: every start of this program adds another. '
                "Give the job an id, and replace_existing=True",
                record.name,
                equal,
            )

    # When the store has come

    def store_each(self, waiting: list[PendingJob]) -> None:
        """Put pending jobs into their stores, each by itself; one that can't be stored is told of, and given up."""
        for pending in waiting:
            try:
                self.store_all([pending])
            except (MainspringError, LookupError, ValueError, TypeError) as error:
                if isinstance(error, StoreUnavailableError):
                    raise
                self._waiting_jobs.remove([pending])
                self._host.log.of_job(
                    ERROR,
                    pending.job.id,
                    'Job "%s", which was added while its job store %r was being started, could not be added: %s',
                    pending.job.name,
                    pending.alias,
                    safe_str(error),
                )

    def store_all(self, waiting: list[PendingJob]) -> None:
        """Put pending jobs into their stores: all of them, or none."""
        for pending in waiting:
            self._stores[pending.alias]  # an unknown alias is refused before anything is stored
        added: list[PendingJob] = []
        try:
            for pending in waiting:
                is_new = not (
                    pending.replace_existing and self._stores[pending.alias].get_record(pending.job.id)
                )
                if self._hooks.adds_one_by_one:
                    self._add_by_hook(pending.job, pending.alias, pending.replace_existing)
                else:
                    bound = self.bound(pending.job, pending.alias)
                    self._put(pending.job, bound, pending.alias, pending.replace_existing)
                if is_new:
                    added.append(pending)
        except BaseException:
            for pending in added:
                self._stores[pending.alias].remove(pending.job.id)
            for pending in waiting:
                self._stores.detach(pending.job)
            raise
        self._waiting_jobs.remove(waiting)
        if self._hooks.adds_one_by_one:
            return  # each was told of when it was added
        for pending in waiting:
            self._doubtful_jobs.look([pending.job._record], pending.alias)  # noqa: SLF001 - handles are ours
            self._host.log.of_job(
                INFO,
                pending.job.id,
                'Added job "%s" to job store "%s"',
                pending.job.name,
                pending.alias,
            )
            self._host.tell(JobEvent(EVENT_JOB_ADDED, pending.job.id, pending.alias))


def _check_alias(jobstore: Any) -> None:
    if not isinstance(jobstore, str):
        raise TypeError(
            f"jobstore must be the alias that a job store has from add_jobstore(…, alias), got {type(jobstore).__name__} {shown(jobstore)}"
        )


def _said_options(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in OPTIONS & values.keys()}
