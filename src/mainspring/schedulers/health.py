"""Whether a scheduler does its work, for health checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from mainspring.schedulers.adoption_report import Adopted


@dataclass(frozen=True, slots=True)
class OverdueJob:
    """A job that should have been run by now.

    Attributes:
        job_id, jobstore: which.
        due: its next run time.
        overdue: for how long it has been due.
    """

    job_id: str
    jobstore: str
    due: datetime
    overdue: timedelta


@dataclass(frozen=True, slots=True)
class Health:
    """The answer of `BaseScheduler.health`.

    Attributes:
        state: ``"stopped"``, ``"starting"``, ``"running"``, ``"paused"``, or ``"forked"``: it runs in the process that this one was forked
            from, which is `runs_in`.
        loop_alive: whether whatever runs the loop is there; false when stopped or forked.
        last_pass: when the loop last looked for due jobs, aware; ``None`` before the first time.
        oldest_overdue: the job that has been due longest, or ``None`` when none is.
        running_runs: how many submissions are with the executors, queued or running.
        parked_jobs: how many jobs can't be run here for now.
        jobs_without_executor: how many of those are due and name an executor that isn't here, and that no other node has made up for.
        undelivered_events: how many events wait for slow listeners.
        store_errors: by alias, what each failing job store last raised.
        store_warnings: by alias, what job stores may lose as their servers are set up, and what has become of them, each in a sentence.
        store_namespaces: by alias, the namespaces of job stores that have one.
        dropped_events: how many events listeners have not been told, because too many were waiting.
        stuck_listener: which listener has been called and doesn't return, in words; ``None``: none.
        stuck_runs: how many runs don't end though they were told to, and keep their threads.
        runs_in: the number of the process in which it ran when this one was forked from it; ``None`` if it is this one's.
        profile: whose defaults the scheduler has: ``"mainspring"``, or ``"apscheduler"`` if it was made under the alias.
        adopted: by alias, what has become of the jobs that APScheduler has left where job stores are.
    """

    state: str
    loop_alive: bool
    last_pass: datetime | None
    oldest_overdue: OverdueJob | None
    running_runs: int
    parked_jobs: int
    undelivered_events: int
    store_errors: Mapping[str, str]
    store_warnings: Mapping[str, Sequence[str]]
    store_namespaces: Mapping[str, str]
    dropped_events: int = 0
    stuck_listener: str | None = None
    stuck_runs: int = 0
    runs_in: int | None = None
    jobs_without_executor: int = 0
    profile: str = "mainspring"
    adopted: Mapping[str, Adopted] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the loop is alive, every store answers, and no job that is due waits for an executor that isn't there."""
        return (
            self.loop_alive
            and self.state != "starting"
            and not self.store_errors
            and not self.jobs_without_executor
        )
