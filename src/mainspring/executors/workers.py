"""A pool of threads that outlives the main thread.

`concurrent.futures` refuses work once the main thread has ended; this pool goes on until it is closed. Workers are
started as work comes, up to a limit. A worker without work sleeps on a lock of its own, so that idling costs nothing and
handing over work wakes one worker at most.

The threads are daemons: they don't keep the process alive. At its end the work that was taken is finished, unless the
pool was abandoned.
"""

from __future__ import annotations

import atexit
from collections import deque
from threading import Lock, Thread, current_thread
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from mainspring.errors import MainspringError

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable


class PoolClosedError(MainspringError, RuntimeError):
    """Work was given to a pool that takes none any more."""


class WorkerThreads:
    """Calls ``work(item)`` on worker threads, in the order in which items came.

    Args:
        work: what is done with each item; it must not raise.
        max_workers: how many threads at most.
        name: prefix of the threads' names.
        begin, end: called on each worker thread before its first and after its last item.
    """

    def __init__(
        self,
        work: Callable[[Any], None],
        max_workers: int,
        *,
        name: str,
        logger: logging.Logger,
        begin: Callable[[], None] | None = None,
        end: Callable[[], None] | None = None,
    ) -> None:
        self._work = work
        self._max_workers = max_workers
        self._name = name
        self._logger = logger
        self._begin = begin
        self._end = end
        self._lock = Lock()
        self._items: deque[Any] = deque()
        self._idle: list[Lock] = []
        self._threads: set[Thread] = set()
        self._started = 0
        self._is_closed = False
        self._can_grow = True
        _open_pools.add(self)

    def __len__(self) -> int:
        return len(self._threads)

    def submit(self, item: Any) -> None:
        """Have ``work(item)`` called.

        Raises:
            PoolClosedError: the pool was closed.
            RuntimeError: there is no worker, and none can be started any more.
        """
        with self._lock:
            if self._is_closed:
                raise PoolClosedError(f"pool {self._name!r} takes no more work: it was shut down")
            self._items.append(item)
            if self._idle:
                self._idle.pop().release()
                return
            if len(self._threads) >= self._max_workers or not self._can_grow:
                return
            thread = self._new_thread()
        if not self._start(thread) and not self._threads:
            with self._lock:
                self._items.remove(item)
            raise PoolClosedError(
                f"pool {self._name!r} has no worker, and Python starts no thread any more: the main thread has ended. "
                "Start the scheduler before, so that its pool has workers by then"
            )

    def prestart(self) -> None:
        """Start all workers now."""
        while True:
            with self._lock:
                if self._is_closed or not self._can_grow or len(self._threads) >= self._max_workers:
                    return
                thread = self._new_thread()
            self._start(thread)

    def _new_thread(self) -> Thread:
        """A worker that is counted, but not started yet. Needs the lock."""
        self._started += 1
        thread = Thread(target=self._run, name=f"{self._name}-worker-{self._started}", daemon=True)
        self._threads.add(thread)
        return thread

    def _start(self, thread: Thread) -> bool:
        try:
            thread.start()
        except RuntimeError as error:
            with self._lock:
                self._threads.discard(thread)
                first, self._can_grow = self._can_grow, False
                left = len(self._threads)
            if first:
                self._logger.warning(
                    "The pool can't grow beyond its %d workers (of %d): %s", left, self._max_workers, error
                )
            return False
        return True

    def _run(self) -> None:
        items = self._items
        work = self._work
        parked = Lock()
        parked.acquire()
        try:
            if self._begin is not None:
                self._begin()
            while True:
                try:
                    item = items.popleft()
                except IndexError:
                    with self._lock:
                        if items:
                            continue
                        if self._is_closed:
                            return
                        self._idle.append(parked)
                    parked.acquire()
                    continue
                work(item)
                item = None  # an idle worker keeps nothing of its last job alive
        finally:
            try:
                if self._end is not None:
                    self._end()
            finally:
                with self._lock:
                    self._threads.discard(current_thread())

    def close(self) -> None:
        """Take no more work. Workers end when none is left."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for parked in idle:
            parked.release()

    def join(self) -> None:
        """Wait for the workers of a closed pool to end, except for the calling one."""
        for thread in list(self._threads):
            if thread is not current_thread() and thread.ident is not None:
                thread.join()

    def abandon(self) -> None:
        """Don't wait for the work at the end of the process."""
        _open_pools.discard(self)


_open_pools: WeakSet[WorkerThreads] = WeakSet()


def _finish_open_pools() -> None:
    pools = list(_open_pools)
    try:
        for pool in pools:
            pool.close()
        for pool in pools:
            pool.join()
    except KeyboardInterrupt:
        pass  # whoever presses Ctrl-C now doesn't want to wait


atexit.register(_finish_open_pools)
