"""What a store that serves one process remembers about runs: how many go on, who waits, who is parked.

Not thread-safe: the store that owns a ledger guards it with its own lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.engine.waiting import retry_delay
from mainspring.jobstores.contract import ParkedJob

if TYPE_CHECKING:
    from datetime import datetime


class Ledger:
    """Instances that run, jobs that wait for one to end, and parked jobs, by job id."""

    def __init__(self) -> None:
        self.running: dict[str, int] = {}
        self.waiting: set[str] = set()
        self.parked: dict[str, ParkedJob] = {}
        self._tried: dict[str, int] = {}  # how often in a row jobs that run now were parked before

    def begin(self, job_id: str) -> None:
        """An instance of the job begins."""
        if self.parked:
            self.tried(job_id)
        self.running[job_id] = self.running.get(job_id, 0) + 1

    def end(self, job_id: str) -> bool:
        """An instance of the job has ended; whether the job was waiting for that."""
        self.take_back(job_id)
        if self._tried:
            self.could_run(job_id)
        if job_id in self.waiting:
            self.waiting.remove(job_id)
            return True
        return False

    def take_back(self, job_id: str) -> None:
        """An instance of the job counts no more."""
        left = self.running.get(job_id, 0) - 1
        if left > 0:
            self.running[job_id] = left
        else:
            self.running.pop(job_id, None)

    def park(self, job_id: str, reason: str, now: datetime) -> datetime:
        """Put the job aside; the answer is when to try again, later after each time in a row."""
        before = self.parked.get(job_id)
        attempts = 1 + (before.attempts if before else self._tried.pop(job_id, 0))
        retry_at = now + retry_delay(attempts)
        self.parked[job_id] = ParkedJob(job_id, reason, attempts, retry_at)
        return retry_at

    def tried(self, job_id: str) -> None:
        """A job is tried again: it is parked no more, but if that fails, it was another time in a row."""
        parked = self.parked.pop(job_id, None)
        if parked is not None:
            self._tried[job_id] = parked.attempts

    def could_run(self, job_id: str) -> None:
        """What a job was tried with has ended: how often it was parked before counts no more. Not earlier: its submission may fail."""
        self._tried.pop(job_id, None)

    def forget_parked(self, job_id: str) -> None:
        """Whatever kept the job from running may have gone."""
        self.parked.pop(job_id, None)
        self._tried.pop(job_id, None)

    def forget(self, job_id: str) -> None:
        """The job was changed or removed: whatever kept it from running may have gone."""
        self.forget_parked(job_id)
        self.waiting.discard(job_id)
