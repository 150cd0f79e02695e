"""What goes on in this process, whatever the store says of it.

A node that was silent for too long is declared dead, and what it ran is recorded as lost, though it goes on: the process was paused, or could
not be heard. Two things must not happen here then: that this node itself records as lost what it runs, and that it runs the same a second
time beside the first.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from mainspring.engine.decision import Decision
from mainspring.model import Submission

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from mainspring.engine.grouping import Capacity
    from mainspring.jobstores.contract import Decide
    from mainspring.model import JobRecord, QueuedRun


def runs_of(submissions: Iterable[Submission]) -> set[tuple[str, datetime, int]]:
    """The keys of the runs of submissions."""
    return {
        (submission.job.id, time, submission.attempt_of(time))
        for submission in submissions
        for time in submission.run_times
    }


def runs_decided(decisions: Iterable[Decision]) -> set[tuple[str, datetime, int]]:
    """The keys of the runs that decisions submit."""
    return {
        (decision.job.id, time, decision.attempt_of(time))
        for decision in decisions
        for time in decision.submit
    }


def unbegun_part(submission: Submission) -> Submission | None:
    """What is left of a submission that has ended, of whose runs the later ones were not begun; ``None``: nothing."""
    ended = submission.recorded + len(submission.results)
    if not ended:
        return submission
    left = submission.run_times[ended:]  # they are run one after another
    if not left:
        return None
    return Submission(
        submission.job,
        submission.jobstore,
        left,
        submission.attempt,
        submission.lease,
        submission.following,
        submission.cause,
        claimed=submission.claimed,
        is_partial=True,  # the job can't be as it was before: some of its runs were made
        reruns=submission.reruns,
        attempts=submission.attempts,
        due_times=submission.due_times,
    )


def is_taken_away(submission: Submission) -> bool:
    """Whether the lease was lost under which it was claimed: others count its runs no more."""
    return submission.lease is not None and submission.lease.is_lost()


def beside(taken_away: Iterable[Submission], decide: Decide) -> Decide:
    """Decide as `decide` does, knowing of runs that go on here and that the store no longer counts.

    They count among the instances of their jobs, and what makes up for one of them waits until it has ended.
    """
    instances: Counter[str] = Counter()
    times: set[tuple[str, datetime]] = set()
    for submission in taken_away:
        instances[submission.job.id] += 1
        times.update((submission.job.id, time) for time in submission.run_times)

    def decide_beside(
        job: JobRecord,
        running: int,
        run: QueuedRun | None = None,
        buffered: int = 0,
        capacity: Capacity | None = None,
    ) -> Decision:
        if run is not None and (run.job_id, run.scheduled_run_time) in times:
            return Decision(job)
        options: Any = {} if run is None else {"run": run}
        return decide(job, running + instances[job.id], buffered=buffered, capacity=capacity, **options)

    return decide_beside
