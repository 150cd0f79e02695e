"""Signals that arrive around a fork: their handlers are called when both processes are whole again, and where an exception of theirs is seen.

Ctrl-C goes to all processes of a terminal, so also to one that was forked a moment ago. Python calls the handler of a signal between any two steps of
the main thread, and what is done right after a fork is no exception: `KeyboardInterrupt` ends that work wherever it happens to be, is printed as
"Exception ignored", and is lost.

So the thread that forks lets no signal in that Python handles, from just before the fork on. When all is done that is to be done at a fork, those that
have come are handled as soon as the fork returns to whoever has asked for it.

Not promised: where a C library forks that tells Python of it only afterwards, what comes before that is as it is without us, and what comes after it
is handled where the library has told. Of two signals of one number that have come in the meantime the system keeps one.
"""

from __future__ import annotations

import _thread
import os
import signal
from threading import local


class DeferredSignals:
    """Those of the calling thread, which is the one that forks."""

    def __init__(self) -> None:
        self._own = local()
        self._is_last = False

    def fork_begins(self) -> None:
        """`keep_out`, and `let_in` in both processes after all that others do there, as far as they are known by now."""
        self.keep_out()
        if not self._is_last:
            self._is_last = True
            os.register_at_fork(after_in_parent=self.let_in, after_in_child=self.let_in)

    @property
    def are_kept_out(self) -> bool:
        """Whether signals of this thread wait."""
        return getattr(self._own, "before", None) is not None

    def keep_out(self) -> None:
        """Have signals wait from now on, unless they do."""
        while not self.are_kept_out:
            try:
                before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
                numbers = _handled()
                self._own.before = before
                signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
            except KeyboardInterrupt:  # came just before
                self._own.interrupted = os.getpid()  # and no child of it

    def let_in(self) -> None:
        """Have signals handled again, and those that have come in the meantime when Python next looks for any; nothing if they don't wait."""
        own = self._own
        if not self.are_kept_out:
            return
        arrived: list[int] = [signal.SIGINT] if getattr(own, "interrupted", None) == os.getpid() else []
        while waiting := signal.sigpending() & _handled():
            arrived += _taken(waiting)
        before, own.before, own.interrupted = own.before, None, None
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        except KeyboardInterrupt:  # came just now
            arrived.append(signal.SIGINT)
        # To Python they come anew. It looks for signals where a call returns, a loop goes round or a function begins, and what follows is none of
        # these. So it doesn't before the fork returns.
        [*map(_thread.interrupt_main, arrived)]  # type: ignore[arg-type] # it takes any number


def _taken(waiting: set[int]) -> list[int]:
    """One of the signals that wait; empty if another thread, which lets it in, has taken it in the meantime."""
    if not hasattr(signal, "sigtimedwait"):  # on macOS
        return [signal.sigwait(waiting)]
    taken = signal.sigtimedwait(waiting, 0)
    return [] if taken is None else [taken.si_signo]


def _handled() -> set[int]:
    """The signals that Python handles."""
    return {number for number in signal.valid_signals() if callable(signal.getsignal(number))}
