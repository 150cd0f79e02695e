"""What the jobs of these tests do."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from mainspring import current_run

gate = threading.Event()
begun = threading.Event()
seen = []
ended = []
busy = []  # what goes on though nobody counts on it


def reset():
    gate.clear()
    begun.clear()
    seen.clear()
    ended.clear()


def eventually(condition, timeout=60):
    """Wait until a condition holds; it is asked again and again, since what it is about may be in a database."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it has not come about"
        time.sleep(0.005)


def add(a, b):
    return a + b


def look():
    run = current_run()
    seen.append(run)
    run.progress(3, 10, "on the way")
    run.log.info("looked at %s", run.job_id)
    logging.getLogger("somebody").warning("not asked for")
    return run.run_id


def look_remotely(go_on=None):
    """Look at the run, and go on when there is a file of that name, if one is given: events are not shared with processes."""
    run = current_run()
    run.progress(1, 2, "half")
    run.log.info("from afar")
    deadline = time.monotonic() + 30
    while go_on is not None and not Path(go_on).exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return [run.job_id, run.run_id, run.attempt, run.deadline is None, run.cancelled.is_set()]


async def look_async():
    await asyncio.sleep(0)
    run = current_run()
    seen.append(run)
    return run.run_id


def log_a_line():
    logging.getLogger("somebody").warning("a line of %s", current_run().job_id)


def fail(text="no such luck"):
    raise ValueError(text)


def fail_three_times():
    seen.append(None)
    if len(seen) <= 3:
        raise OSError("no such luck")


def fail_until(attempt):
    run = current_run()
    seen.append((run.attempt, run.run_id))
    if run.attempt < attempt:
        raise OSError(f"attempt {run.attempt}")
    return run.attempt


def wait(timeout=30):
    begun.set()
    assert gate.wait(timeout)
    ended.append("waited")


def fail_then_wait():
    """Fail the first time, and the second wait."""
    seen.append("called")
    if seen.count("called") == 1:
        raise OSError("no such luck")
    assert gate.wait(30)


def wait_for_token(timeout=30):
    begun.set()
    token = current_run().cancelled
    deadline = time.monotonic() + timeout
    while not token.wait(0.01) and not gate.is_set():
        assert time.monotonic() < deadline
    ended.append("token")
    token.raise_if_set()


def return_when_told(timeout=30):
    begun.set()
    assert current_run().cancelled.wait(timeout)
    return "what nobody wants"


def wait_a_little():
    begun.set()
    assert gate.wait(30)
    return "what nobody wants"


def ignore_token(timeout=30):
    busy.append(1)
    try:
        begun.set()
        assert gate.wait(timeout)
        ended.append("ignored")
    finally:
        busy.pop()


async def wait_async(seconds=30):
    begun.set()
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        ended.append("cancelled")
        raise


def sleep_long():
    time.sleep(60)


def note(name):
    seen.append((name, current_run().scheduled_run_time))


@contextmanager
def surrounded():
    seen.append("enter")
    try:
        yield
    except ValueError:
        seen.append("error")
        raise
    finally:
        seen.append("leave")


def seen_there():
    return list(seen)
