"""The submissions that this scheduler has handed to executors and that have not come back yet."""

from __future__ import annotations

from threading import Condition, local
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mainspring.clock import Clock
    from mainspring.model import Submission


class InFlight:
    """Counts submissions, and waits until none is left."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = Condition()
        self._submissions: dict[int, Submission] = {}
        self._waiters = 0
        self._own = local()

    def begin(self, submission: Submission) -> None:
        """`submission` is about to be handed to its executor."""
        with self._changed:
            self._submissions[id(submission)] = submission

    def entered(self, submission: Submission) -> None:
        """The calling thread runs `submission` from now on."""
        self._own.submission = submission

    def end(self, submission: Submission) -> None:
        """Nothing of `submission` is left to run."""
        self._own.submission = None
        with self._changed:
            self._submissions.pop(id(submission), None)
            if self._waiters:
                self._changed.notify_all()

    @property
    def own(self) -> Submission | None:
        """What the calling thread runs."""
        submission: Submission | None = getattr(self._own, "submission", None)
        return submission

    def all(self) -> list[Submission]:
        """The submissions that have not come back."""
        with self._changed:
            return list(self._submissions.values())

    def __len__(self) -> int:
        return len(self._submissions)

    def wait_for_others(self, timeout: float | None, *, executor: str | None = None) -> bool:
        """Wait until nothing is left but what the calling thread runs itself; whether that came about in time.

        Args:
            timeout: seconds, or ``None``: however long it takes.
            executor: only what this executor runs.
        """
        deadline = None if timeout is None else self._clock.monotonic() + timeout
        own = self.own
        with self._changed:
            self._waiters += 1
            try:
                while any(
                    submission is not own and executor in (None, submission.job.options.executor)
                    for submission in self._submissions.values()
                ):
                    left = None if deadline is None else deadline - self._clock.monotonic()
                    if left is not None and left <= 0:
                        return False
                    self._changed.wait(left)
            finally:
                self._waiters -= 1
        return True
