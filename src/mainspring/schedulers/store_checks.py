"""Asks job stores how they are, for health checks, without waiting for long."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING

from mainspring.engine.reasons import names_no_executor
from mainspring.masking import shown_error
from mainspring.schedulers.health import OverdueJob
from mainspring.schedulers.left_behind import LeftBehind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mainspring.jobstores.contract import RunStore
    from mainspring.model import JobRecord
    from mainspring.schedulers.stores import Stores

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


@dataclass(slots=True)
class Findings:
    """What all stores of a scheduler say of themselves, and what is in their way, by alias."""

    errors: dict[str, str]
    warnings: dict[str, Sequence[str]] = field(default_factory=dict)
    parked: int = 0
    without_executor: int = 0
    oldest_overdue: OverdueJob | None = None

    def add(self, alias: str, answer: StoreCheck, now: datetime) -> None:
        """A store has answered."""
        self.parked += answer.parked
        self.without_executor += answer.without_executor
        if answer.warnings:
            self.warnings[alias] = answer.warnings
        earliest = answer.earliest
        if earliest is not None and earliest.next_run_time is not None and earliest.next_run_time < now:
            due = earliest.next_run_time
            if self.oldest_overdue is None or now - due > self.oldest_overdue.overdue:
                self.oldest_overdue = OverdueJob(earliest.id, alias, due, now - due)


def looked_at(
    stores: Stores,
    checks: StoreChecks,
    now: datetime,
    errors: Mapping[str, str],
    *,
    is_stopped: bool,
    is_starting: bool,
) -> Findings:
    """Ask every store that isn't known to be in trouble.

    Args:
        errors: by alias, what is known of the stores' failures before they are asked.
        is_stopped: whether stores can't be asked.
    """
    found = Findings(dict(errors))
    for alias, store in stores.starting():
        if store.trouble is not None:
            found.errors[alias] = store.trouble
    for alias, store in stores.items():
        if is_stopped:
            if is_starting and store.trouble is not None:
                found.errors[alias] = store.trouble
            continue
        if isinstance(store, LeftBehind):
            continue  # what is overdue in a copy is run elsewhere
        trouble = store.trouble
        if trouble is not None:
            found.errors[alias] = trouble
        try:
            answer = checks.ask(alias, store, waits=trouble is None)
        except Exception as error:  # noqa: BLE001 - that it fails is the answer
            found.errors.setdefault(alias, shown_error(error))
        else:
            found.add(alias, answer, now)
    return found


def _checked(store: RunStore) -> StoreCheck:
    parked = store.parked()
    without_executor = sum(names_no_executor(job.reason) for job in parked)
    return StoreCheck(len(parked), without_executor, store.earliest(), store.warnings())
