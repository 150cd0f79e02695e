"""SIGINT and SIGTERM: the schedulers of this process drain, and then the program is told.

The first signal has every scheduler that is watched here shut down: what runs ends, nothing new begins, what was claimed is given back to the
others. Then `KeyboardInterrupt`, or `SystemExit` with 128 and the signal's number, is raised in the main thread. The second one has what still
runs recorded as lost, and the program told at once; a third doesn't wait for that either.

A handler is called in the middle of whatever the main thread does, which may hold any lock. So it only puts a number into a queue that may be
used there; a thread of our own does the rest.

Python calls a handler when the main thread next runs Python code. A thread that waits in an event loop may not do so for long: the system may
have had another thread take the signal. So the arrival of each signal is also written into a socket (`signal.set_wakeup_fd`), and another thread of
ours wakes the loops.

Not promised: that a program which goes on after the exception is left by the threads of jobs that were given up. Python can't end a thread.
"""

from __future__ import annotations

import _thread
import atexit
import logging
import os
import signal
import socket
from contextlib import suppress
from queue import SimpleQueue
from threading import Event, Thread, current_thread, main_thread
from typing import TYPE_CHECKING, Any, Protocol

from mainspring.forks import leaves_to_parent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

_logger = logging.getLogger("apscheduler.scheduler")

NUMBERS = (signal.SIGINT, signal.SIGTERM)
#: Seconds for which the main thread waits in one go. The system may have another thread take a signal, or the main thread just before it begins to
#: wait: Python then has no way to end its waiting, and calls our handler when that is over.
NOTICED_WITHIN_SECONDS = 0.5
#: Seconds for which, after a second signal, it is tried to record what is given up.
RECORDED_WITHIN_SECONDS = 2.0
#: How many times as long the main thread may then take no notice, being in a call that can't be interrupted, before the process is ended under it.
_NOTICED_WITHIN_TIMES = 6
#: What a shell reports for a program that a signal has ended.
EXIT_CODE_BASE = 128


class Watched(Protocol):
    """A scheduler that is shut down by signals."""

    def _drain(self) -> None:
        """Shut down, and return when that is over."""

    def _give_up_runs(self) -> None:
        """Have what runs recorded as lost, and `_drain` return soon."""

    def _tells_program(self, number: int) -> bool:
        """Tell the program in a way of its own that it is to end; whether there is one."""

    def _run_handlers(self) -> None:
        """Have the loop run some Python code, and so the handlers of signals that have arrived; also after a shutdown."""


class _Arrivals:
    """Wakes the loops of schedulers when a signal arrives. Made and closed by the main thread.

    What the program has set by `signal.set_wakeup_fd` hears of each signal as before.
    """

    def __init__(self, watched: Sequence[Watched]) -> None:
        self._watched = watched
        self._receiver, self._sender = socket.socketpair()
        self._sender.setblocking(False)
        self._previous = signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        _started(Thread(target=self._work, name="mainspring-signal-arrivals", daemon=True))

    def _work(self) -> None:
        with self._receiver:
            while numbers := self._receiver.recv(256):
                if self._previous >= 0:
                    with suppress(OSError):  # it was closed, or is full
                        os.write(self._previous, numbers)
                if not set(NUMBERS).isdisjoint(numbers):
                    for scheduler in list(self._watched):
                        _guarded(scheduler._run_handlers)  # noqa: SLF001 - made for this

    def close(self) -> None:
        current = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(self._previous if current == self._sender.fileno() else current)
        self._sender.close()  # the thread ends


