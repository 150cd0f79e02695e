"""One scheduler process on a shared store, for the tests to start, stop and kill: ``node.py URL TABLENAME LOG [OPTION=VALUE]``.

It says ``ready`` when it runs, and ends in good order when its standard input ends. Its jobs note in LOG what they do.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from hashlib import blake2b
from pathlib import Path

from sqlalchemy import event

from mainspring.current import current_run
from mainspring.executors.pool import ThreadPoolExecutor
from mainspring.jobstores.sqlalchemy import limits
from mainspring.schedulers.background import BackgroundScheduler
from stores import open_store


def _note(path: str, line: str) -> None:
    # One write of a short line to a file that is open for appending isn't mixed with another process's.
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(descriptor, f"{line}\n".encode())
    finally:
        os.close(descriptor)


def work(path: str, job_id: str, seconds: float = 0.0) -> None:
    """Note that a run has begun, and that it has ended."""
    _note(path, f"{job_id} began {os.getpid()} {time.time()}")
    if seconds:  # with a faked clock, sleeping for no time is an error
        time.sleep(seconds)
    _note(path, f"{job_id} ended {os.getpid()} {time.time()}")


def fail_at_first(path: str, job_id: str, seconds: float = 0.0) -> None:
    """Fail at the first attempt."""
    work(path, job_id, seconds)
    if current_run().attempt == 1:
        raise OSError("the first attempt fails")


def until_told(path: str, job_id: str, seconds: float = 0.0) -> None:
    """Go on until somebody says that it is enough."""
    _note(path, f"{job_id} began {os.getpid()} {time.time()}")
    if not current_run().cancelled.wait(seconds):
        raise TimeoutError("nobody has said so")
    _note(path, f"{job_id} told {os.getpid()} {time.time()}")
    current_run().cancelled.raise_if_set()


_stores = []


def stop_in_a_transaction(path: str, job_id: str, seconds: float = 0.0) -> None:
    """Have the process stop in the middle of its next heartbeat, as one does whose machine is paused."""

    def stop(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("UPDATE") and "heartbeat" in statement:
            event.remove(_stores[0].engine, "after_cursor_execute", stop)
            os.kill(os.getpid(), signal.SIGSTOP)

    event.listen(_stores[0].engine, "after_cursor_execute", stop)
    work(path, job_id, seconds)


def end_somehow() -> str:
    """Succeed or fail, as the run's own identifier has it, so that another try of the same attempt would end as well."""
    run = current_run()
    number = int(blake2b(run.run_id.encode(), digest_size=4).hexdigest(), 16)
    if number % 4 == 0:
        raise OSError(run.run_id)
    if number % 100 == 1:
        run.cancelled.wait(0.5)  # so that there is something to be cancelled
    run.cancelled.raise_if_set()
    return run.run_id


def main() -> None:
    url, tablename, log = sys.argv[1:4]
    options = dict(argument.split("=") for argument in sys.argv[4:])
    logging.basicConfig(level=logging.WARNING, filename=f"{log}.{os.getpid()}.log")
    Path(f"{log}.{os.getpid()}.log").touch()
    # Longer than a test takes, and read when the store's engine is made.
    limits.IDLE_TIMEOUT = int(options.get("idle", limits.IDLE_TIMEOUT))
    store = open_store(
        url,
        tablename,
        lease=float(options.get("lease", 3)),
        keep_runs=10_000,
        node_name=options.get("name"),
    )
    _stores.append(store)
    scheduler = BackgroundScheduler(
        timezone="UTC",
        jobstores={"default": store},
        executors={"default": ThreadPoolExecutor(int(options.get("workers", 10)))},
    )
    scheduler.start()
    print("ready", flush=True)
    sys.stdin.read()
    scheduler.shutdown()


if __name__ == "__main__":
    # Jobs name their function by this file's module, which is the same in every process and in the tests.
    import node

    node.main()
