"""One start of a scheduler, or of a job store of a running one: for how long it is tried, and what has become of it."""

from __future__ import annotations

from asyncio import wrap_future
from concurrent.futures import Future
from threading import Event, get_ident
from typing import TYPE_CHECKING, Any

from mainspring.clock import REAL_CLOCK  # noqa: TID251 - waits for servers

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from mainspring.clock import Clock
    from mainspring.jobstores.contract import RunStore

#: Seconds that a call from an event loop's thread waits for job stores that are being started, all calls together. As long as none is
#: known to be in trouble, they are there in much less.
GLANCE = 1.0
#: Seconds between two looks at whether one is in trouble.
_STEP = 0.01


class Started(Future[None]):
    """Done when a start is over; has the error if it failed. Can also be awaited on a loop of asyncio."""

    def __init__(self) -> None:
        super().__init__()
        # Whoever waits for it and gives that up gives up nothing else.
        self.set_running_or_notify_cancel()

    def __await__(self) -> Generator[Any, None, None]:
        return wrap_future(self).__await__()


class Starting:
    """For how long a start is tried.

    Args:
        seconds: for which what fails for a reason that passes is tried.

    Attributes:
        over: set when the job stores are there, or it is given up.
        thread: on which it is done, if on another one.
        glance: for how many more seconds calls from an event loop's thread may wait for it.
    """

    def __init__(self, seconds: float, clock: Clock) -> None:
        self.seconds = seconds
        self.over = Event()
        self.thread: int | None = None
        self.glance = GLANCE
        self._clock = clock
        self._until = clock.monotonic() + seconds
        self._really_until = REAL_CLOCK.monotonic() + seconds
        self._cancelled = Event()

    def cancel(self) -> None:
        """Try nothing any more."""
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        """Whether it was told to stop."""
        return self._cancelled.is_set()

    def gives_up(self) -> bool:
        """Whether nothing is to be tried any more."""
        if self._cancelled.is_set() or self._clock.monotonic() >= self._until:
            return True
        return REAL_CLOCK.monotonic() >= self._really_until  # a clock that stands still waits for nobody

    def wait_a_moment(self, stores: Sequence[RunStore], *, on_loop: bool) -> None:
        """Wait until it is over, but not while one of `stores` is in trouble; on the thread of an event loop a moment at most."""
        while (self.glance > 0 or not on_loop) and get_ident() != self.thread:
            if any(store.trouble is not None for store in stores) or self.over.wait(_STEP):
                return
            if on_loop:
                self.glance -= _STEP
