"""A program that runs all kinds of runs for a while, and says how much it has: ``growing.py URL SECONDS EVERY``; no URL: in memory.

It writes a line of JSON at the beginning, and every so many seconds.
"""

from __future__ import annotations

import gc
import json
import os
import sqlite3
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from mainspring import BackgroundScheduler, MemoryJobStore, Retry, current_run
from mainspring.errors import RunLookupError
from mainspring.events import EVENT_ALL

KEPT = 20
_failures = iter(range(10**9))


def nothing():
    return "a result"


def rest():
    time.sleep(0.3)
    current_run().progress(1, 1)


def fail_now_and_then():
    if next(_failures) % 3:
        raise OSError("no such luck")


def wait_for_token():
    current_run().cancelled.wait(30)


def log_lines():
    run = current_run()
    run.progress(1, 2, "half")
    run.log.info("a line of %s", run.run_id)


_count = [0]


def count_events(_event):
    _count[0] += 1


def facts(scheduler, url):
    """How much there is, of what should not grow."""
    gc.collect()
    found = {
        "moment": time.monotonic(),
        "events": _count[0],
        "rss": int(open("/proc/self/statm").read().split()[1]) * 4096,  # noqa: SIM115
        "threads": threading.active_count(),
        "fds": len(os.listdir("/proc/self/fd")),
        "alarms": len(scheduler._alarms),
        "undelivered": scheduler.health().undelivered_events,
        "running": scheduler.health().running_runs,
        "stuck": scheduler.health().stuck_runs,
        "jobs": len(scheduler.get_jobs()),
    }
    if url:
        with sqlite3.connect(url.partition("///")[2], timeout=30) as database:
            found["rows"] = database.execute("SELECT count(*) FROM growing_runs").fetchone()[0]
    return found


def main():
    import growing as jobs

    from stores import open_store

    url, seconds, every = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    store = open_store(url, "growing", keep_runs=KEPT) if url else MemoryJobStore(keep_runs=KEPT)
    scheduler = BackgroundScheduler(timezone="UTC", jobstores={"default": store})
    scheduler.add_listener(count_events, EVENT_ALL)
    scheduler.start()
    scheduler.set_group("few", limit=2)
    often = {"trigger": "interval", "seconds": 0.1, "misfire_policy": "skip"}
    scheduler.add_job(jobs.nothing, id="plain", timeout=3600, **often)
    scheduler.add_job(jobs.fail_now_and_then, id="fails", retry=Retry(3, delay=0.2), **often)
    scheduler.add_job(jobs.wait_for_token, id="late", timeout=0.3, **often)
    scheduler.add_job(jobs.log_lines, id="logs", capture_log=True, timeout=600, **often)
    for number in range(4):
        scheduler.add_job(jobs.nothing, id=f"grouped{number}", group="few", **often)
    held = scheduler.add_job(
        jobs.wait_for_token, "date", run_date=datetime(2100, 1, 1, tzinfo=UTC), id="held"
    )
    began = said = time.monotonic()
    print(json.dumps(facts(scheduler, url)), flush=True)
    number = 0
    while time.monotonic() - began < seconds:
        number += 1
        # What programs do beside: one-shot jobs, changes, runs that are asked for and cancelled, a group for each customer.
        one_shot = f"one-shot-{number % 50}"
        scheduler.add_job(
            jobs.nothing, timeout=3600, group=f"customer-{number}", id=one_shot, replace_existing=True
        )
        handle = held.run_now()
        with suppress(RunLookupError):
            scheduler.cancel_run(handle.id)
        handle.wait(20)
        scheduler.modify_job("plain", metadata={"number": number})
        later = datetime.now(UTC) + timedelta(days=1)
        scheduler.add_job(jobs.nothing, "date", run_date=later, id="replaced", replace_existing=True)
        if number % 10 == 0:
            scheduler.remove_job("replaced")
        time.sleep(0.02)
        if number % 100 == 0:
            # All workers at once now and then, so that as many threads and connections as there can be are there from the first minute on.
            scheduler.add_jobs(
                [{"func": jobs.rest, "id": f"rest-{n}"} for n in range(10)], replace_existing=True
            )
        if time.monotonic() - said > every:
            said = time.monotonic()
            print(json.dumps(facts(scheduler, url)), flush=True)
    scheduler.shutdown()


if __name__ == "__main__":
    main()
