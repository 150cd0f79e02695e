"""When each job will be due in a span of time, in cells of the same length."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from mainspring.admin.due import INSTANT, due_in
from mainspring.admin.views import View
from mainspring.overrides import is_home

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from mainspring.model import JobRecord

__all__ = ["JobTimeline", "timelines_of"]

#: Of a job with more due times than this, the rest is left out; its line is full by then, or the span is long.
_TIMES_OF_A_JOB = 5000


@dataclass(frozen=True)
class JobTimeline(View):
    """When a job will be due.

    Attributes:
        start: of the first cell.
        step: how long each cell is.
        due: how many due times are in each cell.
    """

    job_id: str
    name: str
    start: datetime
    step: timedelta
    due: tuple[int, ...]


def timelines_of(
    records: Iterable[JobRecord], start: datetime, span: timedelta, cells: int, zone: tzinfo
) -> list[JobTimeline]:
    """The lines of jobs that are due in a span, in the order in which they are given.

    Args:
        records: jobs that are scheduled.
    """
    step = span / cells
    begin = start.astimezone(UTC)
    found = []
    for record in records:
        due = _counted(record, begin, step, cells) or _listed(record, begin, step, cells)
        if any(due):
            found.append(JobTimeline(record.id, record.name, start.astimezone(zone), step, tuple(due)))
    return found


def _counted(record: JobRecord, begin: datetime, step: timedelta, cells: int) -> list[int]:
    """How many due times are in each cell, of a trigger that tells without going through them; empty: it doesn't."""
    trigger, first = record.trigger, record.next_run_time
    if first is None or not is_home(type(trigger).__module__):
        return []
    due = []
    for at in range(cells):
        start, end = begin + at * step, begin + (at + 1) * step
        if end <= first:
            due.append(0)
            continue
        is_first = start <= first or at == 0  # what is overdue runs at once
        count = trigger.count_between(max(start - INSTANT, first), end - INSTANT)
        if count is None:
            return []
        due.append(count + is_first)
    return due


def _listed(record: JobRecord, begin: datetime, step: timedelta, cells: int) -> list[int]:
    """The same of any other trigger."""
    due = [0] * cells
    for time in _times(record, begin, begin + cells * step - INSTANT):
        due[min(int((time.astimezone(UTC) - begin) / step), cells - 1)] += 1
    return due


def _times(record: JobRecord, start: datetime, end: datetime) -> list[datetime]:
    first = record.next_run_time
    if first is None or first > end:
        return []
    times = [start] if first < start else []  # what is overdue runs at once
    with suppress(Exception):  # a third party's trigger may do anything: what it has said so far counts
        times += islice(due_in(record, start, end), _TIMES_OF_A_JOB + 1 - len(times))
    return times
