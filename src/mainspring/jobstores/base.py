"""The interface of a job store as APScheduler 3 defined it, which third parties subclass.

A store of this kind belongs to one scheduler at a time. Our own stores claim and record runs as well: their interface
is `mainspring.jobstores.contract.RunStore`.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from mainspring.coercion import NamesParameters
from mainspring.errors import ConflictingIdError, JobLookupError, TransientJobError
from mainspring.safe_logging import safe_logger

if TYPE_CHECKING:
    from datetime import datetime

    from mainspring.job import Job

__all__ = ["BaseJobStore", "ConflictingIdError", "JobLookupError", "TransientJobError"]


class BaseJobStore(metaclass=NamesParameters):
    """Keeps jobs.

    A scheduler calls the methods of one store one at a time, from any thread, and holds none of its own locks then.
    """

    _scheduler: Any = None
    _alias: str | None = None
    _logger = safe_logger("apscheduler.jobstores")

    def start(self, scheduler: Any, alias: str) -> None:
        """Called when the scheduler starts, or when the store is added to a running one."""
        self._scheduler = scheduler
        self._alias = alias
        self._logger = safe_logger(f"apscheduler.jobstores.{alias}")

    def shutdown(self) -> None:
        """Free what `start` took; called when the scheduler shuts down or the store is removed."""

    def _fix_paused_jobs_sorting(self, jobs: list[Job]) -> None:
        """Move paused jobs, which sort first by their lack of a next run time, to the end."""
        running = [job for job in jobs if job.next_run_time is not None]
        jobs[:] = running + [job for job in jobs if job.next_run_time is None]

    @abstractmethod
    def lookup_job(self, job_id: str) -> Job | None:
        """The job with this id, or ``None``."""

    @abstractmethod
    def get_due_jobs(self, now: datetime) -> list[Job]:
        """The jobs whose next run time is `now` or earlier, soonest first."""

    @abstractmethod
    def get_next_run_time(self) -> datetime | None:
        """The earliest next run time of all jobs, or ``None`` where none will run."""

    @abstractmethod
    def get_all_jobs(self) -> list[Job]:
        """All jobs, soonest first, paused ones last."""

    @abstractmethod
    def add_job(self, job: Job) -> None:
        """Keep a new job.

        Raises:
            ConflictingIdError: its id is taken.
        """

    @abstractmethod
    def update_job(self, job: Job) -> None:
        """Keep `job` in the place of the one with the same id.

        Raises:
            JobLookupError: there is none.
        """

    @abstractmethod
    def remove_job(self, job_id: str) -> None:
        """Remove the job with this id.

        Raises:
            JobLookupError: there is none.
        """

    @abstractmethod
    def remove_all_jobs(self) -> None:
        """Remove all jobs."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"
