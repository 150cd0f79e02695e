"""What all schedulers share: the public methods, thin, over the parts that do the work.

A shell for an event loop adds how to wait, how to be woken, and where to call `_process_jobs`.

No lock is held here while anybody else's code runs: listeners, triggers, job functions, job stores and executors may
call any method of the scheduler, from any thread, at any time.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from threading import TIMEOUT_MAX, RLock, get_ident
from typing import TYPE_CHECKING, Any

from mainspring import profile
from mainspring.aside import Aside
from mainspring.clock import REAL_CLOCK, SYSTEM_CLOCK, Clock, SystemClock  # noqa: TID251 - here a scheduler is put together, and ended
from mainspring.coercion import (
    asbool,
    asint,
    is_number,
    names_parameters,
    number_meant,
    undefined,
    unknown_name,
)
from mainspring.definition import options_with
from mainspring.errors import (
    ConfigurationError,
    ConflictingIdError,
    ForkedProcessError,
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
from mainspring.forks import leaves_to_parent
from mainspring.imported_again import is_imported_for_another
from mainspring.job import Job
from mainspring.jobstores.base import BaseJobStore
from mainspring.jobstores.memory import MemoryJobStore
from mainspring.masking import shown_error, use_secret_names
from mainspring.model import JobOptions
from mainspring.printable import shown
from mainspring.references import maybe_ref, obj_to_ref, ref_to_obj
from mainspring.safe_logging import SafeLogger
from mainspring.schedulers import process_end
from mainspring.schedulers.adding_service import AddingService
from mainspring.schedulers.awaited_runs import AwaitedRuns
from mainspring.schedulers.changing_service import ChangingService
from mainspring.schedulers.configuration import (
    JOB_DEFAULTS,
    collected,
    hooks_from,
    logger_from,
    merged_job_defaults,
    report_unknown,
    seconds_from,
)
from mainspring.schedulers.dispatch import Dispatch
from mainspring.schedulers.doubtful_jobs import DoubtfulJobs
from mainspring.schedulers.executor_host import SchedulerHost as ExecutorsHost
from mainspring.schedulers.group_methods import GroupMethods
from mainspring.schedulers.group_service import GroupService
from mainspring.schedulers.health import Health
from mainspring.schedulers.hooks import JobHooks, take_hooks
from mainspring.schedulers.in_flight import InFlight
from mainspring.schedulers.job_factory import JobFactory
from mainspring.schedulers.job_methods import JobMethods
from mainspring.schedulers.left_behind import LeftBehind
from mainspring.schedulers.life import Life
from mainspring.schedulers.listeners import Listeners
from mainspring.schedulers.listing_service import ListingService
from mainspring.schedulers.opening_service import OpeningService
from mainspring.schedulers.passes import Passes
from mainspring.schedulers.pending import PendingJob, PendingJobs
from mainspring.schedulers.plugins import OF_ALL_SCHEDULERS, Plugins, instead_of_instance, part_from
from mainspring.schedulers.reporting import Reporter
from mainspring.schedulers.run_methods import RunMethods
from mainspring.schedulers.run_service import RunService
from mainspring.schedulers.service_host import ServiceHost
from mainspring.schedulers.signals import SIGNALS
from mainspring.schedulers.starting import Started, Starting
from mainspring.schedulers.states import STATE_FORKED, STATE_NAMES, STATE_PAUSED, STATE_RUNNING, STATE_STOPPED
from mainspring.schedulers.stopping import Alarms, Stopping
from mainspring.schedulers.store_access import StoreAccess
from mainspring.schedulers.store_adoptions import StoreAdoptions
from mainspring.schedulers.store_checks import StoreChecks, looked_at
from mainspring.schedulers.store_host import SchedulerHost
from mainspring.schedulers.stores import Stores
from mainspring.schedulers.stuck_runs import StuckRuns
from mainspring.schedulers.transfer_service import TransferService
from mainspring.schedulers.unlimited_groups import UnlimitedGroups
from mainspring.schedulers.uwsgi import prepare_for_uwsgi
from mainspring.schedulers.views import ListenerList, LoadedClasses, PendingList, PluginNames
from mainspring.schedulers.winding_down import STORES_ANSWER_WITHIN, WindingDown, left_until
from mainspring.storable import checked_limits
from mainspring.timezones import astimezone
from mainspring.timezones import local_timezone as get_localzone  # the name that programs' tests replace
from mainspring.triggers.base import BaseTrigger

if TYPE_CHECKING:
    import logging
    from collections.abc import (
        Callable,
        Iterable,
        Iterator,
        Mapping,
        MutableSequence,
    )
    from datetime import tzinfo

    from mainspring.jobstores.shared.upkeep import Runner, Upkeep
    from mainspring.model import JobRecord, RunRecord, Submission

#: Seconds for which a pass may go on when the process ends.
_LAST_PASS_WITHIN = 1.0


class _ReplaceableClock(SystemClock):
    """The machine's clock, by the name that the tests of programs written for APScheduler replace in this module."""

    __slots__ = ()

    def now(self, timezone: tzinfo = UTC) -> datetime:
        """The wall time, aware, in `timezone`."""
        return datetime.now(timezone)  # noqa: TID251 - what stands here instead is asked


