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
from threading import Lock, Thread, current_thread, main_thread
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from mainspring.draining import drained
from mainspring.errors import MainspringError
from mainspring.forks import leaves_to_parent
from mainspring.safe_logging import SafeLogger

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Sequence


class PoolClosedError(MainspringError, RuntimeError):
    """Work was given to a pool that takes none any more."""


class WorkerThreads:
    """Calls ``work(item)`` on worker threads, in the order in which items came.

    Args:
        work: what is done with each item. It is to report its errors itself; what it raises is logged, no more.
        max_workers: how many threads at most.
        name: prefix of the threads' names.
        end: called on each worker thread after its last item.
    """

    def __init__(
        self,
        work: Callable[[Any], None],
        max_workers: int,
        *,
        name: str,
        logger: logging.Logger,
        end: Callable[[], None] | None = None,
    ) -> None:
        self._work = work
        self._max_workers = max_workers
        self._name = name
        self._logger = logger
        self._end = end
        self._items: deque[Any] = deque()
        self._begin_in_process()
        self._started = 0
        self._is_closed = False
        self._can_grow = True
        self._is_warned = False
        self._refusal = ""
        _open_pools.add(self)
        leaves_to_parent(self)

    def _begin_in_process(self) -> None:
        """Make what belongs to one process."""
        self._lock = Lock()
        self._idle: list[Lock] = []
        self._threads: set[Thread] = set()
        self._at: dict[Thread, Any] = {}  # what each of them is at

    def leave_to_parent(self) -> None:
        """In a forked process: the work is the parent's, also where a worker has forked, and comes back here from its item."""
        self._begin_in_process()
        self._items.clear()  # the same one that a worker looks into
        self._is_closed = True

    def __len__(self) -> int:
        return len(self._threads)

    @property
    def threads(self) -> set[Thread]:
        """Those that are there now."""
        return set(self._threads)

    @property
    def waiting(self) -> int:
        """How many items no worker has taken up yet."""
        return len(self._items)

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
            elif len(self._threads) < self._max_workers and self._can_grow:
                self._start_worker()
            if not self._threads:
                self._items.pop()  # the one just added: nobody else could have taken it
                raise PoolClosedError(
                    f"pool {self._name!r} has no worker, and Python starts no thread: {self._refusal}. "
                    "Start the scheduler before the main thread ends, so that its pool has workers by then"
                )

    def submit_all(self, items: Sequence[Any]) -> bool:
        """Have ``work(item)`` called for each, or for none: whether it will be, since there are workers for it."""
        with self._lock:
            if self._is_closed:
                return False
            self._items.extend(items)
            left = len(items)
            while left and self._idle:
                self._idle.pop().release()
                left -= 1
            while left and len(self._threads) < self._max_workers and self._can_grow and self._start_worker():
                left -= 1
            if self._threads:
                return True
            for _ in items:  # nobody else could have taken them
                self._items.pop()
            return False

    def take_back(self, chosen: Callable[[Any], bool]) -> list[Any]:
        """Those of the items that no worker has taken up, and that are `chosen`, in their order: they are not worked on."""
        taken: list[Any] = []
        kept: list[Any] = []
        with self._lock:
            for item in drained(self._items):
                (taken if chosen(item) else kept).append(item)
            self._items.extend(kept)
            # A worker may have found nothing, and gone to sleep, in between.
            for _ in kept[: len(self._idle)]:
                self._idle.pop().release()
        return taken

    def leave(self, chosen: Callable[[Any], bool]) -> None:
        """A worker is at a `chosen` item for good, perhaps: count on it no more, and let another take its place.

        If it returns all the same, it ends when it finds nothing to do.
        """
        with self._lock:
            for thread in self._threads:
                item = self._at.get(thread)
                if item is not None and chosen(item):
                    self._threads.discard(thread)
                    break
            else:
                return
            if self._items and self._can_grow and not self._is_closed:
                self._start_worker()

    def prestart(self) -> None:
        """Start all workers now."""
        with self._lock:
            while not self._is_closed and self._can_grow and len(self._threads) < self._max_workers:
                if not self._start_worker():
                    return

    def _start_worker(self) -> bool:
        """Start one more worker, if Python lets us. Needs the lock, so that what is counted does run."""
        thread = Thread(target=self._run, name=f"{self._name}-worker-{self._started + 1}", daemon=True)
        self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError as error:
            self._threads.discard(thread)
            self._refused(error)
            return False
        except BaseException:
            # An interrupt while the thread was being started: it may run all the same, and discards itself then.
            if not thread.is_alive():
                self._threads.discard(thread)
            raise
        self._started += 1
        return True

    def _refused(self, error: RuntimeError) -> None:
        """Python started no thread: for good if the main thread has ended, otherwise perhaps for want of memory."""
        is_over = not main_thread().is_alive()
        self._refusal = "the main thread has ended" if is_over else str(error)
        if is_over:
            self._can_grow = False
        if not self._is_warned:
            self._is_warned = True
            self._logger.warning(
                "The pool can't grow beyond %d workers (of %d) because %s (%s)",
                len(self._threads),
                self._max_workers,
                "the main thread has ended" if is_over else "Python can't start a thread now",
                error,
            )

    def _run(self) -> None:
        items = self._items
        work = self._work
        at = self._at
        me = current_thread()
        parked = Lock()
        parked.acquire()
        try:
            while True:
                try:
                    item = items.popleft()
                except IndexError:
                    with self._lock:
                        if items:
                            continue
                        if self._is_closed or me not in self._threads:
                            return
                        self._idle.append(parked)
                    parked.acquire()
                    continue
                at[me] = item
                try:
                    work(item)
                except Exception:  # noqa: BLE001 - it is logged
                    SafeLogger(self._logger).exception(
                        "A worker goes on after an error that is none of its job's"
                    )
                item = at[me] = None  # an idle worker keeps nothing of its last job alive
        finally:
            try:
                if self._end is not None:
                    self._end()
            finally:
                with self._lock:
                    self._threads.discard(me)
                    at.pop(me, None)

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
            if thread is not current_thread():
                thread.join()

    def abandon(self) -> None:
        """Don't wait for the work at the end of the process."""
        _open_pools.discard(self)


_open_pools: WeakSet[WorkerThreads] = WeakSet()
_afterwards: list[Callable[[], object]] = []


class _OpenPools:
    """The pools of this process, which its end waits for."""

    def leave_to_parent(self) -> None:
        """In a forked process: there is nothing to finish."""
        _open_pools.clear()


_of_this_process = _OpenPools()
leaves_to_parent(_of_this_process)


def call_when_finished(callback: Callable[[], object]) -> None:
    """Have `callback` called at the end of the process when the pools have done their work, which may need it."""
    _afterwards.append(callback)


def _finish_open_pools() -> None:
    pools = list(_open_pools)
    try:
        for pool in pools:
            pool.close()
        for pool in pools:
            pool.join()
    except KeyboardInterrupt:
        pass  # whoever presses Ctrl-C now doesn't want to wait
    for callback in _afterwards:
        callback()


atexit.register(_finish_open_pools)
