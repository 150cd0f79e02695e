"""The functions' own diary: a file in which each call notes that it begins, and that it ends.

A line is written by one call of the system to a file that is open for appending, so that lines of several processes are never mixed, and what has
been written outlasts a kill. Nothing of it goes through the library whose work is judged by it.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mainspring.clock import clock_of
from mainspring.coercion import NamesParameters, names_keywords
from mainspring.current import current_run
from mainspring.testing.checker.values import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_numbers = count(1)


class Diary(metaclass=NamesParameters):
    """For the functions of jobs, in whichever process they are called.

    ::

        def work(path: str) -> None:
            with Diary(path).noted():
                ...

    Args:
        path: of the file; it is made if there is none.
        now: the time, by the store's clock as nearly as it can be known; this machine's, if not given.
    """

    def __init__(self, path: str | Path, now: Callable[[], datetime] | None = None) -> None:
        self._path = path
        self._now = now or clock_of(None).now

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note the call of the present run's function: that it begins, and, however it ends, that it has ended.

        Raises:
            LookupError: no run goes on here.
        """
        run = current_run()
        call = {
            "call": f"{os.getpid()}-{next(_numbers)}",
            "job": run.job_id,
            "due": run.scheduled_run_time.astimezone(UTC).isoformat(),
            "attempt": run.attempt,
            "pids": [os.getpid(), os.getppid()],
        }
        self._write({"note": "began", "at": self._now().astimezone(UTC).isoformat(), **call})
        try:
            yield
        finally:
            self._write({"note": "ended", "at": self._now().astimezone(UTC).isoformat(), **call})

    def _write(self, line: dict[str, Any]) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, f"{json.dumps(line)}\n".encode())
        finally:
            os.close(descriptor)


@names_keywords
def read_diary(path: str | Path) -> list[Call]:
    """The calls that a diary tells of, in the order in which they began.

    Raises:
        ValueError: an end without a beginning: something else has written to the file.
    """
    begun: dict[str, dict[str, Any]] = {}
    ended: dict[str, datetime] = {}
    for text in Path(path).read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        if line["note"] == "began":
            begun[line["call"]] = line
        elif line["call"] in begun:
            ended[line["call"]] = datetime.fromisoformat(line["at"])
        else:
            raise ValueError(f"the diary {path} has the end of a call that never began: {text}")
    return [
        Call(
            job_id=line["job"],
            began=datetime.fromisoformat(line["at"]),
            ended=ended.get(name),
            scheduled_run_time=datetime.fromisoformat(line["due"]),
            attempt=line["attempt"],
            pids=tuple(line["pids"]),
        )
        for name, line in begun.items()
    ]
