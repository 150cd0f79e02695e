"""The runs of this process that were told to end, have been told to have ended, and go on all the same.

Python can't end a thread. A job that gets stuck again and again would hold more threads each time, until the process has none left; so it
is paused when there are too many.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mainspring.model import Submission

#: So many runs of a job on one node: then the job is paused.
STUCK_RUNS_LIMIT = 3


class StuckRuns:
    """Counts stuck runs by job. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._jobs: dict[int, tuple[str, str]] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, submission: Submission) -> int:
        """A run doesn't end; how many there are of its job now."""
        key = (submission.jobstore, submission.job.id)
        with self._lock:
            self._jobs[id(submission)] = key
            return sum(other == key for other in self._jobs.values())

    def discard(self, submission: Submission) -> None:
        """A run has ended, if it was one of them."""
        with self._lock:
            self._jobs.pop(id(submission), None)
