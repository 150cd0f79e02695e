"""What the functions of jobs have done, noted by themselves: one line for each, in a file that no store knows of.

Times are those of the monotonic clock, which all processes of a machine share, and nobody sets.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Where the functions of a process find the file.
VARIABLE = "FIRE_DIARY"
#: So often two clocks are read one after the other, of which the closest reading counts.
_COMPARISONS = 20


def note(what: str, **more: object) -> None:
    """Add a line: one write of it to a file that is open for appending isn't mixed with another process's."""
    line = json.dumps({"what": what, "pid": os.getpid(), "moment": time.monotonic(), **more})
    descriptor = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(descriptor, f"{line}\n".encode())
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class Call:
    """One call of a job's function.

    Attributes:
        ended: ``None``: its end wasn't seen.
    """

    job_id: str
    scheduled: datetime
    attempt: int
    pid: int
    node: str
    began: float
    ended: float | None


class Diary:
    """Reads one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def lines(self, what: str | None = None) -> list[dict]:
        """What was noted, in the order of writing."""
        text = self.path.read_text()
        found = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
        return [line for line in found if what in (None, line["what"])]

    def calls(self) -> list[Call]:
        """Each call of a job's function."""
        open_calls: dict[tuple[str, int], dict] = {}
        made: list[tuple[dict, float | None]] = []
        for line in self.lines():
            if line["what"] == "began":
                open_calls[line["call"], line["pid"]] = line
            elif line["what"] == "ended":
                made.append((open_calls.pop((line["call"], line["pid"])), line["moment"]))
        made += [(line, None) for line in open_calls.values()]
        return [
            Call(
                line["job"],
                datetime.fromisoformat(line["scheduled"]),
                line["attempt"],
                line["pid"],
                line["node"],
                line["moment"],
                ended,
            )
            for line, ended in made
        ]

    def began(self) -> Counter[str]:
        """How often the function of each job was called."""
        return Counter(line["job"] for line in self.lines("began"))

    def ended(self) -> Counter[str]:
        """How often it came to its end."""
        return Counter(line["job"] for line in self.lines("ended"))


class Moments:
    """Says what this process's clock shows, or will show, or has shown, at moments of the monotonic clock.

    All by one comparison of the two clocks, so that moments keep their order and their distances. Between two readings a busy machine may let
    milliseconds pass: were each moment compared by itself, calls that followed one another would seem to overlap.

    Args:
        now, monotonic: read the two clocks.
    """

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        readings = [(monotonic(), now(), monotonic()) for _ in range(_COMPARISONS)]
        before, self._shown, after = min(readings, key=lambda reading: reading[2] - reading[0])
        self._monotonic = (before + after) / 2

    def at(self, moment: float) -> datetime:
        """What time it is at a moment."""
        return self._shown + timedelta(seconds=moment - self._monotonic)
