"""The due times of a job in a span of time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mainspring.model import JobRecord

#: A job that has been due for no longer than this is being claimed.
OVERDUE = timedelta(seconds=10)
#: The shortest time between two due times.
INSTANT = timedelta(microseconds=1)


def due_in(record: JobRecord, start: datetime, end: datetime) -> Iterator[datetime]:
    """When a job is due in a span, both ends included, in the order of time: its next run time, and what its trigger gives after that."""
    first = record.next_run_time
    if first is None or first > end:
        return
    if first >= start:
        yield first
    yield from record.trigger.between(max(start, first + INSTANT), end)
