"""The line in which processes wait to write to a file of SQLite."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

from mainspring.forks import leaves_to_parent

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows: there nobody waits in line
    fcntl = None

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class WriterQueue:
    """Where those who want to write to one file wait, in the order of coming. Nothing but this order depends on it.

    Whoever doesn't stand in line, such as a backup, waits as SQLite does.

    It is a lock of a file of its own beside the database, because closing the database's file would take SQLite's locks from it.

    Args:
        file: of the database; empty: there is no file, and nobody else.
    """

    def __init__(self, file: str) -> None:
        self._name = f"{file}-turn" if file and fcntl else None
        self._waiting: _Waiting | None = None
        self._descriptors: set[int] = set()
        leaves_to_parent(self)

    def leave_to_parent(self) -> None:
        """In a forked process: its parent's turn would last until both have ended."""
        inherited, self._descriptors = self._descriptors, set()
        self._waiting = None
        for descriptor in inherited:
            with suppress(OSError):
                os.close(descriptor)

    @contextmanager
    def turn(self, patience: float) -> Iterator[None]:
        """Be the one who writes; or one of several where files can't be locked, or after waiting for `patience` seconds."""
        descriptor = self._locked(patience)
        try:
            yield
        finally:
            if descriptor is not None:
                self._give_up(descriptor)

    def _locked(self, patience: float) -> int | None:
        if self._name is None or (self._waiting is not None and self._waiting.is_alive()):
            return None  # whose turn it was when this process last waited, still has it: stopped, most likely
        self._waiting = None
        try:
            descriptor = os.open(self._name, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError:
            return None
        self._descriptors.add(descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting = _Waiting(descriptor, self._give_up)
            if waiting.has_it_within(patience):
                return descriptor
            self._waiting = waiting
            return None
        except OSError:
            self._give_up(descriptor)
            return None
        return descriptor

    def _give_up(self, descriptor: int) -> None:
        """Let the next one have the lock, also where a process was forked meanwhile that has the file open as well."""
        self._descriptors.discard(descriptor)
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


class _Waiting(Thread):
    """Waits for a lock, which can't be done for a limited time, on a thread that may be left to itself."""

    def __init__(self, descriptor: int, give_up: Callable[[int], None]) -> None:
        super().__init__(name="mainspring-line", daemon=True)
        self._descriptor = descriptor
        self._give_up = give_up
        self._lock = Lock()
        self._ended = Event()
        self._is_given_up = False

    def has_it_within(self, patience: float) -> bool:
        """Wait; whether the lock is there. If not, whatever comes of it later is closed by this thread."""
        self.start()
        self._ended.wait(patience)
        with self._lock:
            self._is_given_up = not self._ended.is_set()
        return not self._is_given_up

    def run(self) -> None:
        """Wait as long as it takes."""
        with suppress(OSError):  # then it goes on without the lock
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        with self._lock:
            if not self._is_given_up:
                self._ended.set()
                return
        self._give_up(self._descriptor)
