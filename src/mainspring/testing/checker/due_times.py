"""Each run of a schedule says how many due times it stands for: its own, and those that have no run because of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.engine.reasons import BACKLOG_DROPPED
from mainspring.testing.checker.evidence import BY_SCHEDULE, at, in_utc, name_of
from mainspring.testing.checker.schedules import claim_time, stretches, stretches_of
from mainspring.testing.checker.values import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from mainspring.model import RunRecord
    from mainspring.testing.checker.evidence import Evidence
    from mainspring.testing.checker.schedules import Stretch
    from mainspring.testing.checker.values import ObservedJob


def due_times_faults(evidence: Evidence) -> Iterator[Fault]:
    """Runs that stand for more due times than there were, or for fewer."""
    for job in evidence.observed.jobs:
        if job.schedule is None:
            continue
        found = stretches(evidence, job)
        runs = [run for run in evidence.runs[job.id] if run.cause in BY_SCHEDULE]
        for run in runs:
            expected = _expected(evidence, job, run, runs, found)
            if run.due_times is not None and expected not in (None, run.due_times):
                yield Fault(
                    "due_times",
                    f"{name_of(run)} says that it stands for {run.due_times} of the due times of job {job.id!r}; those {_which(run)} "
                    f"{at(run.scheduled_run_time)} without a run of their own are {expected}, that one included",
                )


def _expected(
    evidence: Evidence, job: ObservedJob, run: RunRecord, runs: Sequence[RunRecord], found: Sequence[Stretch]
) -> int | None:
    """How many due times a run stands for; ``None``: that isn't known for certain.

    It is where nothing was done to the job from the run before it until it was claimed.
    """
    time, claimed = in_utc(run.scheduled_run_time), claim_time(run)
    options = evidence.options_between(job, min(time, claimed), claimed)
    its = stretches_of(evidence, run, found)
    if len(its) != 1 or time < evidence.observed.since or len({one.coalesce for one in options}) != 1:
        return None
    (stretch,) = its
    others = [one for one in runs if in_utc(one.scheduled_run_time) != time]
    if run.error == BACKLOG_DROPPED:
        return _dropped(evidence, time, others, found, stretch)
    if not options[0].coalesce:
        return 1
    before = max((one for one in others if _due(one) < time), key=_due, default=None)
    if before is None:
        is_all_known = stretch.is_first and (job.added is not None or job.next_run_time is not None)
        return sum(each <= time for each in stretch.times) if is_all_known else None
    if before.error == BACKLOG_DROPPED or stretches_of(evidence, before, found) != its:
        return None
    return sum(_due(before) < each <= time for each in stretch.times)


def _dropped(
    evidence: Evidence,
    time: datetime,
    others: Sequence[RunRecord],
    found: Sequence[Stretch],
    stretch: Stretch,
) -> int | None:
    """How many due times a run stands for that tells of a backlog from a time on."""
    following = min((one for one in others if _due(one) > time), key=_due, default=None)
    if following is None or stretches_of(evidence, following, found) != [stretch]:
        return None
    return sum(time <= each < _due(following) for each in stretch.times)


def _due(run: RunRecord) -> datetime:
    return in_utc(run.scheduled_run_time)


def _which(run: RunRecord) -> str:
    return "from" if run.error == BACKLOG_DROPPED else "up to"
