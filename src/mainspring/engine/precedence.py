"""Which runs come first of those that could begin together: due times of jobs and queued runs alike, on every store.

Those of a higher priority come first. Among the same, jobs take turns: the run of each that has been due for longest, the longest due
first; then the second run of each that has more, and so on. So a job with a thousand queued runs has no other wait for all of them.
What has been due for equally long comes in the order of the jobs' ids. (Databases hand out jobs that are due at the same instant as they
find them: to sort those by their ids would take long where they are many.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from mainspring.model import JobRecord, QueuedRun

T = TypeVar("T")


class Turn(NamedTuple):
    """What the order goes by.

    Attributes:
        due: POSIX timestamp from when on it could begin: the job's next run time, or when the queued run is available.
        scheduled: the due time that it is for, likewise.
        attempt: at that time; 0 for the job's next run time, which comes before what is queued at the same moment.
    """

    priority: int
    job_id: str
    due: float
    scheduled: float
    attempt: int


def turn_of_job(job: JobRecord) -> Turn:
    """When the next run time of a job has its turn."""
    due = _moment(job.next_run_time)
    return Turn(job.options.priority, job.id, due, due, 0)


def turn_of_run(run: QueuedRun, job: JobRecord | None) -> Turn:
    """When a queued run has its turn; ``None``: its job is gone, or can't be read."""
    priority = 0 if job is None else job.options.priority
    return Turn(priority, run.job_id, _moment(run.available), _moment(run.scheduled_run_time), run.attempt)


def in_turn(things: Iterable[T], turn_of: Callable[[T], Turn]) -> list[T]:
    """`things` in the order in which they are to be begun."""
    turns = [(turn_of(thing), thing) for thing in things]
    turns.sort(key=lambda pair: (*pair[0][2:], pair[0].job_id))
    earlier: dict[str, int] = {}
    ordered = []
    for place, (turn, thing) in enumerate(turns):
        rank = earlier[turn.job_id] = earlier.get(turn.job_id, -1) + 1
        ordered.append((-turn.priority, rank, place, thing))
    ordered.sort(key=lambda one: one[:3])
    return [thing for *_, thing in ordered]


def by_priority(things: Iterable[T], priority_of: Callable[[T], int]) -> list[T]:
    """Those of a higher priority first; those of the same stay in the order in which they are."""
    return sorted(things, key=lambda thing: -priority_of(thing))


def _moment(time: datetime | None) -> float:
    return float("-inf") if time is None else time.timestamp()