class _Signals:
    """The signals of this process. Its attributes are changed by the main thread, but for what says so."""

    def __init__(self) -> None:
        self._watched: list[Watched] = []
        self._previous: dict[int, Any] = {}  # the handlers in whose place ours is
        self._messages: SimpleQueue[int] = SimpleQueue()
        self._thread: Thread | None = None
        self._arrivals: _Arrivals | None = None
        self._asked = 0  # how many signals have come
        self._number = 0  # the latest
        self._is_over = False  # set by our thread: the exception is to be raised
        self._drained = Event()
        self._raised = Event()
        self._is_exiting = False

    def watch(self, scheduler: Watched) -> bool:
        """Have signals shut `scheduler` down; whether they do: not on another thread than the main one, nor where the program has handlers."""
        if current_thread() is not main_thread() or self._is_exiting:
            return False
        if self._asked and self._drained.is_set() and not self._is_over:
            self._restore()  # the program was told in a way of its own, and goes on
        for number in NUMBERS:
            current = signal.getsignal(number)
            if current == self._handle or not is_default(number, current):
                continue
            try:
                signal.signal(number, self._handle)
            except ValueError:  # in a subinterpreter
                return False
            self._previous[number] = current
        if not self._previous:
            return False
        self._watched.append(scheduler)
        if self._thread is None:
            self._thread = Thread(target=self._work, name="mainspring-signals", daemon=True)
            self._thread.start()
            self._arrivals = _Arrivals(self._watched)
        return True

    def forget(self, scheduler: Watched) -> None:
        """`scheduler` has ended. May be called from any thread, also for one that isn't watched."""
        if scheduler in self._watched:
            self._watched.remove(scheduler)
        # Only the main thread can put the program's handlers back.
        if self._previous and not self._watched and not self._asked and current_thread() is main_thread():
            self._restore()

    @property
    def is_ending_here(self) -> bool:
        """Whether a signal has come, and the calling thread, which is the main one, has not been told yet."""
        return self._asked > 0 and current_thread() is main_thread()

    def wait_until_told(self) -> None:
        """On the main thread: raise what tells the program to end, as soon as all have drained."""
        while not self._is_over:
            self._drained.wait(NOTICED_WITHIN_SECONDS)
        self._raise()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._is_over:
            self._raise()
        if not self._watched and not self._asked:
            self._as_before(number, frame)
            return
        self._asked += 1
        self._number = number
        if self._asked == 1 or (self._asked == 2 and not self._is_exiting):  # noqa: PLR2004 - the second one
            self._messages.put(self._asked)
        elif self._is_exiting:
            self._as_before(number, frame)
        else:
            self._raise()

    def _raise(self) -> None:
        number, raised = self._number, self._raised
        self._restore()
        raised.set()
        raise exception_for(number)

    def _as_before(self, number: int, frame: FrameType | None) -> None:
        """Nobody is watched: what the signal does without us."""
        previous = self._previous.get(number, signal.SIG_DFL)
        self._restore()
        if callable(previous):
            previous(number, frame)
        else:
            signal.raise_signal(number)

    def _restore(self) -> None:
        """Put the handlers back, and forget what has come."""
        for number, previous in self._previous.items():
            if signal.getsignal(number) == self._handle:
                signal.signal(number, previous)
        self._previous.clear()
        self._watched.clear()
        if self._arrivals is not None:
            self._arrivals.close()
            self._arrivals = None
        self._messages.put(0)  # the thread ends
        self._messages, self._thread = SimpleQueue(), None
        self._asked, self._is_over = 0, False
        self._drained, self._raised = Event(), Event()

    # On our thread

    def _work(self) -> None:
        messages, drained, raised = self._messages, self._drained, self._raised
        while asked := messages.get():
            schedulers = list(self._watched)
            name = signal.Signals(self._number).name
            if self._is_exiting:
                _logger.info(
                    "%s: the program is ending; what runs is waited for. Again ends it at once", name
                )
            elif asked == 1:
                _logger.info(
                    "%s: shutting down; what runs ends, nothing new begins. A second signal ends it at once",
                    name,
                )
                work = Thread(target=self._drain, args=(schedulers,), name="mainspring-drain", daemon=True)
                if not _started(work):
                    self._tell(schedulers, drained)
            else:
                _logger.warning("%s: ending at once", name)
                for scheduler in schedulers:
                    _started(Thread(target=_guarded, args=(scheduler._give_up_runs,), daemon=True))  # noqa: SLF001 - made for this
                drained.wait(RECORDED_WITHIN_SECONDS)
                self._tell(schedulers, drained)
                if not self._is_noticed(raised, schedulers) and self._is_over:
                    _logger.critical("The main thread takes no notice: the process is ended")
                    os._exit(EXIT_CODE_BASE + self._number)

    def _drain(self, schedulers: Sequence[Watched]) -> None:
        drained, raised = self._drained, self._raised
        threads = [
            Thread(target=_guarded, args=(scheduler._drain,), name="mainspring-drain", daemon=True)  # noqa: SLF001 - made for this
            for scheduler in schedulers
        ]
        for thread in [thread for thread in threads if _started(thread)]:
            thread.join()
        self._tell(schedulers, drained)
        if self._is_over:
            self._is_noticed(raised, schedulers)

    def _is_noticed(self, raised: Event, schedulers: Sequence[Watched]) -> bool:
        """Whether the main thread has told the program. It may have begun to wait just after it was told: its loops are woken until it has."""
        for _ in range(_NOTICED_WITHIN_TIMES):
            if raised.wait(NOTICED_WITHIN_SECONDS):
                return True
            _thread.interrupt_main(signal.Signals(self._number))  # it may have the signal blocked
            for scheduler in schedulers:
                _guarded(scheduler._run_handlers)  # noqa: SLF001 - made for this
        return False

    def _tell(self, schedulers: Sequence[Watched], drained: Event) -> None:
        """Have the main thread raise what tells the program, unless it has a way of its own."""
        if drained.is_set() or drained is not self._drained:
            return  # it was told
        number = self._number
        told = [scheduler._tells_program(number) for scheduler in schedulers]  # noqa: SLF001 - made for this
        self._is_over = not any(told)
        drained.set()
        if not self._is_over:
            return
        main = main_thread().ident
        if main is not None and hasattr(signal, "pthread_kill"):
            signal.pthread_kill(main, number)  # ends its waiting, too, if that has begun
        else:
            _thread.interrupt_main(signal.Signals(number))

    # The end of the process, and others that it makes

    def exit(self) -> None:
        """The program has ended by itself, or by what was raised: what is being drained is waited for."""
        self._is_exiting = True
        if self._asked:
            with suppress(KeyboardInterrupt, SystemExit):  # which reach nobody any more
                while not self._drained.wait(NOTICED_WITHIN_SECONDS):
                    pass

    def leave_to_parent(self) -> None:
        """In a forked process: the schedulers are the parent's, and so are the handlers."""
        if self._previous:
            self._restore()


def exception_for(number: int) -> BaseException:
    """By which a program is told that a signal has ended it."""
    return KeyboardInterrupt() if number == signal.SIGINT else SystemExit(EXIT_CODE_BASE + number)


def is_default(number: int, handler: Any) -> bool:
    """Whether a handler is what Python or the system has for a signal by itself; one that is ignored isn't."""
    return bool(handler == (signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL))


def _started(thread: Thread) -> bool:
    """Start a thread; whether Python still can, which it can't at the end of the interpreter."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True


def _guarded(call: Any) -> None:
    try:
        call()
    except Exception:
        _logger.exception("Error shutting a scheduler down")


SIGNALS = _Signals()
atexit.register(SIGNALS.exit)
leaves_to_parent(SIGNALS)
