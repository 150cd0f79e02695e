"""A scheduler on a reactor of Twisted."""

from __future__ import annotations

import signal
from contextvars import Context
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any, TypeVar

from mainspring.aside import Aside
from mainspring.coercion import names_parameters
from mainspring.executors.twisted import TwistedExecutor
from mainspring.extras import library_missing
from mainspring.former_names import former_names
from mainspring.references import maybe_ref
from mainspring.schedulers.awaitable import AwaitableMethods, run_on_loop
from mainspring.schedulers.event_loop import EventLoopScheduler
from mainspring.schedulers.signals import NUMBERS

try:
    from twisted.internet.defer import Deferred, succeed
    from twisted.python.threadable import isInIOThread
except ImportError as error:
    raise library_missing("TwistedScheduler", "Twisted", "twisted", "twisted", error) from error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Future

T = TypeVar("T")

__all__ = ["TwistedScheduler", "run_in_reactor"]

run_in_reactor = run_on_loop


@names_parameters
class TwistedScheduler(AwaitableMethods, EventLoopScheduler):
    """Runs jobs on a reactor of Twisted.

    Args:
        reactor: the reactor; if not given, the one that is installed.

    Takes the other arguments of `BaseScheduler`.
    """

    _own_options = ("reactor",)
    _reactor: Any = None
    _given_reactor: Any = None
    _found_reactor: Any = None
    _is_told_of_end = False
    _before_end: Any = None  # what the reactor waits for before it ends

    def leave_to_parent(self) -> None:
        """See `EventLoopScheduler.leave_to_parent`."""
        super().leave_to_parent()
        self._reactor = self._found_reactor = None

    def _configure(self, config: dict[str, Any]) -> None:
        if "reactor" in config:
            self._given_reactor = maybe_ref(config.pop("reactor"))
        super()._configure(config)

    def _attach(self) -> None:
        reactor = self._given_reactor
        if reactor is None and self._reactor is not self._found_reactor:
            reactor = self._reactor  # programs written for APScheduler put it there
        if reactor is None:
            from twisted.internet import reactor  # installs the default one if there is none

            self._found_reactor = reactor
        self._reactor = reactor
        if not self._is_told_of_end:
            self._is_told_of_end = True
            reactor.addSystemEventTrigger("after", "shutdown", self._notice_end_of_loop)

    def _watch_signals(self) -> None:
        """The reactor handles signals: it ends when this scheduler has drained."""
        if self.handle_signals and self._before_end is None:
            self._before_end = self._reactor.addSystemEventTrigger("before", "shutdown", self._drained)

    def _drained(self) -> Any:
        self._before_end = None
        if not self.running:
            return None
        self._reporter.holds_back = True
        previous = {}
        if current_thread() is main_thread():
            # The reactor, which is ending, takes no notice of a second signal.
            previous = {number: signal.signal(number, self._signalled_again) for number in NUMBERS}

        def restore(result: Any) -> Any:
            for number, handler in previous.items():
                signal.signal(number, handler)
            return result

        return self.shutdown().addBoth(restore)

    def _signalled_again(self, *_: object) -> None:
        self._reactor.callFromThread(Aside, "mainspring-give-up", self._give_up_runs)

    def call_soon(self, function: Callable[[], None]) -> None:
        """Have `function` called on the reactor, in a context of its own; from any thread."""
        self._reactor.callFromThread(Context().run, function)

    def _call_later(self, seconds: float, function: Callable[[], None]) -> Any:
        return self._reactor.callLater(seconds, Context().run, function)

    def _cancel(self, timer: Any) -> None:
        if timer.active():
            timer.cancel()

    def is_here(self) -> bool:
        """Whether the calling thread is the reactor's, and the reactor runs."""
        return self._reactor is not None and bool(self._reactor.running and isInIOThread())  # type: ignore[no-untyped-call]

    def _is_alive(self) -> bool:
        # Before it runs, the reactor keeps what it is to call. It can't be run a second time.
        reactor = self._reactor
        return reactor is not None and (
            reactor.running or not getattr(reactor, "_startedBefore", getattr(reactor, "_started", False))
        )

    def runs_loop(self) -> bool:
        """Whether the reactor runs."""
        return self._reactor is not None and bool(self._reactor.running)

    def run_awaitable(self, result: Awaitable[Any], failed: Callable[[BaseException], None]) -> None:
        """Await `result` on the reactor, later, and say if it failed."""
        deferred = result if isinstance(result, Deferred) else Deferred.fromCoroutine(result)  # type: ignore[arg-type]
        deferred.addErrback(lambda failure: failed(failure.value))  # type: ignore[call-overload]

    def _ending(self, ended: Future[None]) -> Deferred[None]:
        return self._deferred(ended)

    def _create_default_executor(self) -> TwistedExecutor:
        return TwistedExecutor()

    def _off_loop(self, call: Callable[[], T], name: str | None = None) -> Deferred[T]:  # noqa: ARG002 - a Deferred has no room for it
        return self._deferred(self._in_thread(call))

    def _deferred(self, future: Future[T]) -> Deferred[T]:
        deferred: Deferred[T] = Deferred()

        def done() -> None:
            error = future.exception()
            if error is None:
                deferred.callback(future.result())
            else:
                deferred.errback(error)

        future.add_done_callback(lambda _: self.call_soon(done))
        return deferred

    def astart(self, paused: bool = False) -> Deferred[None]:
        """`start`, without the reactor waiting for job stores."""
        if self._leaves_start_to_importer():
            return succeed(None)
        self._see_to_earlier_end()
        self._attach()
        self._watch_signals()
        return self._off_loop(lambda: self._start_here(paused))


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
