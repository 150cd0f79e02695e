"""What happens when the main thread ends while a scheduler's loop runs in another thread that is not a daemon.

Python then waits for that thread, in a place where an interrupt is printed as an ignored exception. This waits a
little earlier, so that the loop goes on as it was and Ctrl-C ends the program quietly: the loops stop, no job is waited for.
"""

from __future__ import annotations

import atexit
import threading
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

# The pools register with atexit when they are imported. What is registered last is called first, and that is to be ours.
import mainspring.executors.workers  # noqa: F401
from mainspring.forks import leaves_to_parent

if TYPE_CHECKING:
    from collections.abc import Callable


class _Stoppable(Protocol):
    def _end_with_process(self) -> None: ...

    def _stop_claiming(self) -> None: ...


class _Loops:
    """What this process runs."""

    def __init__(self) -> None:
        self.leave_to_parent()
        leaves_to_parent(self)

    def leave_to_parent(self) -> None:
        """In a forked process: it runs nothing, so that its end waits for nothing, and ends nothing of its parent's."""
        self.lock = threading.Lock()
        self.loops: WeakSet[_Stoppable] = WeakSet()
        self.started: WeakSet[_Stoppable] = WeakSet()
        self.none_left = threading.Event()


_here = _Loops()


def outlives_main_thread() -> bool:
    """Whether the calling thread keeps the process alive after the main thread has ended."""
    thread = threading.current_thread()
    return thread is not threading.main_thread() and not thread.daemon


def loop_began(loop: _Stoppable) -> None:
    """`loop` is about to begin, and is to be waited for at the end of the main thread."""
    with _here.lock:
        _here.loops.add(loop)
        _here.none_left.clear()


def loop_ended(loop: _Stoppable) -> None:
    """`loop` has ended."""
    with _here.lock:
        _here.loops.discard(loop)
        if not _here.loops:
            _here.none_left.set()


def _register(callback: Callable[[], None]) -> None:
    # Done at import: when a loop begins, the main thread may have ended already, and nothing is registered any more. The pools of concurrent.futures shut down by the same hook, last registered first. Jobs may use them, so they are
    # to go after us, and must be registered by now.
    import concurrent.futures.thread  # noqa: F401

    register = getattr(threading, "_register_atexit", None)
    if register is not None:  # private to CPython, and nothing public runs before threads are joined
        register(callback)


def _wait() -> None:
    try:
        with _here.lock:
            if not _here.loops:
                return
        _here.none_left.wait()
    except (KeyboardInterrupt, SystemExit):
        for loop in list(_here.loops):
            loop._end_with_process()  # noqa: SLF001 - made for this module


_register(_wait)


def scheduler_started(scheduler: _Stoppable) -> None:
    """`scheduler` runs from now on, and is to claim nothing more when the process ends."""
    _here.started.add(scheduler)


def scheduler_stopped(scheduler: _Stoppable) -> None:
    """`scheduler` was shut down."""
    _here.started.discard(scheduler)


def _stop_claiming() -> None:
    # Before the pools finish what they have, so that they are given nothing new.
    for scheduler in list(_here.started):
        scheduler._stop_claiming()  # noqa: SLF001 - made for this module


atexit.register(_stop_claiming)
