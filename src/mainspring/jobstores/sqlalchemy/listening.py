"""Hears at once what other nodes have changed, where the database can tell: PostgreSQL's LISTEN and NOTIFY.

Needs psycopg 3; with another driver changes are seen at the next poll. What is missed while the connection is being made anew
is seen then, too: a needless look is cheaper than a late one.
"""

from __future__ import annotations

from hashlib import blake2b
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from mainspring.errors import words_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Engine

    from mainspring.jobstores.shared.setting import Setting

#: Seconds between two looks at whether to stop.
_PATIENCE = 0.5
#: Seconds before a lost connection is made anew.
_PAUSE = 1.0


def channel_for(name: str) -> str:
    """The channel of the store whose table of jobs has this name; names of channels are short in PostgreSQL."""
    return f"mainspring_{blake2b(name.encode(), digest_size=12).hexdigest()}"


def can_listen(engine: Engine) -> bool:
    """Whether the database and the driver can."""
    return engine.dialect.name == "postgresql" and engine.dialect.driver == "psycopg"


class Listening:
    """A thread that calls `heard` when another node has changed something.

    Args:
        setting: this node's, whose own announcements are not heard.
    """

    def __init__(
        self,
        engine: Engine,
        channel: str,
        setting: Setting,
        heard: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._channel = channel
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
        plain = self._engine.connect()
        with plain.execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f'LISTEN "{self._channel}"')
            driver: Any = connection.connection.driver_connection
            try:
                self._heard()
                while not self._stop.is_set():
                    for notice in driver.notifies(timeout=_PATIENCE, stop_after=1):
                        if notice.payload != str(self._setting.token):
                            self._heard()
            finally:
                connection.invalidate()  # it isn't to go back to the pool, listening
