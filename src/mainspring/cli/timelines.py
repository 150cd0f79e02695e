"""Draws when jobs will be due: a line for each job, or for each hour."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mainspring.cli.output import bar, duration_text
from mainspring.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mainspring.admin.pressure import HourPressure
    from mainspring.admin.timeline import JobTimeline

#: So many cells a line has: with the names of jobs it fits a terminal of 80 columns.
CELLS = 48
_NAME = 24
#: Nothing, one due time, some, many.
_MARKS = (" ", "\u00b7", "\u2022", "\u2588")
_SOME, _MANY = 2, 5
_DAYS_ARE_SHOWN_FROM = timedelta(days=2)


def _mark(count: int) -> str:
    return _MARKS[(count >= 1) + (count >= _SOME) + (count >= _MANY)]


def lines_by_hour(hours: Sequence[HourPressure]) -> Iterator[str]:
    """A line for each hour, with a bar as long as what is due in it."""
    most = max((one.due for one in hours), default=0)
    width = len(str(most))
    for one in hours:
        yield f"{one.start:%a %d %b %H:%M}  {one.due:>{width}}  {bar(one.due, most)}".rstrip()


def lines_by_job(timelines: Sequence[JobTimeline]) -> Iterator[str]:
    """A line for each job; above them, when every eighth cell begins."""
    if not timelines:
        return
    start, step = timelines[0].start, timelines[0].step
    form = "%d %b" if step * CELLS > _DAYS_ARE_SHOWN_FROM else "%H:%M"
    marks = "".join(f"{(start + at * step).strftime(form):<8}" for at in range(0, CELLS, 8))
    yield f"{'':{_NAME}} {marks}".rstrip()
    for one in timelines:
        cells = "".join(_mark(count) for count in one.due)
        yield f"{printable(one.job_id)[:_NAME]:{_NAME}} {cells}".rstrip()
    yield f"{'':{_NAME}} a place is {duration_text(step)}: {_MARKS[1]} one run, {_MARKS[2]} two to four, {_MARKS[3]} more"
