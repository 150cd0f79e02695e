"""What the programs of these tests do: fork, and hear what the child says."""

from __future__ import annotations

import os
import signal
import time
import traceback

#: Seconds for which a child may go on that is to end by itself.
PATIENCE = 60


def note(path: str, line: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


def tick(path: str = os.devnull) -> int:
    """A job: says which process has run it."""
    note(path, f"{os.getpid()} {time.monotonic()}")
    return os.getpid()


def sleep(seconds: float, path: str = os.devnull) -> int:
    note(path, f"{os.getpid()} {time.monotonic()}")
    time.sleep(seconds)
    return os.getpid()


def begin(call, *, exits=os._exit) -> int:
    """Fork a child that calls, and ends by `exits`, with 0 or 3; its pid."""
    pid = os.fork()
    if pid == 0:
        code = 3
        try:
            call()
            code = 0
        except SystemExit:  # of a child of this one, which has come up to here
            raise
        except BaseException:
            traceback.print_exc()
        exits(code)
    return pid


def end_of(pid: int, patience: float = PATIENCE) -> int | str:
    """The exit code of a child, or that it hung."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return "hung"


def in_child(call, *, exits=os._exit) -> int | str:
    """What becomes of a child that calls."""
    return end_of(begin(call, exits=exits))


def lines(path: str) -> list[str]:
    try:
        with open(path) as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def wait_for(condition, what: str, patience: float = PATIENCE):
    until = time.monotonic() + patience
    while not (found := condition()):
        if time.monotonic() > until:
            raise TimeoutError(f"there came no {what}")
        time.sleep(0.02)
    return found
