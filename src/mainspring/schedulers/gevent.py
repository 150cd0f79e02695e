"""A scheduler on the hub of gevent, whether the standard library was patched or not."""

from __future__ import annotations

from contextvars import Context
from typing import TYPE_CHECKING, Any

from mainspring.executors.gevent import GeventExecutor, finished_in_thread
from mainspring.schedulers.event_loop import EventLoopScheduler

try:
    import gevent
    import gevent.monkey
    from gevent.event import AsyncResult, Event
except ImportError as error:
    raise ModuleNotFoundError(
        'GeventScheduler needs gevent: pip install "mainspring[gevent]"', name=error.name
    ) from error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Future

__all__ = ["GeventScheduler"]


class GeventScheduler(EventLoopScheduler):
    """Runs jobs in greenlets; takes the arguments of `BaseScheduler`."""

    _hub: Any = None
    _hub_thread: int | None = None
    _greenlet: Any = None

    def leave_to_parent(self) -> None:
        """See `EventLoopScheduler.leave_to_parent`."""
        super().leave_to_parent()
        self._hub = self._hub_thread = self._greenlet = None

    def start(self, paused: bool = False) -> gevent.Greenlet:
        """Start; returns a greenlet that ends with the scheduler, to be joined."""
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
        else:
            self._hub.loop.run_callback_threadsafe(gevent.spawn, Context().run, function)

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

    def see_to(self, result: Awaitable[Any], failed: Callable[[BaseException], None]) -> None:
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
