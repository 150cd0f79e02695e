"""What a job remembers of failed runs, and when it is paused for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.engine.reasons import failed_in_a_row
from mainspring.model import JobCounters

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from mainspring.model import JobRecord, Outcome

_FAILURES: frozenset[Outcome] = frozenset({"failed", "timed_out", "lost"})


def is_final_failure(outcome: Outcome, retry_at: datetime | None) -> bool:
    """Whether a run has failed for good: one that is tried again hasn't."""
    return retry_at is None and outcome in _FAILURES


def has_paused_itself(before: JobRecord, after: JobRecord) -> bool:
    """Whether what a job has done has paused it."""
    return after.next_run_time is None and before.next_run_time is not None


def after_outcomes(job: JobRecord, outcomes: Iterable[tuple[Outcome, datetime | None]]) -> JobRecord:
    """`job` as these outcomes leave it: the very same, or with its failures counted, or paused for them.

    Each is judged as it comes: a job whose failures have paused it is not set going again by a success that came with them.

    Args:
        outcomes: in their order, each with the time at which the run is tried again; one that is, hasn't failed for good.
    """
    limit = job.options.pause_after_failures
    if limit is None:
        return job
    counters = job.counters or JobCounters()
    failures, note = counters.failures, None
    for outcome, retry_at in outcomes:
        if is_final_failure(outcome, retry_at):
            failures += 1
            if failures >= limit:
                note, failures = failed_in_a_row(failures), 0
        elif outcome == "succeeded":
            failures = 0
    if note is not None:
        return job.changed(counters=counters._replace(failures=failures, note=note), next_run_time=None)
    return (
        job if failures == counters.failures else job.changed(counters=counters._replace(failures=failures))
    )
