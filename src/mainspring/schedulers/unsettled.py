"""The runs that a scheduler has claimed from a store of one process, and of which that knows no more: what goes on, and has just ended.

A store that nodes share keeps these itself.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from mainspring.jobstores.history import ended_run, moment, read_progress, this_process
from mainspring.model import RunRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from mainspring.model import Submission


def unsettled_runs(submissions: Iterable[Submission], job_id: str | None) -> Iterator[RunRecord]:
    """The runs of submissions that have not been settled, of a job or of all."""
    for submission in submissions:
        if job_id not in (None, submission.job.id) or submission.is_abandoned:
            continue
        # First, since what is added to them meanwhile is among the others still.
        results = list(submission.results)
        told = {result.scheduled_run_time.astimezone(UTC) for result in results}
        for time in submission.unended():
            if time.astimezone(UTC) not in told:
                yield _going_on(submission, time)
        for result in results:
            attempt = submission.attempt_of(result.scheduled_run_time)
            yield ended_run(
                submission.job.id, attempt, submission.cause, result, this_process(), submission.due_times
            )


def _going_on(submission: Submission, time: datetime) -> RunRecord:
    is_current = submission.run_time is not None and submission.run_time.astimezone(UTC) == time.astimezone(
        UTC
    )
    details = submission.details if is_current else None
    return RunRecord(
        submission.job.id,
        time.astimezone(UTC),
        submission.attempt_of(time),
        node=this_process(),
        started=moment(submission.started) if is_current else None,
        cause=submission.cause,
        log=None if details is None else details.logged,
        progress=None if details is None else read_progress(details.said),
        due_times=submission.due_times,
    )
