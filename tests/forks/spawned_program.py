"""A program that starts a scheduler when it is imported, so also in processes that import it again: ``spawned_program.py METHOD SCHEDULER``."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import sys

from mainspring import BackgroundScheduler, BlockingScheduler, ProcessPoolExecutor
from mainspring.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED

method, kind = sys.argv[1:]


def parent() -> int:
    """Who has started the process that runs this."""
    return multiprocessing.parent_process().pid


def ended(event):
    """Say what the first run has found, and end."""
    scheduler.remove_listener(ended)
    if event.exception is not None:
        print(event.traceback, flush=True)
    print("run in a child of the program:", event.retval == os.getpid(), flush=True)
    if kind == "blocking":
        scheduler.shutdown(wait=False)


print("imported as", __name__, flush=True)
scheduler = {"background": BackgroundScheduler, "blocking": BlockingScheduler}[kind](
    timezone="UTC", executors={"default": ProcessPoolExecutor(1, pool_kwargs={"mp_context": method})}
)
scheduler.add_listener(ended, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
job = scheduler.add_job(parent, "interval", hours=1, first="now", id="job")
scheduler.start()
if kind == "background":
    atexit.register(scheduler.shutdown)
    print("runs jobs:", scheduler.running, flush=True)


def child():
    """In a process of the program's own: it can have a scheduler, if it wants one."""
    scheduler.start()
    print("child runs jobs:", scheduler.running, flush=True)


if __name__ == "__main__" and kind == "background":
    job.run_now().wait(60)
    process = multiprocessing.get_context(method).Process(target=child)
    process.start()
    process.join()
