"""What the executors of event loops share: coroutine functions run on the loop, all others in threads."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from contextlib import suppress
from contextvars import Context, copy_context
from functools import partial
from inspect import isawaitable
from threading import Condition, Event
from typing import TYPE_CHECKING, Any

from mainspring.callables import iscoroutinefunction_partial
from mainspring.clock import REAL_CLOCK  # noqa: TID251 - waits for threads or processes
from mainspring.draining import drained
from mainspring.errors import ConfigurationError
from mainspring.executors.around import entered_all_natively, hooks_of
from mainspring.executors.base import run_coroutine_job
from mainspring.executors.native import function_of
from mainspring.executors.pool import ThreadPoolExecutor
from mainspring.executors.run import perform_async, report_unbegun, with_work_done

#: Seconds for which a shutdown that is not to wait waits for what it has cancelled.
_MOMENT = 0.5
#: Seconds for which threads are waited for that are told that the loop has ended.
_THREADS_END_WITHIN = 5.0
#: How many submissions are begun before the loop goes on with what else it has to do.
_BEGUN_AT_ONCE = 200
#: How many submissions of a shared store a loop is thought to run at a time: they may be coroutines, or need a thread.
LOOP_PLACES = 100

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable
    from concurrent.futures import Future
    from datetime import datetime

    from mainspring.executors.host import ExecutorHost
    from mainspring.executors.report import RunReporter
    from mainspring.job import Job
    from mainspring.model import JobRecord, Submission


def _nothing(*_: Any) -> None: ...


def key_of_caller(host: ExecutorHost) -> int | None:
    """By which an executor knows the submission that is calling, which a shutdown doesn't cancel; ``None``: no job is."""
    own = host.own
    return None if own is None else id(own)


