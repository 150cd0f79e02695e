"""A job that comes after another runs once for each outcome that it follows."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from mainspring.testing.checker.attempts import is_final
from mainspring.testing.checker.evidence import at, in_utc, name_of
from mainspring.testing.checker.schedules import self_pauses, stretches
from mainspring.testing.checker.values import Fault
from mainspring.triggers.after import AfterJob

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mainspring.model import RunRecord
    from mainspring.testing.checker.evidence import Evidence
    from mainspring.testing.checker.values import ObservedJob


def follower_faults(evidence: Evidence) -> Iterator[Fault]:
    """Followers that ran too often, or not at all."""
    for job in evidence.observed.jobs:
        schedules = [job.schedule, *(change.schedule for change in job.changes)]
        triggers = [schedule for schedule in schedules if isinstance(schedule, AfterJob)]
        if triggers:
            yield from _too_many(evidence, job, triggers)
            yield from _too_few(evidence, job)


def _too_many(evidence: Evidence, job: ObservedJob, triggers: list[AfterJob]) -> Iterator[Fault]:
    found: dict[datetime, list[RunRecord]] = defaultdict(list)
    for run in evidence.runs[job.id]:
        if run.cause == "after":
            found[in_utc(run.scheduled_run_time)].append(run)
    for time, runs in found.items():
        if len(runs) > 1 and all(change.kind != "added" for change in job.changes):
            told = ", ".join(repr(run.id) for run in runs)
            yield Fault(
                "after",
                f"job {job.id!r} has {len(runs)} runs that come after one that was due at {at(time)}: {told}",
            )
        causes = [
            before
            for trigger in triggers
            for before in evidence.runs[trigger.job_id]
            if in_utc(before.scheduled_run_time) == time
            and before.outcome is not None
            and trigger.follows(before.outcome)
            and is_final(evidence, evidence.jobs.get(trigger.job_id), before) is not False
        ]
        if not causes:
            names = " or ".join(repr(trigger.job_id) for trigger in triggers)
            yield Fault(
                "after",
                f"{name_of(runs[0])} comes after a run of job {names}, and none of that time has ended so that it is followed",
            )
            continue
        ended = min(in_utc(before.finished) for before in causes if before.finished is not None)
        started = runs[0].started
        if started is not None and started < ended - evidence.observed.precision:
            yield Fault(
                "early",
                f"{name_of(runs[0])} began at {at(started)}, before the run that it comes after had ended, at {at(ended)}",
            )


def _too_few(evidence: Evidence, job: ObservedJob) -> Iterator[Fault]:
    patience = evidence.observed.patience
    # One run comes after all runs of a due time, of which there are several if that job was moved back.
    had = {in_utc(run.scheduled_run_time) for run in evidence.runs[job.id]}
    pauses = self_pauses(evidence, job)
    for stretch in stretches(evidence, job):
        trigger = stretch.schedule
        if not isinstance(trigger, AfterJob):
            continue
        ends = [pause for pause in pauses if stretch.start <= pause]
        if stretch.end is not None:
            ends.append(stretch.end)
        end = min(ends, default=None)
        for before in evidence.runs[trigger.job_id]:
            ended = before.finished
            if ended is None or before.outcome is None or not trigger.follows(before.outcome):
                continue
            if before.outcome == "cancelled" and before.started is None:
                continue  # nothing has run that could be followed
            if is_final(evidence, evidence.jobs.get(trigger.job_id), before) is not True:
                continue
            waits = stretch.start < ended and (end is None or ended + patience < end)
            time = in_utc(before.scheduled_run_time)
            if waits and time not in had and evidence.served(ended, evidence.observed.until) > patience:
                yield Fault(
                    "after",
                    f"{name_of(before)} is {before.outcome} since {at(ended)}, and job {job.id!r}, which comes after it, has no run for that",
                )
