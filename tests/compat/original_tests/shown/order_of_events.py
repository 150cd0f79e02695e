"""What listeners hear of a job that runs once, in which order."""

from datetime import UTC, datetime
from queue import Queue

from apscheduler import events
from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.background import BackgroundScheduler

heard = Queue()
names = {getattr(events, name): name for name in dir(events) if name.startswith("EVENT_JOB_")}
scheduler = BackgroundScheduler(executors={"default": DebugExecutor()}, timezone="UTC")
scheduler.start()
scheduler.add_listener(
    heard.put, events.EVENT_JOB_SUBMITTED | events.EVENT_JOB_EXECUTED | events.EVENT_JOB_REMOVED
)
scheduler.add_job(int, "date", run_date=datetime.now(UTC))
for _ in range(3):
    print(names[heard.get(timeout=10).code])
scheduler.shutdown()
