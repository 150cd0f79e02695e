"""What a job store and an executor of a program's own are told, and what the log says of an executor that refuses a job."""

import logging
from datetime import UTC, datetime
from threading import Event

from apscheduler.executors.base import BaseExecutor, MaxInstancesReachedError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler


class Store(MemoryJobStore):
    def update_job(self, job):
        told.append(f"moved on by {job.next_run_time - due}")
        super().update_job(job)


class Executor(BaseExecutor):
    def submit_job(self, job, run_times):
        told.append(f"{job.id} is to run at {[str(time - due) for time in run_times]}")
        asked.set()
        if error is not None:
            raise error(job)

    def _do_submit_job(self, job, run_times): ...


class Lines(logging.Handler):
    def emit(self, record):
        text = record.getMessage()
        told.append(f"{record.levelname} {text[:14]}, {'with' if record.exc_info else 'without'} a traceback")


logging.getLogger("apscheduler.scheduler").addHandler(Lines(logging.WARNING))
for error in (None, MaxInstancesReachedError, Exception):
    told, asked = [], Event()
    due = datetime.now(UTC).replace(microsecond=0)
    scheduler = BackgroundScheduler(
        jobstores={"default": Store()}, executors={"default": Executor()}, timezone="UTC"
    )
    scheduler.add_job(
        int, "interval", hours=1, start_date=due, id="a", next_run_time=due, misfire_grace_time=30
    )
    scheduler.start()
    asked.wait(20)
    scheduler.pause()  # returns when a pass is over
    scheduler.shutdown(wait=False)
    print(*sorted(told), sep="\n")
