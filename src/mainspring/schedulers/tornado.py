"""A scheduler on Tornado's loop, which is a loop of asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainspring.coercion import names_parameters
from mainspring.executors.tornado import TornadoExecutor
from mainspring.extras import library_missing
from mainspring.former_names import former_names
from mainspring.references import maybe_ref
from mainspring.schedulers.asyncio import AsyncIOScheduler
from mainspring.schedulers.awaitable import run_on_loop

try:
    from tornado.ioloop import IOLoop
except ImportError as error:
    raise library_missing("TornadoScheduler", "Tornado", "tornado", "tornado", error) from error

if TYPE_CHECKING:
    import asyncio

__all__ = ["TornadoScheduler", "run_in_ioloop"]

run_in_ioloop = run_on_loop


@names_parameters
class TornadoScheduler(AsyncIOScheduler):
    """Runs jobs on a loop of Tornado.

    Args:
        io_loop: the loop; if not given, ``IOLoop.current()`` where `start` is called.

    Takes the other arguments of `BaseScheduler`.
    """

    _own_options = ("io_loop",)
    _ioloop: IOLoop | None = None
    _given_ioloop: IOLoop | None = None
    _found_ioloop: IOLoop | None = None

    def _configure(self, config: dict[str, Any]) -> None:
        if "io_loop" in config:
            self._given_ioloop = maybe_ref(config.pop("io_loop"))
        super()._configure(config)

    def _attach(self) -> None:
        if self._given_ioloop is not None:
            self._ioloop = self._given_ioloop
        elif (
            self._ioloop is self._found_ioloop
        ):  # otherwise programs written for APScheduler have put it there
            self._ioloop = self._found_ioloop = IOLoop.current()
        ioloop: Any = self._ioloop
        loop: asyncio.AbstractEventLoop = ioloop.asyncio_loop  # all loops have it since Tornado 5
        self._eventloop = loop

    def _create_default_executor(self) -> TornadoExecutor:
        return TornadoExecutor()


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
