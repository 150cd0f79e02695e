"""Ends the process where its screen can't: the terminal is gone, or takes nothing any more."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ending_with_its_terminal", "is_terminal"]

#: So often it is looked whether the terminal is there.
_LOOK_SECONDS = 1.0
#: So long the screen may take to end after a signal.
_PATIENCE_SECONDS = 5.0
#: By SIGHUP, as shells have it.
_HUNG_UP = 129


def is_terminal() -> bool:
    """Whether there is a terminal to show a screen on: Textual reads standard input, and writes to standard error."""
    streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    return os.environ.get("TERM") != "dumb" and all(
        stream is not None and stream.isatty() for stream in streams
    )


@contextmanager
def ending_with_its_terminal(told: Callable[[int], None], codes: dict[signal.Signals, int]) -> Iterator[None]:
    """Have signals end the screen, and meanwhile a thread watch over the terminal.

    SIGHUP ends the process, unless whoever started it has it ignored (nohup): then reads and writes of the terminal fail, or wait for ever. The same is so where a
    connection to it stalls. Nothing is left to be shown then, so the process ends at once, with the terminal's modes as they were.

    Args:
        told: called in a signal's handler with the exit code, to end the screen.
        codes: which signals end it, with which exit code.
    """
    if isinstance(sys.__stderr__, TextIOWrapper) and sys.__stderr__.encoding.lower() not in ("utf-8", "utf8"):
        sys.__stderr__.reconfigure(
            errors="replace"
        )  # an escape in the place of a character would take up several
    ended, is_told = Event(), Event()
    code = 0
    descriptor = sys.__stderr__.fileno() if sys.__stderr__ is not None else 2
    modes = _modes(descriptor)

    def on_signal(number: int, _: object) -> None:
        nonlocal code
        code = codes[signal.Signals(number)]
        is_told.set()
        told(code)

    def watch() -> None:
        while not ended.wait(_LOOK_SECONDS):
            try:
                _modes(descriptor)
            except OSError:
                os._exit(_HUNG_UP)
            if is_told.is_set() and not ended.wait(_PATIENCE_SECONDS):
                with suppress(OSError):
                    _set_modes(descriptor, modes)
                os._exit(code)

    before = {number: signal.signal(number, on_signal) for number in codes}
    Thread(target=watch, name="mainspring-top-terminal", daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        for number, handler in before.items():
            signal.signal(number, handler)


def _modes(descriptor: int) -> list[Any]:
    """The modes of a terminal; none on Windows, which ends what loses its console.

    Raises:
        OSError: there is no terminal any more.
    """
    if sys.platform == "win32":
        return []
    import termios

    try:
        return termios.tcgetattr(descriptor)
    except termios.error as error:
        raise OSError(*error.args) from error


def _set_modes(descriptor: int, modes: list[Any]) -> None:
    if sys.platform == "win32":
        return
    import termios

    try:
        termios.tcsetattr(descriptor, termios.TCSANOW, modes)
    except termios.error as error:
        raise OSError(*error.args) from error
