"""Whether a scheduler that was not started asks its job store when it is told to look for jobs."""

from datetime import UTC, datetime, timedelta

from apscheduler.jobstores.base import BaseJobStore
from apscheduler.schedulers.background import BackgroundScheduler


class Store(BaseJobStore):
    def get_next_run_time(self):
        return datetime.now(UTC) + timedelta(hours=1)

    def get_due_jobs(self, now):
        return []

    lookup_job = get_all_jobs = add_job = update_job = remove_job = remove_all_jobs = lambda *_: None


scheduler = BackgroundScheduler(jobstores={"default": Store()}, timezone="UTC")
print("before the start:", scheduler._process_jobs() is not None)
scheduler.start()
print("after it:", scheduler._process_jobs() is not None)
scheduler.shutdown()
