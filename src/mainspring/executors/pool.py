"""Executors that run jobs in a pool of threads or of processes."""

from __future__ import annotations

from abc import abstractmethod
from threading import local
from typing import TYPE_CHECKING, Any

from mainspring.coercion import asint, unknown_name
from mainspring.errors import ConfigurationError, RunError
from mainspring.executors.base import BaseExecutor, NativeExecutor, run_job
from mainspring.executors.run import (
    call_function,
    cancel_coroutine,
    close_worker,
    finished,
    initializer_failed,
    interrupt_main_thread,
    perform,
    report_unbegun,
    with_work_done,
)
from mainspring.executors.workers import PoolClosedError, WorkerThreads
from mainspring.safe_logging import SafeLogger

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import Mapping
    from datetime import datetime

    from mainspring.executors.report import RunReporter
    from mainspring.job import Job
    from mainspring.model import JobRecord, Submission

__all__ = ["BasePoolExecutor", "PoolClosedError", "ProcessPoolExecutor", "ThreadPoolExecutor"]


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
        def ended(future: concurrent.futures.Future[Any]) -> None:
            error = None if future.cancelled() else future.exception()
            if future.cancelled():
                self._run_job_error(job.id, RuntimeError("the pool cancelled the run"))
            elif error is not None:
                self._run_job_error(job.id, error, error.__traceback__)
            else:
                self._run_job_success(job.id, future.result())

        future = self._pool.submit(run_job, job, job._jobstore_alias, run_times, self._logger.name)  # noqa: SLF001 - handles are ours
        future.add_done_callback(ended)

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
        self._pool: WorkerThreads | None = None

    def leave_to_parent(self) -> None:
        """See `BaseExecutor.leave_to_parent`; `start` makes a pool of this process."""
        super().leave_to_parent()
        self._pool = None

    def start(self, scheduler: Any, alias: str) -> None:
        """Make the pool; its workers start as work comes."""
        super().start(scheduler, alias)
        self._pool = WorkerThreads(
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

    def prestart(self) -> None:
        """Start all workers now, for a time when no thread can be started any more."""
        if self._pool is not None:
            self._pool.prestart()

    def _submit(self, submission: Submission, reporter: RunReporter) -> None:
        """Queue a submission for the next free worker.

        Raises:
            PoolClosedError: the executor was not started, or was shut down.
        """
        if self._pool is None:
            raise PoolClosedError(f"{self!r} is not running: start the scheduler first")
        self._pool.submit((submission, reporter))

    def take_back(self) -> list[Submission]:
        """What was submitted under a lease and no worker has taken up."""
        if self._pool is None:
            return []
        return [item[0] for item in self._pool.take_back(lambda item: item[0].lease is not None)]

    def interrupt(self, submission: Submission) -> None:
        """Have a submission that no worker has taken up not be begun."""
        for taken, reporter in (
            [] if self._pool is None else self._pool.take_back(lambda item: item[0] is submission)
        ):
            report_unbegun(taken, reporter)

    def leave_running(self, submission: Submission) -> None:
        """The worker goes on with its job: another takes its place."""
        if self._pool is not None:
            self._pool.leave(lambda item: item[0] is submission)

    def shutdown(self, wait: bool = True) -> None:
        """Take no more work; `wait` for the workers to do what they have, otherwise leave them to it."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        pool.close()
        if wait:
            pool.join()
        else:
            pool.abandon()

    def abandon(self) -> None:
        """Don't wait for running jobs at the end of the process."""
        if self._pool is not None:
            self._pool.abandon()

    def _work(self, item: tuple[Submission, RunReporter]) -> None:
        submission, reporter = item
        try:
            perform(submission, reporter, self._call, self._logger, finish=self._finished)
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
        return finished(result)

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
