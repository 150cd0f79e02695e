"""Connections that a forked process has inherited: closed there, without a word to the server.

As long as a copy of its socket is open anywhere, a server doesn't notice that a process has died, and keeps what it had locked. Closing a
connection as drivers do would say goodbye in the parent's name.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from sqlalchemy import event

from mainspring.forks import leaves_to_parent

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine


class Connections:
    """Those of one engine of a server, and of engines that have its listeners."""

    def __init__(self, engine: Engine) -> None:
        self._open: WeakSet[Any] = WeakSet()
        event.listen(engine, "connect", self._connected)
        leaves_to_parent(self)

    def _connected(self, connection: Any, _record: Any) -> None:
        with suppress(TypeError):  # a driver's connections of which there are no weak references
            self._open.add(connection)

    def leave_to_parent(self) -> None:
        """In a forked process: have each lead nowhere, under the number that the driver will close one day."""
        connections, self._open = list(self._open), WeakSet()
        for connection in connections:
            number = _number_of(connection)
            if number is not None:
                nowhere = os.open(os.devnull, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
                os.dup2(nowhere, number, inheritable=False)
                os.close(nowhere)


def _number_of(connection: Any) -> int | None:
    """The file descriptor of a connection that is open."""
    socket = getattr(connection, "_sock", connection)  # PyMySQL's
    try:
        number = socket.fileno()
    except Exception:  # noqa: BLE001 - drivers have errors of their own for a connection that is closed
        return None
    return number if isinstance(number, int) and number >= 0 else None
