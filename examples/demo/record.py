"""What has happened so far, gathered by a listener: nothing here looks into the scheduler."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median
from threading import Lock
from typing import Any

from mainspring.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MISSED,
    EVENT_JOB_STARTED,
)

#: The kinds of event that `Record` takes in.
LISTENED = EVENT_JOB_STARTED | EVENT_JOB_EXECUTED | EVENT_JOB_ERROR | EVENT_JOB_MISSED

#: So many of the latest runs can be shown.
_SHOWN = 200

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Run:
    """One run that has ended."""

    job_id: str
    due: datetime
    late_ms: float
    took_ms: float
    outcome: str
    failed: bool


@dataclass
class OfJob:
    """What is known of one job."""

    runs: int = 0
    errors: int = 0
    running: int = 0
    last: Run | None = None


@dataclass
class Record:
    """Counts and latest runs. Give it to `add_listener`; `told` may be called from any thread."""

    jobs: dict[str, OfJob] = field(default_factory=dict)
    latest: deque[Run] = field(default_factory=lambda: deque(maxlen=_SHOWN))
    lateness_ms: list[float] = field(default_factory=list)
    overdue: int = 0
    lock: Lock = field(default_factory=Lock)
    since: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self, event: Any) -> Run | None:
        """Take in an event, and return the run that it ended, if it ended one."""
        with self.lock:
            job = self.jobs.setdefault(event.job_id, OfJob())
            if event.code == EVENT_JOB_STARTED:
                job.running += 1
                return None
            if event.code != EVENT_JOB_MISSED:
                job.running -= 1
            run = _run_of(event)
            job.runs += 1
            job.errors += run.failed
            job.last = run
            self.latest.append(run)
            # What was due before, while no demo ran, says nothing about punctuality.
            if run.due < self.since:
                self.overdue += 1
            elif event.started is not None:
                self.lateness_ms.append(run.late_ms)
            return run

    @property
    def runs(self) -> int:
        """How many runs have ended."""
        return sum(job.runs for job in self.jobs.values())

    @property
    def errors(self) -> int:
        """How many of them failed."""
        return sum(job.errors for job in self.jobs.values())

    def summary(self) -> str:
        """One sentence on all of it."""
        with self.lock:
            words = f"{counted(self.runs, 'run')}, {counted(self.errors, 'error')}"
            if self.lateness_ms:
                words += (
                    f"; started {median(self.lateness_ms):.1f} ms after it was due (median), "
                    f"{max(self.lateness_ms):.1f} ms at most"
                )
            if self.overdue:
                words += f"; {counted(self.overdue, 'run')} had been due while no demo ran"
            return f"{words}."


def counted(number: int, noun: str) -> str:
    """`number` and `noun`, which gets an s unless it is one."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _run_of(event: Any) -> Run:
    if event.code == EVENT_JOB_MISSED:
        return Run(event.job_id, event.scheduled_run_time, 0, 0, "missed", failed=True)
    return Run(
        job_id=event.job_id,
        due=event.scheduled_run_time,
        late_ms=(event.started - event.scheduled_run_time) / _MILLISECOND,
        took_ms=event.duration / _MILLISECOND,
        outcome=str(event.exception or event.retval),
        failed=event.code == EVENT_JOB_ERROR,
    )
