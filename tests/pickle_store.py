"""A job store as third parties wrote them for APScheduler 3."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

from mainspring.errors import ConflictingIdError, JobLookupError
from mainspring.job import Job
from mainspring.jobstores.base import BaseJobStore


class PickleStore(BaseJobStore):
    """As third parties write them: jobs as pickled states, in a dict."""

    def __init__(self):
        self.rows = {}

    def _job(self, row):
        job = Job.__new__(Job)
        job.__setstate__(pickle.loads(row))
        job._scheduler = self._scheduler
        job._jobstore_alias = self._alias
        return job

    def lookup_job(self, job_id):
        return self._job(self.rows[job_id]) if job_id in self.rows else None

    def get_due_jobs(self, now):
        return [job for job in self.get_all_jobs() if job.next_run_time and job.next_run_time <= now]

    def get_next_run_time(self):
        return min((job.next_run_time for job in self.get_all_jobs() if job.next_run_time), default=None)

    def get_all_jobs(self):
        jobs = [self._job(row) for row in self.rows.values()]
        jobs.sort(key=lambda job: job.next_run_time or datetime.min.replace(tzinfo=UTC))
        self._fix_paused_jobs_sorting(jobs)
        return jobs

    def add_job(self, job):
        if job.id in self.rows:
            raise ConflictingIdError(job.id)
        self.rows[job.id] = pickle.dumps(job.__getstate__())

    def update_job(self, job):
        if job.id not in self.rows:
            raise JobLookupError(job.id)
        self.rows[job.id] = pickle.dumps(job.__getstate__())

    def remove_job(self, job_id):
        if job_id not in self.rows:
            raise JobLookupError(job_id)
        del self.rows[job_id]

    def remove_all_jobs(self):
        self.rows.clear()
