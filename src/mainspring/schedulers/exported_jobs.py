"""A file that APScheduler's ``export_jobs`` has written, as a source of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainspring.jobstores.shared.predecessor import OldJob, OldJobs, source_of
from mainspring.schedulers.exchange import states_in, values_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mainspring.jobstores.shared.predecessor import ReadPickle


class ExportedJob(OldJob):
    """A job in such a file."""

    def __init__(self, at: int, state: Any) -> None:
        given = state.get("id") if isinstance(state, dict) else None
        self.id = given if isinstance(given, str) and given else f"job {at} of the file"
        self._state = state

    def values(self, read: ReadPickle) -> dict[str, Any]:
        """See `OldJob.values`."""
        del read
        return values_of(self._state)


class ExportedJobs(OldJobs):
    """Such a file. It is to be trusted like a program: it names functions, and may hold pickles.

    Raises:
        SerializationError: it is none.
    """

    def __init__(self, path: Path) -> None:
        self.place = f"file {str(path)!r}"
        self.address = f"file {path.absolute()}"
        self.source = source_of(self.address)
        self._jobs: dict[str, OldJob] = {}
        for at, state in enumerate(states_in(path), 1):
            job = ExportedJob(at, state)
            if job.id in self._jobs:
                job.id = f"{job.id} (once more, job {at} of the file)"
            self._jobs[job.id] = job

    def ids(self) -> list[str]:
        """See `OldJobs.ids`."""
        return [*self._jobs]

    def jobs(self, ids: Sequence[str]) -> list[OldJob]:
        """See `OldJobs.jobs`."""
        return [self._jobs[one] for one in ids if one in self._jobs]
