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
        if line.strip() == "health":
            health = scheduler.health()
            print(json.dumps(asdict(health) | {"ok": health.ok}, default=str), flush=True)
    scheduler.shutdown()


if __name__ == "__main__":
    main()
