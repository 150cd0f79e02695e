"""A scheduler on the hub of gevent, whether the standard library was patched or not."""

from __future__ import annotations

import signal
from contextlib import suppress
from contextvars import Context
from typing import TYPE_CHECKING, Any

from mainspring.coercion import names_parameters
from mainspring.errors import SchedulerNotRunningError
from mainspring.executors.gevent import GeventExecutor, finished_in_thread
from mainspring.extras import library_missing
from mainspring.former_names import former_names
from mainspring.schedulers.event_loop import EventLoopScheduler
from mainspring.schedulers.signals import NUMBERS, RECORDED_WITHIN_SECONDS, exception_for, is_default

try:
    import gevent
    import gevent.monkey
    from gevent.event import AsyncResult, Event
except ImportError as error:
    raise library_missing("GeventScheduler", "gevent", "gevent", "gevent", error) from error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Future

__all__ = ["GeventScheduler"]


@names_parameters
class GeventScheduler(EventLoopScheduler):
    """Runs jobs in greenlets; takes the arguments of `BaseScheduler`."""

    _hub: Any = None
    _hub_thread: int | None = None
    _greenlet: Any = None
    _signals = 0

    def __init__(self, gconfig: Any = None, **options: Any) -> None:
        self._handlers: list[tuple[int, Any, Any]] = []
        super().__init__(gconfig, **options)

    def leave_to_parent(self) -> None:
        """See `EventLoopScheduler.leave_to_parent`."""
        super().leave_to_parent()
        self._hub = self._hub_thread = self._greenlet = None

    def start(self, paused: bool = False) -> gevent.Greenlet:
        """Start; returns a greenlet that ends with the scheduler, to be joined."""
        if self._leaves_start_to_importer():
            return gevent.spawn(int)
        super().start(paused)
        over = self._over = Event()
        self._greenlet = gevent.spawn(over.wait)
        return self._greenlet

    def shutdown(self, wait: bool = True, timeout: float | None = None) -> None:
        """Stop; see `BaseScheduler.shutdown`. Other greenlets run while this waits."""
        super().shutdown(wait, timeout)
        self.call_soon(self._end)

    def _start_has_failed(self) -> None:
        super()._start_has_failed()
        if self._event_queue.loop is None:  # not started anew meanwhile
            self._end()

    def _end(self) -> None:
        self._over.set()
        self._patience.close()
        if not self._signals:
            self._leave_signals()

    # Signals, by the hub, which runs Python's own handlers late, and threads that are greenlets where the library was patched

    def _watch_signals(self) -> None:
        """Have SIGINT and SIGTERM drain this scheduler, where it is to be so and the program has no handlers of its own."""
        if not self.handle_signals or self._handlers:
            return
        self._signals = 0
        for number in NUMBERS:
            previous = signal.getsignal(number)
            if is_default(number, previous):
                handler = gevent.signal_handler(number, self._signalled, number)
                self._handlers.append((number, previous, handler))

    def _leave_signals(self) -> None:
        handlers, self._handlers = self._handlers, []
        for number, previous, handler in handlers:
            handler.cancel()
            signal.signal(number, previous)

    def _signalled(self, number: int) -> None:
        """In a greenlet of its own: drain, and have the main greenlet end."""
        self._signals += 1
        if self._signals == 1:
            self._log.info("Signal %d: shutting down; a second signal ends it at once", number)
            self._reporter.holds_back = True
            with suppress(SchedulerNotRunningError):  # it ends already
                self.shutdown()
        else:
            self._give_up_runs()
            gevent.sleep(RECORDED_WITHIN_SECONDS)
        if self._handlers:  # nobody else has told it
            self._leave_signals()
            error = exception_for(number)
            self._hub.handle_system_error(type(error), error)

    def _attach(self) -> None:
        hub = self._hub = gevent.get_hub()
        self._hub_thread = _thread()
        # A hub that knows of nothing to wait for says that it is blocked for ever; it doesn't know of our threads.
        self._patience = hub.loop.async_()
        self._patience.start(lambda: None)

    def call_soon(self, function: Callable[[], None]) -> None:
        """Have `function` called in a greenlet of its own; from any thread."""
        if self.is_here():
            gevent.spawn(Context().run, function)
        elif (loop := self._hub.loop) is not None:  # it was destroyed otherwise
            loop.run_callback_threadsafe(gevent.spawn, Context().run, function)

    def _call_later(self, seconds: float, function: Callable[[], None]) -> Any:
        return gevent.spawn_later(seconds, Context().run, function)

    def _cancel(self, timer: Any) -> None:
        if timer is not gevent.getcurrent():
            timer.kill(block=False)

    def _wait_for(self, event: Any, seconds: float) -> bool:
        """Wait while other greenlets run, without which what is waited for would never come."""
        gevent.sleep(seconds)
        return bool(event.is_set())

    def is_here(self) -> bool:
        """Whether the calling thread is the hub's."""
        return _thread() == self._hub_thread

    def _is_alive(self) -> bool:
        return self._hub is not None and not self._hub.dead

    def run_awaitable(self, result: Awaitable[Any], failed: Callable[[BaseException], None]) -> None:
        """Run `result` to its end, in a thread with an event loop of asyncio, and say if it failed."""

        def wait() -> None:
            try:
                finished_in_thread(result)
            except Exception as error:  # noqa: BLE001 - listeners are users' code
                failed(error)

        gevent.spawn(wait)

    def _ending(self, ended: Future[None]) -> None:
        result: AsyncResult[None] = AsyncResult()
        ended.add_done_callback(lambda _: self.call_soon(result.set))
        result.get()
        ended.result()

    def _create_default_executor(self) -> GeventExecutor:
        return GeventExecutor()


def _thread() -> int:
    # Not threading's, which counts greenlets where the standard library was patched.
    return int(gevent.monkey.get_original("_thread", "get_ident")())


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
