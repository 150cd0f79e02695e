"""One scheduler process for the tests to attack: ``fire_node.py SETTINGS``, which are JSON.

It says ``ready`` when it runs, answers what it is asked, one line for each, and ends in good order when its standard input
ends. What it logs are lines of JSON, with the moment of the monotonic clock.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from dataclasses import asdict

from diary import note

from mainspring.events import EVENT_JOB_EXECUTED
from mainspring.executors.pool import ThreadPoolExecutor
from mainspring.schedulers.background import BackgroundScheduler
from stores import open_store


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "moment": time.monotonic(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "traceback": self.formatException(record.exc_info) if record.exc_info else None,
        }
        return json.dumps(line)


def deaf_listener(_event: object) -> None:
    """Never return."""
    threading.Event().wait()


def forked(scheduler: BackgroundScheduler, job_id: str, seconds: float, how: str) -> int:
    """The pid of a child that asks for jobs and runs for some seconds, says in the diary how often that worked, and then ends."""
    pid = os.fork()
    if pid:
        return pid
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the node would seem to go on
    asked, failed = 0, []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            assert scheduler.get_job(job_id).id == job_id
            assert (scheduler.running, scheduler.health().state) == (False, "forked")
            if asked % 10 == 0:
                ran = scheduler.run_job(job_id).wait(30)
                assert ran.outcome == "succeeded", ran
            asked += 1
        except Exception as error:
            failed.append(repr(error)[:200])
        time.sleep(0.01)
    note("child", asked=asked, failed=failed)
    if how == "shutdown":
        scheduler.shutdown()
    if how == "exec":
        os.execv(sys.executable, [sys.executable, "-c", ""])
    if how == "_exit":
        os._exit(0)
    sys.exit(0)


def main() -> None:
    settings = json.loads(sys.argv[1])
    handler = logging.FileHandler(settings["log"], errors="backslashreplace")
    handler.setFormatter(_Lines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    os.environ["FIRE_NODE"] = settings["node_name"]
    store = open_store(
        settings["url"],
        settings["name"],
        lease=settings["lease"],
        keep_runs=10_000,
        node_name=settings["node_name"],
        **settings["store_options"],
    )
    scheduler = BackgroundScheduler(
        timezone="UTC",
        jobstores={"default": store},
        executors={"default": ThreadPoolExecutor(settings["workers"])},
        handle_signals=True,
    )
    if settings.get("deaf_listener"):
        scheduler.add_listener(deaf_listener, EVENT_JOB_EXECUTED)
    scheduler.start()
    print("ready", flush=True)
    for line in sys.stdin:
        asked = line.split()
        if asked[0] == "fork":
            print("forked", forked(scheduler, asked[1], float(asked[2]), asked[3]), flush=True)
        elif asked == ["health"]:
            health = scheduler.health()
            print(json.dumps(asdict(health) | {"ok": health.ok}, default=str), flush=True)
    scheduler.shutdown()


if __name__ == "__main__":
    main()
