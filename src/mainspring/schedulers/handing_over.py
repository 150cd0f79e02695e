"""What job stores are to be told of runs and could not be told yet: it is kept, and told again until they have taken it.

A store may raise whatever it likes, before or after it has taken what it was told, so that the same is told twice: `Submission.is_noted`
and `RunStore.finish` say how each counts once. Until its end is told, a run goes on for its store, and the next ones of its job are
skipped; so it is told again before the next claim, and after pauses that grow to a second.
"""

from __future__ import annotations

from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING

from mainspring.engine.waiting import UNPLANNED, Planned, retry_delay
from mainspring.safe_logging import SafeLogger

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from mainspring.clock import Clock
    from mainspring.engine.decision import Decision
    from mainspring.jobstores.contract import RunStore
    from mainspring.model import Submission

_FIRST_PAUSE = timedelta(milliseconds=50)
#: What has waited for a store is to be there a second after it works again at the latest.
_LONGEST_PAUSE = timedelta(seconds=0.8)


class _Kept:
    """What one store is still to be told."""

    def __init__(self, store: RunStore) -> None:
        self.store = store
        self.ended: list[Submission] = []
        self.progressed: dict[int, Submission] = {}
        self.said: dict[int, tuple[Submission, object, str]] = {}
        self.released: list[Submission] = []
        self.unbegun: list[tuple[Decision, Callable[[datetime | None], None]]] = []
        self.failures = 0
        self.again_at = 0.0  # by the monotonic clock

    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return not (self.ended or self.progressed or self.said or self.released or self.unbegun)


