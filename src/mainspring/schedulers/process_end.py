"""What happens when the main thread ends while a scheduler's loop runs in another thread that is not a daemon.

Python then waits for that thread, in a place where an interrupt is printed as an ignored exception. This waits a
little earlier, so that the loop goes on as it was and Ctrl-C ends the program quietly: the loops stop, no job is waited for.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable


class _Stoppable(Protocol):
    def _end_with_process(self) -> None: ...


_lock = threading.Lock()
_loops: WeakSet[_Stoppable] = WeakSet()
_none_left = threading.Event()


def outlives_main_thread() -> bool:
    """Whether the calling thread keeps the process alive after the main thread has ended."""
    thread = threading.current_thread()
    return thread is not threading.main_thread() and not thread.daemon


def loop_began(loop: _Stoppable) -> None:
    """`loop` is about to begin, and is to be waited for at the end of the main thread."""
    with _lock:
        _loops.add(loop)
        _none_left.clear()


def loop_ended(loop: _Stoppable) -> None:
    """`loop` has ended."""
    with _lock:
        _loops.discard(loop)
        if not _loops:
            _none_left.set()


def _register(callback: Callable[[], None]) -> None:
    # Done at import: when a loop begins, the main thread may have ended already, and nothing is registered any more. The pools of concurrent.futures shut down by the same hook, last registered first. Jobs may use them, so they are
    # to go after us, and must be registered by now.
    import concurrent.futures.thread  # noqa: F401

    register = getattr(threading, "_register_atexit", None)
    if register is not None:  # private to CPython, and nothing public runs before threads are joined
        register(callback)


def _wait() -> None:
    try:
        with _lock:
            if not _loops:
                return
        _none_left.wait()
    except KeyboardInterrupt:
        for loop in list(_loops):
            loop._end_with_process()  # noqa: SLF001 - made for this module


_register(_wait)
