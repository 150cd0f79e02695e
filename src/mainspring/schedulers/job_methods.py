"""The methods of a scheduler by which jobs are added and changed."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import partial
from logging import INFO, WARNING
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Unpack

from mainspring.clock import slices_of
from mainspring.coercion import names_parameters, nearest, undefined
from mainspring.definition import OPTIONS, changed_record, stable_id
from mainspring.engine.following import cycle, followers_among
from mainspring.engine.replacing import replaced
from mainspring.engine.searching import first_time
from mainspring.errors import JobLookupError, JobNotLookedUpError, TriggerError
from mainspring.events import (
    EVENT_ALL_JOBS_REMOVED,
    EVENT_JOB_ADDED,
    EVENT_JOB_MODIFIED,
    EVENT_JOB_REMOVED,
    JobEvent,
    SchedulerEvent,
)
from mainspring.job import Job, is_ours
from mainspring.jobstores.contract import JobQuery
from mainspring.printable import shown
from mainspring.schedulers.doubtful_jobs import LOOKED_AT
from mainspring.schedulers.pending import PendingJob
from mainspring.schedulers.run_methods import RunMethods
from mainspring.schedulers.states import STATE_STOPPED
from mainspring.triggers.base import BaseTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from threading import Lock

    from mainspring.clock import Clock
    from mainspring.jobstores.base import BaseJobStore
    from mainspring.jobstores.contract import RunStore
    from mainspring.model import JobRecord, Overlap
    from mainspring.option_types import Duration, Hooks, JobChanges, MisfirePolicy, Moment, OnLost
    from mainspring.retry import Retry
    from mainspring.schedulers.adoption_report import AdoptionReport
    from mainspring.schedulers.doubtful_jobs import DoubtfulJobs
    from mainspring.schedulers.job_factory import JobFactory
    from mainspring.schedulers.listeners import Listeners
    from mainspring.schedulers.store_adoptions import StoreAdoptions
    from mainspring.schedulers.syncing import SyncPlan
    from mainspring.schedulers.unlimited_groups import UnlimitedGroups


#: The parameters of `add_job` that may be left out, in their order.
_GIVEN = (
    "misfire_grace_time",
    "coalesce",
    "max_instances",
    "next_run_time",
    "on_lost",
    "tags",
    "retry",
    "timeout",
    "overlap",
    "group",
    "misfire_policy",
    "catch_up_limit",
    "priority",
    "max_runs",
    "pause_after_failures",
    "keep_result",
    "capture_log",
    "around_run",
    "metadata",
    "reruns",
)
#: What doesn't let a run begin that has waited, unless it makes the job due.
_ONLY_LATER = {"next_run_time", "trigger", "note", "name"}
_NONE_GIVEN = (undefined,) * len(_GIVEN)


@names_parameters
class JobMethods(RunMethods):
    """The half of `BaseScheduler` that is about jobs."""

    _lock: Lock
    _added: Mapping[str, Any]
    _clock: Clock
    _event_queue: Listeners
    _factory: JobFactory
    _adoptions: StoreAdoptions
    _unlimited_groups: UnlimitedGroups
    _doubtful_jobs: DoubtfulJobs
    #: Whether each job is added by `_real_add_job`, and found by `_lookup_job`, since somebody has replaced that.
    _adds_one_by_one = False
    _asks_for_jobs = False
    #: Whether whatever changes a job does so by `modify_job`, since somebody has replaced it.
    _modifies_by_name = False

    # Adding

    def add_job(
        self,
        func: Callable[..., Any] | str,
        trigger: BaseTrigger | str | None = None,
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        id: str | None = None,  # noqa: A002 - APScheduler's name
        name: str | None = None,
        misfire_grace_time: Duration | None = undefined,
        coalesce: bool = undefined,
        max_instances: int = undefined,
        next_run_time: Moment | None = undefined,
        jobstore: str = "default",
        executor: str = "default",
        replace_existing: bool = False,
        *,
        on_lost: OnLost = undefined,
        tags: Iterable[str] = undefined,
        retry: Retry | Mapping[str, Any] | int | None = undefined,
        timeout: Duration | None = undefined,
        overlap: Overlap = undefined,
        group: str | None = undefined,
        misfire_policy: MisfirePolicy = undefined,
        catch_up_limit: int = undefined,
        priority: int = undefined,
        max_runs: int | None = undefined,
        pause_after_failures: int | None = undefined,
        keep_result: bool = undefined,
        capture_log: bool = undefined,
        around_run: Hooks = undefined,
        metadata: Mapping[str, Any] | None = undefined,
        reruns: int = undefined,
        **trigger_args: Any,
    ) -> Job:
        """Add a job; before `start` it is kept aside until then.

        Args:
            func: what to run, or a text reference ``"package.module:function"`` to it.
            trigger: when: a trigger, or the name of one with its arguments in `trigger_args`; ``None``: once, now.
            args, kwargs: what to call it with.
            id: the job's identifier; a new one is made if it is not given.
            name: what people see; the function's name if it is not given.
            misfire_grace_time: seconds (or a ``timedelta``) that a run may be late and still be dispatched;
                ``None``: any.
            coalesce: make one run of several that are overdue.
            max_instances: how many runs of the job may go on at a time.
            next_run_time: the first time, instead of the trigger's; ``None`` adds the job paused.
            jobstore: alias of the job store.
            executor: alias of the executor.
            replace_existing: replace a job of the same id. With an equal trigger it keeps its next run time; a
                paused job stays paused.
            on_lost: what follows when the node that runs the job dies, on a store that nodes share: ``"record"`` (the
                default) records the loss, ``"rerun"`` runs it again.
            tags: words by which `get_jobs` finds it.
            retry: a `Retry`, or a number of attempts: when a run that failed is run again.
            timeout: seconds (or a ``timedelta``) after which a run is ended.
            overlap: what is done about a run that is due while `max_instances` run: ``"skip"`` it (the default), keep it
                until one has ended (``"buffer_one"`` at most, or ``"buffer_all"``), ``"cancel_running"`` for it, or ``"allow"`` it.
            group: the name of a group of jobs that share limits: see `set_group`.
            misfire_policy: of overdue runs, ``"skip"`` those that are later than `misfire_grace_time` (30 seconds, if it is not
                given), make ``"once"`` up for them, or make up for ``"all"``; in place of `coalesce`.
            catch_up_limit: how many overdue runs are made up for at most, and how many are buffered; the latest.
            priority: of jobs that are due together, those with a higher one come first.
            max_runs: the job is paused after so many runs of its schedule.
            pause_after_failures: the job is paused after so many failed runs in a row.
            keep_result: whether what a run returns is kept in the history.
            capture_log: whether what a run logs is kept in the history.
            around_run: functions that make context managers, or references to them, in which each run is run.
            metadata: what people and programs want to know of the job; what JSON can hold.
            reruns: with ``on_lost="rerun"``, how often the run of a due time is run again at most (3).
            trigger_args: what the trigger takes; and of any trigger, ``window="08:00-18:00"`` (`BaseTrigger.within`) and
                ``spread_over="1h"`` (`BaseTrigger.spread`).

        Raises:
            ConflictingIdError: the id is taken.
            TypeError, ValueError, LookupError: a value that can't be what it should; the message says what was
                expected.
        """
        values = {
            **trigger_args,
            "func": func,
            "trigger": trigger,
            "args": args,
            "kwargs": kwargs,
            "id": id,
            "name": name,
        }
        if executor != "default":
            values["executor"] = executor
        given = (
            misfire_grace_time,
            coalesce,
            max_instances,
            next_run_time,
            on_lost,
            tags,
            retry,
            timeout,
            overlap,
            group,
            misfire_policy,
            catch_up_limit,
            priority,
            max_runs,
            pause_after_failures,
            keep_result,
            capture_log,
            around_run,
            metadata,
            reruns,
        )
        if given != _NONE_GIVEN:
            values.update(
                (name, value) for name, value in zip(_GIVEN, given, strict=True) if value is not undefined
            )
        _check_alias(jobstore)
        is_closed = self._is_closed(jobstore)
        said = _said_options(values) if is_closed else None
        is_tied = not self._adds_one_by_one and not is_closed
        record, has_next_run_time = self._factory.record(values, self._now_of(jobstore) if is_tied else None)
        job = Job._from_record(record, self, None)  # noqa: SLF001 - handles are ours
        job._is_unnamed = id is None  # noqa: SLF001 - as above
        job._has_own_time = has_next_run_time  # noqa: SLF001 - as above
        job._said_options = said  # noqa: SLF001 - as above
        if is_tied:
            self._add_tied(job, record, jobstore, replace_existing)
        elif not self._add_pending([job], jobstore, replace_existing=replace_existing):
            add = self._add_by_hook if self._adds_one_by_one else self._real_add_job
            add(job, jobstore, replace_existing)
        return job

    def add_jobs(
        self, jobs: Iterable[Mapping[str, Any]], *, jobstore: str = "default", replace_existing: bool = False
    ) -> list[Job]:
        """Add many jobs at once: all of them, or none.

        Args:
            jobs: for each job what `add_job` takes, as a mapping: ``{"func": f, "trigger": "interval", "minutes": 5}``.
            jobstore: alias of the job store for all.
            replace_existing: as for `add_job`.

        Raises:
            ConflictingIdError: an id is taken.
            TypeError, ValueError, LookupError: as for `add_job`.
        """
        jobs = list(jobs)
        _check_alias(jobstore)
        if self._is_closed(jobstore):
            made = [self._factory.record(dict(job)) for job in jobs]
            pending = self._new_handles(made)
            for handle, given in zip(pending, jobs, strict=True):
                handle._said_options = _said_options(given)  # noqa: SLF001 - handles are ours
            if self._add_pending(pending, jobstore, replace_existing=replace_existing):
                return pending
        if self._adds_one_by_one:
            made = [self._factory.record(dict(job)) for job in jobs]
            return self._add_each(self._new_handles(made), jobstore, replace_existing)
        now = self._now_of(jobstore)
        made = [self._factory.record(dict(job), now) for job in jobs]
        keeps = {record.id: not has for record, has in made} if replace_existing else {}
        return self._add_together(
            [record for record, _ in made], jobstore, replace_existing=replace_existing, keeps=keeps
        )

    def sync(
        self,
        jobs: Iterable[Mapping[str, Any]],
        *,
        owner: str,
        jobstore: str = "default",
        prune: bool = False,
        take_over: bool = False,
        dry_run: bool = False,
    ) -> SyncPlan:
        """Bring the jobs of one owner in step with a list: add what is new, change what differs, and leave everything else alone.

        A job that is changed keeps its history, and its next run time unless its schedule changes; one that somebody has paused stays paused.

        Args:
            jobs: for each job what `add_job` takes, as a mapping, with an ``id``: ``{"id": "poll", "func": f, "trigger": "interval", "minutes": 5}``.
            owner: whose jobs these are, such as the name of a deployment. Jobs of others, and such that `add_job` has added, aren't touched.
            jobstore: alias of the job store.
            prune: remove jobs of this owner that are no longer in the list.
            take_over: change jobs of the same ids that are others', too, and make them this owner's.
            dry_run: change nothing, and only say what would be.

        Returns:
            what was done, or would be; ``print`` shows it.

        Raises:
            ConflictingIdError: a job of the same id is somebody else's; or an id is twice in the list.
            SchedulerNotRunningError: the scheduler has not been started.
            TypeError, ValueError, LookupError: as for `add_job`.
        """
        from mainspring.schedulers.syncing import apply_plan, owned_by, plan_of

        self._refuse_unstarted("sync", jobstore)
        store, now = self._stores[jobstore], self._now_of(jobstore)
        given = [dict(job) for job in jobs]
        for job in given:
            if not job.get("id"):
                raise ValueError(f"each job needs an id, by which it is found again, got {shown(job)}")
        wanted = owned_by(owner, [self._factory.record(job, now) for job in given])
        plan = plan_of(wanted, store.list_records(), owner, now, prune=prune, take_over=take_over)
        if not dry_run and plan.changes_something:
            kept = apply_plan(plan, wanted, store, take_over=take_over)
            self._tell_synced(plan, kept, jobstore)
        return plan

    def _tell_synced(self, plan: SyncPlan, kept: list[JobRecord], alias: str) -> None:
        """Tell of what a plan has changed."""
        self._log.info('Job store "%s" is in step with %s', alias, plan.summary)
        for job in plan.of("add", "change", "remove"):
            code = EVENT_JOB_REMOVED if job.action == "remove" else EVENT_JOB_ADDED
            self._log.of_job(INFO, job.id, 'Job "%s" of %s: %s', job.id, plan.owner, job.said)
            self._dispatch_event(JobEvent(code, job.id, alias))
        self._doubtful_jobs.look(kept, alias)
        self._wake()

    def _new_handles(self, made: Iterable[tuple[JobRecord, bool]]) -> list[Job]:
        """Handles on jobs that are in no store yet, each with whether its next run time was given."""
        handles = []
        for record, has_own_time in made:
            job = Job._from_record(record, self, None)  # noqa: SLF001 - handles are ours
            job._has_own_time = has_own_time  # noqa: SLF001 - as above
            handles.append(job)
        return handles

    def _add_together(
        self, tied: list[JobRecord], jobstore: str, *, replace_existing: bool, keeps: dict[str, bool]
    ) -> list[Job]:
        """Add jobs to a store that has been started: all of them, or none."""
        place = self._event_queue.reserve()
        try:
            kept = self._store_records(jobstore, tied, replace_existing=replace_existing, keeps=keeps)
            if self._event_queue.mask & EVENT_JOB_ADDED:
                for record in kept:
                    self._event_queue.post(JobEvent(EVENT_JOB_ADDED, record.id, jobstore))
        finally:
            self._event_queue.cancel(place)
        self._log.info('Added %d jobs to job store "%s"', len(kept), jobstore)
        self._doubtful_jobs.look(kept, jobstore)
        if kept:
            self._wake()
        return self._stores.handles(kept, jobstore)

    def scheduled_job(
        self,
        trigger: BaseTrigger | str,
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        id: str | None = None,  # noqa: A002 - APScheduler's name
        name: str | None = None,
        misfire_grace_time: Duration | None = undefined,
        coalesce: bool = undefined,
        max_instances: int = undefined,
        next_run_time: Moment | None = undefined,
        jobstore: str = "default",
        executor: str = "default",
        *,
        on_lost: OnLost = undefined,
        tags: Iterable[str] = undefined,
        retry: Retry | Mapping[str, Any] | int | None = undefined,
        timeout: Duration | None = undefined,
        overlap: Overlap = undefined,
        group: str | None = undefined,
        misfire_policy: MisfirePolicy = undefined,
        catch_up_limit: int = undefined,
        priority: int = undefined,
        max_runs: int | None = undefined,
        pause_after_failures: int | None = undefined,
        keep_result: bool = undefined,
        capture_log: bool = undefined,
        around_run: Hooks = undefined,
        metadata: Mapping[str, Any] | None = undefined,
        reruns: int = undefined,
        **trigger_args: Any,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """A decorator that adds the function as a job, replacing one of the same id; takes what `add_job` takes.

        Without an `id`, on a store that schedulers share, the job gets one from the function and the trigger, so that the next
        start finds the same job.
        """
        if "replace_existing" in trigger_args:
            raise TypeError(
                "scheduled_job has no replace_existing: it always replaces a job of the same id. Leave it out"
            )
        made = self._create_trigger(trigger, dict(trigger_args))
        own = {
            "on_lost": on_lost,
            "tags": tags,
            "retry": retry,
            "timeout": timeout,
            "overlap": overlap,
            "group": group,
            "misfire_policy": misfire_policy,
            "catch_up_limit": catch_up_limit,
            "priority": priority,
            "max_runs": max_runs,
            "pause_after_failures": pause_after_failures,
            "keep_result": keep_result,
            "capture_log": capture_log,
            "around_run": around_run,
            "metadata": metadata,
            "reruns": reruns,
        }
        # A program's own add_job is called as APScheduler would call it.
        given: dict[str, Any] = {name: value for name, value in own.items() if value is not undefined}

        def add(func: Callable[..., Any]) -> Callable[..., Any]:
            self.add_job(
                func,
                trigger,
                args,
                kwargs,
                self._stable_id(func, made, jobstore) if id is None else id,
                name,
                misfire_grace_time,
                coalesce,
                max_instances,
                next_run_time,
                jobstore,
                executor,
                True,
                **given,
                **trigger_args,
            )
            return func

        return add

    def _stable_id(self, func: Any, trigger: BaseTrigger, alias: str) -> str | None:
        """An id for a decorated function without one that is the same at every start, where the store outlives them."""
        store = self._stores.used.get(alias)
        return stable_id(func, trigger) if store is not None and store.poll_interval is not None else None

    def _add_pending(self, jobs: list[Job], alias: str, *, replace_existing: bool) -> bool:
        """Keep `jobs` until the start, if it is still to come; whether it is."""
        if not self._is_closed(alias):
            return False
        with self._lock:
            if self.state != STATE_STOPPED and alias not in self._added:
                return False  # it came while the lock was waited for
            self._waiting_jobs.add([PendingJob(job, alias, replace_existing) for job in jobs])
        for job in jobs:
            # Only for what it says of a trigger that has no time left: it is told at once, and tied when the job is stored.
            self._factory.tied(
                job._record,  # noqa: SLF001 - as above
                self._clock.now(self.timezone),
                has_next_run_time=job._has_own_time,  # noqa: SLF001 - as above
            )
        if self._was_shut_down:
            for job in jobs:
                self._log.of_job(
                    WARNING,
                    job.id,
                    'Job "%s" is added after shutdown(): it is kept aside, and lost unless start() is called again',
                    job.name,
                )
        self._log.info("Adding job tentatively -- it will be properly scheduled when the scheduler starts")
        return True

    def _real_add_job(self, job: Job, jobstore_alias: str, replace_existing: bool) -> None:
        """Put a job into its store, and tell of it; the scheduler has been started."""
        self._add_tied(job, self._tied(job, jobstore_alias), jobstore_alias, replace_existing)

    def _add_tied(self, job: Job, tied: JobRecord, alias: str, replace_existing: bool) -> None:
        is_heard = self._event_queue.mask & EVENT_JOB_ADDED
        # The place is taken first: a run of the job can't be told of before the job is.
        place = self._event_queue.reserve() if is_heard else None
        try:
            record = self._put(job, tied, alias, replace_existing)
        except BaseException:
            if place is not None:
                self._event_queue.cancel(place)
            raise
        self._log.of_job(INFO, record.id, 'Added job "%s" to job store "%s"', record.name, alias)
        self._doubtful_jobs.look((record,), alias)
        self._event_queue.publish(JobEvent(EVENT_JOB_ADDED, record.id, alias), place)
        self._wake_for(record.next_run_time, alias)

    def _add_by_hook(self, job: Job, alias: str, replace_existing: bool) -> None:
        """Have somebody's own `_real_add_job` add a job, which is given its next run time before, since it may not call ours."""
        job._record = self._tied(job, alias)  # noqa: SLF001 - handles are ours
        self._real_add_job(job, alias, replace_existing)
        added_to = job._jobstore_alias  # noqa: SLF001 - as above
        if added_to is not None and not job._is_attached:  # noqa: SLF001 - as above
            stored = self._stores[added_to].get_record(job.id)
            if stored is not None:
                self._stores.attach(job, stored, added_to)

    def _add_each(self, jobs: list[Job], alias: str, replace_existing: bool) -> list[Job]:
        for job in jobs:
            self._add_by_hook(job, alias, replace_existing)
        return jobs

    def _tied(self, job: Job, alias: str) -> JobRecord:
        """The record of a job that was made before its job store was there, as it is to be put into it."""
        given: Any = job._record  # noqa: SLF001 - handles are ours
        if given.trigger is None or (given.func is None and given.func_ref is None):
            raise TypeError(
                f"job {job.id!r} has no function or no trigger: give both, Job(scheduler, id=…, func=…, trigger=…), or use add_job()"
            )
        return self._factory.tied(given, self._now_of(alias), has_next_run_time=job._has_own_time)  # noqa: SLF001 - as above

    def _put(self, job: Job, tied: JobRecord, alias: str, replace_existing: bool) -> JobRecord:
        """Put a job into its store, and return its record as it is there."""
        if job._is_unnamed:  # noqa: SLF001 - handles are ours
            self._warn_of_equal(tied, alias)
        (kept,) = self._store_records(
            alias,
            [tied],
            replace_existing=replace_existing,
            keeps={tied.id: not job._has_own_time},  # noqa: SLF001 - as above
        )
        self._stores.attach(job, kept, alias)
        return kept

    def _refuse_cycle(
        self,
        job_id: str,
        trigger: BaseTrigger,
        alias: str,
        new: Mapping[str, JobRecord] = MappingProxyType({}),
    ) -> None:
        stored = self._stores[alias].get_record
        ring = cycle(job_id, trigger, lambda other: new.get(other) or stored(other))
        if ring:
            raise TriggerError(f"these jobs would come after one another in a ring: {', '.join(ring)}")

    def _warn_of_equal(self, record: JobRecord, alias: str) -> None:
        """A job without a name of its own that is stored already was most likely added by an earlier start."""
        equal = self._stores[alias].find_equal(record)
        if equal is not None:
            self._log.of_job(
                WARNING,
                record.id,
                'Job "%s" is added though an equal one is stored, with the id %s: every start of this program adds another. '
                "Give the job an id, and replace_existing=True",
                record.name,
                equal,
            )

    def _store_records(
        self, alias: str, records: list[JobRecord], *, replace_existing: bool, keeps: Mapping[str, bool]
    ) -> list[JobRecord]:
        followers = followers_among(records)
        together = {one.id: one for one in records} if followers else {}
        for record in followers:
            self._refuse_cycle(record.id, record.trigger, alias, together)
        self._unlimited_groups.look(records, alias)
        replace = None
        if replace_existing:

            def replace(old: JobRecord, new: JobRecord) -> JobRecord:
                return replaced(old, new, keeps_schedule=keeps[new.id])

        return self._stores[alias].add_records(records, replace)

    # Changing

    def modify_job(self, job_id: str, jobstore: str | None = None, **attributes: Unpack[JobChanges]) -> Job:
        """Change attributes of a job: any that `add_job` takes, but for its id and stores.

        A new trigger without a `next_run_time` makes the next run time anew; a paused job stays paused.

        Raises:
            JobLookupError: there is no such job.
            AttributeError: an attribute that can't be changed; a job can't be moved to another job store.
            ValueError: the id, which can't be changed: add a new job, and remove this one.
            TypeError, ValueError, LookupError: as for `add_job`.
        """
        return self._change_job(job_id, jobstore, {**attributes}, fits=True)

    def _change_job(self, job_id: str, jobstore: str | None, changes: dict[str, Any], *, fits: bool) -> Job:
        """`modify_job`; `fits` refuses arguments that the job's function doesn't take."""
        found = self._asked_for(job_id, jobstore)
        if found is not None and not is_ours(found[0]):
            self._change_foreign(*found, changes)
            job: Job = found[0]
            return job
        if found is not None:
            job_id, jobstore = found[0].id, jobstore if found[1] is None else found[1]
        if "next_run_time" in changes:
            changes["next_run_time"] = self._factory.moment(changes["next_run_time"])
        pending = self._pending_job(job_id, jobstore)
        if pending is not None:
            return self._change_pending(pending, changes, fits=fits)
        alias, store = self._find(job_id, jobstore)
        upcoming: datetime | None = None
        trigger = changes.get("trigger")
        recomputes = isinstance(trigger, BaseTrigger) and "next_run_time" not in changes
        if isinstance(trigger, BaseTrigger):
            # The trigger is a user's code: it is asked here, once, and not while a store is being changed.
            now = self._now_of(alias)
            trigger = changes["trigger"] = trigger.bind(timezone=self.timezone, now=now, job_id=job_id)
            self._refuse_cycle(job_id, trigger, alias)
            upcoming = first_time(trigger, now, slices_of(self._clock)) if recomputes else None

        def change(old: JobRecord) -> JobRecord:
            new = changed_record(old, changes, fits=fits)
            return new.rescheduled(upcoming) if recomputes and old.next_run_time is not None else new

        with self._hinting(job_id, alias):
            changed = store.change(job_id, change)
        self._unlimited_groups.look([changed], alias)
        self._doubtful_jobs.look([changed], alias)
        if not changes.keys() <= _ONLY_LATER:
            self._wake()  # what has waited may begin
        return self._changed(changed, alias)

    def _change_pending(self, pending: PendingJob, changes: dict[str, Any], *, fits: bool) -> Job:
        """`_change_job` for a job that waits for the start."""
        job = pending.job
        trigger = changes.get("trigger")
        recomputes = (
            isinstance(trigger, BaseTrigger) and "next_run_time" not in changes and not pending.is_paused
        )
        job._change(changes, fits=fits)  # noqa: SLF001 - handles are ours
        if recomputes:
            self._follow_trigger(job)
        self._dispatch_event(JobEvent(EVENT_JOB_MODIFIED, job.id, pending.alias))
        return job

    def _follow_trigger(self, job: Job) -> bool:
        """Have a pending job run when its trigger says, from now on; whether that has a time left."""
        now = self._clock.now(self.timezone)
        trigger = job.trigger.bind(timezone=self.timezone, now=now, job_id=job.id)
        upcoming = first_time(trigger, now, slices_of(self._clock))
        job._follow_trigger(trigger, upcoming)  # noqa: SLF001 - handles are ours
        return upcoming is not None

    def _changed(self, record: JobRecord, alias: str) -> Job:
        """Tell of a changed job, and return a handle on it."""
        self._dispatch_event(JobEvent(EVENT_JOB_MODIFIED, record.id, alias))
        self._wake_for(record.next_run_time, alias)
        return self._stores.handle(record, alias)

    def reschedule_job(
        self,
        job_id: str,
        jobstore: str | None = None,
        trigger: BaseTrigger | str | None = None,
        **trigger_args: Any,
    ) -> Job:
        """Give a job another trigger, and a next run time by it; a paused job stays paused.

        Raises:
            JobLookupError: there is no such job.
            TypeError, ValueError, LookupError: as for `add_job`.
        """
        if trigger is None and self._is_trigger(jobstore):
            raise TypeError(
                f"reschedule_job takes the alias of a job store before the trigger, and got the trigger {jobstore!r} there: "
                "write reschedule_job(job_id, trigger=…)"
            )
        changes: JobChanges = {"trigger": self._create_trigger(trigger, trigger_args)}
        if self._modifies_by_name or "modify_job" in vars(self):
            # Somebody's own modify_job is called as APScheduler would call it.
            self._add_first_time(changes, job_id, jobstore)
        return self.modify_job(job_id, jobstore, **changes)

    def _add_first_time(self, changes: JobChanges, job_id: str, alias: str | None) -> None:
        """Name the first time of a new trigger among the changes; a paused job stays paused."""
        if self._is_paused(job_id, alias):
            return
        trigger: Any = changes["trigger"]
        now = self._clock.now(self.timezone)
        if isinstance(trigger, BaseTrigger):
            trigger = changes["trigger"] = trigger.bind(timezone=self.timezone, now=now, job_id=job_id)
            changes["next_run_time"] = first_time(trigger, now, slices_of(self._clock))
        else:
            changes["next_run_time"] = trigger.get_next_fire_time(None, now)

    def _is_paused(self, job_id: str, alias: str | None) -> bool:
        pending = self._pending_job(job_id, alias)
        if pending is not None:
            return pending.is_paused
        try:
            record = self._find(job_id, alias)[1].get_record(job_id)
        except LookupError:
            return False  # which is told by whoever changes it
        return record is not None and record.next_run_time is None

    def _is_trigger(self, alias: Any) -> bool:
        """Whether what was given as the alias of a job store was meant to be a trigger."""
        if isinstance(alias, str):
            return alias not in self._stores.used and self._factory.has_trigger(alias)
        return isinstance(alias, BaseTrigger)

    def pause_job(self, job_id: str, jobstore: str | None = None, *, note: str | None = None) -> Job:
        """Don't run a job until `resume_job`; `run_job` runs it all the same.

        Args:
            note: why, for whoever looks at the job.

        Raises:
            JobLookupError: there is no such job.
        """
        changes: JobChanges = {"next_run_time": None}
        if note is not None:
            changes["note"] = note
        return self.modify_job(job_id, jobstore, **changes)

    def pause_jobs(self, *, tag: str, jobstore: str | None = None, note: str | None = None) -> list[Job]:
        """Pause all jobs with a tag; see `pause_job`."""
        return self._each(tag, jobstore, lambda *job: self.pause_job(*job, note=note))

    def resume_jobs(self, *, tag: str, jobstore: str | None = None) -> list[Job]:
        """Resume all jobs with a tag that are paused; see `resume_job`."""
        return self._each(tag, jobstore, self.resume_job, state="paused")

    def remove_jobs(self, *, tag: str, jobstore: str | None = None) -> None:
        """Remove all jobs with a tag."""
        self._each(tag, jobstore, self.remove_job)

    def _each(
        self,
        tag: str,
        jobstore: str | None,
        do: Callable[[str, str | None], Job | None],
        state: Literal["paused"] | None = None,
    ) -> list[Job]:
        self._readable(jobstore)  # an error, where they can't be asked
        done = []
        for job in self.get_jobs(jobstore, tag=tag, state=state):
            with suppress(JobLookupError):  # others may have removed it meanwhile
                done.append(do(job.id, job._jobstore_alias))  # noqa: SLF001 - handles are ours
        return [job for job in done if job is not None]

    def resume_job(self, job_id: str, jobstore: str | None = None) -> Job | None:
        """Run a paused job again, from the next time of its trigger on.

        Returns:
            the job; ``None`` if its trigger has no time left, in which case the job is removed.

        Raises:
            JobLookupError: there is no such job.
        """
        found = self._asked_for(job_id, jobstore)
        if found is not None and not is_ours(found[0]):
            return found[0] if self._resumes_foreign(*found) else None
        if found is not None:
            job_id, jobstore = found[0].id, jobstore if found[1] is None else found[1]
        pending = self._pending_job(job_id, jobstore)
        if pending is not None:
            if not self._follow_trigger(pending.job):
                self.remove_job(job_id, pending.alias)
                return None
            self._dispatch_event(JobEvent(EVENT_JOB_MODIFIED, job_id, pending.alias))
            return pending.job
        alias, store = self._find(job_id, jobstore)
        while True:
            before = store.get_record(job_id)
            if before is None:
                raise self._no_job(job_id, alias)
            upcoming = first_time(before.trigger, self._now_of(alias), slices_of(self._clock))
            if upcoming is None:
                self.remove_job(job_id, alias)
                return None
            if self._modifies_by_name:
                return self.modify_job(job_id, alias, next_run_time=upcoming)
            record = store.change(job_id, partial(_resumed, seen=before, upcoming=upcoming))
            if record.next_run_time == upcoming:
                return self._changed(record, alias)

    def remove_job(self, job_id: str, jobstore: str | None = None) -> None:
        """Remove a job; what runs of it goes on.

        Raises:
            JobLookupError: there is no such job.
        """
        pending = self._waiting_jobs.find(job_id, jobstore)
        if pending is not None:
            alias = pending.alias
            self._waiting_jobs.remove([pending])
        else:
            alias, store = self._find(job_id, jobstore)
            with self._hinting(job_id, alias):
                store.remove(job_id)
        self._dispatch_event(JobEvent(EVENT_JOB_REMOVED, job_id, alias))
        self._log.of_job(INFO, job_id, "Removed job %s", job_id)

    def remove_all_jobs(self, jobstore: str | None = None) -> None:
        """Remove all jobs, of one job store or of all; before `start` and after `shutdown` the pending ones, with a warning if there are others."""
        stores = self._readable_for_listing(jobstore)
        self._waiting_jobs.remove(self._waiting_jobs.of(jobstore))
        for _, store in stores:
            store.remove_all()
        self._dispatch_event(SchedulerEvent(EVENT_ALL_JOBS_REMOVED, jobstore))

    # Elsewhere

    def export_jobs(self, outfile: Any, jobstore: str | None = None, *, mask_secrets: bool = False) -> None:
        """Write jobs as JSON, for `import_jobs` of this or another scheduler; their arguments with all secrets in them.

        Args:
            outfile: a path, or a file open for text.
            jobstore: alias of the job store whose jobs are written; ``None``: those of all.
            mask_secrets: for people to look at: arguments whose names are those of secrets are ``"***"``, and `import_jobs` refuses the file.

        Raises:
            SerializationError: a job holds something that can't be written.
            StoreNotOpenError: the scheduler has not been started.
        """
        from mainspring.schedulers.exchange import write_jobs

        self._readable(jobstore)  # an error, where they can't be asked
        write_jobs(outfile, self.get_jobs(jobstore), mask_secrets=mask_secrets)

    def adopt_jobs(
        self, source: Any = None, jobstore: str = "default", *, dry_run: bool = False, **names: str
    ) -> AdoptionReport | None:
        """Take over the jobs that APScheduler has stored, also those that it has added since others were.

        What it has left stays as it was. Jobs that have been taken over, or removed since, are not taken again.

        Args:
            source: where they are; ``None``: in the database of the job store. Otherwise the URL of a database (of SQLite, PostgreSQL, MySQL, MongoDB or
                Redis; of APScheduler 4.0's alpha, too), an engine of SQLAlchemy, another job store, of mainspring or of APScheduler, or a file that
                APScheduler's ``export_jobs`` has written.
            jobstore: alias of the job store that they are put into.
            dry_run: change nothing, and only report.
            names: what is called otherwise there than by default: ``tablename``, ``tableschema``, ``jobs_key``, ``run_times_key``, ``database``,
                ``collection``.

        Returns:
            the outcome for each job, which ``print`` shows as a table; ``None`` if APScheduler stored no jobs there.

        Raises:
            ConfigurationError: the source can't be used.
            StoreNotOpenError: the scheduler has not been started.
            TypeError: this kind of job store can't adopt jobs, or the source is of a kind that isn't known.
        """
        from mainspring.jobstores.shared.predecessor import HasPredecessor
        from mainspring.schedulers.adopting import Adoption, counted
        from mainspring.schedulers.adoption_report import tell
        from mainspring.schedulers.adoption_sources import opened

        self._readable(jobstore)  # an error, where it can't be asked
        self._stores[jobstore]  # an error, where there is none
        store = self._stores.given[jobstore]
        if not isinstance(store, HasPredecessor):
            raise TypeError(
                f"job store {jobstore!r} is none that APScheduler's jobs can be adopted into: import_jobs() takes what its export_jobs() writes"
            )
        old_jobs = opened(source, names, store.predecessor())
        if old_jobs is None:
            return None
        try:
            adoption = Adoption(store, self._factory, self._clock)
            report = adoption.report(old_jobs, takes_later=True, writes=not dry_run)
            if not dry_run:
                tell(self._log, jobstore, report)
                if not old_jobs.source:
                    self._adoptions.note(jobstore, counted(old_jobs, adoption.marks(old_jobs)))
                self._wake()
        finally:
            old_jobs.close()
        return report

    def import_jobs(
        self, infile: Any, jobstore: str = "default", *, replace_existing: bool = False
    ) -> list[Job]:
        """Add the jobs that `export_jobs` wrote, with the next run times that they had: all of them, or none.

        The file is to be trusted like a program: it names functions, and may hold pickles.

        Args:
            infile: a path, or a file open for text.
            jobstore: alias of the job store that they are put into.
            replace_existing: replace jobs of the same ids.

        Raises:
            ConflictingIdError: an id is taken.
            SerializationError: the file holds something else; the message says where in it, and what.
            OSError: the file can't be read.
        """
        from mainspring.schedulers.exchange import read_jobs

        records = read_jobs(infile)
        jobs = self._new_handles((record, True) for record in records)
        if self._add_pending(jobs, jobstore, replace_existing=replace_existing):
            return jobs
        if self._adds_one_by_one:
            return self._add_each(jobs, jobstore, replace_existing)
        now = self._now_of(jobstore)
        tied = [self._factory.tied(record, now, has_next_run_time=True) for record in records]
        return self._add_together(
            tied,
            jobstore,
            replace_existing=replace_existing,
            keeps=dict.fromkeys((one.id for one in tied), False),
        )

    def _asked_for(self, job_id: str, alias: str | None) -> tuple[Any, str | None] | None:
        """The job that somebody's own `_lookup_job` finds, with the alias of its store; ``None``: nobody has one."""
        if self._asks_for_jobs or "_lookup_job" in vars(self):
            return self._lookup_job(job_id, alias)
        return None

    def _change_foreign(self, job: Any, alias: str | None, changes: Mapping[str, Any]) -> None:
        """Change what somebody's own `_lookup_job` gives for a job, and is none of ours, by its own methods and those of its store."""
        job._modify(**changes)  # noqa: SLF001 - APScheduler's interface
        if alias is not None:
            self._lookup_jobstore(alias).update_job(job)
        self._dispatch_event(JobEvent(EVENT_JOB_MODIFIED, job.id, alias))
        self._wake()

    def _resumes_foreign(self, job: Any, alias: str | None) -> bool:
        """As `_change_foreign`: have it run again from the next time of its trigger on, if it has one; otherwise remove it."""
        upcoming = job.trigger.get_next_fire_time(None, self._clock.now(self.timezone))
        if upcoming is None:
            self.remove_job(job.id, alias)
        else:
            self.modify_job(job.id, alias, next_run_time=upcoming)
        return upcoming is not None

    # What the rest of the scheduler provides

    def _create_trigger(self, trigger: Any, trigger_args: dict[str, Any]) -> BaseTrigger:
        return self._factory.trigger(trigger, trigger_args)

    def _now_of(self, alias: str) -> datetime:
        """The present by the clock that says what is due in a job store."""
        return self._stores[alias].store_time(self._clock).astimezone(self.timezone)

    def _find(self, job_id: str, alias: str | None) -> tuple[str, RunStore]:
        """The store that has the job; without asking it, where the alias is known.

        Raises:
            JobLookupError: none has it; `JobNotLookedUpError` if one of them can't be asked.
        """
        if not self._is_closed(alias) and alias is not None:
            if self._has_no_such_store(alias):
                raise JobLookupError(job_id)
            return alias, self._stores[alias]
        stopped = self.state == STATE_STOPPED  # once: it may be started meanwhile
        closed = self._stores.closed(alias, stopped=stopped)
        found = self._stores.find(job_id, alias, stopped=stopped)
        if found is None:
            if closed:
                reason = self._why_closed(closed)
                raise JobNotLookedUpError(job_id, f"{reason}. No pending job has the id {job_id!r}")
            raise self._no_job(job_id, alias)
        return found

    def _no_job(self, job_id: Any, alias: str | None) -> JobLookupError:
        """The error that there is no such job, with the nearest id that there is."""
        known = [pending.job.id for pending in self._waiting_jobs.of(alias)]
        for _, store in self._stores.readable(alias, stopped=self.state == STATE_STOPPED):
            known += [record.id for record in store.list_records(JobQuery(limit=LOOKED_AT))]
        return JobLookupError(job_id, job_id.id if isinstance(job_id, Job) else nearest(job_id, known))

    @contextmanager
    def _hinting(self, job_id: str, alias: str) -> Iterator[None]:
        """If a store says that it has no such job, say which may have been meant."""
        try:
            yield
        except JobLookupError as error:
            if error.job_id != job_id or error.hint is not None:
                raise
            raise self._no_job(job_id, alias) from None

    def _lookup_jobstore(self, alias: str) -> BaseJobStore:
        raise NotImplementedError

    def _dispatch_event(self, event: SchedulerEvent) -> None:
        raise NotImplementedError

    def _wake(self) -> None:
        raise NotImplementedError

    def _wake_for(self, moment: datetime | None, alias: str) -> None:
        raise NotImplementedError


def _check_alias(jobstore: Any) -> None:
    if not isinstance(jobstore, str):
        raise TypeError(
            f"jobstore must be the alias that a job store has from add_jobstore(…, alias), got {type(jobstore).__name__} {shown(jobstore)}"
        )


def _said_options(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in OPTIONS & values.keys()}


def _resumed(old: JobRecord, *, seen: JobRecord, upcoming: datetime) -> JobRecord:
    """`old` due at `upcoming`, if that still follows from its trigger."""
    if old.trigger is not seen.trigger and old.version != seen.version:
        return old
    tally = None if old.tally is None else old.tally._replace(failures=0, note=None)
    return old.rescheduled(upcoming)._replace(tally=tally)
