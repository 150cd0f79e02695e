"""Runs coroutine functions, and functions that make a Deferred, on the reactor of a `TwistedScheduler`; others in threads."""

from __future__ import annotations

import asyncio
import concurrent.futures
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from contextvars import Context
from functools import partial
from inspect import isgeneratorfunction, signature
from typing import TYPE_CHECKING, Any

from mainspring.executors.event_loop import EventLoopExecutor
from mainspring.extras import library_missing
from mainspring.former_names import former_names

try:
    from twisted.internet.defer import CancelledError, Deferred
    from twisted.python.failure import Failure
except ImportError as error:
    raise library_missing("TwistedExecutor", "Twisted", "twisted", "twisted", error) from error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

__all__ = ["TwistedExecutor"]


class TwistedExecutor(EventLoopExecutor):
    """The default executor of a `TwistedScheduler`.

    A function that is decorated with ``inlineCallbacks``, or annotated to return a `Deferred`, is called on the reactor. If another
    returns one, its result is waited for.
    """

    _needs = "a TwistedScheduler"
    _cancellation = CancelledError

    def _fits(self, scheduler: Any) -> bool:
        return hasattr(scheduler, "_reactor")

    def _is_native(self, func: Any) -> bool:
        return super()._is_native(func) or makes_deferred(func)

    def _spawn(self, coroutine: Coroutine[Any, Any, None], ended: Callable[..., None]) -> Deferred[None]:
        deferred: Deferred[None] = Context().run(Deferred.fromCoroutine, coroutine)

        def end(result: Any) -> Any:
            ended()
            # What else leaves the coroutine is for Twisted to log; it was reported, too.
            was_cancelled = isinstance(result, Failure) and result.check(CancelledError)  # type: ignore[no-untyped-call]
            return None if was_cancelled else result

        deferred.addBoth(end)
        return deferred

    def _wait_on_loop(self, awaitable: Awaitable[Any]) -> Any:
        future: Future[Any] = Future()

        def wait() -> None:
            deferred: Deferred[Any] = (
                awaitable if isinstance(awaitable, Deferred) else Deferred.fromCoroutine(awaitable)  # type: ignore[arg-type]
            )
            deferred.addCallbacks(
                partial(_tell, future.set_result),
                lambda failure: _tell(future.set_exception, failure.value),
            )

        self._awaited_by_threads.add(future)
        try:
            self._scheduler._reactor.callFromThread(wait)  # noqa: SLF001 - APScheduler's name for it
            return future.result()
        except concurrent.futures.CancelledError:
            raise asyncio.CancelledError from None  # by which what runs in a thread is cancelled
        finally:
            self._awaited_by_threads.discard(future)


def _tell(tell: Callable[[Any], None], what: Any) -> None:
    with suppress(InvalidStateError):  # nobody waits for it any more
        tell(what)


def makes_deferred(func: Any) -> bool:
    """Whether a function says that it returns a Deferred."""
    if isgeneratorfunction(getattr(func, "__wrapped__", None)) and not isgeneratorfunction(func):
        return True
    try:
        returned = signature(func).return_annotation
    except (TypeError, ValueError):
        return False
    text = returned if isinstance(returned, str) else getattr(returned, "__name__", "")
    return text.rpartition(".")[2].partition("[")[0] == "Deferred"


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
