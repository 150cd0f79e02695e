"""``executor._pool``: programs written for APScheduler read from it how many workers there may be, or submit work of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import Callable
    from threading import Thread


class _Owner(Protocol):
    """An executor with a pool of ours."""

    max_workers: int

    @property
    def _workers(self) -> Any: ...

    def _other_pool(self) -> concurrent.futures.Executor: ...


class _Queue:
    """What waits for a worker."""

    def __init__(self, owner: _Owner) -> None:
        self._owner = owner

    def qsize(self) -> int:
        """How many submissions no worker has taken up yet."""
        workers = self._owner._workers  # noqa: SLF001 - made for it
        return 0 if workers is None else workers.waiting

    def empty(self) -> bool:
        """Whether none waits."""
        return not self.qsize()


class PoolView:
    """Has the attributes of a pool of `concurrent.futures` that programs look at.

    What is submitted here runs in another pool, of the standard library, with as many workers.
    """

    def __init__(self, owner: _Owner) -> None:
        self._owner = owner

    @property
    def _max_workers(self) -> int:
        return self._owner.max_workers

    @property
    def _work_queue(self) -> _Queue:
        return _Queue(self._owner)

    @property
    def _threads(self) -> set[Thread]:
        workers = self._owner._workers  # noqa: SLF001 - made for it
        return set() if workers is None else workers.threads

    @property
    def _shutdown(self) -> bool:
        return self._owner._workers is None  # noqa: SLF001 - as above

    def __len__(self) -> int:
        return len(self._threads)

    def submit(
        self, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> concurrent.futures.Future[Any]:
        """See `concurrent.futures.Executor.submit`."""
        return self._owner._other_pool().submit(function, *args, **kwargs)  # noqa: SLF001 - as above

    def shutdown(self, wait: bool = True, **options: Any) -> None:
        """See `concurrent.futures.Executor.shutdown`; the executor's own workers are ended by its `shutdown`."""
        self._owner._other_pool().shutdown(wait, **options)  # noqa: SLF001 - as above
