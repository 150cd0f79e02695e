"""APScheduler's store methods, on top of the contract of our own stores.

So that a program which calls ``store.lookup_job(...)`` itself, or subclasses one of our stores, finds what it expects.
"""

from __future__ import annotations

import pickle
from logging import ERROR
from typing import TYPE_CHECKING, Any

from mainspring.job import Job
from mainspring.jobstores.base import BaseJobStore
from mainspring.jobstores.contract import RunStore
from mainspring.jobstores.host import host_of
from mainspring.overrides import replaced
from mainspring.safe_logging import SafeLogger

if TYPE_CHECKING:
    from datetime import datetime

    from mainspring.model import JobRecord


class NativeJobStore(RunStore, BaseJobStore):
    """A store with both interfaces.

    One of which somebody has replaced a method of APScheduler's is used by these, for one scheduler, as APScheduler uses it: what is due is
    read there, all jobs are read by `_reconstitute_job`, and a job is written as a whole when it is moved on.
    """

    #: The jobs of which it was told that they can't be read.
    _unread: frozenset[str] | set[str] = frozenset()

    def start(self, scheduler: Any, alias: str) -> None:
        BaseJobStore.start(self, scheduler, alias)
        self._host = host_of(scheduler)

    def shutdown(self) -> None:
        BaseJobStore.shutdown(self)

    def lookup_job(self, job_id: str) -> Job | None:
        """The job with this id, or ``None``."""
        record = self.get_record(job_id)
        return None if record is None else self._handle(record)

    def get_due_jobs(self, now: datetime) -> list[Job]:
        """The jobs whose next run time is `now` or earlier, soonest first."""
        return self._get_jobs(lambda record: record.next_run_time is not None and record.next_run_time <= now)

    def get_next_run_time(self) -> datetime | None:
        """The earliest next run time of all jobs, or ``None`` where none will run."""
        return self.next_time()

    def get_all_jobs(self) -> list[Job]:
        """All jobs, soonest first, paused ones last."""
        return self._get_jobs()

    def _get_jobs(self, *conditions: Any) -> list[Job]:
        """The jobs whose records fulfil all `conditions`, soonest first; those that can't be read are left out, and told of once."""
        strange = [condition for condition in conditions if not callable(condition)]
        if strange:
            raise TypeError(
                f"_get_jobs takes functions of a job's record here, got {type(strange[0]).__name__} {strange[0]}: "
                "call it without arguments, and choose among the jobs that it returns"
            )
        jobs = []
        for record in self.list_records():
            if all(condition(record) for condition in conditions):
                try:
                    jobs.append(self._handle(record))
                except Exception as error:  # noqa: BLE001 - a subclass's own code
                    self._tell_unread(record, error)
        return jobs

    def _tell_unread(self, record: JobRecord, error: Exception) -> None:
        if record.id not in self._unread:
            self._unread = {*self._unread, record.id}
            SafeLogger(self._logger).of_job(
                ERROR,
                record.id,
                'Unable to restore job "%s": it stays in its job store, and is not run',
                record.id,
                exc_info=error,
            )

    def _reconstitute_job(self, job_state: bytes) -> Job:
        """A job from its pickled state, of APScheduler's form; called for every job that is read, if a subclass has its own."""
        job = Job.__new__(Job)
        job.__setstate__(pickle.loads(job_state))  # noqa: S301 - pickled by `_handle`
        job._scheduler = self._scheduler  # noqa: SLF001 - handles are ours
        job._jobstore_alias = self._alias  # noqa: SLF001 - as above
        return job

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
        if replaced(self, ("_reconstitute_job",)):
            plain = Job._from_record(record, self._scheduler, self._alias)  # noqa: SLF001 - as above
            return self._reconstitute_job(pickle.dumps(plain.__getstate__()))
        is_live = self.live_records and not overrides_v3_methods(self)
        return Job._from_record(  # noqa: SLF001 - as above
            record,
            self._scheduler,
            self._alias,
            self.get_record if is_live else None,
            is_attached=is_live and self._scheduler is not None,
        )


#: The methods by which APScheduler's schedulers use a store, and those by which its own stores read jobs.
_V3_METHODS = (
    "_get_jobs",
    "_reconstitute_job",
    "lookup_job",
    "get_due_jobs",
    "get_next_run_time",
    "get_all_jobs",
    "add_job",
    "update_job",
    "remove_job",
    "remove_all_jobs",
)


def overrides_v3_methods(store: BaseJobStore) -> bool:
    """Whether somebody has replaced one of APScheduler's methods, so that they have to be called for it to matter."""
    return bool(replaced_v3_methods(store))


def replaced_v3_methods(store: BaseJobStore) -> frozenset[str]:
    """The names of APScheduler's methods that somebody has replaced."""
    return replaced(store, _V3_METHODS)
