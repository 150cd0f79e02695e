"""Executors that run jobs in a pool of threads or of processes."""

from __future__ import annotations

from abc import abstractmethod
from threading import local
from typing import TYPE_CHECKING, Any

from mainspring.coercion import asint, unknown_name
from mainspring.errors import ConfigurationError, RunError
from mainspring.executors.base import BaseExecutor, run_job
from mainspring.executors.native import NativeExecutor, function_of
from mainspring.executors.pool_view import PoolView
from mainspring.executors.run import (
    call_function,
    cancel_coroutine,
    close_worker,
    initializer_failed,
    interrupt_main_thread,
    perform,
    report_unbegun,
    resolve_awaitable,
    with_work_done,
)
from mainspring.executors.workers import PoolClosedError, WorkerThreads
from mainspring.former_names import former_names
from mainspring.overrides import replaced
from mainspring.safe_logging import SafeLogger

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mainspring.executors.report import RunReporter
    from mainspring.job import Job
    from mainspring.model import JobRecord, Submission

__all__ = ["BasePoolExecutor", "PoolClosedError", "ProcessPoolExecutor", "ThreadPoolExecutor"]


# ruff: noqa: SLF001 - handles and executors are ours


def _submit_to(pool: Any, executor: BaseExecutor, job: Job, run_times: list[datetime]) -> None:
    """Run a job in a pool of the interface of `concurrent.futures`, and tell its executor what has become of it."""

    def ended(future: concurrent.futures.Future[Any]) -> None:
        error = None if future.cancelled() else future.exception()
        if future.cancelled():
            executor._run_job_error(job.id, RuntimeError("the pool cancelled the run"))
        elif error is not None:
            executor._run_job_error(job.id, error, error.__traceback__)
        else:
            executor._run_job_success(job.id, future.result())

    future = pool.submit(
        function_of(type(executor), "run_job") or run_job,
        job,
        job._jobstore_alias,
        run_times,
        executor._logger.name,
    )
    future.add_done_callback(ended)


class BasePoolExecutor(BaseExecutor):
    """Runs jobs in any pool of the interface of `concurrent.futures`; third parties subclass it.

    Args:
        pool: a `concurrent.futures.Executor`.
    """

    @abstractmethod
    def __init__(self, pool: concurrent.futures.Executor) -> None:
        super().__init__()
        self._pool = pool

    def _do_submit_job(self, job: Job, run_times: list[datetime]) -> None:
        _submit_to(self._pool, self, job, run_times)

    def shutdown(self, wait: bool = True) -> None:
        """Shut the pool down; `wait` for what it runs."""
        self._pool.shutdown(wait)