@names_parameters
class BaseScheduler(JobMethods, RunMethods, GroupMethods, ABC):
    """The methods of every scheduler.

    Args:
        gconfig: a global configuration, whose keys ``apscheduler.<option>`` are used.
        **options: the same options without prefix: ``logger``, ``timezone``, ``jobstore_retry_interval`` (seconds), ``start_timeout`` (seconds),
            ``job_defaults``, ``secret_names`` (patterns of names of arguments that are masked, besides the usual ones; ``False``: none),
            ``run_limits`` (bytes that are kept of what runs hand in: ``progress``, ``log``, ``traceback``, ``result``,
            ``error``), ``around_run`` (functions that make context managers, in which every run is run), ``handle_signals`` (whether SIGINT and SIGTERM drain
            this scheduler), ``shutdown_timeout`` (seconds that a shutdown waits for runs), ``jobstores``, ``executors``, ``strict`` (unknown options are errors, not warnings), ``clock``.

    Attributes:
        timezone: in which times without one are read.
        jobstore_retry_interval: seconds before a job store that failed is asked again.
        start_timeout: seconds for which `start` tries to have a job store that can't be had for a reason that may pass.
        started: a future that is done when the latest `start` is over.
        around_run: functions that make context managers, in which every run is run.
        handle_signals: whether SIGINT and SIGTERM, where they come to the main thread and the program has no handler of its own, have this
            scheduler drain, and then end the program: by default those of which `start` runs the loop do.
        shutdown_timeout: seconds that `shutdown` waits for runs where it isn't told for how long, and a drain; ``None``: however long it takes.
        state: `STATE_STOPPED`, `STATE_RUNNING` or `STATE_PAUSED`; in a process that was forked while it ran, `STATE_FORKED`.
    """

    timezone: tzinfo

    #: Whether the loop comes back when `_process_jobs` says so, since somebody has replaced it.
    _waits_as_told = False

    handle_signals = False
    #: Whether it is nobody's mistake that signals are handled by others.
    _signals_may_be_others = False

    #: Options of a subclass, for the check of unknown names.
    _own_options: tuple[str, ...] = ()

    def __init__(self, gconfig: Mapping[str, Any] | None = None, **options: Any) -> None:
        self._stands_in = profile.stands_in()
        usual = _ReplaceableClock() if self._stands_in else SYSTEM_CLOCK
        self._clock: Clock = options.pop("clock", None) or usual
        self._plugins = {kind: of_all.copied() for kind, of_all in OF_ALL_SCHEDULERS.items()}

        self._life = Life()
        self._executors_by_alias: dict[str, BaseExecutor] = {}
        self._stores = Stores(self)
        self._waiting_jobs = PendingJobs(lambda: self._is_strict)
        self._unlimited_groups = UnlimitedGroups(self._stores, lambda: self._logger)
        self._doubtful_jobs = self._create_doubtful_jobs()
        self._factory = JobFactory(self._trigger_plugins, self._clock, stands_in=self._stands_in)
        self._event_queue = Listeners()
        self._service_host = host = ServiceHost(self, self._clock)
        self._access = StoreAccess(host, self._life, self._stores, self._waiting_jobs)
        self._listing = ListingService(host, self._access, self._stores, self._waiting_jobs)
        self._groups = GroupService(host, self._access, self._stores)
        self.store_host = SchedulerHost(host, self._executors, self._event_queue)
        self.executor_host = ExecutorsHost(self._clock)
        self._hooks = JobHooks(self)
        self._adding = AddingService(
            host,
            self._life,
            self._access,
            self._stores,
            self._waiting_jobs,
            self._factory,
            self._hooks,
            self._event_queue,
            self._unlimited_groups,
            self._doubtful_jobs,
        )
        self._changing = ChangingService(
            host,
            self._access,
            self._stores,
            self._waiting_jobs,
            self._factory,
            self._hooks,
            self._adding,
            self._unlimited_groups,
            self._doubtful_jobs,
        )
        self._begin_in_process()
        self.jobstore_retry_interval = 10.0
        self.start_timeout = 30.0
        self.shutdown_timeout: float | None = None
        self.around_run: tuple[Callable[[], Any], ...] = ()
        self._job_defaults: dict[str, Any] = dict(JOB_DEFAULTS)
        self._logger: logging.Logger = logger_from(None)
        take_hooks(self)
        self.configure({} if gconfig is None else gconfig, **options)
        leaves_to_parent(self)

    def _begin_in_process(self) -> None:
        """Make what belongs to one process: locks, what is run, and who waits for what."""
        self._process = os.getpid()
        self._jobstores_lock = self._create_lock()
        self._executors_lock = self._create_lock()
        self._listeners_lock = self._create_lock()
        self._in_flight = InFlight(self._free_places, self._is_awaited)
        self._alarms = self._create_alarms()
        self._stuck_runs = StuckRuns()
        self._stopping = Stopping(
            self._alarms,
            self._executors,
            self._abandon,
            self._lose,
            lambda: self._logger,
            self._stuck_runs,
            lambda submission, count: self._runs.pause_stuck(submission, count),  # noqa: PLW0108 - made below, of this
        )
        self._reporter = Reporter(
            self._clock,
            self._event_queue,
            self._in_flight,
            self._stores.progress,
            self._stopping.watch,
            self._stopping.signal_stop,
            self._stores.report_progress,
            self._stuck_runs,
        )
        self._awaited_runs = AwaitedRuns(self._reporter)
        self.executor_host.begin_in_process(self._in_flight, self._reporter)
        self._dispatch = Dispatch(
            self._clock,
            self._event_queue,
            self._in_flight,
            self._reporter,
            self._executors,
            lambda: self._life.state == STATE_RUNNING,
            self._stopping.stop,
            self._stores.unhanded,
            submits_missed=self._stands_in,
        )
        self._passes = Passes(self._clock, self._stores, self._dispatch, self._life)
        self._winding_down = WindingDown(
            self._stores,
            self._executors,
            self._in_flight,
            self._reporter,
            self._dispatch,
            self._stopping,
            self._passes,
            lambda: self._logger,
            self._waits_no_more,
        )
        self._runs = RunService(
            self._service_host,
            self._life,
            self._access,
            self._stores,
            self._in_flight,
            self._stopping,
            self._event_queue,
        )
        self.store_host.begin_in_process(self._in_flight, self._stopping)
        self._adoptions = StoreAdoptions(
            self._factory, self._clock, lambda: self._log, self._wake, stands_in=self._stands_in
        )
        self._opening = OpeningService(
            self._service_host, self._life, self._stores, self._waiting_jobs, self._adding, self._adoptions
        )
        self._transfers = TransferService(
            self._service_host,
            self._access,
            self._stores,
            self._factory,
            self._doubtful_jobs,
            self._adoptions,
        )
        self._looping: int | None = None  # the thread that makes a pass as the loop
        self._store_checks = StoreChecks()

    def _upkeep_runner(self, upkeep: Upkeep) -> Runner | None:
        """What does the upkeep of a job store in time; ``None``: a thread for each."""
        del upkeep
        return None

    def _create_doubtful_jobs(self) -> DoubtfulJobs:
        """What warns of jobs that most likely aren't as they were meant."""
        return DoubtfulJobs(self._stores, self._executors, lambda: self._logger)

    def _create_alarms(self) -> Alarms:
        """What calls functions at their times: for time-outs, and for runs that don't end when they are told to."""
        return Alarms(lambda: self._logger)

    def leave_to_parent(self) -> None:
        """In a forked process: what runs is the parent's. See `mainspring.forks`.

        Whether the scheduler was started there is known here: its job stores can be asked, those in memory for what they had.
        """
        parent, limits = self._process, self._reporter.limits
        # This may be called on a thread that runs a job, calls a listener or hands out jobs, and goes on with that here.
        for part in (self._in_flight, self._reporter, self._dispatch, self._adoptions):
            part.leave_to_parent()
        self._waiting_jobs.leave_to_parent()
        self._event_queue.leave_to_parent()
        self._life.leave_to_parent(parent)
        self._stores.leave_to_parent(self._life.runs_in)  # before what is made of a part of them
        self._begin_in_process()
        self._reporter.limits = limits

    @property
    def _is_strict(self) -> bool:
        """Whether mistakes that APScheduler passes over are errors: always, but where the process stands in for it."""
        return self._factory.strict or not self._stands_in

    # By these names programs that were written for APScheduler reach into a scheduler; what they change there takes effect.

    _trigger_plugins, _trigger_classes = PluginNames("triggers"), LoadedClasses("triggers")
    _executor_plugins, _executor_classes = PluginNames("executors"), LoadedClasses("executors")
    _jobstore_plugins, _jobstore_classes = PluginNames("jobstores"), LoadedClasses("jobstores")

    @property
    def _executors(self) -> dict[str, BaseExecutor]:
        return self._executors_by_alias

    @_executors.setter
    def _executors(self, executors: Mapping[str, BaseExecutor]) -> None:
        kept = dict(executors)
        self._executors_by_alias.clear()
        self._executors_by_alias.update(kept)

    @property
    def _jobstores(self) -> dict[str, BaseJobStore]:
        return self._stores.given

    @_jobstores.setter
    def _jobstores(self, stores: Mapping[str, BaseJobStore]) -> None:
        kept = dict(stores)
        self._stores.clear()
        self._stores.given.update(kept)

    @property
    def _pending_jobs(self) -> MutableSequence[PendingJob]:
        return PendingList(self._waiting_jobs)

    @_pending_jobs.setter
    def _pending_jobs(self, pending: Iterable[tuple[Job, str, bool]]) -> None:
        self._waiting_jobs.replace([PendingJob(*one) for one in pending])

    @property
    def _listeners(self) -> MutableSequence[tuple[Callable[[Any], Any], int]]:
        return ListenerList(self._event_queue)

    @_listeners.setter
    def _listeners(self, pairs: Iterable[tuple[Callable[[Any], Any], int]]) -> None:
        self._event_queue.replace(pairs)

    @property
    def state(self) -> int:
        """One of ``STATE_STOPPED``, ``STATE_RUNNING``, ``STATE_PAUSED``; in a forked process, and of a scheduler that only looks, another."""
        return self._life.state

    @state.setter
    def state(self, state: int) -> None:
        self._life.state = state

    @property
    def started(self) -> Started:
        """Done when the latest `start` is over, with its error if it failed; on a loop of asyncio it can be awaited."""
        return self._life.started

    # Configuration

    def configure(
        self, gconfig: Mapping[str, Any] | None = None, prefix: str | None = "apscheduler.", **options: Any
    ) -> None:
        """Set options; those that are not named keep their value.

        Raises:
            SchedulerAlreadyRunningError: the scheduler has been started.
            ConfigurationError: an unknown option in strict mode, or a part that is described wrongly.
        """
        if self._life.is_active:
            raise SchedulerAlreadyRunningError
        self._configure(collected(gconfig or {}, prefix, options, self._known_options()))

    @classmethod
    def _known_options(cls) -> tuple[str, ...]:
        common = (
            "logger",
            "timezone",
            "jobstore_retry_interval",
            "start_timeout",
            "job_defaults",
            "run_limits",
            "secret_names",
            "around_run",
            "handle_signals",
            "shutdown_timeout",
            "jobstores",
            "executors",
            "strict",
        )
        return (*common, *cls._own_options)

    @property
    def _log(self) -> SafeLogger:
        """The logger as the scheduler uses it."""
        return SafeLogger(self._logger)

    def _configure(self, config: dict[str, Any]) -> None:  # noqa: PLR0912 - one for each option
        if "strict" in config:
            self._factory.strict = asbool(config.pop("strict"))
        report_unknown(
            f"option of {type(self).__name__}",
            [name for name in config if name not in self._known_options()],
            self._known_options(),
            strict=self._factory.strict,
        )
        if self._factory.timezone is None or config.get("timezone") is not None:
            self.timezone = self._factory.timezone = (
                astimezone(config.get("timezone") or get_localzone()) or UTC
            )
        if "logger" in config or self._event_queue.logger is None:
            self._logger = logger_from(config.get("logger"))
            self._event_queue.logger = self._factory.logger = self._logger
        if "jobstore_retry_interval" in config:
            self.jobstore_retry_interval = float(config["jobstore_retry_interval"])
        if "run_limits" in config:
            self._reporter.limits = checked_limits(self._reporter.limits, config["run_limits"] or {})
        if "secret_names" in config:
            use_secret_names(config["secret_names"])
        if "start_timeout" in config:
            self.start_timeout = seconds_from("start_timeout", config["start_timeout"])
        if "around_run" in config:
            self.around_run = hooks_from(config["around_run"])
        self._configure_end(config)
        if "job_defaults" in config:
            self._job_defaults = merged_job_defaults(
                self._job_defaults, config["job_defaults"] or {}, strict=self._factory.strict
            )
            self._factory.defaults = options_with(JobOptions(), self._job_defaults)
            self._waiting_jobs.take_defaults(self._factory.defaults)
        if "executors" in config:
            self._executors.clear()
            for alias, value in config["executors"].items():
                self.add_executor(
                    part_from(value, f"executor {alias!r}", self._executor_plugins, BaseExecutor), alias
                )
        if "jobstores" in config:
            self._stores.clear()
            for alias, value in config["jobstores"].items():
                self.add_jobstore(
                    part_from(value, f"job store {alias!r}", self._jobstore_plugins, BaseJobStore), alias
                )

    def _configure_end(self, config: Mapping[str, Any]) -> None:
        if "handle_signals" in config:
            self.handle_signals = asbool(config["handle_signals"])
            self._signals_may_be_others = False
        if "shutdown_timeout" in config:
            timeout = config["shutdown_timeout"]
            self.shutdown_timeout = None if timeout is None else seconds_from("shutdown_timeout", timeout)

    # Life

    def start(self, paused: bool = False) -> None:
        """Start executors, job stores and the processing of jobs; all of it, or nothing.

        Args:
            paused: don't process jobs until `resume`.

        Raises:
            SchedulerAlreadyRunningError: it was started already.
            ConflictingIdError: a job that was added before has the id of a stored one, and is not to replace it.
        """
        parts: list[Any] = []
        starting = self._enter_starting()
        with self._undone_if_it_fails(parts, starting):
            self._start_executors(parts)
            self._start_stores(parts, starting, paused=paused)

    def _leaves_start_to_importer(self) -> bool:
        """Whether `start` is called by a module that this process only imports for another one, which runs the jobs: it is told, and done no more."""
        self._life.is_left_to_importer = is_imported_for_another()
        if self._life.is_left_to_importer:
            self._log.warning(
                "The scheduler is not started in process %d: it only imports the program for the one that has started it, as the processes of "
                "multiprocessing's 'spawn' and 'forkserver' and of pools do. Call start() below if __name__ == '__main__':; if this process is "
                "to have a scheduler, too, call it in the function that the process runs",
                os.getpid(),
            )
            if not self.started.done():
                self.started.set_result(None)
        return self._life.is_left_to_importer

    def _enter_starting(self) -> Starting:
        """Begin to start, unless that was done already."""
        self._check_uwsgi()
        take_hooks(self)
        with self._life.lock:
            if self._life.is_active or self._life.is_starting:
                raise SchedulerAlreadyRunningError
            if self._life.state == STATE_FORKED:
                self._life.state, self._life.runs_in = STATE_STOPPED, None
                self._stores.take_over()
            self._life.is_starting = True
            self._life.start_errors.clear()
            if self._life.started.done():
                self._life.started = Started()
            self._life.starting = starting = Starting(self.start_timeout, self._clock)
            self._winding_down.forget()
        return starting

    @contextmanager
    def _undone_if_it_fails(
        self, parts: list[Any], starting: Starting, tell: Callable[[BaseException], None] = lambda _: None
    ) -> Iterator[None]:
        """What is done within starts all of the scheduler, or is undone; the last of it ends the start.

        Args:
            tell: told of an error that nobody else is told of.
        """
        try:
            yield
        except BaseException as error:
            for part in reversed(parts):
                try:
                    part.shutdown()
                except Exception:  # noqa: BLE001 - logged
                    self._log.exception("Error undoing the start of %r", part)
            self._life.is_starting = False
            self._life.starting = None
            starting.over.set()
            tell(error)
            self.started.set_exception(error)  # last: whoever waits for it finds all else done
            raise

    def _start_executors(self, started: list[Any]) -> None:
        if "default" not in self._executors:
            self.add_executor(self._create_default_executor(), "default")
        if "default" not in self._jobstores:
            self.add_jobstore(self._create_default_jobstore(), "default")
        for alias, executor in list(self._executors.items()):
            started.append(executor)
            executor.start(self, alias)
        self._executors_started()

    def _start_stores(
        self, started: list[Any], starting: Starting, *, paused: bool, early: list[PendingJob] | None = None
    ) -> None:
        """Do the rest of a start.

        Args:
            early: the jobs that were added before `start` was called, where others may have been added since: those that can't be stored
                are told of, and don't keep the scheduler from starting.
        """
        self._opening.open_new(started)
        self._groups.store_early()
        if early is not None:
            self._adding.store_all(early)
        self._opening.store_waiting(
            started, starting, STATE_PAUSED if paused else STATE_RUNNING, lenient=early is not None
        )
        self._life.loop_has_died = False
        process_end.scheduler_started(self)
        self._event_queue.open()
        self._dispatch_event(SchedulerEvent(EVENT_SCHEDULER_START))
        self._log.info("Scheduler started")
        if not paused:
            self.wakeup()
        self.started.set_result(None)

    def _instead_of_waiting(self) -> str | None:
        """What to do instead of calling a job store that can't be had, on a thread that must not wait; ``None``: it may."""
        return None

    def _executors_started(self) -> None:
        """For shells that must do something before the first job can be submitted."""

    @abstractmethod
    def shutdown(self, wait: bool = True, timeout: float | None = None) -> None:
        """Stop: no job is started any more. May be called from a job or a listener.

        Args:
            wait: let the runs that were submitted end. A job that calls this waits for those that other workers have
                taken up; what is still queued runs after it.
            timeout: wait for no longer than this many seconds; `shutdown_timeout`, if it isn't given. Job stores that don't answer, and
                listeners, are waited for some seconds at most.

        Raises:
            SchedulerNotRunningError: it wasn't started.
        """
        deadline = self._deadline(timeout)
        if self._enter_stopped():
            self._wind_down(wait, deadline)

    def _deadline(self, timeout: float | None) -> float | None:
        """Until when runs are waited for, on the monotonic clock; asked before anything is ended, since a timeout that is none is refused."""
        seconds = self.shutdown_timeout if timeout is None else timeout
        if seconds is None:
            return None
        if not is_number(seconds):
            raise TypeError(
                f"timeout must be a number of seconds, or None, got {type(seconds).__name__} {shown(seconds)}{number_meant(seconds)}"
            )
        return REAL_CLOCK.monotonic() + seconds

    def _enter_stopped(self) -> bool:
        """Begin nothing more from now on; whether there is anything to be ended: a start that still goes on ends by itself, soon."""
        with self._life.lock:
            if self._life.state == STATE_STOPPED:
                if self._life.starting is not None:
                    self._life.starting.cancel()
                elif not self._life.is_left_to_importer:
                    raise SchedulerNotRunningError
                return False
            was_forked, self._life.state = self._life.state == STATE_FORKED, STATE_STOPPED
            self._life.was_shut_down = True
            if was_forked:
                self._life.runs_in = None
                self._stores.close_here()
                return False
            self._winding_down.begin()
            for starting in list(self._life.added.values()):
                starting.cancel()
        process_end.scheduler_stopped(self)
        self._wake()
        return True

    def _wind_down(self, wait: bool, deadline: float | None, *, in_listener: bool = False) -> None:
        """End what has been begun.

        Args:
            wait: as for `shutdown`.
            deadline: on the monotonic clock.
            in_listener: whether a listener waits for this, on another thread.
        """
        try:
            until = self._winding_down.end_runs(wait, deadline)
            self._winding_down.hand_over(wait, until)
            self._adoptions.end()
            self._winding_down.end_stores(until)
            self._alarms.clear()
            self._log.info("Scheduler has been shut down")
            self._dispatch_event(SchedulerEvent(EVENT_SCHEDULER_SHUTDOWN))
            self._event_queue.close(left_until(deadline) if wait and not in_listener else 0)
        finally:
            self._winding_down.end()
            SIGNALS.forget(self)

    # Signals

    def _watch_signals(self) -> None:
        """Have SIGINT and SIGTERM drain this scheduler, where it is to be so."""
        if self.handle_signals and not SIGNALS.watch(self) and not self._signals_may_be_others:
            self._log.warning(
                "handle_signals=True has no effect: signals come to the main thread alone, and the program's own handlers stay"
            )

    def _run_handlers(self) -> None:
        """Wake the loop, which runs Python code then: the handlers of signals."""
        self._wake()

    def _drain(self) -> None:
        """A signal has come: shut down, begin nothing more, and return when that is over."""
        self._reporter.holds_back = True
        starting = self._life.starting
        with suppress(SchedulerNotRunningError):  # it ends already
            self.shutdown(wait=True)
        if starting is not None:
            starting.over.wait(STORES_ANSWER_WITHIN)  # it has been told to end
        elif self._winding_down.goes_on:
            self._winding_down.over.wait()

    def _waits_no_more(self) -> bool:
        """Whether the runs that go on are not waited for any more; asked now and then by who does."""
        return self._winding_down.has_given_up

    def _give_up_runs(self) -> None:
        """Have what still runs recorded as lost, since the process is about to end."""
        self._winding_down.give_up_runs()

    def _tells_program(self, number: int) -> bool:  # noqa: ARG002 - for loops that raise nothing
        """Tell the program in a way of the loop's own that it is to end; whether there is one."""
        return False

    def _end_with_process(self) -> None:
        """The main thread was interrupted while it waited for this scheduler's loop."""
        if self._life.state != STATE_STOPPED:
            self.shutdown(wait=False)

    def _stop_claiming(self) -> None:
        """The process ends: let the runs that were submitted end, and begin no others."""
        self._life.state = STATE_STOPPED
        self._wake()
        self._passes.end_within(
            STORES_ANSWER_WITHIN,
            REAL_CLOCK.monotonic() + _LAST_PASS_WITHIN,
            lambda: self._winding_down.has_given_up,
        )

    def pause(self) -> None:
        """Process no jobs until `resume`; what runs goes on.

        Raises:
            SchedulerNotRunningError: it wasn't started.
        """
        if self._access.is_closed():
            raise SchedulerNotRunningError
        self._refuse_if_forked("paused", "pause")
        if self._life.state == STATE_RUNNING:
            self._life.state = STATE_PAUSED
            self._in_flight.settle()  # what has ended since the last pass: there is no other
            self._log.info("Paused scheduler job processing")
            self._dispatch_event(SchedulerEvent(EVENT_SCHEDULER_PAUSED))

    def resume(self) -> None:
        """Process jobs again after `pause`.

        Raises:
            SchedulerNotRunningError: it wasn't started.
        """
        if self._access.is_closed():
            raise SchedulerNotRunningError
        self._refuse_if_forked("resumed", "resume")
        if self._life.state == STATE_PAUSED:
            self._life.state = STATE_RUNNING
            self._log.info("Resumed scheduler job processing")
            self._dispatch_event(SchedulerEvent(EVENT_SCHEDULER_RESUMED))
            self.wakeup()

    def _refuse_if_forked(self, what: str, method: str) -> None:
        if self._life.runs_in is not None:
            raise ForkedProcessError(
                f"the scheduler can't be {what} here: it runs in process {self._life.runs_in}, which this one was forked from. Call {method}() "
                "there, or call start() here first for a scheduler of this process's own",
                self._life.runs_in,
            )

    def _refuse_if_left_behind(self, alias: str | None, run: RunRecord | None = None) -> None:
        """Refuse to look after a run of which only another process knows how it goes on, or may know."""
        if self._life.state == STATE_FORKED:
            for _, store in self._access.readable(alias):
                if isinstance(store, LeftBehind) and (run is None or store.get_run(run.key) is not None):
                    store.refuse("it can't be seen here what becomes of a run")

    def _refuse_to_wait_for(self, run: RunRecord, alias: str | None) -> None:
        """Refuse to wait for a run that nobody would tell this process the end of."""
        if self._life.state == STATE_FORKED:
            self._refuse_if_left_behind(alias, run)
        elif run.state == "queued" and not self.running:
            raise SchedulerNotRunningError

    @property
    def running(self) -> bool:
        """Whether the scheduler was started in this process and not shut down, and its loop is alive."""
        return (self._life.is_active and not self._life.loop_has_died) or self._life.is_started_aside

    def health(self) -> Health:
        """Whether jobs are being processed, and what is in the way of those that aren't.

        Asks every job store that isn't known to be in trouble, and waits for no answer for longer than two seconds.
        """
        stores = looked_at(
            self._stores,
            self._store_checks,
            self._clock.now(),
            {alias: shown_error(error) for alias, error in self._dispatch.store_errors.items()}
            | self._life.start_errors,
            is_stopped=self._life.state == STATE_STOPPED,
            is_starting=self._life.is_starting,
        )
        return Health(
            state="starting" if self._life.is_starting else STATE_NAMES[self._life.state],
            loop_alive=self.running,
            last_pass=self._passes.last,
            oldest_overdue=stores.oldest_overdue,
            running_runs=len(self._in_flight.all()),
            parked_jobs=stores.parked,
            jobs_without_executor=stores.without_executor,
            undelivered_events=self._event_queue.undelivered,
            store_errors=stores.errors,
            store_warnings=stores.warnings,
            store_namespaces={
                alias: store.namespace for alias, store in self._stores.items() if store.namespace
            },
            dropped_events=self._event_queue.dropped,
            stuck_listener=self._event_queue.stuck,
            stuck_runs=len(self._stuck_runs),
            runs_in=self._life.runs_in,
            profile="apscheduler" if self._stands_in else "mainspring",
            adopted=self._adoptions.known,
        )

    # Executors

    def add_executor(
        self, executor: BaseExecutor | str, alias: str = "default", **executor_opts: Any
    ) -> None:
        """Add an executor: an instance, or the name of one with its arguments.

        Raises:
            ValueError: the alias is taken.
        """
        made = self._part(executor, "executor", BaseExecutor, executor_opts)
        with self._executors_lock:
            if alias in self._executors:
                raise ValueError(
                    f"This scheduler already has an executor by the alias of {alias!r}: "
                    "remove it, or choose another alias"
                )
            self._executors[alias] = made
        if self._life.is_active:
            try:
                made.start(self, alias)
            except BaseException:
                del self._executors[alias]
                raise
            for _, store in self._stores.items():  # noqa: PERF102 - no dict
                store.retry_parked()  # some may have waited for this executor
            self._wake()
        self._dispatch_event(SchedulerEvent(EVENT_EXECUTOR_ADDED, alias))

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
        self._dispatch_event(SchedulerEvent(EVENT_EXECUTOR_REMOVED, alias))

    def _part(self, part: Any, what: str, base: type, options: dict[str, Any]) -> Any:
        if isinstance(part, base):
            if options:
                report_unknown(
                    f"option beside an instance of {what}", options, (), strict=self._factory.strict
                )
            return part
        if isinstance(part, str):
            return self._create_plugin_instance(what.replace(" ", ""), part, options)
        raise TypeError(f"expected an instance or the name of the {what}, got {instead_of_instance(part)}")

    def _lookup_executor(self, alias: str) -> BaseExecutor:
        try:
            return self._executors[alias]
        except KeyError:
            raise KeyError(f"No such executor: {unknown_name('executor', alias, self._executors)}") from None

    def _create_default_executor(self) -> BaseExecutor:
        return ThreadPoolExecutor()

    # Job stores

    def add_jobstore(
        self, jobstore: BaseJobStore | str, alias: str = "default", **jobstore_opts: Any
    ) -> None:
        """Add a job store: an instance, or the name of one with its arguments.

        Raises:
            ValueError: the alias is taken.
        """
        made = self._part(jobstore, "job store", BaseJobStore, jobstore_opts)
        with self._jobstores_lock:
            store = self._stores.add(alias, made)
        self._life.start_errors.pop(alias, None)
        if self._life.is_active and not store.live_records and self._must_not_wait():
            self._opening.open_aside(alias, store)
            return
        if self._life.is_active:
            try:
                store.start(self, alias)
                self._adoptions.begin(alias, self._stores.given.get(alias))
            except BaseException:
                self._stores.remove(alias)
                raise
        self._dispatch_event(SchedulerEvent(EVENT_JOBSTORE_ADDED, alias))
        if self._life.is_active:
            self._wake()

    def _must_not_wait(self) -> bool:
        """Whether the calling thread has other work than to wait for a job store."""
        return False

    def _elsewhere(self, work: Callable[[], None]) -> None:
        """Have `work` done on a thread that may wait."""
        raise NotImplementedError

    def remove_jobstore(self, alias: str, shutdown: bool = True) -> None:
        """Remove a job store with its jobs from this scheduler; what it keeps durably stays there.

        Raises:
            KeyError: there is none by this alias.
        """
        with self._jobstores_lock:
            store = self._stores.remove(alias)
        self._life.start_errors.pop(alias, None)
        self._adoptions.end(alias)
        if shutdown:
            store.shutdown()
        self._dispatch_event(SchedulerEvent(EVENT_JOBSTORE_REMOVED, alias))

    def _lookup_jobstore(self, alias: str) -> BaseJobStore:
        self._stores.known(alias)
        return self._stores.given[alias]

    def _create_default_jobstore(self) -> BaseJobStore:
        return MemoryJobStore()

    # Listeners

    def add_listener(self, callback: Callable[[Any], Any], mask: int = EVENT_ALL) -> None:
        """Call `callback` with every event whose code is in `mask`.

        Runs are reported by a thread kept for it, in order, so that a slow listener holds nothing up; what a method of the
        scheduler did is reported before it returns, unless earlier events are still being delivered.
        """
        if not callable(callback):
            message = f"a listener must be callable, got {type(callback).__name__} {shown(callback)}"
            if self._is_strict:
                raise TypeError(message)
            self._log.warning("%s: it is told of nothing", message)
            return
        if not isinstance(mask, int):
            raise TypeError(
                f"mask must be codes of events, such as EVENT_JOB_ERROR | EVENT_JOB_MISSED, got {type(mask).__name__} {shown(mask)}"
            )
        self._event_queue.add(callback, mask)

    def remove_listener(self, callback: Callable[[Any], Any]) -> None:
        """Don't call `callback` any more, however often it was added."""
        self._event_queue.remove(callback)

    def _dispatch_event(self, event: SchedulerEvent) -> None:
        """Tell the listeners of `event`."""
        self._event_queue.dispatch(event)

    # The loop

    @abstractmethod
    def wakeup(self) -> None:
        """Have the loop look for due jobs as soon as it can."""

    def _wake(self) -> None:
        """Wake the loop if there is one."""
        try:
            self.wakeup()
        except Exception:  # noqa: BLE001 - logged
            self._log.exception("Error waking the scheduler's loop")

    def _wake_for(self, moment: datetime | None, alias: str) -> None:
        """Wake the loop if it would sleep past `moment`, by the clock of a job store."""
        if self._life.state == STATE_RUNNING and moment is not None:
            left = self._passes.seconds_left()
            store = self._stores.used.get(alias)  # it may have been removed meanwhile
            if store is None:
                if self._stores.lookup is not None:
                    self._wake()  # one that somebody else finds
                return
            if left is None or (moment - store.store_time(self._clock)).total_seconds() < left:
                self._wake()

    def _process_jobs(self) -> float | None:
        """Run what is due; the seconds until the next job is, or ``None`` if that is not known.

        Never raises for what a store, a trigger, an executor or a listener does. Whoever calls it by its name, and isn't the loop, finds the listeners
        told of what it has done.
        """
        wait = self._passes.make(self.timezone, self.jobstore_retry_interval, self._logger)
        if self._looping != get_ident():
            self._event_queue.deliver_here()
        return wait

    def _next_pass(self) -> float | None:
        """`_process_jobs` for a loop; where somebody has replaced it, what it returns is when the loop comes back."""
        self._looping = get_ident()
        try:
            wait = self._process_jobs()
        finally:
            self._looping = None
        if self._waits_as_told:
            self._passes.plan(wait)
        return wait

    def _tell_paused(self, job: JobRecord, alias: str) -> None:
        """Tell of a job that has paused itself."""
        self._dispatch.tell_paused(job, alias, self._log)

    def _run_aside(self, work: Callable[[], None]) -> None:
        """Have something done that may take long, on a thread of its own."""
        Aside("mainspring-aside", work)

    def _notice_end_of_loop(self) -> None:
        """If the event loop on which runs go on has ended under the scheduler, they have ended with it."""

    def _abandon(self, submission: Submission) -> None:
        self._reporter.abandon(submission)

    def _lose(self, submission: Submission) -> None:
        self._reporter.lose(submission)

    def _is_awaited(self) -> bool:
        # While it is paused no pass would settle what has ended.
        if self._dispatch.is_full or self._life.state != STATE_RUNNING:
            return True
        # Asked after every run: a loop takes half as long as any() over a generator.
        for store in [*self._stores.used.values()]:  # noqa: SIM110
            if store.has_waiting:
                return True
        return False

    def _free_places(self, ended: list[Submission]) -> None:
        was_awaited = self._stores.finish(ended)
        if self._dispatch.ended(len(ended)) or was_awaited:
            self._wake()

    def _check_uwsgi(self) -> None:
        """Prepare for a process of uWSGI's, if this is one.

        Raises:
            RuntimeError: it was started without threads.
        """
        prepare_for_uwsgi()

    def _create_plugin_instance(self, kind: str, name: str, arguments: dict[str, Any]) -> Any:
        """A trigger, job store or executor of a name.

        Args:
            kind: ``"trigger"``, ``"jobstore"`` or ``"executor"``.

        Raises:
            LookupError: nothing has the name.
        """
        kinds: dict[str, tuple[Plugins, type]] = {
            "trigger": (self._trigger_plugins, BaseTrigger),
            "jobstore": (self._jobstore_plugins, BaseJobStore),
            "executor": (self._executor_plugins, BaseExecutor),
        }
        plugins, base = kinds[kind]
        return plugins.create(name, base, arguments)

    def _create_lock(self) -> Any:
        return RLock()

    def __getstate__(self) -> Any:
        raise TypeError(
            "Schedulers cannot be serialized. Most likely a job's function is a method of an object that holds the "
            "scheduler: use a function at module level, or keep the scheduler out of the object's state"
        )


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
    "datetime",
    "get_localzone",
    "maybe_ref",
    "obj_to_ref",
    "ref_to_obj",
    "timedelta",
    "undefined",
]
