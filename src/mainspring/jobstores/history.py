"""What became of runs, kept in this process's memory, and bounded: of each job the latest, and so many in all.

Not thread-safe: the store that owns a history guards it with its own lock.
"""

from __future__ import annotations

import json
import os
import socket
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mainspring.draining import drained
from mainspring.model import BACKFILLED, RunRecord, RunResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mainspring.model import Cause, CompactSuccess, RunKey, Submission

    #: A run's job, attempt and cause, what became of it, and how many due times it stands for.
    _Ended = tuple[str, int, Cause, RunResult, int | None]

#: How many runs of all jobs together are kept.
_KEPT_IN_ALL = 10_000
#: What is too much is forgotten when there are so many times more than are kept, and so many at least: seldom enough to cost nothing for each run.
_TIMES_MORE, _AT_LEAST = 4, 1000


class History:
    """Ended runs.

    Args:
        keep: of each job.
        node: the name of this process.

    Attributes:
        node: as it was given.
    """

    def __init__(self, keep: int, node: str) -> None:
        self._keep = keep
        self._bound = _AT_LEAST
        self.node = node
        #: Runs that ended well, told of by the workers themselves.
        self.success_log: deque[Any] = deque()  # of `CompactSuccess`
        # Kept as they came, since most are never looked at: those that ended well, and others with what became of them.
        self._ended: list[CompactSuccess | _Ended] = []
        # By job the latest attempt at each due time, as a POSIX timestamp: of the first so many that have ended. Made when it is asked for.
        self._latest: dict[str, dict[float, int]] = {}
        self._looked_up = 0

    def take_over(self, other: History) -> None:
        """Have what another has been told."""
        self._ended = list(other._ended)
        self.success_log.extend(other.success_log)
        self.node = other.node

    def add(
        self, job_id: str, attempt: int, cause: Cause, result: RunResult, due_times: int | None = 1
    ) -> None:
        """A run has ended, or will not be run.

        Args:
            due_times: how many due times it stands for, as of `RunRecord`.
        """
        self._ended.append((job_id, attempt, cause, result, due_times))

    def add_all(self, submission: Submission) -> None:
        """The runs of a submission have ended."""
        for result in submission.results:
            attempt = submission.attempt_of(result.scheduled_run_time)
            self.add(submission.job.id, attempt, submission.cause, result, submission.due_times)

    def bound(self) -> None:
        """Forget what is too much; to be called now and then."""
        if len(self._ended) + len(self.success_log) > self._bound:
            self._ended = list(self._kept())[::-1]
            self._latest, self._looked_up = {}, 0
            self._bound = max(_TIMES_MORE * len(self._ended), _AT_LEAST)

    def _kept(self) -> Iterator[CompactSuccess | _Ended]:
        """What is to be kept, the run that ended last first."""
        counts: dict[str, int] = {}
        keep, left = self._keep, _KEPT_IN_ALL
        for entry in reversed(self._all()[:]):
            job_id = entry[0]
            # By those of backfills, one that is asked for again knows what it has done: they stay, and don't count.
            if entry[2] not in BACKFILLED:
                count = counts[job_id] = counts.get(job_id, 0) + 1
                if count > keep:
                    continue
            yield entry
            left -= 1
            if not left:
                return

    def latest_attempts(self, job_id: str) -> Mapping[float, int]:
        """The latest attempts of a job that are remembered, by their due times, as POSIX timestamps."""
        ended = self._all()
        for at in range(self._looked_up, len(ended)):
            entry = ended[at]
            of_job = self._latest.setdefault(entry[0], {})
            time = _due_time(entry).timestamp()
            of_job[time] = max(entry[1], of_job.get(time, 0))
        self._looked_up = len(ended)
        return self._latest.get(job_id, {})

    def records(self, job_id: str | None, key: RunKey | None = None) -> Iterator[RunRecord]:
        """The runs of a job, or of all, the one that ended last first.

        Args:
            key: only of this run.
        """
        # One that is asked for by name is found as long as it is there; a list has no more than is kept.
        for entry in self._kept() if key is None else reversed(self._all()[:]):
            if job_id not in (None, entry[0]):
                continue
            if key is None or (entry[1], _due_time(entry).timestamp()) == (
                key.attempt,
                key.scheduled_run_time.timestamp(),
            ):
                yield self._record(entry)

    def _all(self) -> list[CompactSuccess | _Ended]:
        self._ended += drained(self.success_log)
        return self._ended

    def _record(self, entry: CompactSuccess | _Ended) -> RunRecord:
        if len(entry) == 5:  # noqa: PLR2004 - as it was added
            job_id, attempt, cause, result, due_times = entry
            return ended_run(job_id, attempt, cause, result, self.node, due_times)
        job_id, attempt, cause, time, started, finished, value = entry
        ended = RunResult(time, "succeeded", started, finished, None, value)
        return ended_run(job_id, attempt, cause, ended, self.node)


def _due_time(entry: CompactSuccess | _Ended) -> datetime:
    return entry[3].scheduled_run_time if len(entry) == 5 else entry[3]  # noqa: PLR2004 - as above


def this_process() -> str:
    """What this process is called in the history of a store in its memory."""
    return f"{socket.gethostname()}-{os.getpid()}"


def ended_run(
    job_id: str, attempt: int, cause: Cause, result: RunResult, node: str, due_times: int | None = 1
) -> RunRecord:
    """The record of a run that has ended."""
    return RunRecord(
        job_id,
        result.scheduled_run_time.astimezone(UTC),
        attempt,
        node=node,
        started=moment(result.started),
        finished=moment(result.finished),
        outcome=result.outcome,
        error=result.error,
        result=result.result,
        cause=cause,
        traceback=result.traceback,
        log=result.log,
        progress=read_progress(result.progress),
        due_times=due_times,
    )


def moment(value: datetime | float | None) -> datetime | None:
    """A time in UTC from one, or from a POSIX timestamp."""
    if isinstance(value, float):
        return datetime.fromtimestamp(value, UTC)
    return None if value is None else value.astimezone(UTC)


def read_progress(text: str | None) -> Any:
    """How far a run is, from the JSON of it; ``None`` where that is none."""
    if text is None:
        return None
    try:
        parts = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None  # somebody else's: one such row must not keep the others from being read
    return tuple(parts) if isinstance(parts, list) else None


def chosen(
    records: Sequence[RunRecord], outcome: str | None, since: datetime | None, limit: int
) -> list[RunRecord]:
    """Those of `records` that are asked for, latest due time first; see `RunStore.list_runs`."""
    if outcome is not None:
        asked = {"running": None, "queued": None}.get(outcome, outcome)
        records = [
            record
            for record in records
            if record.outcome == asked
            and (outcome != "running" or record.node is not None)
            and (outcome != "queued" or record.node is None)
        ]
    if since is not None:
        records = [record for record in records if record.scheduled_run_time >= since]
    ordered = sorted(records, key=lambda record: (record.scheduled_run_time, record.attempt), reverse=True)
    return ordered[:limit]