class EventLoopExecutor(ThreadPoolExecutor):
    """Runs coroutine functions on the scheduler's event loop, and others in a pool of threads.

    What a function in a thread returns to be awaited is awaited on the loop.

    Args:
        max_workers: how many functions run in threads at a time.
    """

    #: What the scheduler must be, for the message where it isn't.
    _needs = ""
    #: What a run is cancelled with.
    _cancellation: type[BaseException]

    def __init__(self, max_workers: Any = 10, pool_kwargs: Any = None) -> None:
        super().__init__(max_workers, pool_kwargs)
        self._has_no_loop()

    def _has_no_loop(self) -> None:
        self._waiting: deque[tuple[Submission, RunReporter]] = deque()
        self._contexts: dict[int, Context] = {}
        self._is_called = False
        self._native: dict[int, Any] = {}
        self._on_loop: dict[int, tuple[Submission, RunReporter]] = {}
        self._performed: set[int] = set()
        self._changed = Condition()
        self._waiters = 0
        self._awaited_by_threads: set[Future[Any]] = set()

    def leave_to_parent(self) -> None:
        """See `BaseExecutor.leave_to_parent`."""
        super().leave_to_parent()
        self._has_no_loop()

    @abstractmethod
    def _spawn(self, coroutine: Coroutine[Any, Any, None], ended: Callable[..., None]) -> Any:
        """Run a coroutine on the loop, in a context of its own; called on the loop. Something with a method ``cancel``.

        Args:
            ended: to be called when it has ended; may be given what ran it.
        """

    @abstractmethod
    def _wait_on_loop(self, awaitable: Awaitable[Any]) -> Any:
        """What comes of awaiting on the loop; called on a worker thread, which waits."""

    @property
    def places(self) -> int:
        """How many submissions run at a time, about."""
        return LOOP_PLACES

    def _is_native(self, func: Any) -> bool:
        return iscoroutinefunction_partial(func)

    def start(self, scheduler: Any, alias: str) -> None:
        """Make the pool; its threads start as work comes.

        Raises:
            ConfigurationError: the scheduler has another kind of event loop, or none.
        """
        if not hasattr(scheduler, "call_soon") or not self._fits(scheduler):
            raise ConfigurationError(
                f"{type(self).__name__} runs jobs on the event loop of {self._needs}, and the scheduler is a "
                f"{type(scheduler).__name__}: use that, or a ThreadPoolExecutor, which runs coroutines too"
            )
        super().start(scheduler, alias)
        self._native.clear()  # of a loop that has ended
        self._on_loop.clear()
        self._performed.clear()
        self._is_called = False

    @abstractmethod
    def _fits(self, scheduler: Any) -> bool:
        """Whether the loop of `scheduler` is of the right kind."""

    def _submit(self, submission: Submission, reporter: RunReporter) -> None:
        if self._workers is None or not self._is_native(submission.job.func):
            super()._submit(submission, reporter)  # which refuses it, where there is no pool
            return
        self._waiting.append((submission, reporter))
        if self._is_hooked:
            # What somebody's own `_do_submit_job` has set is there while the job runs.
            self._contexts[id(submission)] = copy_context()
        if not self._is_called:  # one call for many that come together
            self._is_called = True
            self._scheduler.call_soon(self._begin_some)

    def _has_other_function(self) -> bool:
        return super()._has_other_function() or self._run_coroutine_job() is not run_coroutine_job

    def _run_coroutine_job(self) -> Any:
        """The function of this name, or what somebody has put in its place."""
        return function_of(type(self), "run_coroutine_job") or run_coroutine_job

    def _run_by_function(self, job: Job, run_times: list[datetime]) -> None:
        if self._is_native(getattr(job, "func", None)):
            self._scheduler.call_soon(lambda: self._spawn(self._by_function(job, run_times), _nothing))
        else:
            super()._run_by_function(job, run_times)

    async def _by_function(self, job: Job, run_times: list[datetime]) -> None:
        try:
            events = await self._run_coroutine_job()(
                job,
                job._jobstore_alias,  # noqa: SLF001 - APScheduler's interface
                run_times,
                self._logger.name,
            )
        except BaseException as error:  # noqa: BLE001 - somebody's own function
            self._run_job_error(job.id, error, error.__traceback__)
        else:
            self._run_job_success(job.id, events)

    def _begin_some(self) -> None:
        """Begin what waits; if that is much, the loop does what else it has to before the rest. Fewer tasks at a time make less work for the collector, too."""
        some: list[tuple[Submission, RunReporter]] = []
        with suppress(IndexError):
            while len(some) < _BEGUN_AT_ONCE:
                some.append(self._waiting.popleft())
        # First: what comes from here on asks for another call.
        self._is_called = False
        self._begin(some)
        if self._waiting and not self._is_called:
            self._is_called = True
            self._scheduler.call_soon(self._begin_some)

    def _begin(self, items: Iterable[tuple[Submission, RunReporter]]) -> None:
        for item in items:
            submission, reporter = item
            key = id(submission)
            self._native[key] = None
            self._on_loop[key] = item
            spawned = self._spawn(
                self._perform(submission, reporter), partial(self._has_ended, submission, reporter)
            )
            if key in self._native:
                self._native[key] = spawned

    async def _perform(self, submission: Submission, reporter: RunReporter) -> None:
        self._performed.add(id(submission))
        if self._contexts:
            for variable, value in self._contexts.pop(id(submission), Context()).items():
                variable.set(value)
        await perform_async(submission, reporter, self._called, self._logger, self._cancellation)

    def _has_ended(self, submission: Submission, reporter: RunReporter, _: Any = None) -> None:
        key = id(submission)
        if key in self._performed:
            self._performed.discard(key)
        else:
            report_unbegun(submission, reporter)
        self._contexts.pop(key, None)
        self._on_loop.pop(key, None)
        self._native.pop(key, None)
        if self._waiters:  # who waits has said so first, and then looks
            with self._changed:
                self._changed.notify_all()

    def _called(self, job: JobRecord) -> Awaitable[Any]:
        """Call a job's function; what it returns is to be awaited."""
        if self._around or job.options.around_run:
            return self._called_within(job)
        return job.func(*job.args, **job.kwargs)  # type: ignore[misc, no-any-return]  # jobs without function are parked

    async def _called_within(self, job: JobRecord) -> Any:
        async with await entered_all_natively(hooks_of(job, self._around)):
            return await job.func(*job.args, **job.kwargs)  # type: ignore[misc]  # as above

    def _finished(self, result: Any) -> Any:
        return with_work_done(self._wait_on_loop(result) if isawaitable(result) else result)

    def interrupt(self, submission: Submission) -> None:
        """Cancel a submission that runs on the loop; one in a thread is told by its token alone."""
        super().interrupt(submission)
        if id(submission) in self._native or any(item[0] is submission for item in list(self._waiting)):
            self._scheduler.call_soon(partial(self._cancel, submission))

    def leave_running(self, submission: Submission) -> None:
        """It takes a worker's place only if it doesn't run on the loop."""
        if id(submission) not in self._native:
            super().leave_running(submission)

    def _cancel(self, submission: Submission) -> None:
        self._begin(drained(self._waiting))  # what has not been begun is told that it is cancelled, too
        spawned = self._native.get(id(submission))
        if spawned is not None:
            spawned.cancel()

    def take_back(self) -> list[Submission]:
        """What was submitted under a lease and has not been begun."""
        taken = super().take_back()
        kept = []
        for item in drained(self._waiting):
            if item[0].lease is None:
                kept.append(item)
            else:
                taken.append(item[0])
        if kept:
            self._waiting.extend(kept)
            self._scheduler.call_soon(self._begin_some)
        return taken

    def shutdown(self, wait: bool = True) -> None:
        """Take no more work; `wait` for what there is, otherwise cancel what runs on the loop.

        A job that shuts its own scheduler down is not cancelled.
        """
        super().shutdown(wait)
        spared = key_of_caller(self._host)
        if not self._scheduler.runs_loop():
            has_waiting = bool(self._awaited_by_threads)
            self.leave_loop()
            if (
                has_waiting
            ):  # or the stores would be closed before these have told what has become of their runs
                self._host.wait_for_others(_THREADS_END_WITHIN, self._alias or "")
            return
        if not wait and (self._waiting or self._native.keys() - {spared}):
            asked = Event()
            self._scheduler.call_soon(partial(self._cancel_all, spared, asked))
            if not self._scheduler.is_here() and asked.wait(_MOMENT):
                self._wait_for_native(spared)

    def leave_loop(self) -> None:
        """The loop has ended: what has run on it, or was to, has been cancelled with it, though nobody there can say so.

        Threads that wait for something on it are told.
        """
        for future in list(self._awaited_by_threads):
            future.cancel()
        for submission, reporter in drained(self._waiting):
            report_unbegun(submission, reporter)
        while self._on_loop:
            try:
                key, (submission, reporter) = self._on_loop.popitem()
            except KeyError:
                return  # it was told elsewhere
            self._native.pop(key, None)
            if key not in self._performed:
                report_unbegun(submission, reporter)
            elif submission.outcome_lock.acquire(False):
                self._host.abandon(submission)

    def _cancel_all(self, spared: int | None, asked: Event) -> None:
        self._begin(drained(self._waiting))  # what has not been begun is told that it is cancelled, too
        for key, spawned in list(self._native.items()):
            if spawned is not None and key != spared:
                spawned.cancel()
        asked.set()

    def _wait_for_native(self, spared: int | None) -> None:
        """Give what was cancelled a moment to end."""
        deadline = REAL_CLOCK.monotonic() + _MOMENT
        with self._changed:
            self._waiters += 1
            try:
                while self._native.keys() - {spared}:
                    left = deadline - REAL_CLOCK.monotonic()
                    if left <= 0:
                        return
                    self._changed.wait(left)
            finally:
                self._waiters -= 1
