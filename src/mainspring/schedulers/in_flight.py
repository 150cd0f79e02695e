"""The submissions that this scheduler has handed to executors and that have not been settled yet.

Workers only note that a submission has ended; settling, which frees its place in the store, is done for many at once: at
the next pass, when nothing is left in flight, or at once where somebody waits for it. So a thousand short runs don't
fight for a lock. What is noted first and asked for second can't be missed: a worker notes the end, then looks whether
anybody waits; who waits says so first, then settles.
"""

from __future__ import annotations

from collections import deque
from threading import Condition, RLock
from typing import TYPE_CHECKING

from mainspring.clock import REAL_CLOCK  # noqa: TID251 - waits for threads or processes
from mainspring.current import OWN
from mainspring.draining import drained
from mainspring.model import FORKED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mainspring.model import Submission

#: How many ended submissions are kept unsettled at most.
_UNSETTLED_LIMIT = 256
#: Seconds after which whoever waits is asked again whether it gives up.
_ASK_AGAIN = 0.5


class InFlight:
    """Counts submissions, and waits until none is left.

    Args:
        free: given the submissions that have ended, frees their places; called without a lock.
        is_awaited: whether some job waits for a place, so that the end of a submission is to be settled at once.
    """

    def __init__(self, free: Callable[[list[Submission]], None], is_awaited: Callable[[], bool]) -> None:
        self._free = free
        self._is_awaited = is_awaited
        # Taken itself, since every run takes it, and through the condition it is a call in Python each time.
        self._lock = RLock()
        self._changed = Condition(self._lock)
        self._submissions: dict[int, Submission] = {}
        self._ended: deque[Submission] = deque()
        self._waiters = 0

    def leave_to_parent(self) -> None:
        """In a forked process: whoever still knows this, as a run that has forked, changes nothing by it."""
        self._free = lambda _: None
        self._is_awaited = lambda: False
        self._lock = RLock()
        self._changed = Condition(self._lock)
        for submission in self._submissions.values():
            submission.stop = FORKED  # it begins no other of its due times, and tells nothing
        self._submissions = {}
        self._ended.clear()
        self._waiters = 0

    def begin(self, submissions: Iterable[Submission]) -> None:
        """`submissions` are about to be handed to their executors."""
        with self._lock:
            for submission in submissions:
                self._submissions[id(submission)] = submission

    def withdraw(self, submission: Submission) -> None:
        """`submission` was not taken by its executor after all."""
        with self._lock:
            self._submissions.pop(id(submission), None)
            if self._waiters:
                self._changed.notify_all()

    @property
    def count(self) -> int:
        """How many have not been settled."""
        return len(self._submissions)

    def end(self, submission: Submission) -> None:
        """Nothing of `submission` is left to run."""
        ended = self._ended
        ended.append(submission)
        count = len(ended)
        is_awaited = self._is_awaited  # or it would be looked for in the class, at each run
        if (
            self._waiters
            or count >= _UNSETTLED_LIMIT
            or count >= len(self._submissions)
            or is_awaited()
            or (submission.success_log is None and submission.job.options.looks_at_outcomes)
        ):
            self.settle()

    def settle(self) -> None:
        """Free the places of all submissions that have ended."""
        batch = drained(self._ended)
        if not batch:
            return
        self._free(batch)
        with self._lock:
            for submission in batch:
                self._submissions.pop(id(submission), None)
            if self._waiters:
                self._changed.notify_all()

    @property
    def own(self) -> Submission | None:
        """What the calling thread, or task of an event loop, runs."""
        submission: Submission | None = OWN.get()
        return submission if submission is not None and id(submission) in self._submissions else None

    def unsettled(self) -> list[Submission]:
        """The submissions whose outcomes the stores don't know yet."""
        with self._lock:
            return list(self._submissions.values())

    def going_on(self) -> list[Submission]:
        """The submissions that have not ended, without settling those that have."""
        with self._lock:
            ended = {id(submission) for submission in list(self._ended)}
            return [one for key, one in self._submissions.items() if key not in ended]

    def all(self) -> list[Submission]:
        """The submissions that have not ended."""
        self.settle()
        with self._lock:
            return list(self._submissions.values())

    def wake(self) -> None:
        """Have those who wait ask again whether they give up."""
        with self._lock:
            self._changed.notify_all()

    def wait_for_others(
        self,
        timeout: float | None,
        *,
        executor: str | None = None,
        gives_up: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Wait until nothing is left; whether that came about in time.

        A thread that runs a submission itself doesn't wait for that one, nor for those that no worker has taken up yet:
        they may be waiting for this very worker.

        Args:
            timeout: real seconds, whatever clock the scheduler has, since real threads are waited for; ``None``:
                however long it takes.
            executor: only what this executor runs.
            gives_up: whether it isn't waited for any more; asked without the lock now and then, and after `wake`.
        """
        deadline = None if timeout is None else REAL_CLOCK.monotonic() + timeout
        own = self.own
        with self._lock:
            self._waiters += 1
        try:
            self.settle()
            while not gives_up():
                with self._lock:
                    if not any(
                        executor in (None, submission.job.options.executor)
                        and (own is None or (submission is not own and submission.run_time is not None))
                        for submission in self._submissions.values()
                    ):
                        return True
                    left = None if deadline is None else deadline - REAL_CLOCK.monotonic()
                    if left is not None and left <= 0:
                        return False
                    self._changed.wait(_ASK_AGAIN if left is None else min(left, _ASK_AGAIN))
            return False
        finally:
            with self._lock:
                self._waiters -= 1
