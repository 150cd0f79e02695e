"""Asks job stores how they are, for health checks, without waiting for long."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING

from mainspring.engine.reasons import names_no_executor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mainspring.jobstores.contract import RunStore
    from mainspring.model import JobRecord

#: Seconds that a store has for its answer.
PATIENCE = 2.0
#: The same for one that is known to be in trouble.
_GLANCE = 0.2


@dataclass(slots=True)
class StoreCheck:
    """What a store says of itself.

    Attributes:
        parked: how many of its jobs can't be run here for now.
        without_executor: how many of those because nobody has their executor.
        earliest: the job that is due first.
        warnings: what it may lose.
    """

    parked: int
    without_executor: int
    earliest: JobRecord | None
    warnings: Sequence[str]


class _Question:
    """One store is asked, on a thread that may be left to itself."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._answered = Event()
        self.answer: StoreCheck | None = None
        self.error: Exception | None = None
        Thread(target=self._run, name="mainspring-health", daemon=True).start()

    def _run(self) -> None:
        try:
            self.answer = _checked(self._store)
        except Exception as error:  # noqa: BLE001 - that it fails is the answer
            self.error = error
        self._answered.set()

    def has_answer_within(self, seconds: float) -> bool:
        return self._answered.wait(seconds)


class StoreChecks:
    """The questions to the stores of one scheduler. A store that hasn't answered yet isn't asked a second time."""

    def __init__(self) -> None:
        self._questions: dict[str, _Question] = {}

    def ask(self, alias: str, store: RunStore, *, waits: bool) -> StoreCheck:
        """What a store says of itself.

        Args:
            waits: whether to wait for an answer; one that is known to be in trouble has but a moment.

        Raises:
            TimeoutError: it gave no answer.
            Exception: what it raised.
        """
        if store.live_records:
            return _checked(store)  # it is in memory
        question = self._questions.pop(alias, None) or _Question(store)
        if not question.has_answer_within(PATIENCE if waits else _GLANCE):
            self._questions[alias] = question
            raise TimeoutError(f"no answer within {PATIENCE:g} s")
        if question.error is not None:
            raise question.error
        assert question.answer is not None  # noqa: S101 - one of the two is there
        return question.answer


def _checked(store: RunStore) -> StoreCheck:
    parked = store.parked()
    without_executor = sum(names_no_executor(job.reason) for job in parked)
    return StoreCheck(len(parked), without_executor, store.earliest(), store.warnings())
