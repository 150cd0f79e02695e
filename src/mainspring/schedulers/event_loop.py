"""What the schedulers of event loops share: when to look for due jobs, where, and how to end.

The loop never waits for a job store. It looks itself where all job stores are in memory; otherwise a thread does, and
the loop sets its timer when the thread has come back. A shell says how its loop is asked to call something, soon or later.

Jobs don't inherit context variables: neither those of whoever added them, nor those of whoever woke the scheduler.
"""

from __future__ import annotations

from abc import abstractmethod
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from operator import call
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeVar

from mainspring.coercion import names_parameters
from mainspring.engine.waiting import LONGEST_WAIT
from mainspring.errors import safe_str
from mainspring.executors.workers import PoolClosedError, WorkerThreads
from mainspring.schedulers.base import BaseScheduler
from mainspring.schedulers.states import STATE_RUNNING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from threading import Event

T = TypeVar("T")

#: How many threads at most wait for job stores, so that the loop needn't.
_HELPERS = 4


@names_parameters
class EventLoopScheduler(BaseScheduler):
    """A scheduler whose timer, listeners and jobs have their place on an event loop."""

    _helpers: WorkerThreads | None = None
    _ended: Future[None] | None = None
    _timer: Any = None
    _is_woken = False
    _is_looking = False
    _looks_again = False

    def leave_to_parent(self) -> None:
        """See `BaseScheduler.leave_to_parent`. The loop is the parent's; a shell forgets it."""
        super().leave_to_parent()
        self._helpers = self._ended = self._timer = None
        self._is_woken = self._is_looking = self._looks_again = False

    # What a shell says of its loop

    @abstractmethod
    def _attach(self) -> None:
        """Find the loop, or raise a `RuntimeError` that says what to do."""

    @abstractmethod
    def call_soon(self, function: Callable[[], None]) -> None:
        """Have `function` called on the loop, in a context of its own; from any thread."""

    @abstractmethod
    def _call_later(self, seconds: float, function: Callable[[], None]) -> Any:
        """Have `function` called on the loop after a time; what `_cancel` takes. Called on the loop."""

    @abstractmethod
    def _cancel(self, timer: Any) -> None:
        """Don't call what `_call_later` was to call. Called on the loop."""

    @abstractmethod
    def is_here(self) -> bool:
        """Whether the calling thread is the loop's, and the loop runs."""

    def _wait_for(self, event: Event, seconds: float) -> bool:
        if self.is_here():
            raise RuntimeError(
                "waiting for a run on the thread of the event loop would stop the loop, and the run with it: "
                + ("await the handle" if hasattr(self, "_off_loop") else "wait on another thread")
                + ", or add a listener"
            )
        return super()._wait_for(event, seconds)

    @abstractmethod
    def _is_alive(self) -> bool:
        """Whether the loop runs, or will."""

    def runs_loop(self) -> bool:
        """Whether the loop calls what it is given now, so that it can be waited for."""
        return self._is_alive()

    @abstractmethod
    def run_awaitable(self, result: Awaitable[Any], failed: Callable[[BaseException], None]) -> None:
        """Await `result` on the loop, later, and say if it failed."""

    @abstractmethod
    def _ending(self, ended: Future[None]) -> Any:
        """What `shutdown` returns on the loop, where `ended` is set when it is over."""

    # Life

    def start(self, paused: bool = False) -> Any:
        """Start executors, job stores and the processing of jobs; see `BaseScheduler.start`.

        On the loop's thread this never waits for job stores: those that aren't in memory are started on another thread. Until they
        are there, jobs that are added are pending. `started` is done when all is; a start that fails is also said in the log, and by
        `health()`.
        """
        if self._leaves_start_to_importer():
            return
        self._see_to_earlier_end()
        if not self._life.is_active and not self._life.is_starting:
            self._attach()
            self._watch_signals()
        if self._must_not_wait() and any(not store.live_records for _, store in self._stores.items()):
            self._start_on_thread(paused)
        else:
            self._start_here(paused)

    def _must_not_wait(self) -> bool:
        return self.is_here()

    def _instead_of_waiting(self) -> str | None:
        """What to do instead of calling a job store that can't be had, on the loop's thread; ``None``: this is another one."""
        if not self.is_here():
            return None
        return (
            "Await the twin, such as aadd_job" if hasattr(self, "_off_loop") else "Call it on another thread"
        )

    def _elsewhere(self, work: Callable[[], None]) -> None:
        self._in_thread(work)

    def _start_on_thread(self, paused: bool) -> None:
        """Start what needs no job store here, and the rest on another thread."""
        parts: list[Any] = []
        early = list(self._waiting_jobs)
        starting = self._enter_starting()
        with self._undone_if_it_fails(parts, starting):
            self._reset()
            self._start_executors(parts)
        self._life.is_started_aside = True
        self._event_queue.open()  # so that listeners are called on the loop from now on

        def failed(error: BaseException) -> None:
            self._life.is_started_aside = False
            if starting.is_cancelled:
                self._life.start_errors.clear()
                self._log.info("The scheduler was shut down while it was being started")
            else:
                self._life.start_errors = self._life.start_errors or {"(start)": safe_str(error)}
                self._log.error("The scheduler could not be started: %s", safe_str(error))
            self._log.debug("What was raised:", exc_info=error)
            if waiting := len(self._waiting_jobs):
                self._log.warning(
                    "%d jobs that could not be stored are kept in memory until the scheduler is started again",
                    waiting,
                )
            self.call_soon(self._start_has_failed)

        def start() -> None:
            starting.thread = get_ident()
            with suppress(Exception), self._undone_if_it_fails(parts, starting, failed):
                self._start_stores(parts, starting, paused=paused, early=early)

        self._in_thread(start)

    def _start_has_failed(self) -> None:
        """Called on the loop when what was started on another thread could not be."""
        if not self._life.is_active and not self._life.is_starting:  # and not started anew meanwhile
            self._event_queue.loop = None
            self._event_queue.close(0)
            self._close_helpers()

    def _start_here(self, paused: bool) -> None:
        if not self._life.is_active and not self._life.is_starting:
            self._reset()
        super().start(paused)

    def _reset(self) -> None:
        self._is_woken = self._is_looking = self._looks_again = False
        self._timer = None
        self._event_queue.loop = self

    def _see_to_earlier_end(self) -> None:
        """Before a start: an earlier shutdown must be over, and an earlier loop may have ended without one."""
        ended = self._ended
        if ended is not None and not ended.done():
            if self.is_here():
                raise RuntimeError("the scheduler is still being shut down: await shutdown() before start()")
            ended.result()
        if self._life.is_active and not self._is_alive():
            self._enter_stopped()
            self._end_without_loop(None)

    def _notice_end_of_loop(self) -> None:
        if self._life.is_active and not self._is_alive():
            self._leave_loop()

    def _waits_no_more(self) -> bool:
        if not self._is_alive():
            self._leave_loop()  # what runs there would be waited for in vain
        return super()._waits_no_more()

    def _leave_loop(self) -> None:
        for executor in list(self._executors.values()):
            leave = getattr(executor, "leave_loop", None)
            if leave is not None:
                leave()

    def _end_without_loop(self, deadline: float | None) -> None:
        """Nothing on the loop can be waited for: it has ended, or never ran."""
        self._event_queue.loop = None  # whoever waits for the listeners calls them
        self._wind_down(wait=False, deadline=deadline)
        self._close_helpers()

    def shutdown(self, wait: bool = True, timeout: float | None = None) -> Any:
        """Stop; see `BaseScheduler.shutdown`.

        On the loop this returns at once, with something that can be awaited until all has ended, and needn't be.
        Elsewhere it returns when all has ended. What runs on the loop is cancelled if it isn't waited for, or not for long
        enough.
        """
        deadline = self._deadline(timeout)
        starting = self._life.starting
        if starting is not None and self._life.is_started_aside:
            # Stores that are about to be there take what was added meanwhile.
            starting.wait_a_moment([store for _, store in self._stores.items()], on_loop=True)
        if not self._enter_stopped():
            return self._ending(_done()) if self.is_here() else None
        if not self.runs_loop():
            self._end_without_loop(deadline)
            return None
        is_here = self.is_here()
        if is_here:
            self._stop_timer()
        else:
            self.call_soon(self._stop_timer)
        in_listener = self._event_queue.is_delivering_here
        work = partial(self._wind_down, wait, deadline, in_listener=in_listener)
        # Not among the helpers, which may all be waiting for a job store that doesn't answer.
        ending = WorkerThreads(call, 1, name="APScheduler-shutdown", logger=self._logger)
        ended = self._ended = Future()
        ending.submit(partial(copy_context().run, _fill, ended, work))
        ending.close()
        ended.add_done_callback(lambda _: self._close_helpers())
        if is_here:
            return self._ending(ended)
        ended.result()
        return None

    def _close_helpers(self) -> None:
        helpers, self._helpers = self._helpers, None
        if helpers is not None:
            helpers.close()
            if self._winding_down.leaves_store_asking or any(
                store.trouble for _, store in self._stores.items()
            ):
                helpers.abandon()  # the end of the process doesn't wait for a job store that doesn't answer

    def _in_thread(self, function: Callable[[], T]) -> Future[T]:
        """Have `function` called on a thread that may wait, in a copy of the caller's context."""
        future: Future[T] = Future()
        work = partial(copy_context().run, _fill, future, function)
        while True:
            helpers = self._helpers
            if helpers is None:
                helpers = self._helpers = WorkerThreads(
                    call, _HELPERS, name="APScheduler-helper", logger=self._logger
                )
            try:
                helpers.submit(work)
            except PoolClosedError:
                if self._helpers is helpers:
                    raise
                continue  # it was closed by a shutdown meanwhile
            return future

    # The loop

    def wakeup(self) -> None:
        """Have the loop look for due jobs as soon as it can."""
        if self._event_queue.loop is not None and not self._is_woken:
            self._is_woken = True
            self.call_soon(self._look)

    def _run_handlers(self) -> None:
        """See `BaseScheduler._run_handlers`; the loop may outlive this scheduler."""
        if self._is_alive():
            self.call_soon(lambda: None)

    def _look(self) -> None:
        self._is_woken = False
        self._stop_timer()
        if self.state != STATE_RUNNING:
            return
        if self._is_looking:
            self._looks_again = True
        elif all(store.live_records for _, store in self._stores.items()):
            self._set_timer(self._looked())
        else:
            self._is_looking = True
            self._in_thread(self._look_elsewhere)

    def _look_elsewhere(self) -> None:
        wait = self._looked()
        self.call_soon(partial(self._has_looked, wait))

    def _has_looked(self, wait: float | None) -> None:
        self._is_looking = False
        if self._looks_again:
            self._looks_again = False
            self._look()
        else:
            self._set_timer(wait)

    def _looked(self) -> float | None:
        try:
            return self._next_pass()
        except Exception:  # noqa: BLE001 - it is logged
            # Nothing that jobs, stores or listeners do comes this far. If something does, others' jobs go on.
            self._log.exception("Error in the scheduler's loop; going on")
            return LONGEST_WAIT

    def _set_timer(self, wait: float | None) -> None:
        self._stop_timer()
        if wait is not None and self.state == STATE_RUNNING:
            self._timer = self._call_later(min(wait, LONGEST_WAIT), self._time_has_passed)

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            self._cancel(timer)

    def _time_has_passed(self) -> None:
        """The wall clock may have been set meanwhile, or run faster or slower than the loop's."""
        self._timer = None
        left = self._passes.seconds_left()
        if left:
            self._set_timer(left)
        else:
            self._look()

    @property
    def running(self) -> bool:
        """Whether the scheduler was started and not shut down, and its loop has not ended."""
        return super().running and self._is_alive()


def _done() -> Future[None]:
    future: Future[None] = Future()
    future.set_result(None)
    return future


def _fill(future: Future[T], function: Callable[[], T]) -> None:
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001 - whoever waits for the result is told
        future.set_exception(error)
    else:
        future.set_result(result)
