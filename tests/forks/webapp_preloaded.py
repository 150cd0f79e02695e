"""A web application that gunicorn loads before it forks its workers: ``--preload``.

``HOW`` says who starts the scheduler: the master, when this is imported, or each worker (`post_fork`).
"""

from __future__ import annotations

import json
import logging
import os

import forking

from mainspring.errors import ForkedProcessError
from mainspring.schedulers.background import BackgroundScheduler
from stores import open_store

HOW, LOG = os.environ["HOW"], os.environ["STORE_LOG"]
logging.basicConfig(level=logging.WARNING)

scheduler = BackgroundScheduler(timezone="UTC")
scheduler.add_jobstore(open_store(os.environ["STORE_URL"], os.environ["STORE_TABLENAME"], lease=5))
scheduler.add_job(forking.tick, "interval", seconds=0.2, args=[LOG], id="tick", replace_existing=True)
if HOW == "master":
    scheduler.start()


def post_fork(server, worker):
    """gunicorn's hook: called in each new worker."""
    if HOW == "workers":
        scheduler.start()


def asked() -> dict:
    name = f"of-{os.getpid()}"
    if scheduler.get_job(name) is None:
        scheduler.add_job(forking.tick, "date", run_date="2100-01-01", id=name)
    scheduler.pause_job(name)
    ran = scheduler.run_job(name).wait(30)
    refused = None
    try:
        scheduler.pause()
    except ForkedProcessError as error:
        refused = error.process
    else:
        scheduler.resume()
    return {
        "pid": os.getpid(),
        "parent": os.getppid(),
        "running": scheduler.running,
        "state": scheduler.health().state,
        "outcome": ran.outcome,
        "ran_in": int(ran.result),
        "refused": refused,
        "jobs": sorted(job.id for job in scheduler.get_jobs()),
    }


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json"), ("Connection", "close")])
    return [json.dumps(asked()).encode()]
