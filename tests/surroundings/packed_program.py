"""A program as it is packed into one file: a thread, a process, SQLite, a restart, a parsed schedule. ``program FOLDER``."""

import multiprocessing
import sys

import mainspring.as_apscheduler  # noqa: F401  # isort: skip
from apscheduler.schedulers.background import BackgroundScheduler
from packed_jobs import square

from mainspring.triggers import parse


def main(folder):
    options = {
        "apscheduler.jobstores.default": {"type": "sqlalchemy", "url": f"sqlite:///{folder}/jobs.sqlite"},
        "apscheduler.executors.processes": {"type": "processpool", "max_workers": 1},
        "apscheduler.timezone": "UTC",
    }
    weekly = parse("every 2 weeks on monday and thursday at 09:30", dialect="english")
    print(weekly.explain(language="de"))
    for start in range(2):
        scheduler = BackgroundScheduler(options)
        scheduler.start()
        for number, executor in enumerate(["default", "processes"]):
            if not start:
                scheduler.add_job(square, weekly, args=[number + 3], id=executor, executor=executor)
            print(executor, scheduler.run_job(executor).wait(60).result)
        scheduler.shutdown()


if __name__ == "__main__":
    multiprocessing.freeze_support()
    main(sys.argv[1])
