"""Runs coroutine functions on the event loop of an `AsyncIOScheduler`, and other functions in threads."""

from __future__ import annotations

import asyncio
import concurrent.futures
from contextvars import Context
from typing import TYPE_CHECKING, Any

from mainspring.draining import drained
from mainspring.executors.event_loop import EventLoopExecutor
from mainspring.former_names import former_names

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from mainspring.executors.report import RunReporter
    from mainspring.model import Submission

__all__ = ["AsyncIOExecutor"]


class AsyncIOExecutor(EventLoopExecutor):
    """The default executor of an `AsyncIOScheduler`."""

    _needs = "an AsyncIOScheduler or a TornadoScheduler"
    _cancellation = asyncio.CancelledError

    def _fits(self, scheduler: Any) -> bool:
        return isinstance(getattr(scheduler, "_eventloop", None), asyncio.AbstractEventLoop)

    @property
    def _eventloop(self) -> asyncio.AbstractEventLoop:
        loop: asyncio.AbstractEventLoop = self._scheduler._eventloop  # noqa: SLF001 - APScheduler's name for it
        return loop

    @property
    def _pending_futures(self) -> set[asyncio.Future[Any]]:
        if self._waiting and self._scheduler.is_here():
            self._begin(drained(self._waiting))  # what is about to be
        return {task for task in self._native.values() if task is not None}

    def _spawn(self, coroutine: Coroutine[Any, Any, None], ended: Callable[..., None]) -> asyncio.Task[None]:
        task = self._eventloop.create_task(coroutine, context=Context())
        task.add_done_callback(ended)
        return task

    def _has_ended(self, submission: Submission, reporter: RunReporter, task: Any = None) -> None:
        if task is not None and not task.cancelled():
            task.exception()  # it was reported; asyncio itself raises what is to end the program
        super()._has_ended(submission, reporter)

    def _wait_on_loop(self, awaitable: Awaitable[Any]) -> Any:
        future = asyncio.run_coroutine_threadsafe(_awaited(awaitable), self._eventloop)
        self._awaited_by_threads.add(future)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise asyncio.CancelledError from None  # which is another class
        finally:
            self._awaited_by_threads.discard(future)


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
