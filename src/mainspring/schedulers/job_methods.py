"""The methods of a scheduler that are about jobs: adding, changing, looking at them, moving them elsewhere."""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, TextIO, Unpack

from mainspring.call_stack import outside
from mainspring.coercion import names_parameters, undefined
from mainspring.errors import JobLookupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mainspring.job import Job
    from mainspring.jobstores.contract import ParkedJob
    from mainspring.model import Overlap
    from mainspring.option_types import Duration, Hooks, JobChanges, MisfirePolicy, Moment, OnLost
    from mainspring.retry import Retry
    from mainspring.schedulers.adding_service import AddingService
    from mainspring.schedulers.adoption_report import AdoptionReport
    from mainspring.schedulers.changing_service import ChangingService
    from mainspring.schedulers.hooks import JobHooks
    from mainspring.schedulers.job_factory import JobFactory
    from mainspring.schedulers.listing_service import ListingService
    from mainspring.schedulers.store_access import StoreAccess
    from mainspring.schedulers.syncing import SyncPlan
    from mainspring.schedulers.transfer_service import TransferService
    from mainspring.triggers.base import BaseTrigger


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
_NONE_GIVEN = (undefined,) * len(_GIVEN)


@names_parameters
class JobMethods:
    """The part of `BaseScheduler` that is about jobs."""

    _access: StoreAccess
    _factory: JobFactory
    _hooks: JobHooks
    _adding: AddingService
    _changing: ChangingService
    _listing: ListingService
    _transfers: TransferService

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
        return self._adding.add(values, jobstore, replace_existing)

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
        return self._adding.add_all(list(jobs), jobstore, replace_existing)

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
        return self._transfers.sync(
            [dict(job) for job in jobs], owner, jobstore, prune=prune, take_over=take_over, dry_run=dry_run
        )

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
                self._adding.stable_id(func, made, jobstore) if id is None else id,
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

    def _real_add_job(self, job: Job, jobstore_alias: str, replace_existing: bool) -> None:
        """Put a job into its store, and tell of it; the scheduler has been started."""
        self._adding.add_tied(job, self._adding.bound(job, jobstore_alias), jobstore_alias, replace_existing)

    # Changing

    def _change_job(self, job_id: str, jobstore: str | None, changes: dict[str, Any], *, fits: bool) -> Job:
        """What handles on jobs ask: `modify_job`, which need not look whether the arguments are such that the job's function takes."""
        return self._changing.change(job_id, jobstore, changes, fits=fits)

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
        if trigger is None and self._changing.is_trigger(jobstore):
            raise TypeError(
                f"reschedule_job takes the alias of a job store before the trigger, and got the trigger {jobstore!r} there: "
                "write reschedule_job(job_id, trigger=…)"
            )
        changes: JobChanges = {"trigger": self._create_trigger(trigger, trigger_args)}
        if self._hooks.has_own_modify:
            # Somebody's own modify_job is called as APScheduler would call it.
            self._changing.add_first_time(changes, job_id, jobstore)
        return self.modify_job(job_id, jobstore, **changes)

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
        self._access.readable(jobstore)  # an error, where they can't be asked
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
        return self._changing.resume(job_id, jobstore)

    def remove_job(self, job_id: str, jobstore: str | None = None) -> None:
        """Remove a job; what runs of it goes on.

        Raises:
            JobLookupError: there is no such job.
        """
        self._changing.remove(job_id, jobstore)

    def remove_all_jobs(self, jobstore: str | None = None) -> None:
        """Remove all jobs, of one job store or of all; before `start` and after `shutdown` the pending ones, with a warning if there are others."""
        self._changing.remove_all(jobstore)

    # Looking

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
        if pending is not None and not self._is_strict:
            warnings.warn(
                "with APScheduler, get_jobs(pending=…) means nothing: all jobs are returned that can be. mainspring's own name, or strict=True, gives it its meaning",
                DeprecationWarning,
                stacklevel=outside(),
            )
            pending = None
        return self._listing.jobs(jobstore, pending, state, tag, executor, search, limit, after)

    def get_job(self, job_id: str, jobstore: str | None = None) -> Job | None:
        """The job with this id, or ``None``; before `start` and after `shutdown` only pending ones are found, with a warning."""
        try:
            job, _ = self._lookup_job(job_id, jobstore)
        except JobLookupError:
            return None
        return job

    def _lookup_job(self, job_id: str, jobstore_alias: str | None) -> tuple[Job, str | None]:
        return self._listing.job(job_id, jobstore_alias)

    def print_jobs(self, jobstore: str | None = None, out: TextIO | None = None) -> None:
        """Print what `get_jobs` returns, by job store, to `out` (``sys.stdout`` if it is not given)."""
        self._listing.print(jobstore, out, self.get_jobs)

    def get_parked_jobs(self, jobstore: str | None = None) -> list[ParkedJob]:
        """The jobs that can't be run here for now, with what is in the way of each.

        Raises:
            StoreNotOpenError: the scheduler has not been started.
        """
        return self._listing.parked(jobstore)

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
        self._access.readable(jobstore)  # an error, where they can't be asked
        self._transfers.write(outfile, self.get_jobs(jobstore), mask_secrets=mask_secrets)

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
        return self._transfers.adopt(source, jobstore, names, dry_run=dry_run)

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
        return self._adding.add_stored(self._transfers.read(infile), jobstore, replace_existing)

    # What the rest of the scheduler provides

    def _create_trigger(self, trigger: Any, trigger_args: dict[str, Any]) -> BaseTrigger:
        return self._factory.trigger(trigger, trigger_args)

    @property
    def _is_strict(self) -> bool:
        raise NotImplementedError
