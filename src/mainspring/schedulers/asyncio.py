"""A scheduler on an event loop of asyncio."""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import TYPE_CHECKING, Any, TypeVar

from mainspring.coercion import names_parameters
from mainspring.executors.asyncio import AsyncIOExecutor
from mainspring.former_names import former_names
from mainspring.references import maybe_ref
from mainspring.schedulers.answers import Answer
from mainspring.schedulers.awaitable import AwaitableMethods, run_on_loop
from mainspring.schedulers.event_loop import EventLoopScheduler

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Future
    from types import TracebackType
    from typing import Self

T = TypeVar("T")

__all__ = ["AsyncIOScheduler", "maybe_ref", "run_in_event_loop"]

run_in_event_loop = run_on_loop


@names_parameters
class AsyncIOScheduler(AwaitableMethods, EventLoopScheduler):
    """Runs jobs on an event loop of asyncio, or of uvloop.

    Args:
        event_loop: the loop; if not given, the one that runs where `start` is called.

    Takes the other arguments of `BaseScheduler`.
    """

    _own_options = ("event_loop",)
    _eventloop: asyncio.AbstractEventLoop | None = None
    _given_loop: asyncio.AbstractEventLoop | None = None
    #: The loop of the latest start, unless it was given: another one in `_eventloop` was put there by the program.
    _found_loop: asyncio.AbstractEventLoop | None = None

    def __init__(self, gconfig: Any = None, **options: Any) -> None:
        self._listening: set[asyncio.Future[Any]] = set()
        super().__init__(gconfig, **options)

    def leave_to_parent(self) -> None:
        """See `EventLoopScheduler.leave_to_parent`."""
        super().leave_to_parent()
        self._eventloop = self._found_loop = None
        self._listening = set()

    def _configure(self, config: dict[str, Any]) -> None:
        if "event_loop" in config:
            self._given_loop = maybe_ref(config.pop("event_loop"))
        super()._configure(config)

    def _attach(self) -> None:
        if self._given_loop is not None:
            self._eventloop = self._given_loop
            return
        if self._eventloop is not self._found_loop:
            return  # programs written for APScheduler put it there
        try:
            self._eventloop = self._found_loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError(
                "no event loop runs here yet: call start() in a coroutine, "
                "or give the loop that will run: AsyncIOScheduler(event_loop=loop)"
            ) from None

    def call_soon(self, function: Callable[[], None]) -> None:
        """Have `function` called on the loop, in a context of its own; from any thread."""
        loop = self._eventloop
        if loop is None or loop.is_closed():
            return
        if self.is_here():
            loop.call_soon(function, context=Context())
            return
        try:
            loop.call_soon_threadsafe(function, context=Context())
        except RuntimeError:
            if not loop.is_closed():  # that it was closed just now is no error of whoever calls
                raise

    def _call_later(self, seconds: float, function: Callable[[], None]) -> asyncio.TimerHandle:
        assert self._eventloop is not None  # noqa: S101 - called on the loop
        return self._eventloop.call_later(seconds, function, context=Context())

    def _cancel(self, timer: asyncio.TimerHandle) -> None:
        timer.cancel()

    def is_here(self) -> bool:
        """Whether the calling thread is the loop's, and the loop runs."""
        return asyncio._get_running_loop() is self._eventloop is not None  # noqa: SLF001 - get_running_loop() raises

    def _is_alive(self) -> bool:
        return self._eventloop is not None and not self._eventloop.is_closed()

    def run_awaitable(self, result: Awaitable[Any], failed: Callable[[BaseException], None]) -> None:
        """Await `result` on the loop, later, and say if it failed."""
        future = asyncio.ensure_future(result)
        self._listening.add(future)

        def ended(future: asyncio.Future[Any]) -> None:
            self._listening.discard(future)
            error = None if future.cancelled() else future.exception()
            if error is not None:
                failed(error)

        future.add_done_callback(ended)

    def _ending(self, ended: Future[None]) -> Awaitable[None]:
        return asyncio.wrap_future(ended)

    def shutdown(self, wait: bool = True, timeout: float | None = None) -> Any:
        """Stop; see `EventLoopScheduler.shutdown`. To be awaited on the loop by whoever wants to know when all has ended."""
        loop = self._eventloop
        if loop is not None and not loop.is_closed() and not loop.is_running():
            # The program has stopped its loop, and now cleans up: what runs on the loop needs it once more.
            loop.run_until_complete(self._shutdown_on_loop(wait, timeout))
            return None
        return super().shutdown(wait, timeout)

    async def _shutdown_on_loop(self, wait: bool, timeout: float | None) -> None:  # noqa: ASYNC109 - as in `shutdown`
        await super().shutdown(wait, timeout)

    def _create_default_executor(self) -> AsyncIOExecutor:
        return AsyncIOExecutor()

    def _off_loop(self, call: Callable[[], T], name: str | None = None) -> Awaitable[T]:
        found = asyncio.wrap_future(self._in_thread(call))
        return found if name is None else Answer(name, found)

    async def astart(self, paused: bool = False) -> None:
        """`start`, without the loop waiting for job stores."""
        if self._leaves_start_to_importer():
            return
        self._see_to_earlier_end()
        self._attach()
        self._watch_signals()
        await self._off_loop(lambda: self._start_here(paused))

    async def __aenter__(self) -> Self:
        await self.astart()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.running:
            await self.shutdown()


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
