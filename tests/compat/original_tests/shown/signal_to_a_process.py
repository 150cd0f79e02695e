"""What becomes of a process of a pool to which SIGTERM is sent, and of the job that runs in it then."""

import logging.handlers
import os
import signal
import time
from datetime import UTC, datetime
from queue import Queue

from apscheduler.events import EVENT_JOB_EXECUTED
from apscheduler.executors.pool import ProcessPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler


def work(path):
    with open(path, "w") as file:
        file.write(str(os.getpid()))
    time.sleep(0.5)
    return "it has ended"


if __name__ == "__main__":
    from pathlib import Path
    from tempfile import TemporaryDirectory

    heard = Queue()
    logging.getLogger("apscheduler.executors.default").addHandler(logging.handlers.QueueHandler(heard))
    with TemporaryDirectory() as folder:
        path = Path(folder, "process")
        scheduler = BackgroundScheduler(executors={"default": ProcessPoolExecutor(1)}, timezone="UTC")
        scheduler.add_listener(heard.put, EVENT_JOB_EXECUTED)
        scheduler.start()
        scheduler.add_job(work, "date", run_date=datetime.now(UTC), args=[str(path)], misfire_grace_time=30)
        while not path.exists() or not path.read_text():
            time.sleep(0.01)
        os.kill(int(path.read_text()), signal.SIGTERM)
        first = heard.get(timeout=30)
        print(first.retval if hasattr(first, "retval") else first.getMessage().partition(" job ")[0])
        scheduler.shutdown()
