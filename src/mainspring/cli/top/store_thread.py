"""Asks a store on a thread of its own, so that whoever shows the answers never waits for it."""

from __future__ import annotations

from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainspring.admin import Admin
    from mainspring.clock import Clock

__all__ = ["NotBegunError", "StoreThread"]


class NotBegunError(Exception):
    """The store was busy with what was asked before for too long: this was not begun, and never will be."""


class _Question(NamedTuple):
    ask: Callable[[Admin], Any]
    answer: Callable[[Any], None]
    latest: float | None


class StoreThread:
    """Asks an `Admin` one question after the other.

    Its thread is a daemon: a server that doesn't answer can hold it for ever, and must not hold the process.

    Args:
        clock: for the time that a question may wait.
    """

    def __init__(self, admin: Admin, clock: Clock) -> None:
        self._admin = admin
        self._clock = clock
        self._questions: SimpleQueue[_Question] = SimpleQueue()
        Thread(target=self._serve, name="mainspring-top-store", daemon=True).start()

    def ask(
        self,
        question: Callable[[Admin], Any],
        answer: Callable[[Any], None],
        *,
        seconds: float | None = None,
    ) -> None:
        """Ask a question.

        Args:
            question: what is asked.
            answer: is called on the thread with what it returned, or with the exception that it raised.
            seconds: if it can't be begun within so many, it is not asked at all, and the answer is a `NotBegunError`: what somebody wanted
                to be done now isn't done when the store comes back an hour later.
        """
        latest = None if seconds is None else self._clock.monotonic() + seconds
        self._questions.put(_Question(question, answer, latest))

    def _serve(self) -> None:
        while True:
            question = self._questions.get()
            if question.latest is not None and self._clock.monotonic() > question.latest:
                question.answer(NotBegunError())
                continue
            try:
                found = question.ask(self._admin)
            except Exception as error:  # noqa: BLE001 - whoever asked says what it means
                found = error
            question.answer(found)
