"""No more run than may: instances of a job, runs of a group, and those that `max_runs` allows. And nothing is missed or skipped without cause."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from mainspring.engine.reasons import BACKLOG_DROPPED
from mainspring.testing.checker.evidence import BY_SCHEDULE, NOT_BEGUN, at, begun, caught_up, in_utc, name_of
from mainspring.testing.checker.schedules import stretches, stretches_of
from mainspring.testing.checker.values import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from mainspring.model import JobOptions, RunRecord
    from mainspring.testing.checker.evidence import Evidence
    from mainspring.testing.checker.values import Call, GroupLimits, ObservedJob

#: A run that ended so may go on in its thread: it counts as ended by then all the same.
_STOPPED = frozenset({"timed_out", "cancelled"})


class _Busy(NamedTuple):
    """From when to when a run certainly went on."""

    begin: datetime
    end: datetime | None
    job_id: str
    name: str


def limit_faults(evidence: Evidence) -> Iterator[Fault]:
    """Limits that were exceeded."""
    busy: dict[str, list[_Busy]] = defaultdict(list)
    for one in _busy(evidence):
        busy[one.job_id].append(one)
    for job in evidence.observed.jobs:
        yield from _instances(evidence, job, busy[job.id])
        yield from _max_runs(evidence, job)
        yield from _not_run(evidence, job)
    for group in evidence.observed.groups:
        members = [
            one
            for job in evidence.observed.jobs
            for one in busy[job.id]
            if all(options.group == group.name for options in evidence.options(job, one.begin))
        ]
        yield from _group_limit(evidence, group, members)
        yield from _group_rate(evidence, group)


def _busy(evidence: Evidence) -> Iterator[_Busy]:
    """What went on when, by the calls where they are noted, else by the records."""
    noted = {
        job.id for job in evidence.observed.jobs if job.keeps_diary and evidence.observed.calls is not None
    }
    for call in evidence.observed.calls or ():
        if call.job_id in noted:
            record = _record_of(evidence, call)
            end = evidence.end_of(call)
            if record is not None and record.outcome in _STOPPED and record.finished is not None:
                end = record.finished if end is None else min(end, record.finished)
            yield _Busy(in_utc(call.began), end, call.job_id, _called(call))
    for run in evidence.observed.runs:
        if run.job_id not in noted and begun(run) and run.started is not None:
            yield _Busy(in_utc(run.started), run.finished, run.job_id, run.id)


def _record_of(evidence: Evidence, call: Call) -> RunRecord | None:
    if call.scheduled_run_time is None or call.attempt is None:
        return None
    records = evidence.records_of(call.job_id, call.scheduled_run_time, call.attempt)
    return records[0] if records else None


def _called(call: Call) -> str:
    due = "" if call.scheduled_run_time is None else f" for {at(call.scheduled_run_time)}"
    attempt = "" if call.attempt in {None, 1} else f", attempt {call.attempt}"
    return f"{call.job_id}{due}{attempt}"


def _most_at_once(busy: Sequence[_Busy]) -> Iterator[tuple[_Busy, list[_Busy]]]:
    """Each that began, with those that went on by then, itself included."""
    going: list[_Busy] = []
    for one in sorted(busy, key=lambda one: one.begin):
        going = [each for each in going if each.end is None or each.end > one.begin]
        going.append(one)
        yield one, going


def _instances(evidence: Evidence, job: ObservedJob, busy: list[_Busy]) -> Iterator[Fault]:
    parallel = {
        run.id for run in evidence.runs[job.id] if run.cause == "parallel"
    }  # of a backfill that lets them overlap
    unlimited = {(in_utc(run.scheduled_run_time)) for run in evidence.runs[job.id] if run.id in parallel}
    limited = [one for one in busy if not _is_parallel(evidence, one, parallel, unlimited)]
    for one, going in _most_at_once(limited):
        options = evidence.options(job, one.begin)
        if any(each.overlap == "allow" for each in options):
            continue
        most = max(each.max_instances for each in options)
        if len(going) > most:
            yield Fault(
                "instances",
                f"{len(going)} runs of job {job.id!r} went on at {at(one.begin)}, and {most} may: {_listed(going)}",
            )
            return


def _is_parallel(evidence: Evidence, one: _Busy, parallel: set[str], times: set[datetime]) -> bool:
    if not parallel:
        return False
    if one.name in parallel:
        return True
    return any(
        call.began == one.begin
        and call.scheduled_run_time is not None
        and in_utc(call.scheduled_run_time) in times
        for call in evidence.observed.calls or ()
        if call.job_id == one.job_id
    )


def _group_limit(evidence: Evidence, group: GroupLimits, busy: list[_Busy]) -> Iterator[Fault]:
    if group.limit is None:
        return
    for one, going in _most_at_once(busy):
        if _holds(evidence, group, one.begin) and len(going) > group.limit:
            yield Fault(
                "group_limit",
                f"{len(going)} runs of group {group.name!r} went on at {at(one.begin)}, and {group.limit} may: {_listed(going)}",
            )
            return


def _group_rate(evidence: Evidence, group: GroupLimits) -> Iterator[Fault]:
    """Over every span of time as long as `per`: of the first of each such span, the one that is one too many."""
    if group.rate is None:
        return
    begins = []
    for job in evidence.observed.jobs:
        for run in evidence.runs[job.id]:
            # A run counts from its claim: that is what the store can bound; when its function is called is up to the node.
            moment = run.claimed or run.started
            if run.claimed is None and not all(
                options.coalesce for options in evidence.options_when_claimed(job, run)
            ):
                continue  # it may have been claimed with one before it, which it waited for
            if moment is None or not begun(run) or not _holds(evidence, group, moment):
                continue
            if all(options.group == group.name for options in evidence.options(job, moment)):
                begins.append((in_utc(moment), run.id))
    begins.sort()
    precision = evidence.observed.precision
    for first, last in zip(begins, begins[group.rate :], strict=False):
        if last[0] - first[0] < group.per - precision:
            yield Fault(
                "group_rate",
                f"more than {group.rate} runs of group {group.name!r} began within {group.per}: from {first[1]!r} at {at(first[0])} "
                f"to {last[1]!r} at {at(last[0])} there are {group.rate + 1}",
            )
            return


def _holds(evidence: Evidence, group: GroupLimits, moment: datetime) -> bool:
    """Whether a group's limits certainly held at a moment."""
    if group.span is None:
        return True
    patience = evidence.observed.patience
    return group.span.start + patience <= moment and (
        group.span.end is None or moment < group.span.end - patience
    )


