"""What is between a node and its store: there commits fail, answers are lost, and a node is stopped or killed in the middle of what it does."""

from __future__ import annotations

import sqlite3
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from mainspring.testing.simulation.nodes import Node

#: SQLite's result codes, and what is said with them.
_LOCKED, _FULL, _CANT_OPEN = (
    (5, "database is locked"),
    (13, "database or disk is full"),
    (14, "unable to open database file"),
)
_HOW = {"locked": _LOCKED, "disk full": _FULL, "rolled back": _CANT_OPEN, "answer lost": _CANT_OPEN}


class KilledError(BaseException):
    """The process of a node has ended in the middle of what it did. No handler of errors may go on from here."""


def _error(kind: tuple[int, str]) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(kind[1])
    error.sqlite_errorcode = kind[0]  # as the driver gives it
    return error


class _Armed:
    """What is to happen at one of the next commits, or transactions, of a part of a node."""

    def __init__(self, part: str, nth: int, happening: Any) -> None:
        self._part = part
        self._left = nth
        self.happening = happening

    def is_now(self, part: str) -> bool:
        """Count one more of this part; whether it is the one."""
        if part == self._part:
            self._left -= 1
        return self._left <= 0


def _due(armed: list[_Armed], part: str) -> list[Any]:
    """What is to happen at this one, which is armed no more then."""
    now = [one for one in armed if one.is_now(part)]
    for one in now:
        armed.remove(one)
    return [one.happening for one in now]


class Wire:
    """Stands between one node and an engine of SQLite.

    Before a transaction and after it the node may be stopped, so that others go on meanwhile; a commit may fail before it is made or after.
    """

    def __init__(self, node: Node, engine: Engine) -> None:
        self._node = node
        self._world = node.world
        self._failures: list[_Armed] = []
        self._kills: list[_Armed] = []
        self._stops_before: list[_Armed] = []
        self._stops_after: list[_Armed] = []
        self._stop_after: float | None = None
        self.announces = False
        dialect: Any = engine.dialect
        self._do_commit, self._do_execute = dialect.do_commit, dialect.do_execute
        self._do_execute_no_params = dialect.do_execute_no_params
        self._engine = engine
        dialect.do_commit = self._committing
        dialect.do_execute = self._executing
        dialect.do_execute_no_params = self._executing_alone
        event.listen(engine, "checkout", self._before)
        event.listen(engine, "checkin", self._after)

    def remove(self) -> None:
        """Leave the engine as it was: what is left of it for others to close holds no story then."""
        dialect: Any = self._engine.dialect
        for name in ("do_commit", "do_execute", "do_execute_no_params"):
            delattr(dialect, name)  # its class's own is back
        event.remove(self._engine, "checkout", self._before)
        event.remove(self._engine, "checkin", self._after)

    def fail_commit(self, part: str, nth: int, how: str) -> None:
        """Have one of the next commits of a part of the node fail."""
        self._failures.append(_Armed(part, nth, how))

    def stop_at(self, part: str, nth: int, when: str, seconds: float) -> None:
        """Have the node stopped before one of the next transactions of a part of it, or after one that has changed something."""
        (self._stops_before if when == "before" else self._stops_after).append(_Armed(part, nth, seconds))

    def kill_at(self, part: str, nth: int, when: str) -> None:
        """Have the node killed before or after one of the next commits of a part of it."""
        self._kills.append(_Armed(part, nth, when))

    def calm_down(self) -> None:
        """Nothing more is to go wrong."""
        for armed in (self._failures, self._kills, self._stops_before, self._stops_after):
            armed.clear()

    def _is_watched(self) -> bool:
        return self._node.is_started and current_thread() is main_thread()

    def _before(self, *_: Any) -> None:
        if not self._is_watched():
            return
        self._refuse_if_dead()
        for seconds in _due(self._stops_before, self._node.part):
            self._node.stop_here(seconds)
        self._refuse_if_dead()

    def _after(self, *_: Any) -> None:
        if not self._is_watched():
            return
        seconds, self._stop_after = self._stop_after, None
        if seconds is not None and not self._node.is_dead:
            self._node.stop_here(seconds)
            self._refuse_if_dead()

    def _refuse_if_dead(self) -> None:
        if self._node.is_dead:
            raise KilledError

    def _executing(self, cursor: Any, statement: str, *arguments: Any) -> None:
        self._refuse(statement)
        self._do_execute(cursor, statement, *arguments)

    def _executing_alone(self, cursor: Any, statement: str, *arguments: Any) -> None:
        self._refuse(statement)
        self._do_execute_no_params(cursor, statement, *arguments)

    def _refuse(self, statement: str) -> None:
        if statement.startswith("BEGIN") and self._is_watched() and self._node.is_cut_off:
            raise _error(_CANT_OPEN)

    def _committing(self, connection: Any) -> None:
        if not self._is_watched():
            self._do_commit(connection)
            return
        part = self._node.part
        kills, failures = _due(self._kills, part), _due(self._failures, part)
        if "before" in kills:
            self._kill()
        if self._world.is_disk_full:
            raise _error(_FULL)
        for how in failures:
            if how != "answer lost":
                self._world.tell(f"a commit of {self._node.name} fails: {how}")
                raise _error(_HOW[how])
        self._do_commit(connection)
        self._stop_after = max(_due(self._stops_after, part), default=None)
        if self.announces:
            self.announces = False
            self._world.announce(self._node)
        if kills:
            self._kill()
        if failures:
            self._world.tell(f"the answer to a commit of {self._node.name} is lost")
            raise _error(_HOW["answer lost"])

    def _kill(self) -> None:
        self._node.kill()
        raise KilledError