class _WorkerPool(NativeExecutor):
    """What the two pools share: worker threads, each of which runs one submission at a time."""

    #: What `pool_kwargs` may hold.
    _pool_options: frozenset[str] = frozenset()

    def __init__(self, max_workers: Any = 10, pool_kwargs: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.max_workers: int = _checked_workers(max_workers)
        self.pool_kwargs = dict(pool_kwargs or {})
        for name in self.pool_kwargs:
            if name not in self._pool_options:
                raise ConfigurationError(unknown_name("key in pool_kwargs", name, self._pool_options))
        initializer = self.pool_kwargs.get("initializer")
        if initializer is not None and not callable(initializer):
            raise ConfigurationError(
                f"initializer must be a function or another callable, or None, got {initializer!r}"
            )
        self._workers: WorkerThreads | None = None
        #: Whether nobody has a hand in how each submission is taken: it is looked for when the executor is started.
        self._takes_many = False
        self._manner: Any = None  # how runs are performed; found out when it is started, and not for each
        self._given_pool: Any = None  # by the program, to run all jobs in
        self._made_pool: concurrent.futures.Executor | None = None  # what a program submits itself runs in it

    def leave_to_parent(self) -> None:
        """See `BaseExecutor.leave_to_parent`; `start` makes a pool of this process."""
        super().leave_to_parent()
        self._workers = self._made_pool = None

    def start(self, scheduler: Any, alias: str) -> None:
        """Make the pool; its workers start as work comes."""
        super().start(scheduler, alias)
        self._is_hooked = self._is_hooked or self._given_pool is not None
        self._takes_many = (
            not self._is_hooked
            and not replaced(self, ("submit", "_submit"))
            and type(self)._submit is _WorkerPool._submit  # executors of event loops have their own
        )
        self._manner = (self._call, self._logger, self._finished)
        self._workers = WorkerThreads(
            self._work,
            self.max_workers,
            name=self.pool_kwargs.get("thread_name_prefix") or f"APScheduler-{alias}",
            logger=self._logger,
            end=self._end_worker,
        )

    @property
    def places(self) -> int:
        """How many submissions run at a time."""
        return self.max_workers

    @property
    def _pool(self) -> Any:
        return PoolView(self) if self._given_pool is None else self._given_pool

    @_pool.setter
    def _pool(self, pool: Any) -> None:
        self._given_pool = pool
        self._is_hooked, self._takes_many = True, False  # all that runs goes there

    def _other_pool(self) -> concurrent.futures.Executor:
        with self._lock:
            if self._made_pool is None:
                self._made_pool = self._make_pool()
            return self._made_pool

    def _make_pool(self) -> concurrent.futures.Executor:
        """A pool of the standard library of the same kind, for what a program submits by itself."""
        from concurrent.futures import ThreadPoolExecutor as Threads

        return Threads(self.max_workers, thread_name_prefix=f"APScheduler-{self._alias}-own")

    def _do_submit_job(self, job: Job, run_times: list[datetime]) -> None:
        if self._given_pool is None:
            super()._do_submit_job(job, run_times)
        else:
            _submit_to(self._given_pool, self, job, run_times)

    def _run_by_function(self, job: Job, run_times: list[datetime]) -> None:
        _submit_to(self._other_pool(), self, job, run_times)

    def prestart(self) -> None:
        """Start all workers now, for a time when no thread can be started any more."""
        if self._workers is not None:
            self._workers.prestart()

    def _submit(self, submission: Submission, reporter: RunReporter) -> None:
        """Queue a submission for the next free worker.

        Raises:
            PoolClosedError: the executor was not started, or was shut down.
        """
        if self._workers is None:
            raise PoolClosedError(f"{self!r} is not running: start the scheduler first")
        self._workers.submit((submission, reporter))

    def submit_together(self, submissions: Sequence[Submission], reporter: RunReporter) -> bool:
        """Queue them for the next free workers, if there are any; ``False``: none was taken, and each is to be submitted."""
        if not self._takes_many or self._workers is None:
            return False
        return self._workers.submit_all([(submission, reporter) for submission in submissions])

    def take_back(self) -> list[Submission]:
        """What was submitted under a lease and no worker has taken up."""
        if self._workers is None:
            return []
        return [item[0] for item in self._workers.take_back(lambda item: item[0].lease is not None)]

    def interrupt(self, submission: Submission) -> None:
        """Have a submission that no worker has taken up not be begun."""
        for taken, reporter in (
            [] if self._workers is None else self._workers.take_back(lambda item: item[0] is submission)
        ):
            report_unbegun(taken, reporter)

    def leave_running(self, submission: Submission) -> None:
        """The worker goes on with its job: another takes its place."""
        if self._workers is not None:
            self._workers.leave(lambda item: item[0] is submission)

    def shutdown(self, wait: bool = True) -> None:
        """Take no more work; `wait` for the workers to do what they have, otherwise leave them to it."""
        pool, self._workers = self._workers, None
        for other in (self._made_pool, self._given_pool):
            if other is not None:
                other.shutdown(wait)
        self._made_pool = None
        if pool is None:
            return
        pool.close()
        if wait:
            pool.join()
        else:
            pool.abandon()

    def abandon(self) -> None:
        """Don't wait for running jobs at the end of the process."""
        if self._workers is not None:
            self._workers.abandon()

    def _work(self, item: tuple[Submission, RunReporter]) -> None:
        submission, reporter = item
        try:
            perform(submission, reporter, *self._manner)
        except KeyboardInterrupt:
            interrupt_main_thread()
        if submission.is_abandoned:
            SafeLogger(self._logger).warning(
                'Job "%s" has ended at last, after it was told to', submission.job.name
            )

    def _call(self, job: JobRecord) -> Any:
        raise NotImplementedError

    def _finished(self, result: Any) -> Any:
        """What a run comes to whose function has returned this, which isn't plain."""
        return with_work_done(result)

    def _end_worker(self) -> None: ...


class ThreadPoolExecutor(_WorkerPool):
    """Runs jobs in threads; a coroutine function is run to its end in an event loop of its worker.

    Args:
        max_workers: how many jobs run at a time.
        pool_kwargs: ``thread_name_prefix``, and ``initializer`` with ``initargs``, called in each new worker.

    Raises:
        ConfigurationError: a value or key that can't be.
    """

    _pool_options = frozenset({"thread_name_prefix", "initializer", "initargs"})

    def __init__(self, max_workers: Any = 10, pool_kwargs: Mapping[str, Any] | None = None) -> None:
        super().__init__(max_workers, pool_kwargs)
        self._own = local()
        self._initializer = self.pool_kwargs.get("initializer")

    def leave_to_parent(self) -> None:
        """See `BaseExecutor.leave_to_parent`."""
        super().leave_to_parent()
        self._own = local()

    def _call(self, job: JobRecord) -> Any:
        # At the first call, not when the thread starts: a failure then has a run whose outcome it is.
        if self._initializer is not None and not hasattr(self._own, "is_ready"):
            try:
                self._initializer(*self.pool_kwargs.get("initargs", ()))
            except (Exception, SystemExit) as error:
                raise RunError(initializer_failed(error)) from error
            self._own.is_ready = True
        if self._around or job.options.around_run:
            return call_function(job, self._around, self._finished)
        return job.func(*job.args, **job.kwargs)  # type: ignore[misc]  # jobs without function are parked

    def interrupt(self, submission: Submission) -> None:
        """Have a submission that no worker has taken up not be begun, and cancel it if it is a coroutine."""
        super().interrupt(submission)
        cancel_coroutine(submission)

    def _finished(self, result: Any) -> Any:
        return resolve_awaitable(result)

    def _end_worker(self) -> None:
        close_worker()


class ProcessPoolExecutor(_WorkerPool):
    """Runs jobs in processes of their own, one for each worker; a process that dies takes no other job with it.

    Args:
        max_workers: how many jobs run at a time.
        pool_kwargs: ``mp_context`` (its start method; "spawn" if it is not given), ``initializer`` with ``initargs``,
            called in each new process, and ``max_tasks_per_child``: a process is replaced after so many jobs.

    Raises:
        ConfigurationError: a value or key that can't be.
    """

    _pool_options = frozenset({"mp_context", "initializer", "initargs", "max_tasks_per_child"})

    def __init__(self, max_workers: Any = 10, pool_kwargs: Mapping[str, Any] | None = None) -> None:
        super().__init__(max_workers, pool_kwargs)
        from mainspring.executors.processes import ProcessOfThread

        self._process = ProcessOfThread(**self.pool_kwargs)

    def _make_pool(self) -> concurrent.futures.Executor:
        from concurrent.futures import ProcessPoolExecutor as Processes
        from multiprocessing import get_context

        context = self.pool_kwargs.get("mp_context") or "spawn"
        return Processes(self.max_workers, get_context(context) if isinstance(context, str) else context)

    def _work(self, item: tuple[Submission, RunReporter]) -> None:
        super()._work(item)
        self._process.retire()  # after the outcome was reported: to end may take a process a while

    def _end_worker(self) -> None:
        self._process.close()

    def _call(self, job: JobRecord) -> Any:
        return self._process.call(job, self._around)

    def interrupt(self, submission: Submission) -> None:
        """End the process that runs a submission; another takes its place."""
        super().interrupt(submission)
        self._process.kill(submission)


def _checked_workers(value: Any) -> int:
    try:
        workers = asint(value)
    except ValueError:
        workers = None
    if workers is None or isinstance(value, bool) or workers < 1:
        raise ConfigurationError(f"max_workers must be a whole number of 1 or more, got {value!r}")
    return workers


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
