"""What becomes of a stored job when one with the same id is added in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mainspring.model import JobRecord


def replaced(old: JobRecord, new: JobRecord, *, keeps_schedule: bool) -> JobRecord:
    """`new` in the place of `old`.

    A program that adds its jobs at every start must not push them away each time: with an equal trigger the job keeps
    that trigger's anchor and its next run time, overdue or not, and a paused job stays paused, unless
    `keeps_schedule` is false because the caller named a next run time.
    """
    new = new._replace(counters=old.counters)
    if not keeps_schedule:
        return new._replace(version=old.version + 1)
    if old.next_run_time is None:
        return new._replace(version=old.version + 1, next_run_time=None)
    if old.trigger.is_same_schedule(new.trigger):
        return new._replace(version=old.version + 1, trigger=old.trigger, next_run_time=old.next_run_time)
    return new._replace(version=old.version + 1)