class HandingOver:
    """Tells stores what becomes of runs. Its methods may be called from any thread, and don't raise what a store does.

    Args:
        logger: the scheduler's, as it is now.
        wake: has the scheduler come back, to call `again`.
    """

    def __init__(
        self, clock: Callable[[], Clock], logger: Callable[[], logging.Logger], wake: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._wake = wake
        self._get_logger = logger
        self._lock = Lock()
        self._kept: dict[tuple[str, int], _Kept] = {}  # by alias and store: another may have taken the alias

    @property
    def _logger(self) -> SafeLogger:
        return SafeLogger(self._get_logger())

    def __bool__(self) -> bool:
        return bool(self._kept)

    def finish(self, alias: str, store: RunStore, ended: Sequence[Submission]) -> bool:
        """Tell a store that these have ended; whether there is something to be done now because of that."""
        try:
            return store.finish(ended)
        except Exception as error:  # noqa: BLE001 - stores are third parties' code
            self._failed(alias, store, error, lambda kept: kept.ended.extend(ended))
            return False

    def progress(self, alias: str, store: RunStore, submission: Submission) -> None:
        """Tell a store that a run of a submission has ended, and others are to come."""
        try:
            store.progress(submission)
        except Exception as error:  # noqa: BLE001 - stores are third parties' code
            self._failed(
                alias, store, error, lambda kept: kept.progressed.update({id(submission): submission})
            )

    def report_progress(self, alias: str, store: RunStore, submission: Submission, text: str) -> None:
        """Tell a store how far the run is that was begun last."""
        if self._kept:
            self._forget_said(alias, store, submission)
        try:
            store.report_progress(submission, text)
        except Exception as error:  # noqa: BLE001 - stores are third parties' code
            said = (submission, submission.run_time, text)
            self._failed(alias, store, error, lambda kept: kept.said.update({id(submission): said}))

    def release(self, alias: str, store: RunStore, claimed: Sequence[Submission]) -> None:
        """Have a store leave to other nodes what was claimed and will not be begun here."""
        try:
            store.release(claimed)
        except Exception as error:  # noqa: BLE001 - stores are third parties' code
            self._failed(alias, store, error, lambda kept: kept.released.extend(claimed))
        else:
            self._logger.info("Gave back %d runs that were not begun to job store %r", len(claimed), alias)

    def give_back(
        self, alias: str, store: RunStore, decision: Decision, then: Callable[[datetime | None], None]
    ) -> None:
        """Have a store undo a claim that no executor has.

        Args:
            then: called with what `RunStore.give_back` answers, as soon as it does.
        """
        try:
            retry_at = store.give_back(decision, store.store_time(self._clock()))
        except Exception as error:  # noqa: BLE001 - stores are third parties' code
            self._failed(alias, store, error, lambda kept: kept.unbegun.append((decision, then)))
        else:
            then(retry_at)

    def _forget_said(self, alias: str, store: RunStore, submission: Submission) -> None:
        with self._lock:
            kept = self._kept.get((alias, id(store)))
            if kept is not None:
                kept.said.pop(id(submission), None)

    def _failed(self, alias: str, store: RunStore, error: Exception, keep: Callable[[_Kept], None]) -> None:
        with self._lock:
            kept = self._kept.setdefault((alias, id(store)), _Kept(store))
            keep(kept)
            kept.failures += 1
            is_first = kept.failures == 1
            pause = retry_delay(kept.failures, _FIRST_PAUSE, _LONGEST_PAUSE).total_seconds()
            kept.again_at = self._clock().monotonic() + pause
        if is_first:
            self._wake()  # otherwise it comes back for that already
        said = "Job store %r could not be told what has become of runs; trying again"
        if is_first and not store.has_told(error):
            self._logger.error(said, alias, exc_info=error)
        else:
            self._logger.debug(said, alias, exc_info=error)

    def again(self, *, at_once: bool = False) -> Planned:
        """Tell the stores what they are still to be told, if it is time for that; when to call this again.

        Args:
            at_once: whether it is time whatever the pauses say.
        """
        if not self._kept:
            return UNPLANNED
        now = self._clock().monotonic()
        planned = UNPLANNED
        for key, kept in list(self._kept.items()):
            if at_once or kept.failures == 1 or kept.again_at <= now:
                self._tell(key, kept)
            if key in self._kept:
                planned = planned.or_sooner(Planned(monotonic=kept.again_at))
        return planned

    def _tell(self, key: tuple[str, int], kept: _Kept) -> None:
        alias, store = key[0], kept.store
        failures = kept.failures
        with self._lock:
            ended, kept.ended = kept.ended, []
            released, kept.released = kept.released, []
            unbegun, kept.unbegun = kept.unbegun, []
            progressed, kept.progressed = kept.progressed, {}
            said, kept.said = kept.said, {}
        for submission in progressed.values():
            if not submission.is_noted and submission not in ended:
                self.progress(alias, store, submission)
        for submission, time, text in said.values():
            if not submission.is_noted and submission.run_time == time and submission not in ended:
                self.report_progress(alias, store, submission, text)
        if ended:
            self.finish(alias, store, ended)
        if released:
            self.release(alias, store, released)
        for decision, then in unbegun:
            self.give_back(alias, store, decision, then)
        with self._lock:
            is_over = kept.is_empty() and self._kept.pop(key, None) is not None
        if is_over:
            self._logger.info(
                "Job store %r has been told what has become of runs, after %d failures", alias, failures
            )

    def forget(self) -> list[str]:
        """Give up what could not be told; how much that is of each store, in a sentence."""
        with self._lock:
            kept_by_alias, self._kept = self._kept, {}
        return [
            f"Job store {alias!r} could not be told that {len(kept.ended)} submissions have ended, and that {len(kept.released) + len(kept.unbegun)} are left to "
            "others: if it outlives this process, they will be recorded as lost"
            for (alias, _), kept in kept_by_alias.items()
            if kept.ended or kept.released or kept.unbegun
        ]


def by_store(submissions: Iterable[Submission]) -> dict[str, list[Submission]]:
    """Submissions by the aliases of their stores."""
    found: dict[str, list[Submission]] = {}
    for submission in submissions:
        found.setdefault(submission.jobstore, []).append(submission)
    return found
