"""Hears at once what other nodes have changed, by Redis's publish and subscribe.

What is missed while the connection is being made anew is seen when it is: a needless look is cheaper than a late one.
"""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

from mainspring.errors import words_of
from mainspring.jobstores.redis.server import text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainspring.jobstores.redis.server import Server
    from mainspring.jobstores.shared.setting import Setting

#: Seconds between two looks at whether to stop.
_PATIENCE = 0.5
#: Seconds before a lost connection is made anew.
_PAUSE = 1.0


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
                self._setting.logger.info(
                    "Not told of changes for now, but looking once a second: %s", words_of(error)
                )
                self._stop.wait(_PAUSE)

    def _listen(self) -> None:
        with self._server.client.pubsub(ignore_subscribe_messages=True) as subscription:
            subscription.subscribe(self._server.key("changed"))
            self._heard()
            while not self._stop.is_set():
                message = subscription.get_message(timeout=_PATIENCE)
                if message is not None and text_of(message["data"]) != str(self._setting.token):
                    self._heard()
