"""Jobs that were added before the scheduler was started, and wait for it."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from mainspring.errors import ConflictingIdError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mainspring.job import Job
    from mainspring.model import JobOptions


class PendingJob(NamedTuple):
    """A job's handle, and how it is to be added; the three that APScheduler keeps.

    Attributes:
        alias: of the job store that it is meant for.
        replace_existing: whether it may replace a stored job.
    """

    job: Job
    alias: str
    replace_existing: bool

    @property
    def has_next_run_time(self) -> bool:
        """Whether its next run time was given, instead of following from its trigger."""
        return self.job._has_own_time  # noqa: SLF001 - handles are ours

    @property
    def is_paused(self) -> bool:
        """Whether it will be paused when the scheduler has started."""
        return self.has_next_run_time and self.job.next_run_time is None


class PendingJobs:
    """The pending jobs, in the order in which they were added.

    Args:
        refuses: whether a job is refused that has the id of another and is not to replace it; otherwise it is kept after all others, and the
            start fails because of it, as with APScheduler: a program may never come to its start.
    """

    def __init__(self, refuses: Callable[[], bool]) -> None:
        self._lock = Lock()
        self._refuses = refuses
        self._jobs: dict[tuple[str, str], PendingJob] = {}
        self._conflicting: list[PendingJob] = []

    def leave_to_parent(self) -> None:
        """In a forked process: the jobs are still pending, if they were."""
        self._lock = Lock()

    def add(self, jobs: Iterable[PendingJob]) -> None:
        """Keep all of `jobs`, or none.

        Raises:
            ConflictingIdError: two are for one store under one id, the later is not to replace the earlier, and that is refused.
        """
        with self._lock:
            added, conflicting = dict(self._jobs), list(self._conflicting)
            for job in jobs:
                key = (job.alias, job.job.id)
                if key not in added or job.replace_existing:
                    added[key] = job
                elif self._refuses():
                    raise ConflictingIdError(job.job.id)
                else:
                    conflicting.append(job)
            self._jobs, self._conflicting = added, conflicting

    def rename(self, job: Job, job_id: str) -> None:
        """Know `job`, if it is pending, by another id.

        Raises:
            ConflictingIdError: another that is pending for the same store has it, and that is refused.
        """
        with self._lock:
            renamed = next((key for key, one in self._jobs.items() if one.job is job), None)
            if renamed is None or renamed[1] == job_id:
                return
            key = (renamed[0], job_id)
            if key not in self._jobs:
                self._jobs = {key if known == renamed else known: one for known, one in self._jobs.items()}
            elif self._refuses():
                raise ConflictingIdError(job_id)
            else:
                jobs = dict(self._jobs)
                self._conflicting = [*self._conflicting, jobs.pop(renamed)]
                self._jobs = jobs

    def replace(self, jobs: Iterable[PendingJob]) -> None:
        """Keep these, and no others."""
        with self._lock:
            self._jobs, self._conflicting = {(job.alias, job.job.id): job for job in jobs}, []

    def find(self, job_id: str, alias: str | None) -> PendingJob | None:
        """The job with this id, for any store or for one."""
        for pending in self:
            if pending.job.id == job_id and alias in (None, pending.alias):
                return pending
        return None

    def of(self, alias: str | None) -> list[PendingJob]:
        """Those for one store, or all."""
        return [pending for pending in self if alias in (None, pending.alias)]

    def take_defaults(self, defaults: JobOptions) -> None:
        """Have options that nobody has said follow `defaults`."""
        for pending in self:
            pending.job._take_defaults(defaults)  # noqa: SLF001 - handles are ours

    def remove(self, jobs: Iterable[PendingJob]) -> None:
        """Forget `jobs`."""
        with self._lock:
            gone = {id(job.job) for job in jobs}  # its id may be another than when it was added
            self._jobs = {key: job for key, job in self._jobs.items() if id(job.job) not in gone}
            self._conflicting = [job for job in self._conflicting if id(job.job) not in gone]

    def __iter__(self) -> Iterator[PendingJob]:
        return iter([*self._jobs.values(), *self._conflicting])

    def __len__(self) -> int:
        return len(self._jobs) + len(self._conflicting)
