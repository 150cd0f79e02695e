"""Hears at once what other nodes have changed, by a change stream, where the deployment has them: a replica set, or shards.

What is missed while the stream is being made anew is seen when it is: a needless look is cheaper than a late one.
"""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

from pymongo.errors import OperationFailure

from mainspring.errors import words_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainspring.jobstores.mongodb.server import Server
    from mainspring.jobstores.shared.setting import Setting

#: Milliseconds between two looks at whether to stop.
_PATIENCE = 500
#: Seconds before a lost stream is made anew.
_PAUSE = 1.0
#: A single server, which has no stream of changes.
_NO_STREAMS = frozenset({40573, 59, 115})


class Listening:
    """A thread that calls `heard` when another node has changed something.

    Args:
        setting: this node's, whose own announcements are not heard.
    """

    def __init__(self, server: Server, setting: Setting, heard: Callable[[], None]) -> None:
        self._server = server
        self._setting = setting
        self._heard = heard
        self._stop = Event()
        self._thread = Thread(target=self._run, name="mainspring-listen", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, soon."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except Exception as error:  # noqa: BLE001 - whatever it was, polling goes on, and so does this
                if self._stop.is_set():
                    return
                if isinstance(error, OperationFailure) and error.code in _NO_STREAMS:
                    self._setting.logger.info(
                        "This MongoDB has no change streams (they need a replica set): looking once a second"
                    )
                    return
                self._setting.logger.info(
                    "Not told of changes for now, but looking once a second: %s", words_of(error)
                )
                self._stop.wait(_PAUSE)

    def _listen(self) -> None:
        with self._server.notes.watch(max_await_time_ms=_PATIENCE, full_document="updateLookup") as stream:
            self._heard()
            while not self._stop.is_set():
                change = stream.try_next()
                if change is None:
                    continue
                said = change.get("fullDocument") or {}
                if said.get("_id") == "changed" and said.get("by") != self._setting.token:
                    self._heard()
