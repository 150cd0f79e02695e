"""What is wrong with a store, its nodes and its jobs, and what to do about each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from mainspring._version import __version__
from mainspring.admin.views import View, unreadable_view
from mainspring.engine.reasons import ReasonCode, known_reason
from mainspring.errors import safe_str
from mainspring.jobstores.shared.rows import Unreadable
from mainspring.references import ref_to_obj
from mainspring.triggers.linting import LintCode, warnings_about

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime, tzinfo

    from mainspring.admin.administration import Admin
    from mainspring.admin.views import JobView, NodeView
    from mainspring.model import JobRecord

__all__ = ["Finding", "diagnose"]

#: A clock that is wrong by more than this misleads people who compare logs; what is due goes by the store's clock.
_SKEW = timedelta(seconds=2)
#: Failures are looked for in this time.
_RECENT = timedelta(hours=24)
#: So many runs that have failed are looked at.
_RUNS = 1000
#: For how long before it a clock change is reported.
_CLOCKS_AHEAD = timedelta(days=30)
#: More runs than both of these make a history that somebody should look at; a job keeps a hundred, if nothing else is said.
_MANY_RUNS, _MANY_OF_A_JOB = 100_000, 1000
#: So many jobs are named of those that have the same thing wrong.
_NAMED = 5


@dataclass(frozen=True)
class Finding(View):
    """Something that somebody should look at.

    Attributes:
        about: what it is about: ``"nodes"``, ``"clock"``, ``"jobs"``, ``"code"``, ``"runs"``, ``"clock changes"`` or ``"history"``.
        message: what was found.
        advice: what to do.
    """

    about: str
    message: str
    advice: str


def diagnose(admin: Admin, *, loads: bool = False) -> list[Finding]:
    """What is to be found from outside, the worst first.

    Args:
        loads: load the functions of the jobs, as a node does; it has to be done where their code is installed.
    """
    nodes, rows, now = admin.nodes(), admin.store.list_rows(), admin.now()
    records = [row for row in rows if not isinstance(row, Unreadable)]
    return [
        *_of_nodes(nodes),
        *_of_unreadable([unreadable_view(row) for row in rows if isinstance(row, Unreadable)]),
        *(_of_code(records) if loads else ()),
        *_of_overdue(admin.overdue(), nodes),
        *_of_paused(records),
        *_of_clocks(nodes),
        *_of_runs(admin),
        *_of_clock_changes(records, now),
        *_of_history(admin, len(rows)),
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


def _of_code(records: Iterable[JobRecord]) -> Iterator[Finding]:
    jobs: dict[str, list[str]] = {}
    for record in records:
        if record.func_ref is not None:
            jobs.setdefault(record.func_ref, []).append(record.id)
    for reference, ids in sorted(jobs.items()):
        try:
            ref_to_obj(reference)
        except Exception as error:  # noqa: BLE001 - a module may raise anything
            yield Finding(
                "code",
                f"{reference} of {_named(ids)} can't be loaded here: {safe_str(error)}",
                "give the job the function's new name (jobs edit --function), or bring the code back; until then nodes park it",
            )


def _of_paused(records: Iterable[JobRecord]) -> Iterator[Finding]:
    """Of jobs that have paused themselves, which nobody may have noticed."""
    for record in records:
        note = None if record.counters is None else record.counters.note
        known = None if record.next_run_time is not None or note is None else known_reason("paused", note)
        if known is not None and known.code in (ReasonCode.FAILURES, ReasonCode.STUCK_RUNS):
            is_stuck = known.code is ReasonCode.STUCK_RUNS
            yield Finding(
                "jobs",
                f"{record.id} has paused itself: {note}",
                "restart the node, whose threads they hold; give what it waits for a timeout; then jobs resume"
                if is_stuck
                else f"runs list {record.id} --failed shows why; then jobs resume",
            )


def _of_clock_changes(records: Iterable[JobRecord], now: datetime) -> Iterator[Finding]:
    """Of jobs whose times don't exist, or come twice, when the clocks change next."""
    end = now + _CLOCKS_AHEAD
    change: dict[tzinfo | None, bool] = {None: False}
    for record in records:
        zone = getattr(record.trigger, "timezone", None)
        if zone not in change:
            change[zone] = now.astimezone(zone).utcoffset() != end.astimezone(zone).utcoffset()
        if not change[zone]:
            continue
        for warning in warnings_about(record.trigger, now):
            is_of_clocks = warning.code in (LintCode.CLOCK_GAP, LintCode.CLOCK_FOLD)
            if is_of_clocks and any(time <= end for time in warning.times):
                yield Finding(
                    "clock changes",
                    f"{record.id}: {warning.message}",
                    "give it a time that comes once on each day, or a schedule in UTC, if that matters",
                )


def _of_history(admin: Admin, jobs: int) -> Iterator[Finding]:
    maintenance = admin.store.maintenance
    if maintenance is None:
        return
    name, runs = next(
        ((name, count) for name, count in maintenance.sizes().items() if name.endswith("_runs")), ("", 0)
    )
    if runs > max(_MANY_RUNS, _MANY_OF_A_JOB * jobs):
        yield Finding(
            "history",
            f"{runs} runs are kept in {name}, {runs // max(jobs, 1)} for each job",
            "let nodes keep fewer (keep_runs, keep_runs_for of the job store); db prune --dry-run says what would go at once",
        )


def _named(ids: list[str]) -> str:
    """Some jobs, and how many more there are."""
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return f"{', '.join(ids[:_NAMED])}{more}"


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
