"""APScheduler's store methods, on top of the contract of our own stores.

So that a program which calls ``store.lookup_job(...)`` itself, or subclasses one of our stores, finds what it expects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainspring.job import Job
from mainspring.jobstores.base import BaseJobStore
from mainspring.jobstores.contract import RunStore

if TYPE_CHECKING:
    from datetime import datetime

    from mainspring.model import JobRecord


class NativeJobStore(RunStore, BaseJobStore):
    """A store with both interfaces."""

    def start(self, scheduler: Any, alias: str) -> None:
        BaseJobStore.start(self, scheduler, alias)

    def shutdown(self) -> None:
        BaseJobStore.shutdown(self)

    def lookup_job(self, job_id: str) -> Job | None:
        """The job with this id, or ``None``."""
        record = self.get_record(job_id)
        return None if record is None else self._handle(record)

    def get_due_jobs(self, now: datetime) -> list[Job]:
        """The jobs whose next run time is `now` or earlier, soonest first."""
        return [
            self._handle(record)
            for record in self.list_records()
            if record.next_run_time is not None and record.next_run_time <= now
        ]

    def get_next_run_time(self) -> datetime | None:
        """The earliest next run time of all jobs, or ``None`` where none will run."""
        return self.next_time()

    def get_all_jobs(self) -> list[Job]:
        """All jobs, soonest first, paused ones last."""
        return [self._handle(record) for record in self.list_records()]

    def add_job(self, job: Job) -> None:
        """Keep a new job; raises `ConflictingIdError` if its id is taken."""
        self.add_records([job._record], None)  # noqa: SLF001 - a handle is a view of its record

    def update_job(self, job: Job) -> None:
        """Keep `job` in the place of the one with the same id; raises `JobLookupError` if there is none."""
        record = job._record  # noqa: SLF001 - as above
        self.change(job.id, lambda old: record._replace(version=old.version + 1))

    def remove_job(self, job_id: str) -> None:
        """Remove the job with this id; raises `JobLookupError` if there is none."""
        self.remove(job_id)

    def remove_all_jobs(self) -> None:
        """Remove all jobs."""
        self.remove_all()

    def _handle(self, record: JobRecord) -> Job:
        is_live = self.live_records and not overrides_v3_methods(self)
        return Job._from_record(  # noqa: SLF001 - as above
            record,
            self._scheduler,
            self._alias,
            self.get_record if is_live else None,
            is_attached=is_live and self._scheduler is not None,
        )


#: The methods by which APScheduler's schedulers use a store.
_V3_METHODS = (
    "lookup_job",
    "get_due_jobs",
    "get_next_run_time",
    "get_all_jobs",
    "add_job",
    "update_job",
    "remove_job",
    "remove_all_jobs",
)


def overrides_v3_methods(store: NativeJobStore) -> bool:
    """Whether a subclass changed what APScheduler's methods do, so that they have to be called for it to matter."""
    return any(getattr(type(store), name) is not getattr(NativeJobStore, name) for name in _V3_METHODS)
