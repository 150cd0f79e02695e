"""Each due time has exactly one run, and no run of the schedule is at any other time."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from itertools import islice, takewhile
from typing import TYPE_CHECKING, NamedTuple

from mainspring.events import EVENT_JOB_BACKLOG_DROPPED
from mainspring.testing.checker.evidence import BY_SCHEDULE, NOT_BEGUN, at, caught_up, in_utc, name_of
from mainspring.testing.checker.values import Fault
from mainspring.triggers.base import BaseTrigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from mainspring.model import RunRecord
    from mainspring.testing.checker.evidence import Evidence
    from mainspring.testing.checker.values import ObservedJob

_INSTANT = timedelta(microseconds=1)
_FAILED = frozenset({"failed", "timed_out", "lost"})
#: More due times of one job than anybody waits for a verdict on.
_MOST = 1_000_000


class Stretch(NamedTuple):
    """A span of time in which a job was due at the times of one schedule; a pause or a removal ends it.

    Attributes:
        end: when it ended; ``None``: it hasn't.
        times: its due times, the earliest first, up to the end of the observation.
        is_first: whether it begins a life of the job's id: it was added.
        schedule: the one that it was due by.
    """

    start: datetime
    end: datetime | None
    times: list[datetime]
    is_first: bool
    schedule: BaseTrigger | Sequence[datetime]


def schedule_faults(evidence: Evidence) -> Iterator[Fault]:
    """Due times without a run, and runs without a due time."""
    for job in evidence.observed.jobs:
        if job.schedule is not None:
            yield from _faults(evidence, job)


def _faults(evidence: Evidence, job: ObservedJob) -> Iterator[Fault]:
    observed = evidence.observed
    found = stretches(evidence, job)
    runs: dict[datetime, list[RunRecord]] = defaultdict(list)
    for run in evidence.runs[job.id]:
        if run.cause in BY_SCHEDULE:
            runs[in_utc(run.scheduled_run_time)].append(run)
    possible = Counter(time for stretch in found for time in stretch.times)
    for time, its_runs in runs.items():
        if not observed.since <= time <= observed.until:
            continue
        if not possible[time]:
            names = ", ".join(map(name_of, its_runs))
            yield Fault(
                "unscheduled", f"{names}: job {job.id!r} was not due at {at(time)}{_was(found, time)}"
            )
        elif len(its_runs) > possible[time]:
            told = ", ".join(f"{run.id!r} ({run.state})" for run in its_runs)
            yield Fault(
                "double",
                f"job {job.id!r} was due {_times(possible[time])} at {at(time)}, and its schedule made {len(its_runs)} runs: {told}",
            )
    obliged: dict[datetime, list[Stretch]] = defaultdict(list)
    for time, stretch in _obligations(evidence, job, found):
        obliged[time].append(stretch)
    for time, its in obliged.items():
        for reason in _missing(evidence, job, time, its, runs[time], found):
            yield Fault("miss", f"job {job.id!r} was due at {at(time)} and has no run for that: {reason}")


def _missing(
    evidence: Evidence,
    job: ObservedJob,
    time: datetime,
    obliged: list[Stretch],
    runs: list[RunRecord],
    found: Sequence[Stretch],
) -> list[str]:
    """What is wrong about the runs that a due time lacks: it came in each of these stretches."""
    if len(runs) >= len(obliged):
        return []
    free = 0
    for run in runs:
        its = stretches_of(evidence, run, found)
        if len(its) == 1 and its[0] in obliged:
            obliged.remove(its[0])
        else:
            free += 1
    reasons = [_why_missing(evidence, job, time, stretch, found) for stretch in obliged]
    # Runs that may be of any are those that were needed.
    return list(filter(None, reasons))[free:]


def stretches(evidence: Evidence, job: ObservedJob) -> list[Stretch]:
    """When a job was due, by what was done to it."""
    observed = evidence.observed
    found: list[Stretch] = []
    schedule = job.schedule
    start: datetime | None = job.added or observed.since
    first = job.next_run_time
    is_first = is_new = True
    if job.is_paused:
        start = None
    for change in [*job.changes, None]:
        if change is not None and change.kind == "changed" and not (change.schedule or change.next_run_time):
            continue
        if start is not None and schedule is not None:
            end = None if change is None else in_utc(change.at)
            last = observed.until if end is None else min(end + observed.patience, observed.until)
            times = list(_up_to(last, _due_times(schedule, start, first, is_new=is_new)))
            found.append(Stretch(in_utc(start), end, times, is_first, schedule))
        if change is None:
            break
        was_active = start is not None
        schedule = change.schedule or schedule
        first = change.next_run_time
        is_first = is_new = change.kind == "added"
        is_active = {
            "added": True,
            "resumed": True,
            "paused": False,
            "removed": False,
            "changed": was_active or first is not None,
        }[change.kind]
        start = change.at if is_active else None
    return found


def _due_times(
    schedule: BaseTrigger | Sequence[datetime], start: datetime, first: datetime | None, *, is_new: bool
) -> Iterator[datetime]:
    if isinstance(schedule, BaseTrigger):
        if first is None:
            first = schedule.get_next_fire_time(None, start)
            if first is None:
                return
        yield first
        while True:
            following = schedule.get_next_fire_time(first, start)
            if following is None or in_utc(following) <= in_utc(first):
                return
            yield following
            first = following
    elif first is not None:
        yield first
        yield from (time for time in schedule if time > first)
    else:
        yield from (time for time in schedule if is_new or time >= start)


def _up_to(last: datetime, times: Iterable[datetime]) -> Iterator[datetime]:
    return takewhile(lambda time: time <= last, islice(map(in_utc, times), _MOST))


def _obligations(
    evidence: Evidence, job: ObservedJob, found: list[Stretch]
) -> list[tuple[datetime, Stretch]]:
    """The due times that a node had time enough to see to."""
    observed = evidence.observed
    enough = max(observed.patience, _INSTANT)
    pauses = self_pauses(evidence, job)
    due = []
    for stretch in found:
        end = min(stretch.end or observed.until, observed.until)
        for time in stretch.times:
            if time < observed.since:
                continue  # it may have been run before
            begin = max(time, stretch.start)
            stop = min((pause for pause in pauses if stretch.start <= pause < end), default=end)
            if evidence.served(begin, stop) >= enough:
                due.append((time, stretch))
    return due


def self_pauses(evidence: Evidence, job: ObservedJob) -> list[datetime]:
    """When the job may have paused itself: it had had its `max_runs`, or had failed too often."""
    options = [job.options, *(change.options for change in job.changes if change.options is not None)]
    if all(each.max_runs is None and each.pause_after_failures is None for each in options):
        return []
    pauses = []
    begins = [job.added or evidence.observed.since]
    begins += [change.at for change in job.changes if change.kind == "added"]
    counted: Counter[datetime] = Counter()
    for run in sorted(evidence.runs[job.id], key=claim_time):
        moment = claim_time(run)
        if run.cause not in BY_SCHEDULE or run.outcome in NOT_BEGUN:
            continue
        life = max((begin for begin in begins if begin <= moment), default=begins[0])
        counted[life] += 1
        # What is resumed, or gets a lower limit, afterwards, is paused at once when it is due, as long as it has had as many runs.
        for later in (moment, *(change.at for change in job.changes if change.at > moment)):
            limits = [each.max_runs for each in evidence.options(job, later)]
            if any(limit is not None and counted[life] >= limit for limit in limits):
                pauses.append(later)
    failures = 0
    ended = [run for run in evidence.runs[job.id] if run.finished is not None]
    for run in sorted(ended, key=lambda run: run.finished or run.scheduled_run_time):
        if run.outcome == "succeeded":
            failures = 0
        if run.outcome not in _FAILED or run.finished is None:
            continue
        failures += 1
        limits = [each.pause_after_failures for each in evidence.options(job, run.finished)]
        if any(limit is not None and failures >= limit for limit in limits):
            pauses.append(run.finished)
    return sorted(map(in_utc, pauses))


def claim_time(run: RunRecord) -> datetime:
    """When a run was made, as nearly as its record says it."""
    return in_utc(run.claimed or run.started or run.finished or run.scheduled_run_time)


def stretches_of(evidence: Evidence, run: RunRecord, found: Sequence[Stretch]) -> list[Stretch]:
    """The stretches of which a run may be: more than one, if it isn't known whether its job was changed before it was claimed or afterwards."""
    time, latest = in_utc(run.scheduled_run_time), claim_time(run)
    if run.claimed is None and run.started is None and run.finished is None:
        latest = evidence.observed.until
    # What was buffered has been claimed before; of a run that waited for others of one claim only the begin is known.
    earliest = latest if run.claimed is not None and run.cause != "buffered" else time
    return [
        one
        for one in found
        if time in one.times
        and one.start <= latest
        and (one.end is None or earliest <= one.end + evidence.observed.patience)
    ]


