"""What goes on at one moment on a store: what runs, what comes, what failed, who is at work, and how late runs begin.

A screen asks for it every few seconds: each part has a bound, so that the size of the store doesn't matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

from mainspring.admin.due import OVERDUE
from mainspring.admin.views import View
from mainspring.model import TROUBLE

if TYPE_CHECKING:
    from datetime import datetime

    from mainspring.admin.administration import Admin
    from mainspring.admin.views import JobView, NodeView, RunView
    from mainspring.model import RunState

__all__ = ["Lateness", "Overview", "overview_of"]

#: Failures are shown for so long.
RECENT = timedelta(hours=24)
#: Of each part so many are read at most. More runs than these are rarely at work, and more jobs nobody reads.
RUNS_SHOWN, JOBS_SHOWN, FAILURES_SHOWN = 500, 100, 50
#: Lateness is taken from so many of the latest runs.
_JUDGED = 100


@dataclass(frozen=True)
class Lateness(View):
    """How much later than due the latest runs began.

    Attributes:
        typical: the median; ``None``: none began.
        worst: the largest; ``None``: none began.
        overdue: how many of the jobs that are shown have been due for more than ten seconds, and haven't begun.
        oldest: for how long the first of these has been due.
    """

    typical: timedelta | None
    worst: timedelta | None
    overdue: int
    oldest: timedelta | None


@dataclass(frozen=True)
class Overview(View):
    """What goes on on a store.

    Attributes:
        time: when it was looked, by the store's clock, in the zone of the `Admin`.
        open_runs: those that run, the longest first, then those that wait in the queue; 500 of each at most.
        upcoming: jobs, soonest first, 100 at most; then paused ones, 100 at most.
        failures: runs of the last 24 hours that failed, took too long, were lost or missed, the latest first; 50 at most.
        nodes: those that are at work, or were until they fell silent.
        lateness: of the latest runs and of jobs that are due.
        more: which of ``"open_runs"``, ``"upcoming"`` and ``"failures"`` have more than are here.
    """

    time: datetime
    open_runs: tuple[RunView, ...]
    upcoming: tuple[JobView, ...]
    failures: tuple[RunView, ...]
    nodes: tuple[NodeView, ...]
    lateness: Lateness
    more: tuple[str, ...] = ()


def overview_of(admin: Admin, *, search: str | None = None) -> Overview:
    """What goes on on a store.

    Args:
        search: only jobs with this text in their id, name or function's reference, and only runs with this text in their job's id.

    Raises:
        StoreUnavailableError: the database can't be had.
    """
    now = admin.now()
    more = set()

    def runs(part: str, state: RunState | None, limit: int, since: datetime | None = None) -> list[RunView]:
        found = admin.runs(state=state, since=since, limit=limit)
        if len(found) == limit:
            more.add(part)
        return [run for run in found if search is None or search.casefold() in run.job_id.casefold()]

    running = sorted(runs("open_runs", "running", RUNS_SHOWN), key=lambda run: run.started or run.scheduled)
    begun = {run.id for run in running}
    queued = [run for run in runs("open_runs", "queued", RUNS_SHOWN) if run.id not in begun]
    failures = [run for state in TROUBLE for run in runs("failures", state, FAILURES_SHOWN, now - RECENT)]
    failures.sort(key=lambda run: (run.finished or run.scheduled, run.id), reverse=True)
    scheduled, paused = (
        admin.jobs(state=state, search=search, limit=JOBS_SHOWN) for state in ("scheduled", "paused")
    )
    if scheduled.cursor is not None or paused.cursor is not None:
        more.add("upcoming")
    if len(failures) > FAILURES_SHOWN:
        more.add("failures")
    return Overview(
        now,
        (*running, *queued),
        (*scheduled.items, *paused.items),
        tuple(failures[:FAILURES_SHOWN]),
        tuple(admin.nodes()),
        _lateness(runs("", None, _JUDGED), scheduled.items, now),
        tuple(sorted(more - {""})),
    )


def _lateness(runs: list[RunView], jobs: tuple[JobView, ...], now: datetime) -> Lateness:
    known = [max(run.lateness, timedelta(0)) for run in runs if run.lateness is not None]
    due = [job.next_run_time for job in jobs if job.next_run_time is not None]
    overdue = [now - time for time in due if now - time > OVERDUE]
    return Lateness(
        timedelta(seconds=median(one.total_seconds() for one in known)) if known else None,
        max(known, default=None),
        len(overdue),
        max(overdue, default=None),
    )
