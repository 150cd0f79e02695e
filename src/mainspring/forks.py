"""What a forked process makes of what it has inherited: nothing that its parent goes on using, nothing that waits for ever.

A child has copies of its parent's objects, the same sockets and files, none of the other threads, and each lock as it was at that moment. So
whatever has a connection, a thread, a lock, or a task of its process `leaves_to_parent`: in each child its `leave_to_parent` is called, before
anything else runs there, and makes anew what belongs to one process. It must take no lock of before the fork, and send nothing.

What may not be cut in two, since its locks are out of our reach, is done within `UNDIVIDED`: a fork waits for it, for a moment.

A C library that forks by itself, and doesn't tell Python, is not noticed, unless it has a hook of its own that calls `notice_fork`.
"""

from __future__ import annotations

import os
from contextlib import suppress
from copy import deepcopy
from itertools import count
from threading import Condition, Lock
from typing import TYPE_CHECKING, Any, Protocol
from weakref import ref

from mainspring.clock import REAL_CLOCK  # noqa: TID251 - threads are waited for
from mainspring.deferred_signals import DeferredSignals

if TYPE_CHECKING:
    from types import TracebackType

#: Seconds for which a fork waits at most for what other threads are in the middle of.
_FORK_SECONDS = 2.0


class Inherited(Protocol):
    """What a forked process has, and may not use as it is."""

    def leave_to_parent(self) -> None:
        """In a child: make anew what belongs to one process."""


_inherited: dict[int, ref[Inherited]] = {}
_numbers = count()
_kept: list[Any] = []


def leaves_to_parent(part: Inherited) -> None:
    """Have `part.leave_to_parent()` called in each forked process, as long as somebody has it; in the order in which this was asked for."""
    number = next(_numbers)
    _inherited[number] = ref(part, lambda _: _inherited.pop(number, None))


def deep_copied(part: Any, memo: dict[int, Any]) -> Any:
    """A copy of a part that was not started, for `copy.deepcopy`: what belongs to one process is made anew in it, as after a fork.

    Raises:
        TypeError: it holds something else that can't be copied.
    """
    copy = memo[id(part)] = object.__new__(type(part))
    refused = {}
    for name, value in vars(part).items():
        try:
            vars(copy)[name] = deepcopy(value, memo)
        except TypeError as error:  # a lock
            vars(copy)[name] = value
            refused[name] = error
    copy.leave_to_parent()
    for name, refusal in refused.items():
        if vars(copy)[name] is vars(part)[name]:
            raise refusal
    leaves_to_parent(copy)
    return copy


def keep_for_ever(thing: Any) -> None:
    """In a child: don't let `thing`, which is the parent's, be freed, as some drivers say goodbye on a connection when it is."""
    _kept.append(thing)
    with suppress(ImportError):  # a Python without it frees what is left at the end of the process
        from ctypes import py_object, pythonapi

        pythonapi.Py_IncRef(py_object(thing))


class OwnLock:
    """A lock of a module, which nobody holds in a forked process."""

    def __init__(self) -> None:
        self._lock = Lock()
        leaves_to_parent(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock.locked():  # not where the thread has forked that held it
            self._lock.release()

    def leave_to_parent(self) -> None:
        """Whoever held it is the parent's."""
        self._lock = Lock()


class Undivided:
    """What threads do that no fork may come into the middle of. Not reentrant."""

    def __init__(self) -> None:
        self._begin_in_process()

    def _begin_in_process(self) -> None:
        self._changed = Condition()
        self._inside = 0
        self._forking = 0

    def __enter__(self) -> None:
        with self._changed:
            if self._forking:
                self._changed.wait_for(lambda: not self._forking, _FORK_SECONDS)
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._inside -= 1
            if self._forking:
                self._changed.notify_all()

    def fork_begins(self) -> None:
        """Let nobody in, and wait until nobody is inside, or for so long that the calling thread is most likely inside itself."""
        until = REAL_CLOCK.monotonic() + _FORK_SECONDS
        with self._changed:
            self._forking += 1
            while self._inside and (left := until - REAL_CLOCK.monotonic()) > 0:
                self._changed.wait(left)

    def fork_ended(self) -> None:
        """Let others in again."""
        with self._changed:
            self._forking -= 1
            self._changed.notify_all()

    def leave_to_parent(self) -> None:
        """Whoever was inside is the parent's."""
        self._begin_in_process()


#: Calls of SQLite, which has locks for the whole process: a child could never open a file again.
UNDIVIDED = Undivided()


_process_id = os.getpid()
_signals = DeferredSignals()


def notice_fork() -> None:
    """In a process that a C library may have forked without a word to Python: what Python would have had done, unless it was done."""
    if os.getpid() != _process_id:
        _in_child()


def _fork_begins() -> None:
    _signals.fork_begins()
    UNDIVIDED.fork_begins()


def _in_child() -> None:
    global _process_id  # noqa: PLW0603 - of this process
    was_announced = _signals.are_kept_out
    _signals.keep_out()  # or what a handler raises would leave the rest undone
    _process_id = os.getpid()
    UNDIVIDED.leave_to_parent()
    errors = _left_to_parent()
    if not was_announced:
        _signals.let_in()
    if errors:
        raise errors[0]  # Python prints it, and goes on


def _left_to_parent() -> list[Exception]:
    """Call `leave_to_parent` of all parts; what some of them have raised."""
    errors = []
    # All of them from now on: what one makes anew may be all that has held another.
    parts = [part() for part in list(_inherited.values())]
    for part in parts:
        try:
            if part is not None:
                part.leave_to_parent()
        except Exception as error:  # noqa: BLE001 - the others are to be made anew all the same
            errors.append(error)
    return errors


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_fork_begins,
        after_in_parent=UNDIVIDED.fork_ended,
        after_in_child=_in_child,
    )