def _listed(busy: list[_Busy]) -> str:
    return ", ".join(f"{one.name} since {at(one.begin)}" for one in busy)


def _max_runs(evidence: Evidence, job: ObservedJob) -> Iterator[Fault]:
    if all(
        options is None or options.max_runs is None
        for options in [job.options, *(change.options for change in job.changes)]
    ):
        return
    added = [job.added or evidence.observed.since]
    added += [change.at for change in job.changes if change.kind == "added"]
    counted: Counter[datetime] = Counter()
    for run in evidence.runs[job.id]:
        if run.cause not in BY_SCHEDULE or run.outcome in NOT_BEGUN:
            continue
        moment = run.claimed or run.started or run.finished or run.scheduled_run_time
        if any(abs(moment - begin) < evidence.observed.patience for begin in added[1:]):
            continue  # it may be of the job before, or of the one that has got its id
        life = max((begin for begin in added if begin <= moment), default=added[0])
        limits = [options.max_runs for options in evidence.options_when_claimed(job, run)]
        if None in limits:
            continue  # runs count while their job has such a limit
        counted[life] += 1
        if all(limit is not None and counted[life] > limit for limit in limits):
            yield Fault(
                "max_runs",
                f"{name_of(run)} is run {counted[life]} of the schedule of job {job.id!r}, of {max(filter(None, limits))} that it may have",
            )
            return


def _not_run(evidence: Evidence, job: ObservedJob) -> Iterator[Fault]:
    """Runs that were missed or skipped, though nothing was in their way."""
    for run in evidence.runs[job.id]:
        if run.finished is None or run.outcome not in NOT_BEGUN:
            continue
        options = evidence.options(job, run.scheduled_run_time) + evidence.options(job, run.finished)
        if run.outcome == "missed":
            reason = _why_not_missed(evidence, job, run, options)
        else:
            reason = _why_not_skipped(evidence, job, run, options)
        if reason is not None:
            yield Fault("not_allowed", f"{name_of(run)} is {run.outcome}: {reason}")


def _why_not_missed(
    evidence: Evidence, job: ObservedJob, run: RunRecord, options: list[JobOptions]
) -> str | None:
    if run.error == BACKLOG_DROPPED and any(not each.coalesce for each in options):
        return _why_not_dropped(evidence, job, run, min(map(caught_up, options)))
    graces = [each.misfire_grace_time for each in options if each.misfire_grace_time is not None]
    if not graces:
        return "its job has no misfire_grace_time, so that nothing is too late"
    late = in_utc(run.finished or run.scheduled_run_time) - run.scheduled_run_time
    if late <= min(graces) - evidence.observed.precision:
        return f"it was {late} late, and {min(graces)} are forgiven"
    return None


def _why_not_dropped(evidence: Evidence, job: ObservedJob, run: RunRecord, limit: int) -> str | None:
    """What is wrong about a run that tells of due times beyond what is caught up."""
    first, last = in_utc(run.scheduled_run_time), in_utc(run.finished or run.scheduled_run_time)
    its = stretches_of(evidence, run, stretches(evidence, job))
    overdue = [sum(first <= time <= last for time in stretch.times) for stretch in its]
    if not overdue or max(overdue) > limit:
        return None
    return f"{max(overdue)} of its due times were overdue at {at(last)}, and {limit} are caught up"


def _why_not_skipped(
    evidence: Evidence, job: ObservedJob, run: RunRecord, options: list[JobOptions]
) -> str | None:
    moment = run.finished or run.scheduled_run_time
    patience, precision = evidence.observed.patience, evidence.observed.precision
    if not job.is_prompt or any(
        change.kind in {"removed", "added"} and change.at - patience <= moment for change in job.changes
    ):
        return None
    if all(each.overlap == "allow" for each in options):
        return "its job lets its runs overlap"
    going = 0
    for each in evidence.runs[job.id]:
        # When it may have taken its place, at the earliest. Of runs that are asked for at one moment each is due a microsecond after the one before it.
        begin = (each.claimed or each.available or each.scheduled_run_time) - precision
        has_begun = each.outcome not in NOT_BEGUN and each.state != "queued"
        going += (
            has_begun and begin <= moment and (each.finished is None or each.finished + patience >= moment)
        )
    most = min(each.max_instances for each in options)
    if going < most:
        return f"{going} runs of job {job.id!r} went on at {at(moment)}, and {most} may"
    return None