def _why_missing(
    evidence: Evidence, job: ObservedJob, time: datetime, stretch: Stretch, found: Sequence[Stretch]
) -> str | None:
    """What is wrong about a due time that has no run; ``None``: nothing, or it isn't known."""
    if _was_dropped(evidence, job, time):
        return None
    possible, certain = [], []
    for run in evidence.runs[job.id]:
        if run.cause in BY_SCHEDULE and in_utc(run.scheduled_run_time) > time:
            its = stretches_of(evidence, run, found)
            possible += [run] * (stretch in its)
            certain += [run] * (its == [stretch])
    reason = _why_missing_before(evidence, job, time, stretch, certain)
    if reason is None or len(possible) == len(certain):
        return reason
    return _why_missing_before(evidence, job, time, stretch, possible)


def _why_missing_before(
    evidence: Evidence, job: ObservedJob, time: datetime, stretch: Stretch, later: Sequence[RunRecord]
) -> str | None:
    """The same, if these are the runs of later times of its stretch."""
    observed = evidence.observed
    # A job that is moved back is due then, whatever it was when that time came first.
    begin = max(time, stretch.start)
    may_wait = not job.is_prompt or _is_hindered(evidence, job, begin)
    end = min(stretch.end or observed.until, observed.until)
    if not later:
        waited = evidence.served(begin, end)
        return (
            None if may_wait else f"it has waited for {waited}, and no later time of it has been run either"
        )
    following = min(later, key=lambda run: in_utc(run.scheduled_run_time))
    options = evidence.options_between(job, begin, max(begin, claim_time(following)))
    if any(each.coalesce for each in options):
        waited = evidence.served(begin, in_utc(following.scheduled_run_time))
        if may_wait or waited <= observed.patience:
            return None
        return f"{name_of(following)} was due {waited} later, so that there was time enough to run this one before"
    limit = min(map(caught_up, options))
    overdue = sum(time < each <= claim_time(following) for each in stretch.times)
    if overdue >= limit:
        return None
    return f"it doesn't coalesce, and only {overdue} later times were due when {name_of(following)} was claimed, of {limit} that are caught up"


def _was_dropped(evidence: Evidence, job: ObservedJob, time: datetime) -> bool:
    """Whether an event says that it was beyond what is caught up."""
    return any(
        event.code == EVENT_JOB_BACKLOG_DROPPED
        and event.job_id == job.id
        and event.first <= time < event.before
        for event in evidence.observed.events or ()
    )


def _is_hindered(evidence: Evidence, job: ObservedJob, time: datetime) -> bool:
    """Whether the job's limits, or its group's, may have kept it waiting at a time."""
    limited = {group.name for group in evidence.observed.groups}
    if any(each.group in limited for each in evidence.options(job, time)):
        return True
    patience = evidence.observed.patience
    return any(
        claim_time(run) <= time + patience
        and (run.finished is None or run.finished > time)
        and run.outcome not in NOT_BEGUN
        for run in evidence.runs[job.id]
    )


def _was(found: list[Stretch], time: datetime) -> str:
    """Why a job wasn't due at a time, as far as that can be said."""
    if not found:
        return ": it was paused all the time"
    if any(stretch.start <= time and (stretch.end is None or time <= stretch.end) for stretch in found):
        return ": its schedule has no such time"
    return ": it was paused then, or removed"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
