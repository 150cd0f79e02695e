"""One scheduler object that is started and shut down again and again: ``cycles.py KIND URL TABLENAME COUNT``.

Says what it has at first and in the end: threads, files and connections.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter

#: After so many it has all that it ever will.
WARM = 3
PATIENCE = 20


def of_this_process() -> Counter:
    """What the system knows of this process."""
    found = Counter(threads=len(os.listdir("/proc/self/task")))
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            what = os.readlink(f"/proc/self/fd/{descriptor}")
        except FileNotFoundError:
            continue  # the one that lists them
        found["connections" if what.startswith("socket:") else "files"] += 1
    return found


def settled(limit: Counter | None) -> Counter:
    """What there is when nothing is more than in `limit`, or ever; what ends, ends a moment later in other threads."""
    until = time.monotonic() + (PATIENCE if limit is not None else 1)
    while True:
        found = of_this_process()
        if (limit is not None and found <= limit) or time.monotonic() > until:
            return found
        time.sleep(0.02)


def answer() -> int:
    return 42


def cycle(kit, scheduler, number: int) -> None:
    scheduler.add_job("cycles:answer", "date", id=f"before{number}", misfire_grace_time=None)
    kit.start(scheduler)
    scheduler.started.result(PATIENCE)
    scheduler.add_job("cycles:answer", "interval", hours=1, id="kept", replace_existing=True)
    assert scheduler.run_job("kept").wait(PATIENCE).outcome == "succeeded"
    assert scheduler.health().ok, scheduler.health()
    kit.stop(scheduler)


def main(kind: str, url: str, tablename: str, count: str) -> int:
    import kits

    from mainspring.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
    from mainspring.jobstores.memory import MemoryJobStore
    from stores import open_store

    def scenario(kit) -> None:
        store = MemoryJobStore() if url == "memory" else open_store(url, tablename, lease=5)
        executors = {"processes": ProcessPoolExecutor(1)} if kind == "background" else {}
        if kind != "gevent":
            executors["threads"] = ThreadPoolExecutor(2)
        scheduler = kit.make(jobstores={"default": store}, executors=executors)
        scheduler.add_listener(lambda event: None)
        for number in range(WARM):
            cycle(kit, scheduler, number)
        first = settled(None)
        for number in range(int(count)):
            cycle(kit, scheduler, WARM + number)
        print(json.dumps([first, settled(first)]), flush=True)

    return kits.drive(kind, scenario)


if __name__ == "__main__":
    sys.modules["cycles"] = sys.modules["__main__"]
    answer.__module__ = "cycles"
    if sys.argv[1] == "gevent-patched":
        import gevent.monkey

        gevent.monkey.patch_all()
    status = main(*sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
