"""What a store that serves one process remembers about runs: how many go on, who waits, who is parked.

Not thread-safe: the store that owns a ledger guards it with its own lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.engine.waiting import retry_delay
from mainspring.jobstores.contract import ParkedJob
from mainspring.triggers.standard import shifted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

#: The due times of an instance, as its submission has them, and which attempts its runs are that aren't the first.
Begun = tuple["Sequence[datetime]", "Mapping[datetime, int]"]

#: Of so many jobs it is remembered what was said of them.
_REMEMBERED = 10_000

_ALL_FIRST: Mapping[datetime, int] = {}


class _Several(list[Begun]):
    """The instances of a job, where there are several, or runs of them aren't the first attempts."""


class Ledger:
    """Instances that run, jobs that wait for one to end, and parked jobs, by job id.

    Attributes:
        waiting: jobs that are due, and wait for an instance of theirs or of their group to end; with the time at which they are looked at
            again, whatever ends.
    """

    def __init__(self) -> None:
        #: Of most jobs that run, there is one instance, and no more is kept of it than its due times, which are there anyway.
        self.running: dict[str, Sequence[datetime] | _Several] = {}
        self.waiting: dict[str, datetime | None] = {}
        self.parked: dict[str, ParkedJob] = {}
        self._told: dict[str, str] = {}  # what was said of jobs whose rows can't be read
        self._tried: dict[str, int] = {}  # how often in a row jobs that run now were parked before
        #: Of the instances that run, the due times of those whose job was removed meanwhile.
        self._disowned: dict[str, list[Sequence[datetime]]] = {}

    def begin(
        self,
        job_id: str,
        now: datetime,
        times: Sequence[datetime],
        attempts: Mapping[datetime, int] = _ALL_FIRST,
    ) -> None:
        """An instance of the job begins, with runs at these due times."""
        if self.parked:
            self.tried(job_id, now)
        if attempts or job_id in self.running:
            self.running[job_id] = _Several([*self.instances(job_id), (times, attempts)])
        else:
            self.running[job_id] = times

    def instances(self, job_id: str) -> Sequence[Begun]:
        """The instances of a job that run, of those too that were removed under its id."""
        begun = self.running.get(job_id)
        if begun is None:
            return ()
        return begun if isinstance(begun, _Several) else ((begun, _ALL_FIRST),)

    def count(self, job_id: str) -> int:
        """How many they are."""
        return len(self.instances(job_id))

    def goes_on(self, job_id: str, times: Sequence[datetime]) -> bool:
        """Whether an instance runs."""
        return any(begun is times for begun, _ in self.instances(job_id))

    def disown(self, job_id: str | None) -> None:
        """A job was removed, or all were: nothing follows from the instances that run of it."""
        for one in list(self.running) if job_id is None else [job_id]:
            begun = [times for times, _ in self.instances(one)]
            if begun:
                self._disowned[one] = begun

    def is_disowned(self, job_id: str, times: Sequence[datetime]) -> bool:
        """Whether the job of an instance that runs was removed since it began."""
        return any(begun is times for begun in self._disowned.get(job_id, ()))

    def end(self, job_id: str, times: Sequence[datetime]) -> bool:
        """An instance of the job has ended; whether the job was waiting for that."""
        if self.running.get(job_id) is times and not self._disowned:
            del self.running[job_id]
        else:
            self.take_back(job_id, times)
        if self._tried:
            self.could_run(job_id)
        if job_id in self.waiting:
            del self.waiting[job_id]
            return True
        return False

    def put_off(self, job_id: str, due: float) -> float | None:
        """When a job is to be looked at that is due at a POSIX timestamp; ``None``: not before an instance has ended."""
        if job_id in self.waiting:
            until = self.waiting[job_id]
            if until is None:
                return None
            due = max(due, until.timestamp())
        parked = self.parked.get(job_id)
        return due if parked is None else max(due, parked.retry_at.timestamp())

    def take_back(self, job_id: str, times: Sequence[datetime]) -> None:
        """An instance of the job counts no more."""
        begun = self.running.get(job_id)
        if type(begun) is _Several and len(begun) > 1:
            del begun[next((at for at, one in enumerate(begun) if one[0] is times), 0)]
        elif begun is not None:
            del self.running[job_id]
        if self._disowned and self.is_disowned(job_id, times):
            left = [one for one in self._disowned[job_id] if one is not times]
            if left:
                self._disowned[job_id] = left
            else:
                del self._disowned[job_id]

    def park(self, job_id: str, reason: str, now: datetime) -> datetime:
        """Put the job aside; the answer is when to try again, later after each time in a row."""
        before = self.parked.get(job_id)
        attempts = 1 + (before.attempts if before else self._tried.pop(job_id, 0))
        retry_at = shifted(now, retry_delay(attempts))
        self.parked[job_id] = ParkedJob(job_id, reason, attempts, retry_at)
        return retry_at

    def was_told(self, job_id: str, reason: str) -> bool:
        """Whether this was said already of a parked job; it is about to be."""
        told = self._told.get(job_id) == reason
        if len(self._told) >= _REMEMBERED:
            self._told.clear()
        self._told[job_id] = reason
        return told

    def listed(self) -> list[ParkedJob]:
        """The jobs that can't be run here."""
        return list(self.parked.values())

    def tried(self, job_id: str, now: datetime) -> None:
        """A job whose time has come is tried again: it is parked no more, but if that fails, it was another time in a row."""
        parked = self.parked.get(job_id)
        if parked is not None and parked.retry_at <= now:
            del self.parked[job_id]
            self._tried[job_id] = parked.attempts

    def moved_on(self, job_id: str) -> None:
        """A due time of a job is over without a run: nothing keeps the job from being run. What was tried with other runs of it still counts."""
        self.parked.pop(job_id, None)

    def could_run(self, job_id: str) -> None:
        """What a job was tried with has ended: how often it was parked before counts no more. Not earlier: its submission may fail."""
        self._tried.pop(job_id, None)

    def forget_parked(self, job_id: str) -> None:
        """Whatever kept the job from running may have gone."""
        self.parked.pop(job_id, None)
        self._told.pop(job_id, None)
        self._tried.pop(job_id, None)

    def forget(self, job_id: str) -> None:
        """The job was changed or removed: whatever kept it from running may have gone."""
        self.forget_parked(job_id)
        self.waiting.pop(job_id, None)
