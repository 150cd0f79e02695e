"""What is wrong with a store, its nodes and its jobs, and what to do about each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from mainspring._version import __version__
from mainspring.admin.views import View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mainspring.admin.administration import Admin
    from mainspring.admin.views import JobView, NodeView

__all__ = ["Finding", "diagnose"]

#: A clock that is wrong by more than this misleads people who compare logs; what is due goes by the store's clock.
_SKEW = timedelta(seconds=2)
#: Failures are looked for in this time.
_RECENT = timedelta(hours=24)
#: So many runs that have failed are looked at.
_RUNS = 1000


@dataclass(frozen=True)
class Finding(View):
    """Something that somebody should look at.

    Attributes:
        about: what it is about: ``"nodes"``, ``"clock"``, ``"jobs"`` or ``"runs"``.
        message: what was found.
        advice: what to do.
    """

    about: str
    message: str
    advice: str


def diagnose(admin: Admin) -> list[Finding]:
    """What is to be found from outside, the worst first."""
    nodes = admin.nodes()
    return [
        *_of_nodes(nodes),
        *_of_unreadable(admin.unreadable()),
        *_of_overdue(admin.overdue(), nodes),
        *_of_clocks(nodes),
        *_of_runs(admin),
    ]


def _of_nodes(nodes: list[NodeView]) -> Iterator[Finding]:
    if not any(node.state == "alive" for node in nodes):
        yield Finding("nodes", "no node is at work on this store: nothing is run", "start a scheduler on it")
    for node in nodes:
        if node.state == "silent":
            yield Finding(
                "nodes",
                f"{node.name} (process {node.pid} on {node.host}) has given no sign of life for {node.silent_for.total_seconds():.0f} s",
                "if it has died, the others take over when its lease is over; if it lives, see what its process does",
            )
    versions = {node.version for node in nodes}
    if len(versions) > 1:
        yield Finding(
            "nodes",
            f"nodes of several releases are at work: {', '.join(sorted(versions))} (this is {__version__})",
            "finish the upgrade: restart those of the older release",
        )


def _of_unreadable(jobs: list[JobView]) -> Iterator[Finding]:
    for job in jobs:
        yield Finding(
            "jobs",
            f"{job.id} can't be read here: {job.unreadable}",
            "where its code is installed it may be readable; otherwise add it again, or remove it",
        )


def _of_overdue(jobs: list[JobView], nodes: list[NodeView]) -> Iterator[Finding]:
    executors = {executor for node in nodes if node.state == "alive" for executor in node.executors}
    for job in jobs:
        if job.executor not in executors:
            advice = (
                f"no node at work has the executor {job.executor!r}: start one that does, or change the job"
            )
        else:
            advice = "see what runs of it (runs list), the limits of its group, and the logs of the nodes"
        yield Finding("jobs", f"{job.id} has been due since {job.next_run_time}, and was not run", advice)


def _of_clocks(nodes: list[NodeView]) -> Iterator[Finding]:
    for node in nodes:
        if abs(node.clock_offset) > _SKEW:
            seconds = node.clock_offset.total_seconds()
            yield Finding(
                "clock",
                f"the clock of {node.host} ({node.name}) is {abs(seconds):.1f} s {'behind' if seconds > 0 else 'ahead of'} the store's",
                "see to its time synchronisation; what is due goes by the store's clock",
            )


def _of_runs(admin: Admin) -> Iterator[Finding]:
    since = admin.now() - _RECENT
    for state, words in (("failed", "have failed"), ("timed_out", "took too long"), ("lost", "were lost")):
        by_job: dict[str, int] = {}
        for run in admin.runs(state=state, since=since, limit=_RUNS):  # type: ignore[arg-type]  # of the three
            by_job[run.job_id] = by_job.get(run.job_id, 0) + 1
        for job_id, count in sorted(by_job.items(), key=lambda one: -one[1]):
            yield Finding(
                "runs",
                f"{count} runs of {job_id} {words} in the last 24 hours",
                f"runs list {job_id} --state {state}, and runs show of one of them",
            )
