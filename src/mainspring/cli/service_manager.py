"""Tells systemd, or whoever started this as a service, how it is: sd_notify(3) is a datagram to a socket, so it needs no library."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: A watchdog is told in this part of its time that all is well.
_WATCHDOG_PART = 0.4
_MICROSECONDS = 1_000_000


def notify(*said: str) -> bool:
    """Tell the service manager something, such as ``"READY=1"``; whether there is one."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if path[:1] not in ("/", "@"):
        return False
    address = f"\0{path[1:]}" if path[0] == "@" else path  # an abstract socket
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as client:
        try:
            client.sendto("\n".join(said).encode(), address)
        except OSError:
            return False
    return True


def watchdog_seconds() -> float | None:
    """How often the service manager wants to be told that all is well; ``None``: it doesn't."""
    with suppress(ValueError):
        if os.environ.get("WATCHDOG_PID") in (None, str(os.getpid())):
            seconds = int(os.environ.get("WATCHDOG_USEC", "0")) / _MICROSECONDS
            return seconds or None
    return None


@contextmanager
def watched(lives: Callable[[], bool]) -> Iterator[None]:
    """Tell a watchdog that all is well as long as it is, where there is one."""
    seconds = watchdog_seconds()
    if seconds is None:
        yield
        return
    ended = Event()

    def tell() -> None:
        while not ended.wait(seconds * _WATCHDOG_PART):
            if lives():
                notify("WATCHDOG=1")

    thread = Thread(target=tell, name="mainspring-watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
