"""Hears at once what other nodes have changed, where the database can tell.

What is missed while the connection is being made anew is seen when it is: a needless look is cheaper than a late one.
"""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

from mainspring.clock import pause
from mainspring.errors import MainspringError
from mainspring.jobstores.shared.outage import said_by

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from mainspring.jobstores.shared.node_context import NodeContext

#: Seconds between two looks at whether to stop.
PATIENCE = 0.5
#: Seconds before a lost connection is made anew.
_PAUSE = 1.0


class NothingToHearError(MainspringError):
    """The database doesn't tell of changes; the message says why."""


class ChangeFeed:
    """A thread that calls `heard` when another node has changed something.

    Args:
        listen: connects, and gives who has announced a change (a token as text), or ``None`` at least every `PATIENCE` seconds.
        node_context: this node's, whose own announcements are not heard.
    """

    def __init__(
        self,
        listen: Callable[[], Generator[str | None]],
        node_context: NodeContext,
        heard: Callable[[], None],
    ) -> None:
        self._listen = listen
        self._node_context = node_context
        self._heard = heard
        self._stop = Event()
        self._is_deaf = False
        self._thread = Thread(target=self._run, name="mainspring-listen", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, soon."""
        self._stop.set()

    def leave_to_parent(self) -> None:
        """In a forked process: see `Upkeep.leave_to_parent`."""
        self._stop = Event()
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._hear()
            except NothingToHearError as error:
                self._node_context.logger.info("%s: looking once a second", error)
                return
            except Exception as error:  # noqa: BLE001 - whatever it was, polling goes on, and so does this
                if self._stop.is_set():
                    return
                if not self._is_deaf:
                    self._is_deaf = True
                    self._node_context.logger.info(
                        "Not told of changes for now, but looking once a second: %s", said_by(error)
                    )
                pause(self._node_context.clock, _PAUSE)

    def _hear(self) -> None:
        announcements = self._listen()
        try:
            for by in announcements:
                if self._stop.is_set():
                    return
                if self._is_deaf:
                    self._is_deaf = False
                    self._node_context.logger.info("Told of changes again")
                if by is not None and by != str(self._node_context.token):
                    self._heard()
        finally:
            announcements.close()  # and with it the connection
