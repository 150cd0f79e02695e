"""A web application whose workers each start a scheduler and add the same jobs when it is imported."""

from __future__ import annotations

import os

import node

from mainspring.schedulers.background import BackgroundScheduler
from stores import open_store

URL, TABLENAME, LOG = os.environ["STORE_URL"], os.environ["STORE_TABLENAME"], os.environ["STORE_LOG"]

scheduler = BackgroundScheduler(timezone="UTC")
scheduler.add_jobstore(open_store(URL, TABLENAME, lease=5))


@scheduler.scheduled_job("interval", seconds=1, id="decorated", args=[LOG, "decorated"])
def decorated(path: str, job_id: str) -> None:
    node.work(path, job_id)


for number in range(3):
    scheduler.add_job(
        node.work,
        "interval",
        seconds=1,
        args=[LOG, f"added{number}"],
        id=f"added{number}",
        replace_existing=True,
    )
scheduler.start()


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]
