"""A job of which the executor isn't there."""

import logging
import time
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler

logging.disable()
scheduler = BackgroundScheduler(timezone="UTC")
scheduler.start(paused=True)
scheduler.add_job(print, "interval", hours=1, next_run_time=datetime.now(UTC), executor="missing", id="kept")
scheduler.resume()
begin = time.monotonic()
while scheduler.get_jobs() and time.monotonic() < begin + 3:
    time.sleep(0.05)
print([job.id for job in scheduler.get_jobs()])
scheduler.shutdown()
