"""Queued runs of a store that serves one process: what was asked for, is to be tried again, or had to wait.

Not thread-safe: the store that owns a queue guards it with its own lock.
"""

from __future__ import annotations

from datetime import UTC, datetime
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mainspring.model import QueuedRun, RunKey


class RunQueue:
    """Runs by when they are to be looked at; some of them are held until an instance of their job, or of their group, ends.

    Attributes:
        runs: all of them, to be looked at and not to be changed.
        held: those that are, by the id of their job or the name of their group, the other of which is ``None``.
    """

    def __init__(self) -> None:
        self.runs: dict[RunKey, QueuedRun] = {}
        self.held: dict[tuple[str | None, str | None], dict[RunKey, QueuedRun]] = {}
        self._heap: list[tuple[float, int, RunKey]] = []
        self._times: dict[RunKey, float] = {}  # under which they stand in the heap; other entries are stale
        self._pushed = 0  # how many entries the heap was given, so that those of one time stay in order

    def __len__(self) -> int:
        return len(self.runs)

    def __contains__(self, key: RunKey) -> bool:
        return key in self.runs

    def add(self, run: QueuedRun) -> None:
        """Queue a run, in the place of one that has the same key."""
        self.runs[run.key] = run
        self.requeue(run)

    def due(self, until: float) -> list[QueuedRun]:
        """The runs that are to be looked at by a POSIX timestamp, the earliest first; each is to be begun, held or put back then."""
        found = []
        while (key := self._first(until)) is not None:
            heappop(self._heap)
            del self._times[key]
            found.append(self.runs[key])
        return found

    def requeue(self, run: QueuedRun) -> None:
        """Have a run that is there be looked at as soon as it is available."""
        if self.runs.get(run.key) is run:
            self._look_at(run.key, run.available)

    def _look_at(self, key: RunKey, when: datetime) -> None:
        self._times[key] = time = when.timestamp()
        self._pushed += 1
        heappush(self._heap, (time, self._pushed, key))
        if len(self._heap) > 2 * len(self.runs) + 64:
            self._heap = [(time, number, key) for number, (key, time) in enumerate(self._times.items())]
            heapify(self._heap)

    def _first(self, until: float) -> RunKey | None:
        """The run that is to be looked at first, if it is by then."""
        while self._heap:
            when, _, key = self._heap[0]
            if self._times.get(key) == when:
                return key if when <= until else None
            heappop(self._heap)
        return None

    def hold(self, run: QueuedRun, group: str | None, until: datetime | None) -> None:
        """Have a run that is due wait for an instance of its job to end, or of a group; or for a time, whatever comes first."""
        place = (run.job_id, None) if group is None else (None, group)
        self.held.setdefault(place, {})[run.key] = run
        if until is not None:
            self._look_at(run.key, until)

    def release(self, job_id: str, group: str | None) -> bool:
        """An instance of a job in a group has ended; whether runs were held for that."""
        was_held = self._release((job_id, None))
        return (group is not None and self.release_group(group)) or was_held

    def release_group(self, name: str) -> bool:
        """A group may have more room than before; whether runs were held for that."""
        return self._release((None, name))

    def release_job(self, job_id: str) -> None:
        """A job was changed: whatever its runs are held for, they are looked at again."""
        self._release((job_id, None))
        for place, held in list(self.held.items()):
            for run in [run for run in held.values() if run.job_id == job_id]:
                del held[run.key]
                self.requeue(run)
            if not held:
                del self.held[place]

    def _release(self, place: tuple[str | None, str | None]) -> bool:
        held = self.held.pop(place, None)
        if held is None:
            return False
        there = [run for key, run in held.items() if self.runs.get(key) is run]
        for run in there:
            self.requeue(run)
        return bool(there)

    def remove(self, key: RunKey) -> QueuedRun | None:
        """Remove a run; ``None`` if it isn't there."""
        self._times.pop(key, None)
        return self.runs.pop(key, None)

    def of(self, job_id: str | None) -> list[QueuedRun]:
        """The queued runs of a job, or of all."""
        return [run for run in self.runs.values() if job_id in (None, run.job_id)]

    def drop(self, runs: Iterable[QueuedRun]) -> None:
        """Remove these."""
        for run in runs:
            self.remove(run.key)

    def next_time(self) -> datetime | None:
        """When the next run is to be looked at; ``None``: when something has ended, if ever."""
        key = self._first(float("inf"))
        if key is None:
            return None
        when, available = self._heap[0][0], self.runs[key].available
        # As it was given, where it is that: a timestamp has lost its last digits.
        return available if when == available.timestamp() else datetime.fromtimestamp(when, UTC)
