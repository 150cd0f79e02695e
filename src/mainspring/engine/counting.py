"""What a claim counts in its job, and how that is counted back when the claim is given back unbegun.

A run that was never begun leaves no trace: its job is due again as it was, with as many runs left, and without the pause that its last
run would have brought. What was missed, dropped or skipped before it stays so. Instances, places in groups and attempts are the
store's, which takes them back with the run itself; `grouping.without` does so for rates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.engine.reasons import had_all
from mainspring.model import JobCounters

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mainspring.model import JobRecord


def runs_left(job: JobRecord) -> int | None:
    """How many runs of its schedule a job may have yet; ``None``: any number."""
    if job.options.max_runs is None:
        return None
    return max(job.options.max_runs - (0 if job.counters is None else job.counters.runs), 0)


def counted(job: JobRecord, following_time: datetime | None, runs: int, left: int) -> JobRecord | None:
    """The job from now on, of which so many runs were claimed, or queued, of the `left` that it may have.

    It stays, paused, when it has had them all, so that a program that adds it again doesn't get more of them.
    """
    counters = job.counters or JobCounters()
    counters = counters._replace(runs=counters.runs + runs)
    if runs >= left:
        counters = counters._replace(note=had_all(job.options.max_runs))
        return job.rescheduled(None)._replace(counters=counters)
    return None if following_time is None else job.rescheduled(following_time)._replace(counters=counters)


def given_back(present: JobRecord | None, job: JobRecord, times: Sequence[datetime]) -> JobRecord:
    """`present` as it is when the claim of runs at `times` is undone: the inverse of `counted`.

    Args:
        present: the job as it is now, at the next run time that the claim has given it; ``None`` if it had ended with the claim.
        job: as it was when they were claimed.
        times: the oldest first; none of the claim was queued besides.
    """
    # Coalesced times are made up for by one later on. Otherwise those before the first are recorded as missed, or dropped.
    first = job.next_run_time if job.options.coalesce else times[0]
    if present is None:  # nothing was counted in it
        return job.rescheduled(first)._replace(version=job.version + 2)
    counters = present.counters
    if job.options.max_runs is not None and counters is not None:
        note = (
            counters.note
            if present.next_run_time is not None
            else None
            if job.counters is None
            else job.counters.note
        )
        counters = counters._replace(runs=max(counters.runs - len(times), 0), note=note)
        if job.counters is None and counters == JobCounters():
            counters = None
    return present.rescheduled(first)._replace(counters=counters)
