"""What the jobs do. Each function notes in the diary that it was called, and that it has come to its end."""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from diary import note

from mainspring.current import current_run

_numbers = itertools.count()


@contextmanager
def _noted():
    run = current_run()
    call = f"{os.getpid()}-{next(_numbers)}"
    note(
        "began",
        call=call,
        job=run.job_id,
        scheduled=run.scheduled_run_time.isoformat(),
        attempt=run.attempt,
        node=os.environ.get("FIRE_NODE", ""),
    )
    pid = os.getpid()
    try:
        yield run
    finally:
        if os.getpid() == pid:  # a child has made no call
            note("ended", call=call, job=run.job_id)


def work() -> None:
    """Nothing else."""
    with _noted():
        pass


def chatter(size: int) -> str:
    """A result of some length, so that the store needs room."""
    with _noted():
        return "y" * size


def hold(flag: str, longest: float = 100.0) -> str:
    """Go on until there is a file of this name."""
    with _noted():
        end = time.monotonic() + longest
        while not Path(flag).exists():
            if time.monotonic() > end:
                raise TimeoutError(flag)
            threading.Event().wait(0.02)  # with a faked clock that is set, time.sleep may refuse
        return "held"


def rest(seconds: float) -> None:
    """Take some time."""
    with _noted():
        time.sleep(seconds)


def never_end() -> None:
    """Take no notice of anything."""
    with _noted():
        threading.Event().wait()


def fork(how: str) -> str:
    """Fork a child that comes back from here by itself, and wait for its end."""
    with _noted():
        pid = os.fork()
        if pid:
            os.waitpid(pid, 0)
            return "parent"
    if how == "raises":
        raise OSError("this is the child")
    if how == "exits":
        raise SystemExit
    return "child"


def fail(times: int) -> None:
    """Fail at the first attempts."""
    with _noted() as run:
        if run.attempt <= times:
            note("failed", job=run.job_id, attempt=run.attempt)
            raise OSError(f"attempt {run.attempt} fails")


def take_the_interpreter(seconds: float) -> None:
    """Let no other thread of the process run, as a call of a library does that doesn't know of threads."""
    with _noted():
        ctypes.PyDLL(None).usleep(int(seconds * 1e6))  # PyDLL, unlike CDLL, keeps the interpreter's lock


def exit_at_once(code: int = 9) -> None:
    """End the process, as a library in C does that finds something wrong."""
    with _noted():
        os._exit(code)


def be_killed() -> None:
    """End as one does that has taken too much memory."""
    with _noted():
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(10)


def abort() -> None:
    """End as one does whose library is broken."""
    with _noted():
        os.abort()


def nothing() -> None:
    """Nothing at all."""
