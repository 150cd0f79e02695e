"""How far a scheduler is in its life: stopped, being started, running, paused, forked, shut down."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from mainspring.schedulers.starting import Started
from mainspring.schedulers.states import STATE_FORKED, STATE_PAUSED, STATE_RUNNING, STATE_STOPPED

if TYPE_CHECKING:
    from mainspring.schedulers.starting import Starting


class Life:
    """That of one scheduler. It decides nothing: who starts and ends the scheduler notes here what the others have to know.

    Attributes:
        lock: held for a few lines, where two of these must fit each other.
        state: one of `mainspring.schedulers.states`.
        started: done when the latest start is over, with its error if it failed.
        is_starting: whether a start goes on.
        starting: that start, for as long as job stores of it may be waited for; ``None``: there is none.
        is_started_aside: whether it goes on on another thread, while the program takes the scheduler for running.
        start_errors: by alias, what job stores that could not be started have raised.
        added: by alias, the job stores that are being added while the scheduler runs.
        was_shut_down: and not started again since.
        is_left_to_importer: whether `start` was called by a module that this process only imports.
        loop_has_died: whether the loop has ended by what was raised in it.
        runs_in: the process that it runs in, where this one was forked from that; ``None`` otherwise.
    """

    def __init__(self) -> None:
        self.state = STATE_STOPPED
        self.was_shut_down = self.is_left_to_importer = False
        self.runs_in: int | None = None
        self.begin_in_process()

    def begin_in_process(self) -> None:
        """Know nothing of a start: what goes on of one belongs to the process that began it."""
        self.lock = Lock()
        self.started = Started()
        self.is_starting = self.is_started_aside = self.loop_has_died = False
        self.starting: Starting | None = None
        self.start_errors: dict[str, str] = {}
        self.added: dict[str, Starting] = {}

    def leave_to_parent(self, parent: int) -> None:
        """In a forked process: if it was started, then in `parent`; nothing is to be waited for here."""
        if self.is_active:
            self.state, self.runs_in = STATE_FORKED, parent
        self.begin_in_process()
        if self.state == STATE_FORKED:
            self.started.set_result(None)

    @property
    def is_active(self) -> bool:
        """Whether this process has started it, and not shut it down."""
        return self.state in (STATE_RUNNING, STATE_PAUSED)

    @property
    def is_stopped(self) -> bool:
        """Whether its job stores can't be asked, but for those in memory."""
        return self.state == STATE_STOPPED
