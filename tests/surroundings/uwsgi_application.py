"""What uWSGI serves: a scheduler that is started when the application is imported. ``TICKS`` is the file that its job writes to."""

import json
import os

from mainspring import BackgroundScheduler


def tick():
    with open(os.environ["TICKS"], "a") as file:
        file.write(f"{os.getpid()}\n")


scheduler = BackgroundScheduler(timezone="UTC")
refused = None
try:
    scheduler.start()
except RuntimeError as error:
    refused = str(error)
else:
    scheduler.add_job(tick, "interval", seconds=0.2)


def application(environment, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    said = {
        "pid": os.getpid(),
        "refused": refused,
        "running": scheduler.running,
        "state": scheduler.health().state,
    }
    return [json.dumps(said).encode()]
