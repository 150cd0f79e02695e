"""What all schedulers share: the public methods, thin, over the parts that do the work.

A shell for an event loop adds how to wait, how to be woken, and where to call `_process_jobs`.

No lock is held here while anybody else's code runs: listeners, triggers, job functions, job stores and executors may
call any method of the scheduler, from any thread, at any time.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from datetime import datetime
from itertools import chain
from threading import TIMEOUT_MAX, Lock, RLock, get_ident
from typing import TYPE_CHECKING, Any

from mainspring.clock import SYSTEM_CLOCK, Clock
from mainspring.coercion import asbool, asint, undefined, unknown_name
from mainspring.definition import changed_record, new_record, options_with
from mainspring.engine.replacing import replaced
from mainspring.engine.waiting import seconds_until
from mainspring.errors import (
    ConfigurationError,
    ConflictingIdError,
    JobLookupError,
    MaxInstancesReachedError,
    SchedulerAlreadyRunningError,
    SchedulerNotRunningError,
)
from mainspring.events import (
    EVENT_ALL,
    EVENT_ALL_JOBS_REMOVED,
    EVENT_EXECUTOR_ADDED,
    EVENT_EXECUTOR_REMOVED,
    EVENT_JOB_ADDED,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MODIFIED,
    EVENT_JOB_REMOVED,
    EVENT_JOB_SUBMITTED,
    EVENT_JOBSTORE_ADDED,
    EVENT_JOBSTORE_REMOVED,
    EVENT_SCHEDULER_PAUSED,
    EVENT_SCHEDULER_RESUMED,
    EVENT_SCHEDULER_SHUTDOWN,
    EVENT_SCHEDULER_START,
    EVENT_SCHEDULER_STARTED,
    JobEvent,
    JobSubmissionEvent,
    SchedulerEvent,
)
from mainspring.executors.base import BaseExecutor
from mainspring.executors.pool import ThreadPoolExecutor
from mainspring.job import Job
from mainspring.jobstores.adapter import AdaptedStore
from mainspring.jobstores.base import BaseJobStore
from mainspring.jobstores.memory import MemoryJobStore
from mainspring.jobstores.native import NativeJobStore, overrides_v3_methods
from mainspring.model import JobOptions, JobRecord, Submission
from mainspring.references import maybe_ref, obj_to_ref, ref_to_obj
from mainspring.schedulers import process_end
from mainspring.schedulers.configuration import (
    JOB_DEFAULTS,
    collected,
    logger_from,
    merged_job_defaults,
    report_unknown,
)
from mainspring.schedulers.dispatch import Dispatch
from mainspring.schedulers.health import Health, OverdueJob
from mainspring.schedulers.in_flight import InFlight
from mainspring.schedulers.listeners import Listeners
from mainspring.schedulers.plugins import Plugins, part_from
from mainspring.schedulers.reporting import Reporter
from mainspring.timezones import astimezone, convert_to_datetime, local_timezone
from mainspring.triggers.base import BaseTrigger

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Mapping
    from datetime import tzinfo
    from typing import TextIO

    from mainspring.jobstores.contract import RunStore

STATE_STOPPED = 0
STATE_RUNNING = 1
STATE_PAUSED = 2

_STATE_NAMES = {STATE_STOPPED: "stopped", STATE_RUNNING: "running", STATE_PAUSED: "paused"}

_ADD_JOB_PARAMETERS = (
    "args",
    "kwargs",
    "id",
    "name",
    "misfire_grace_time",
    "coalesce",
    "max_instances",
    "next_run_time",
    "jobstore",
    "executor",
    "replace_existing",
)


class _Pending:
    """A job that waits for the scheduler to start: its handle, its store's alias, and how it is to be added."""

    __slots__ = ("alias", "has_next_run_time", "job", "replace_existing")

    def __init__(self, job: Job, alias: str, *, replace_existing: bool, has_next_run_time: bool) -> None:
        self.job = job
        self.alias = alias
        self.replace_existing = replace_existing
        self.has_next_run_time = has_next_run_time


