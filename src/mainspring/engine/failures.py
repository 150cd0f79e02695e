"""What a job remembers of failed runs, and when it is paused for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.model import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from mainspring.model import JobRecord, Outcome

_FAILURES: frozenset[Outcome] = frozenset({"failed", "timed_out", "lost"})


def has_paused_itself(before: JobRecord, after: JobRecord) -> bool:
    """Whether what a job has done has paused it."""
    return after.next_run_time is None and before.next_run_time is not None


def after_outcomes(job: JobRecord, outcomes: Iterable[tuple[Outcome, datetime | None]]) -> JobRecord:
    """`job` as these outcomes leave it: the very same, or with its failures counted, or paused for them.

    Args:
        outcomes: in their order, each with the time at which the run is tried again; one that is, hasn't failed for good.
    """
    limit = job.options.pause_after_failures
    if limit is None:
        return job
    tally = job.tally or Tally()
    failures = tally.failures
    for outcome, retry_at in outcomes:
        if outcome in _FAILURES and retry_at is None:
            failures += 1
        elif outcome == "succeeded":
            failures = 0
    if failures == tally.failures:
        return job
    if failures < limit:
        return job.changed(tally=tally._replace(failures=failures))
    note = f"paused after {failures} failed runs in a row"
    return job.changed(tally=tally._replace(failures=0, note=note), next_run_time=None)
