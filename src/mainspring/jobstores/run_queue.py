"""Queued runs of a store that serves one process: what was asked for, is to be tried again, or had to wait.

Not thread-safe: the store that owns a queue guards it with its own lock.
"""

from __future__ import annotations

from datetime import UTC, datetime
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mainspring.model import QueuedRun, RunKey


class RunQueue:
    """Runs by when they are available; some of them are held until an instance of their job, or of their group, ends.

    Attributes:
        runs: all of them, to be looked at and not to be changed.
        held: those that are, by the id of their job and the name of their group, one of which is ``None``.
    """

    def __init__(self) -> None:
        self.runs: dict[RunKey, QueuedRun] = {}
        self._heap: list[tuple[float, int, QueuedRun]] = []
        self.held: dict[tuple[str | None, str | None], list[QueuedRun]] = {}
        self._sequence = count()

    def __len__(self) -> int:
        return len(self.runs)

    def __contains__(self, key: RunKey) -> bool:
        return key in self.runs

    def add(self, run: QueuedRun) -> None:
        """Queue a run, in the place of one that has the same key."""
        self.runs[run.key] = run
        heappush(self._heap, (run.available.timestamp(), next(self._sequence), run))

    def due(self, until: float) -> list[QueuedRun]:
        """The runs that are to be looked at by a POSIX timestamp, the earliest first; each is to be begun, held or put back then."""
        found: dict[RunKey, QueuedRun] = {}
        while self._first(until) is not None:
            run = heappop(self._heap)[2]
            found[run.key] = run
        return list(found.values())

    def put_back(self, run: QueuedRun, when: datetime | None = None) -> None:
        """Have a run that is due be looked at again: at a time, or whenever others are."""
        if self.runs.get(run.key) is run:
            heappush(self._heap, ((when or run.available).timestamp(), next(self._sequence), run))

    def _first(self, until: float) -> QueuedRun | None:
        """The run that is available first, if it is by then."""
        while self._heap:
            when, _, run = self._heap[0]
            if self.runs.get(run.key) is run:
                return run if when <= until else None
            heappop(self._heap)  # it was removed
        return None

    def hold(self, run: QueuedRun, group: str | None = None) -> None:
        """Have a run that is due wait for an instance of its job to end, or of a group."""
        self.held.setdefault((run.job_id, None) if group is None else (None, group), []).append(run)

    def release(self, job_id: str, group: str | None) -> bool:
        """An instance of a job in a group has ended; whether runs were held for that."""
        was_held = self._release((job_id, None))
        return (group is not None and self._release((None, group))) or was_held

    def release_job(self, job_id: str) -> bool:
        """A job may have more instances than before; whether runs were held for that."""
        return self._release((job_id, None))

    def look_again(self, job_id: str) -> None:
        """A job is in another group than before: whatever its runs wait for, they are looked at when they are available."""
        for run in self.of(job_id):
            self.put_back(run)

    def release_group(self, name: str) -> bool:
        """A group may have more room than before; whether runs were held for that.

        Those that wait for a time at which it had room are looked at again, too.
        """
        was_held = self._release((None, name))
        held = {run.key for runs in self.held.values() for run in runs}
        waiting = (run for key, run in self.runs.items() if key not in held)
        self._heap = [(run.available.timestamp(), next(self._sequence), run) for run in waiting]
        heapify(self._heap)
        return was_held

    def _release(self, key: tuple[str | None, str | None]) -> bool:
        held = self.held.pop(key, None)
        if held is None:
            return False
        for run in held:
            if self.runs.get(run.key) is run:
                heappush(self._heap, (run.available.timestamp(), next(self._sequence), run))
        return True

    def remove(self, key: RunKey) -> QueuedRun | None:
        """Remove a run; ``None`` if it isn't there."""
        return self.runs.pop(key, None)

    def of(self, job_id: str | None) -> list[QueuedRun]:
        """The queued runs of a job, or of all."""
        return [run for run in self.runs.values() if job_id in (None, run.job_id)]

    def drop(self, runs: Iterable[QueuedRun]) -> None:
        """Remove these."""
        for run in runs:
            self.runs.pop(run.key, None)

    def next_time(self) -> datetime | None:
        """When the next run is available that isn't held."""
        if self._first(float("inf")) is None:
            return None
        when, _, run = self._heap[0]
        # As it was given, where it is that: a timestamp has lost its last digits.
        return run.available if when == run.available.timestamp() else datetime.fromtimestamp(when, UTC)