class BaseScheduler(ABC):
    """The methods of every scheduler.

    Args:
        gconfig: a global configuration, whose keys ``apscheduler.<option>`` are used.
        **options: the same options without prefix: ``logger``, ``timezone``, ``jobstore_retry_interval`` (seconds),
            ``job_defaults``, ``jobstores``, ``executors``, ``strict`` (unknown options are errors, not warnings), ``clock``.

    Attributes:
        timezone: in which times without one are read.
        jobstore_retry_interval: seconds before a job store that failed is asked again.
        state: `STATE_STOPPED`, `STATE_RUNNING` or `STATE_PAUSED`.
    """

    #: Options of a subclass, for the check of unknown names.
    _own_options: tuple[str, ...] = ()

    def __init__(self, gconfig: Mapping[str, Any] | None = None, **options: Any) -> None:
        self._clock: Clock = options.pop("clock", None) or SYSTEM_CLOCK
        self._strict = asbool(options.get("strict", False))
        self._trigger_plugins = Plugins("triggers")
        self._executor_plugins = Plugins("executors")
        self._jobstore_plugins = Plugins("jobstores")

        self._lock = Lock()
        self._jobstores_lock = self._create_lock()
        self._executors_lock = self._create_lock()
        self._listeners_lock = self._create_lock()
        self._executors: dict[str, BaseExecutor] = {}
        self._jobstores: dict[str, BaseJobStore] = {}
        self._run_stores: dict[str, RunStore] = {}
        self._pending_jobs: list[_Pending] = []
        self._in_flight = InFlight(self._clock, self._free_places, self._is_place_awaited)
        self._event_queue = Listeners(self._clock)
        self._reporter = Reporter(self._clock, self._event_queue, self._in_flight)
        self._dispatch = Dispatch(
            self._clock,
            self._event_queue,
            self._in_flight,
            self._reporter,
            self._executors,
            lambda: self.state == STATE_RUNNING,
        )
        self._pass_lock = Lock()
        self._pass_thread: int | None = None
        self._last_pass: datetime | None = None
        self._planned: datetime | None = None  # when the loop will come back by itself; None: it won't
        self._loop_has_died = False

        self.state = STATE_STOPPED
        self.timezone: tzinfo = None  # type: ignore[assignment] - set by configure, right below
        self.jobstore_retry_interval = 10.0
        self._job_defaults: dict[str, Any] = dict(JOB_DEFAULTS)
        self._default_options = JobOptions()
        self._logger: logging.Logger = logger_from(None)
        self.configure({} if gconfig is None else gconfig, **options)

    # Configuration

    def configure(
        self, gconfig: Mapping[str, Any] | None = None, prefix: str | None = "apscheduler.", **options: Any
    ) -> None:
        """Set options; those that are not named keep their value.

        Raises:
            SchedulerAlreadyRunningError: the scheduler has been started.
            ConfigurationError: an unknown option in strict mode, or a part that is described wrongly.
        """
        if self.state != STATE_STOPPED:
            raise SchedulerAlreadyRunningError
        self._configure(collected(gconfig or {}, prefix, options, self._known_options()))

    @classmethod
    def _known_options(cls) -> tuple[str, ...]:
        common = ("logger", "timezone", "jobstore_retry_interval", "job_defaults", "jobstores", "executors", "strict")
        return (*common, *cls._own_options)

    def _configure(self, config: dict[str, Any]) -> None:
        if "strict" in config:
            self._strict = asbool(config.pop("strict"))
        report_unknown(
            f"option of {type(self).__name__}",
            [name for name in config if name not in self._known_options()],
            self._known_options(),
            strict=self._strict,
        )
        if self.timezone is None or config.get("timezone") is not None:
            self.timezone = astimezone(config.get("timezone")) or local_timezone()
        if "logger" in config or self._event_queue.logger is None:
            self._logger = logger_from(config.get("logger"))
            self._event_queue.logger = self._logger
        if "jobstore_retry_interval" in config:
            self.jobstore_retry_interval = float(config["jobstore_retry_interval"])
        if "job_defaults" in config:
            self._job_defaults = merged_job_defaults(
                self._job_defaults, config["job_defaults"] or {}, strict=self._strict
            )
            self._default_options = options_with(JobOptions(), self._job_defaults)
        if "executors" in config:
            self._executors.clear()
            for alias, value in config["executors"].items():
                self.add_executor(
                    part_from(value, f"executor {alias!r}", self._executor_plugins, BaseExecutor), alias
                )
        if "jobstores" in config:
            self._jobstores.clear()
            self._run_stores.clear()
            for alias, value in config["jobstores"].items():
                self.add_jobstore(
                    part_from(value, f"job store {alias!r}", self._jobstore_plugins, BaseJobStore), alias
                )

    # Life

    def start(self, paused: bool = False) -> None:
        """Start executors, job stores and the processing of jobs; all of it, or nothing.

        Args:
            paused: don't process jobs until `resume`.

        Raises:
            SchedulerAlreadyRunningError: it was started already.
            ConflictingIdError: a job that was added before has the id of a stored one, and is not to replace it.
        """
        _refuse_uwsgi_without_threads()
        with self._lock:
            if self.state != STATE_STOPPED:
                raise SchedulerAlreadyRunningError
            self.state = STATE_PAUSED  # nothing is processed before all is there
        started: list[Any] = []
        try:
            self._start_parts(started)
            self._store_pending()
        except BaseException:
            for part in reversed(started):
                try:
                    part.shutdown()
                except Exception:
                    self._logger.exception("Error undoing the start of %r", part)
            self.state = STATE_STOPPED
            raise
        self._loop_has_died = False
        self._event_queue.open()
        if not paused:
            self.state = STATE_RUNNING
        self._event_queue.publish(SchedulerEvent(EVENT_SCHEDULER_START))
        self._logger.info("Scheduler started")
        if not paused:
            self.wakeup()

    def _start_parts(self, started: list[Any]) -> None:
        if "default" not in self._executors:
            self.add_executor(self._create_default_executor(), "default")
        if "default" not in self._jobstores:
            self.add_jobstore(self._create_default_jobstore(), "default")
        for alias, executor in list(self._executors.items()):
            started.append(executor)
            executor.start(self, alias)
        for alias, store in list(self._run_stores.items()):
            started.append(store)
            store.start(self, alias)

    def _store_pending(self) -> None:
        """Put the jobs that were added before the start into their stores: all of them, or none."""
        for pending in self._pending_jobs:
            self._store(pending.alias)  # an unknown alias is refused before anything is stored
        added: list[tuple[RunStore, str]] = []
        try:
            for pending in self._pending_jobs:
                store = self._store(pending.alias)
                before = store.get_record(pending.job.id) if pending.replace_existing else None
                record = self._ready(pending.job._record, has_next_run_time=pending.has_next_run_time)  # noqa: SLF001
                kept = self._add_to_store(
                    store,
                    [record],
                    replace_existing=pending.replace_existing,
                    keeps_schedule=not pending.has_next_run_time,
                )
                if before is None:
                    added.append((store, record.id))
                self._attach(pending.job, kept[0], pending.alias, store)
        except BaseException:
            for store, job_id in added:
                store.remove(job_id)
            for pending in self._pending_jobs:
                pending.job._jobstore_alias = pending.job._lookup = None  # noqa: SLF001 - handles are ours
            raise
        stored, self._pending_jobs = self._pending_jobs, []
        for pending in stored:
            self._logger.info('Added job "%s" to job store "%s"', pending.job.name, pending.alias)
            self._event_queue.publish(JobEvent(EVENT_JOB_ADDED, pending.job.id, pending.alias))

    @abstractmethod
    def shutdown(self, wait: bool = True, timeout: float | None = None) -> None:
        """Stop: no job is started any more. May be called from a job or a listener.

        Args:
            wait: let the runs that were submitted end, except the one that calls this.
            timeout: wait for no longer than this many seconds.

        Raises:
            SchedulerNotRunningError: it wasn't started.
        """
        with self._lock:
            if self.state == STATE_STOPPED:
                raise SchedulerNotRunningError
            self.state = STATE_STOPPED
        deadline = None if timeout is None else self._clock.monotonic() + timeout
        self._wake()
        self._wait_for_pass(wait, deadline)
        self._shut_executors_down(wait, deadline)
        for alias, store in list(self._run_stores.items()):
            try:
                store.shutdown()
            except Exception:
                self._logger.exception("Error shutting down job store %r", alias)
        self._logger.info("Scheduler has been shut down")
        self._event_queue.publish(SchedulerEvent(EVENT_SCHEDULER_SHUTDOWN))
        self._event_queue.close(self._left(deadline) if wait else 0)

    def _left(self, deadline: float | None) -> float | None:
        return None if deadline is None else max(deadline - self._clock.monotonic(), 0)

    def _wait_for_pass(self, wait: bool, deadline: float | None) -> None:
        """Let the loop finish what it is submitting, unless this is the loop."""
        if wait and self._pass_thread != get_ident():
            left = self._left(deadline)
            if self._pass_lock.acquire(timeout=TIMEOUT_MAX if left is None else left):
                self._pass_lock.release()

    def _shut_executors_down(self, wait: bool, deadline: float | None) -> None:
        for alias, executor in list(self._executors.items()):
            ended = wait and self._in_flight.wait_for_others(self._left(deadline), executor=alias)
            if wait and not ended:
                left = [submission.job.name for submission in self._in_flight.all()]
                self._logger.warning("Shutting down while jobs still run: %s", ", ".join(left))
            own = self._in_flight.own
            is_own = own is not None and own.job.options.executor == alias
            try:
                # An executor can't wait for the thread that this is called from.
                executor.shutdown(wait=ended and not is_own)
            except Exception:
                self._logger.exception("Error shutting down executor %r", alias)

    def pause(self) -> None:
        """Process no jobs until `resume`; what runs goes on.

        Raises:
            SchedulerNotRunningError: it wasn't started.
        """
        if self.state == STATE_STOPPED:
            raise SchedulerNotRunningError
        if self.state == STATE_RUNNING:
            self.state = STATE_PAUSED
            self._logger.info("Paused scheduler job processing")
            self._event_queue.publish(SchedulerEvent(EVENT_SCHEDULER_PAUSED))

    def resume(self) -> None:
        """Process jobs again after `pause`.

        Raises:
            SchedulerNotRunningError: it wasn't started.
        """
        if self.state == STATE_STOPPED:
            raise SchedulerNotRunningError
        if self.state == STATE_PAUSED:
            self.state = STATE_RUNNING
            self._logger.info("Resumed scheduler job processing")
            self._event_queue.publish(SchedulerEvent(EVENT_SCHEDULER_RESUMED))
            self.wakeup()

    @property
    def running(self) -> bool:
        """Whether the scheduler was started and not shut down, and its loop is alive."""
        return self.state != STATE_STOPPED and not self._loop_has_died

    def health(self) -> Health:
        """Whether jobs are being processed, and what is in the way of those that aren't.

        Asks every job store, so it takes as long as they take to answer.
        """
        now = self._clock.now(self.timezone)
        overdue: list[OverdueJob] = []
        parked = 0
        errors = {alias: f"{type(error).__name__}: {error}" for alias, error in self._dispatch.store_errors.items()}
        for alias, store in list(self._run_stores.items()) if self.state != STATE_STOPPED else []:
            try:
                parked += len(store.parked())
                earliest = store.earliest()
            except Exception as error:  # noqa: BLE001 - that it fails is the answer
                errors.setdefault(alias, f"{type(error).__name__}: {error}")
                continue
            if earliest is not None and earliest.next_run_time is not None and earliest.next_run_time < now:
                due = earliest.next_run_time
                overdue.append(OverdueJob(earliest.id, alias, due, now - due))
        return Health(
            state=_STATE_NAMES[self.state],
            loop_alive=self.running,
            last_pass=self._last_pass,
            oldest_overdue=max(overdue, key=lambda job: job.overdue, default=None),
            running_runs=len(self._in_flight.all()),
            parked_jobs=parked,
            undelivered_events=self._event_queue.undelivered,
            store_errors=errors,
        )

    # Executors

    def add_executor(self, executor: BaseExecutor | str, alias: str = "default", **executor_opts: Any) -> None:
        """Add an executor: an instance, or the name of one with its arguments.

        Raises:
            ValueError: the alias is taken.
        """
        with self._executors_lock:
            if alias in self._executors:
                raise ValueError(
                    f"This scheduler already has an executor by the alias of {alias!r}: remove it, or choose another alias"
                )
            made = self._part(executor, "executor", self._executor_plugins, BaseExecutor, executor_opts)
            self._executors[alias] = made
        if self.state != STATE_STOPPED:
            try:
                made.start(self, alias)
            except BaseException:
                del self._executors[alias]
                raise
            for store in list(self._run_stores.values()):
                store.retry_parked()  # some may have waited for this executor
            self._wake()
        self._event_queue.publish(SchedulerEvent(EVENT_EXECUTOR_ADDED, alias))

    def remove_executor(self, alias: str, shutdown: bool = True) -> None:
        """Remove an executor; jobs that name it are parked until there is one again.

        Raises:
            KeyError: there is none by this alias.
        """
        with self._executors_lock:
            executor = self._lookup_executor(alias)
            del self._executors[alias]
        if shutdown:
            executor.shutdown()
        self._event_queue.publish(SchedulerEvent(EVENT_EXECUTOR_REMOVED, alias))

    def _part(self, part: Any, what: str, plugins: Plugins, base: type, options: dict[str, Any]) -> Any:
        if isinstance(part, base):
            if options:
                report_unknown(f"option beside an instance of {what}", options, (), strict=self._strict)
            return part
        if isinstance(part, str):
            return plugins.create(part, base, options)
        raise TypeError(f"expected an instance or the name of an {what}, got {type(part).__name__} {part!r}")

    def _lookup_executor(self, alias: str) -> BaseExecutor:
        try:
            return self._executors[alias]
        except KeyError:
            raise KeyError(f"No such executor: {unknown_name('executor', alias, self._executors)}") from None

    def _create_default_executor(self) -> BaseExecutor:
        return ThreadPoolExecutor()

    # Job stores

    def add_jobstore(self, jobstore: BaseJobStore | str, alias: str = "default", **jobstore_opts: Any) -> None:
        """Add a job store: an instance, or the name of one with its arguments.

        Raises:
            ValueError: the alias is taken.
        """
        with self._jobstores_lock:
            if alias in self._jobstores:
                raise ValueError(
                    f"This scheduler already has a job store by the alias of {alias!r}: remove it, or choose another alias"
                )
            made = self._part(jobstore, "job store", self._jobstore_plugins, BaseJobStore, jobstore_opts)
            claims = isinstance(made, NativeJobStore) and not overrides_v3_methods(made)
            store: RunStore = made if claims else AdaptedStore(made)
            if self.state != STATE_STOPPED:
                store.start(self, alias)
            self._jobstores[alias] = made
            self._run_stores[alias] = store
        self._event_queue.publish(SchedulerEvent(EVENT_JOBSTORE_ADDED, alias))
        if self.state != STATE_STOPPED:
            self._wake()

    def remove_jobstore(self, alias: str, shutdown: bool = True) -> None:
        """Remove a job store with its jobs from this scheduler; what it keeps durably stays there.

        Raises:
            KeyError: there is none by this alias.
        """
        with self._jobstores_lock:
            store = self._store(alias)
            del self._jobstores[alias]
            del self._run_stores[alias]
        if shutdown:
            store.shutdown()
        self._event_queue.publish(SchedulerEvent(EVENT_JOBSTORE_REMOVED, alias))

    def _store(self, alias: str) -> RunStore:
        try:
            return self._run_stores[alias]
        except KeyError:
            raise KeyError(f"No such job store: {unknown_name('job store', alias, self._run_stores)}") from None

    def _lookup_jobstore(self, alias: str) -> BaseJobStore:
        self._store(alias)
        return self._jobstores[alias]

    def _create_default_jobstore(self) -> BaseJobStore:
        return MemoryJobStore()

    # Listeners

    def add_listener(self, callback: Callable[[Any], Any], mask: int = EVENT_ALL) -> None:
        """Call `callback` with every event whose code is in `mask`.

        Runs are reported by a thread kept for it, in order, so that a slow listener holds nothing up; what a method of the
        scheduler did is reported before it returns, unless earlier events are still being delivered.
        """
        if not callable(callback):
            raise TypeError(f"a listener must be callable, got {type(callback).__name__} {callback!r}")
        self._event_queue.add(callback, mask)

    def remove_listener(self, callback: Callable[[Any], Any]) -> None:
        """Don't call `callback` any more, however often it was added."""
        self._event_queue.remove(callback)

    @property
    def _listeners(self) -> list[tuple[Callable[[Any], Any], int]]:
        return list(self._event_queue.pairs)

    def _dispatch_event(self, event: SchedulerEvent) -> None:
        self._event_queue.publish(event)

    # Adding jobs

    def add_job(
        self,
        func: Callable[..., Any] | str,
        trigger: BaseTrigger | str | None = None,
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        id: str | None = None,  # noqa: A002 - APScheduler's name
        name: str | None = None,
        misfire_grace_time: Any = undefined,
        coalesce: Any = undefined,
        max_instances: Any = undefined,
        next_run_time: Any = undefined,
        jobstore: str = "default",
        executor: str = "default",
        replace_existing: bool = False,
        **trigger_args: Any,
    ) -> Job:
        """Add a job; before `start` it is kept aside until then.

        Args:
            func: what to run, or a text reference ``"package.module:function"`` to it.
            trigger: when: a trigger, or the name of one with its arguments in `trigger_args`; ``None``: once, now.
            args, kwargs: what to call it with.
            id: the job's identifier; a new one is made if it is not given.
            name: what people see; the function's name if it is not given.
            misfire_grace_time: seconds (or a ``timedelta``) that a run may be late and still be dispatched; ``None``: any.
            coalesce: make one run of several that are overdue.
            max_instances: how many runs of the job may go on at a time.
            next_run_time: the first time, instead of the trigger's; ``None`` adds the job paused.
            jobstore: alias of the job store.
            executor: alias of the executor.
            replace_existing: replace a job of the same id. With an equal trigger it keeps its next run time; a paused
                job stays paused.

        Raises:
            ConflictingIdError: the id is taken.
            TypeError, ValueError, LookupError: a value that can't be what it should; the message says what was expected.
        """
        changes: dict[str, Any] = {"executor": executor}
        if misfire_grace_time is not undefined:
            changes["misfire_grace_time"] = misfire_grace_time
        if coalesce is not undefined:
            changes["coalesce"] = coalesce
        if max_instances is not undefined:
            changes["max_instances"] = max_instances
        has_next_run_time = next_run_time is not undefined
        record = new_record(
            func=func,
            trigger=self._create_trigger(trigger, trigger_args),
            args=args,
            kwargs=kwargs,
            id=id,
            name=name,
            options=options_with(self._default_options, changes),
            next_run_time=self._moment(next_run_time) if has_next_run_time else None,
        )
        job = Job._from_record(record, self, None)  # noqa: SLF001 - handles are ours
        if self.state == STATE_STOPPED:
            self._add_pending(job, jobstore, replace_existing=replace_existing, has_next_run_time=has_next_run_time)
        else:
            self._real_add_job(job, jobstore, replace_existing, has_next_run_time=has_next_run_time)
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
        records: list[JobRecord] = []
        named: list[bool] = []
        for job in jobs:
            record, has_next_run_time = self._record_from(job)
            records.append(record)
            named.append(has_next_run_time)
        if self.state == STATE_STOPPED:
            return self._add_many_pending(records, named, jobstore, replace_existing=replace_existing)
        store = self._store(jobstore)
        ready = [
            self._ready(record, has_next_run_time=has) for record, has in zip(records, named, strict=True)
        ]
        place = self._event_queue.reserve() if self._event_queue.mask & EVENT_JOB_ADDED else None
        try:
            kept = self._add_to_store(
                store, ready, replace_existing=replace_existing, keeps_schedule=not any(named)
            )
            if place is not None:
                for record in kept:
                    self._event_queue.post(JobEvent(EVENT_JOB_ADDED, record.id, jobstore))
        finally:
            if place is not None:
                self._event_queue.cancel(place)
        self._logger.info('Added %d jobs to job store "%s"', len(kept), jobstore)
        self._wake_for(min((record.next_run_time for record in kept if record.next_run_time), default=None))
        lookup = store.get_record if store.live_records else None
        from_record = Job._from_record  # noqa: SLF001 - handles are ours
        return [from_record(record, self, jobstore, lookup) for record in kept]

    def _record_from(self, job: Mapping[str, Any]) -> tuple[JobRecord, bool]:
        values = dict(job)
        if "func" not in values:
            raise ValueError(f"a job needs a 'func', got only {sorted(values)}")
        changes = {
            key: values.pop(key)
            for key in ("misfire_grace_time", "coalesce", "max_instances", "executor")
            if key in values
        }
        has_next_run_time = "next_run_time" in values
        next_run_time = self._moment(values.pop("next_run_time")) if has_next_run_time else None
        record = new_record(
            func=values.pop("func"),
            args=values.pop("args", None),
            kwargs=values.pop("kwargs", None),
            id=values.pop("id", None),
            name=values.pop("name", None),
            trigger=self._create_trigger(values.pop("trigger", None), values),
            options=options_with(self._default_options, changes) if changes else self._default_options,
            next_run_time=next_run_time,
        )
        return record, has_next_run_time

    def scheduled_job(
        self,
        trigger: BaseTrigger | str,
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        id: str | None = None,  # noqa: A002 - APScheduler's name
        name: str | None = None,
        misfire_grace_time: Any = undefined,
        coalesce: Any = undefined,
        max_instances: Any = undefined,
        next_run_time: Any = undefined,
        jobstore: str = "default",
        executor: str = "default",
        **trigger_args: Any,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """A decorator that adds the function as a job, replacing one of the same id; takes what `add_job` takes."""

        def add(func: Callable[..., Any]) -> Callable[..., Any]:
            self.add_job(
                func,
                trigger,
                args,
                kwargs,
                id,
                name,
                misfire_grace_time,
                coalesce,
                max_instances,
                next_run_time,
                jobstore,
                executor,
                True,
                **trigger_args,
            )
            return func

        return add

    def _add_pending(self, job: Job, alias: str, *, replace_existing: bool, has_next_run_time: bool) -> None:
        pending = _Pending(job, alias, replace_existing=replace_existing, has_next_run_time=has_next_run_time)
        with self._lock:
            for position, other in enumerate(self._pending_jobs):
                if other.job.id == job.id and other.alias == alias:
                    if not replace_existing:
                        raise ConflictingIdError(job.id)
                    self._pending_jobs[position] = pending
                    break
            else:
                self._pending_jobs.append(pending)
        self._logger.info("Adding job tentatively -- it will be properly scheduled when the scheduler starts")

    def _add_many_pending(
        self, records: list[JobRecord], named: list[bool], alias: str, *, replace_existing: bool
    ) -> list[Job]:
        jobs = [Job._from_record(record, self, None) for record in records]  # noqa: SLF001 - handles are ours
        with self._lock:
            taken = {pending.job.id: at for at, pending in enumerate(self._pending_jobs) if pending.alias == alias}
            if not replace_existing:
                for job in jobs:
                    if job.id in taken:
                        raise ConflictingIdError(job.id)
                    taken[job.id] = -1
            for job, has in zip(jobs, named, strict=True):
                pending = _Pending(job, alias, replace_existing=replace_existing, has_next_run_time=has)
                if replace_existing and job.id in taken:
                    self._pending_jobs[taken[job.id]] = pending
                else:
                    taken[job.id] = len(self._pending_jobs)
                    self._pending_jobs.append(pending)
        return jobs

    def _real_add_job(
        self, job: Job, jobstore_alias: str, replace_existing: bool, *, has_next_run_time: bool | None = None
    ) -> None:
        store = self._store(jobstore_alias)
        if has_next_run_time is None:
            has_next_run_time = job.next_run_time is not None
        record = self._ready(job._record, has_next_run_time=has_next_run_time)  # noqa: SLF001 - handles are ours
        # The place is taken first: a run of the job can't be told of before the job is.
        place = self._event_queue.reserve() if self._event_queue.mask & EVENT_JOB_ADDED else None
        try:
            (kept,) = self._add_to_store(
                store, [record], replace_existing=replace_existing, keeps_schedule=not has_next_run_time
            )
            self._attach(job, kept, jobstore_alias, store)
            self._logger.info('Added job "%s" to job store "%s"', kept.name, jobstore_alias)
            if place is not None:
                self._event_queue.publish(JobEvent(EVENT_JOB_ADDED, kept.id, jobstore_alias), place)
                place = None
        finally:
            if place is not None:
                self._event_queue.cancel(place)
        self._wake_for(kept.next_run_time)

    def _ready(self, record: JobRecord, *, has_next_run_time: bool) -> JobRecord:
        """`record` with its trigger tied to this scheduler, and its first run time."""
        now = self._clock.now(self.timezone)
        trigger = record.trigger.bind(timezone=self.timezone, now=now, job_id=record.id)
        next_run_time = record.next_run_time
        if not has_next_run_time:
            next_run_time = trigger.get_next_fire_time(None, now)
            if next_run_time is None:
                self._logger.warning('Job "%s" will never run: its trigger %s has no time left', record.name, trigger)
        return JobRecord(
            record.id,
            record.name,
            record.func,
            record.func_ref,
            record.args,
            record.kwargs,
            trigger,
            record.options,
            next_run_time,
            record.version,
        )

    @staticmethod
    def _add_to_store(
        store: RunStore, records: list[JobRecord], *, replace_existing: bool, keeps_schedule: bool
    ) -> list[JobRecord]:
        if not replace_existing:
            return store.add_records(records, None)
        return store.add_records(records, lambda old, new: replaced(old, new, keeps_schedule=keeps_schedule))

    def _attach(self, job: Job, record: JobRecord, alias: str, store: RunStore) -> None:
        job._jobstore_alias = alias  # noqa: SLF001 - handles are ours
        job._lookup = store.get_record if store.live_records else None  # noqa: SLF001
        job._record = record  # noqa: SLF001

    def _moment(self, value: Any) -> datetime | None:
        return convert_to_datetime(value, self.timezone, "next_run_time")

    def _create_trigger(self, trigger: Any, trigger_args: dict[str, Any]) -> BaseTrigger:
        if isinstance(trigger, BaseTrigger):
            if trigger_args:
                report_unknown("parameter of add_job", trigger_args, _ADD_JOB_PARAMETERS, strict=self._strict)
            return trigger
        if trigger is None:
            trigger = "date"
        elif not isinstance(trigger, str):
            raise TypeError(f"trigger must be a trigger, or the name of one, got {type(trigger).__name__} {trigger!r}")
        try:
            made: BaseTrigger = self._trigger_plugins.create(trigger, BaseTrigger, trigger_args)
        except TypeError as error:
            hint = _unknown_argument(trigger_args, self._trigger_plugins.load(trigger))
            if hint is None:
                raise
            raise TypeError(f"{hint} (add_job with trigger {trigger!r})") from error
        return made

    # Changing jobs

    def modify_job(self, job_id: str, jobstore: str | None = None, **changes: Any) -> Job:
        """Change attributes of a job: any that `add_job` takes, but for its id and stores.

        A new trigger without a `next_run_time` makes the next run time anew; a paused job stays paused.

        Raises:
            JobLookupError: there is no such job.
            AttributeError: an attribute that can't be changed.
            TypeError, ValueError, LookupError: as for `add_job`.
        """
        now = self._clock.now(self.timezone)
        if "next_run_time" in changes:
            changes["next_run_time"] = self._moment(changes["next_run_time"])
        recomputes = False
        upcoming: datetime | None = None
        trigger = changes.get("trigger")
        if isinstance(trigger, BaseTrigger):
            changes["trigger"] = trigger = trigger.bind(timezone=self.timezone, now=now, job_id=job_id)
            recomputes = "next_run_time" not in changes
            upcoming = trigger.get_next_fire_time(None, now) if recomputes else None

        def change(old: JobRecord) -> JobRecord:
            new = changed_record(old, changes)
            if recomputes and old.next_run_time is not None:
                new = changed_record(new, {"next_run_time": upcoming})
            return new

        pending = self._find_pending(job_id, jobstore)
        if pending is not None:
            self._change_pending(pending, changes)
            return pending.job
        alias, store = self._find(job_id, jobstore)
        record = store.change(job_id, change)
        self._event_queue.publish(JobEvent(EVENT_JOB_MODIFIED, job_id, alias))
        self._wake_for(record.next_run_time)
        return self._handle(record, alias, store)

    def _change_pending(self, pending: _Pending, changes: dict[str, Any]) -> None:
        pending.job._modify(**changes)  # noqa: SLF001 - handles are ours
        if "next_run_time" in changes:
            pending.has_next_run_time = True
        self._event_queue.publish(JobEvent(EVENT_JOB_MODIFIED, pending.job.id, pending.alias))

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
        return self.modify_job(job_id, jobstore, trigger=self._create_trigger(trigger, trigger_args))

    def pause_job(self, job_id: str, jobstore: str | None = None) -> Job:
        """Don't run a job until `resume_job`.

        Raises:
            JobLookupError: there is no such job.
        """
        return self.modify_job(job_id, jobstore, next_run_time=None)

    def resume_job(self, job_id: str, jobstore: str | None = None) -> Job | None:
        """Run a paused job again, from the next time of its trigger on.

        Returns:
            the job; ``None`` if its trigger has no time left, in which case the job is removed.

        Raises:
            JobLookupError: there is no such job.
        """
        pending = self._find_pending(job_id, jobstore)
        if pending is not None:
            pending.has_next_run_time = False
            pending.job._modify(next_run_time=None)  # noqa: SLF001 - handles are ours
            return pending.job
        alias, store = self._find(job_id, jobstore)
        while True:
            before = store.get_record(job_id)
            if before is None:
                raise JobLookupError(job_id)
            upcoming = before.trigger.get_next_fire_time(None, self._clock.now(self.timezone))
            if upcoming is None:
                self.remove_job(job_id, alias)
                return None
            record = store.change(
                job_id, lambda old, seen=before: old.rescheduled(upcoming) if old.trigger == seen.trigger else old
            )
            if record.next_run_time == upcoming:
                break
        self._event_queue.publish(JobEvent(EVENT_JOB_MODIFIED, job_id, alias))
        self._wake_for(record.next_run_time)
        return self._handle(record, alias, store)

    def remove_job(self, job_id: str, jobstore: str | None = None) -> None:
        """Remove a job; what runs of it goes on.

        Raises:
            JobLookupError: there is no such job.
        """
        pending = self._find_pending(job_id, jobstore)
        if pending is not None:
            self._pending_jobs.remove(pending)
            alias = pending.alias
        else:
            alias, store = self._find(job_id, jobstore)
            store.remove(job_id)
        self._event_queue.publish(JobEvent(EVENT_JOB_REMOVED, job_id, alias))
        self._logger.info("Removed job %s", job_id)

    def remove_all_jobs(self, jobstore: str | None = None) -> None:
        """Remove all jobs, of one job store or of all."""
        if jobstore is not None and self.state != STATE_STOPPED:
            self._store(jobstore)
        with self._lock:
            self._pending_jobs = [
                pending for pending in self._pending_jobs if jobstore is not None and pending.alias != jobstore
            ]
        for _, store in self._readable(jobstore):
            store.remove_all()
        self._event_queue.publish(SchedulerEvent(EVENT_ALL_JOBS_REMOVED, jobstore))

    # Looking at jobs

    def get_jobs(self, jobstore: str | None = None, pending: bool | None = None) -> list[Job]:
        """The jobs, of one job store or of all, soonest first in each.

        Args:
            jobstore: alias of a job store.
            pending: no longer needed: pending jobs are listed before the start, stored ones after it.
        """
        if jobstore is not None and self.state != STATE_STOPPED:
            self._store(jobstore)
        waiting = [
            one.job for one in list(self._pending_jobs) if jobstore is None or one.alias == jobstore
        ]
        stored = chain.from_iterable(
            (self._handle(record, alias, store) for record in store.list_records())
            for alias, store in self._readable(jobstore)
        )
        return [*waiting, *stored] if pending is None else waiting if pending else list(stored)

    def get_job(self, job_id: str, jobstore: str | None = None) -> Job | None:
        """The job with this id, or ``None``."""
        try:
            job, _ = self._lookup_job(job_id, jobstore)
        except JobLookupError:
            return None
        return job

    def _lookup_job(self, job_id: str, jobstore_alias: str | None) -> tuple[Job, str | None]:
        pending = self._find_pending(job_id, jobstore_alias)
        if pending is not None:
            return pending.job, None
        for alias, store in self._readable(jobstore_alias):
            record = store.get_record(job_id)
            if record is not None:
                return self._handle(record, alias, store), alias
        raise JobLookupError(job_id)

    def _find_pending(self, job_id: str, alias: str | None) -> _Pending | None:
        for pending in list(self._pending_jobs):
            if pending.job.id == job_id and alias in (None, pending.alias):
                return pending
        return None

    def _find(self, job_id: str, alias: str | None) -> tuple[str, RunStore]:
        candidates = self._readable(alias)
        if alias is not None and candidates:
            return candidates[0]
        for candidate, store in candidates:
            if store.get_record(job_id) is not None:
                return candidate, store
        raise JobLookupError(job_id)

    def _readable(self, alias: str | None) -> list[tuple[str, RunStore]]:
        """The stores to look into: while stopped only those in memory, since the others are closed."""
        return [
            (name, store)
            for name, store in list(self._run_stores.items())
            if alias in (None, name) and (self.state != STATE_STOPPED or store.live_records)
        ]

    def _handle(self, record: JobRecord, alias: str, store: RunStore) -> Job:
        lookup = store.get_record if store.live_records else None
        return Job._from_record(record, self, alias, lookup)  # noqa: SLF001 - handles are ours

    def print_jobs(self, jobstore: str | None = None, out: TextIO | None = None) -> None:
        """Print what `get_jobs` returns, by job store, to `out` (``sys.stdout`` if it is not given)."""
        out = out or sys.stdout
        if self.state == STATE_STOPPED:
            self._print("Pending jobs", self.get_jobs(jobstore), "No pending jobs", out)
            return
        for alias, store in sorted(self._readable(jobstore)):
            jobs = [self._handle(record, alias, store) for record in store.list_records()]
            self._print(f"Jobstore {alias}", jobs, "No scheduled jobs", out)

    @staticmethod
    def _print(title: str, jobs: list[Job], none: str, out: TextIO) -> None:
        print(f"{title}:", file=out)
        for line in jobs or [none]:
            print(f"    {line}", file=out)

    def export_jobs(self, outfile: Any, jobstore: str | None = None) -> None:
        """Write jobs as JSON to `outfile` (a path or a text file), for `import_jobs` of this or another scheduler.

        Args:
            jobstore: alias of the job store whose jobs are written; ``None``: those of all.
        """
        from mainspring.schedulers.exchange import write_jobs

        write_jobs(outfile, [job._record for job in self.get_jobs(jobstore)])  # noqa: SLF001 - handles are ours

    def import_jobs(self, infile: Any, jobstore: str = "default", *, replace_existing: bool = False) -> list[Job]:
        """Add the jobs that `export_jobs` wrote, with the next run times that they had: all of them, or none.

        Args:
            infile: a path or a text file.
            jobstore: alias of the job store that they are put into.
            replace_existing: replace jobs of the same ids.

        Raises:
            ConflictingIdError: an id is taken.
            SerializationError: the file holds something else.
        """
        from mainspring.schedulers.exchange import read_jobs

        jobs = [Job._from_record(record, self, None) for record in read_jobs(infile)]  # noqa: SLF001 - handles are ours
        for job in jobs:
            if self.state == STATE_STOPPED:
                self._add_pending(job, jobstore, replace_existing=replace_existing, has_next_run_time=True)
            else:
                self._real_add_job(job, jobstore, replace_existing, has_next_run_time=True)
        return jobs

    # The loop

    @abstractmethod
    def wakeup(self) -> None:
        """Have the loop look for due jobs as soon as it can."""

    def _wake(self) -> None:
        """Wake the loop if there is one."""
        try:
            self.wakeup()
        except Exception:
            self._logger.exception("Error waking the scheduler's loop")

    def _wake_for(self, moment: datetime | None) -> None:
        """Wake the loop if it would sleep past `moment`."""
        if self.state == STATE_RUNNING and moment is not None:
            planned = self._planned
            if planned is None or moment.timestamp() < planned.timestamp():
                self._wake()

    def _process_jobs(self) -> float | None:
        """Run what is due; the seconds until the next job is, or ``None`` if that is not known.

        Never raises for what a store, a trigger, an executor or a listener does.
        """
        with self._pass_lock:
            self._pass_thread = get_ident()
            try:
                return self._pass()
            finally:
                self._pass_thread = None

    def _pass(self) -> float | None:
        self._planned = None
        self._last_pass = self._clock.now(self.timezone)
        if self.state != STATE_RUNNING:
            return None
        self._logger.debug("Looking for jobs to run")
        # Whatever is added from here on and is due before this pass is over must wake the loop.
        next_time = self._dispatch.run(
            dict(self._run_stores), self.timezone, self.jobstore_retry_interval, self._logger
        )
        if self.state != STATE_RUNNING:
            return None
        self._planned = next_time
        if next_time is None:
            self._logger.debug("No jobs; waiting until a job is added")
            return None
        wait = min(seconds_until(next_time, self._clock.now(self.timezone)), TIMEOUT_MAX)
        self._logger.debug("Next wakeup is due at %s (in %f seconds)", next_time, wait)
        return wait

    def _free_places(self, ended: list[Submission]) -> None:
        """Tell the stores which instances have ended."""
        by_store: dict[str, list[Submission]] = {}
        for submission in ended:
            by_store.setdefault(submission.jobstore, []).append(submission)
        for alias, submissions in by_store.items():
            store = self._run_stores.get(alias)
            try:
                if store is not None and store.finish(submissions):
                    self._wake()
            except Exception:
                self._logger.exception("Job store %r could not note that runs have ended", alias)

    def _is_place_awaited(self) -> bool:
        return any(store.has_waiting for store in list(self._run_stores.values()))

    def _create_lock(self) -> Any:
        return RLock()

    def __getstate__(self) -> Any:
        raise TypeError(
            "Schedulers cannot be serialized. Most likely a job's function is a method of an object that holds the "
            "scheduler: use a function at module level, or keep the scheduler out of the object's state"
        )


def _unknown_argument(arguments: Mapping[str, Any], trigger: Any) -> str | None:
    """A sentence on the first of `arguments` that neither the trigger nor `add_job` takes."""
    from inspect import signature

    parameters = set(signature(trigger).parameters) - {"self"}
    for name in arguments:
        if name not in parameters:
            return unknown_name("parameter", name, (*parameters, *_ADD_JOB_PARAMETERS))
    return None


def _refuse_uwsgi_without_threads() -> None:
    uwsgi = sys.modules.get("uwsgi")
    if uwsgi is not None and not getattr(uwsgi, "opt", {}).get("enable-threads", True):
        raise RuntimeError("The scheduler needs threads, and uWSGI was started without: give it --enable-threads")


# Programs import these from here.
__all__ = [
    "EVENT_ALL",
    "EVENT_ALL_JOBS_REMOVED",
    "EVENT_EXECUTOR_ADDED",
    "EVENT_EXECUTOR_REMOVED",
    "EVENT_JOBSTORE_ADDED",
    "EVENT_JOBSTORE_REMOVED",
    "EVENT_JOB_ADDED",
    "EVENT_JOB_MAX_INSTANCES",
    "EVENT_JOB_MODIFIED",
    "EVENT_JOB_REMOVED",
    "EVENT_JOB_SUBMITTED",
    "EVENT_SCHEDULER_PAUSED",
    "EVENT_SCHEDULER_RESUMED",
    "EVENT_SCHEDULER_SHUTDOWN",
    "EVENT_SCHEDULER_START",
    "EVENT_SCHEDULER_STARTED",
    "STATE_PAUSED",
    "STATE_RUNNING",
    "STATE_STOPPED",
    "TIMEOUT_MAX",
    "BaseExecutor",
    "BaseJobStore",
    "BaseScheduler",
    "BaseTrigger",
    "ConfigurationError",
    "ConflictingIdError",
    "Job",
    "JobEvent",
    "JobLookupError",
    "JobSubmissionEvent",
    "MaxInstancesReachedError",
    "MemoryJobStore",
    "SchedulerAlreadyRunningError",
    "SchedulerEvent",
    "SchedulerNotRunningError",
    "ThreadPoolExecutor",
    "asbool",
    "asint",
    "astimezone",
    "maybe_ref",
    "obj_to_ref",
    "process_end",
    "ref_to_obj",
    "undefined",
]
