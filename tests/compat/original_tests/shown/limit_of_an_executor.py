"""What becomes of a job that runs once, and that its executor has no place for."""

import logging
from datetime import UTC, datetime
from queue import Queue

from apscheduler.events import EVENT_JOB_EXECUTED, EVENT_JOB_MAX_INSTANCES
from apscheduler.executors.base import MaxInstancesReachedError
from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.background import BackgroundScheduler


class Full(DebugExecutor):
    was_asked = False

    def submit_job(self, job, run_times):
        if not self.was_asked:
            self.was_asked = True
            raise MaxInstancesReachedError(job)
        super().submit_job(job, run_times)


logging.disable()
heard = Queue()
scheduler = BackgroundScheduler(executors={"default": Full()}, timezone="UTC")
scheduler.add_listener(heard.put, EVENT_JOB_EXECUTED | EVENT_JOB_MAX_INSTANCES)
scheduler.start()
scheduler.add_job(int, "date", run_date=datetime.now(UTC), misfire_grace_time=30)
print("it was run:", heard.get(timeout=20).code == EVENT_JOB_EXECUTED)
scheduler.shutdown()
