"""What the screen shows: for each pane its columns, and the rows that it has of an `Overview`. Nothing here knows of a terminal but its width."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from mainspring.cli.output import STYLES, duration_text, from_now, time_text
from mainspring.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from mainspring.admin import JobView, NodeView, RunView
    from mainspring.admin.overview import Overview

__all__ = ["PANES", "Column", "Pane", "Row", "summary"]

#: Of the width of a progress, so much is its bar.
_BAR = 8
#: A text is shown as far as it can be seen on the widest of screens.
_LONGEST = 500


class Column(NamedTuple):
    """A column of a pane.

    Attributes:
        title: what stands above it.
        width: in cells; 0: it has its part of what the others leave.
        from_width: it is left out in panes that are narrower.
        share: how large its part of what is left is.
    """

    title: str
    width: int = 0
    from_width: int = 0
    share: int = 1


class Row(NamedTuple):
    """A row of a pane.

    Attributes:
        key: by which it is known again when the pane is shown anew.
        job_id: the job that it is about; ``None``: none.
        run_id: the run that it is about; ``None``: none.
        state: of the job, run or node.
        cells: a text for each column, which may still hold anything.
        styles: a style for some of the columns, by their number.
    """

    key: str
    job_id: str | None
    run_id: str | None
    state: str
    cells: tuple[str, ...]
    styles: dict[int, str]


class Pane(NamedTuple):
    """A part of the screen.

    Attributes:
        name: by which the parts of the screen are told apart.
        title: what it shows; the first column's title.
        columns: of it.
        rows: what it shows of an `Overview`.
        nothing: what is said if there is nothing.
        part: the attribute of `Overview` that it shows.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: Callable[[Overview], list[Row]]
    nothing: str
    part: str

    def widths(self, width: int) -> list[int]:
        """How wide each column is in a pane of this width; 0: it is left out. The last cell of each is left blank."""
        shown = [column for column in self.columns if column.from_width <= width]
        free = max(width - sum(column.width for column in shown), 0)
        shares = sum(column.share for column in shown if not column.width)
        found = []
        for column in self.columns:
            if column not in shown:
                found.append(0)
            elif column.width:
                found.append(column.width)
            else:
                part = free * column.share // shares
                found.append(part)
                free, shares = free - part, shares - column.share
        return found

    def heading(self, number: str, widths: Sequence[int]) -> Text:
        """The line above the rows: what they are, how many, and the columns' titles."""
        titles = (f"{self.title} {number}", *(column.title for column in self.columns[1:]))
        return Text("".join(cell(title, width).plain for title, width in zip(titles, widths, strict=True)))

    def number(self, overview: Overview) -> str:
        """How many there are."""
        count = len(getattr(overview, self.part))
        return f"{count}+" if self.part in overview.more else str(count)


def cell(text: str, width: int, style: str = "") -> Text:
    """A text in a cell of so many columns, the last one blank: in one line, with what would steer a terminal escaped, and cut with a "…"."""
    if width <= 0:
        return Text()
    shown = printable(text[:_LONGEST])
    if cell_len(shown) > width - 1:
        shown = set_cell_size(shown, max(width - 2, 0)) + ("…" if width > 1 else "")
    return Text(set_cell_size(shown, width), style=style, no_wrap=True, end="")


def _runs(overview: Overview) -> list[Row]:
    return [_open_run(run) for run in overview.open_runs]


def _open_run(run: RunView) -> Row:
    cells = (
        run.job_id,
        _progress(run.progress) if run.state == "running" else run.state,
        duration_text(run.duration),
        duration_text(run.lateness),
        run.node or "",
    )
    return Row(run.id, run.job_id, run.id, run.state, cells, {1: STYLES.get(run.state, "")})


def _progress(progress: tuple[float, float | None, str] | None) -> str:
    if progress is None:
        return "running"
    done, total, text = progress
    if total is None or total <= 0 or not isfinite(done) or not isfinite(total):
        return f"{done:g} {text}".rstrip()
    part = min(max(done / total, 0.0), 1.0)
    full = int(part * _BAR)
    return f"{'█' * full}{'░' * (_BAR - full)} {int(part * 100):>3} % {text}".rstrip()


def _jobs(overview: Overview) -> list[Row]:
    return [_job(job, overview.time) for job in overview.upcoming]


def _job(job: JobView, now: datetime) -> Row:
    is_late = job.next_run_time is not None and job.next_run_time < now
    when = from_now(job.next_run_time, now) if job.state != "paused" else "paused"
    what = job.unreadable or (f"paused: {job.note}" if job.note else job.schedule)
    cells = (job.id, when, time_text(job.next_run_time, now.tzinfo), what)
    style = "yellow" if is_late else STYLES.get(job.state, "")
    return Row(job.id, job.id, None, job.state, cells, {1: style})


def _failures(overview: Overview) -> list[Row]:
    return [_failure(run, overview.time) for run in overview.failures]


def _failure(run: RunView, now: datetime) -> Row:
    cells = (run.job_id, from_now(min(run.finished or run.scheduled, now), now), run.state, run.error or "")
    return Row(run.id, run.job_id, run.id, run.state, cells, {2: STYLES.get(run.state, "")})


def _nodes(overview: Overview) -> list[Row]:
    """Those that have fallen silent first: there may be no room for all."""
    return [_node(node) for node in sorted(overview.nodes, key=lambda node: node.state == "alive")]


def _node(node: NodeView) -> Row:
    cells = (
        node.name,
        node.state,
        f"{duration_text(node.silent_for)} ago",
        str(node.pid),
        duration_text(node.clock_offset),
        ", ".join(node.executors),
    )
    key = f"{node.name} {node.host} {node.pid} {node.started.isoformat()}"
    return Row(key, None, None, node.state, cells, {1: STYLES.get(node.state, "")})


#: From top to bottom.
PANES = (
    Pane(
        "running",
        "RUNNING",
        (
            Column("JOB"),
            Column("PROGRESS", 22),
            Column("FOR", 12, 50),
            Column("LATE", 10, 60),
            Column("NODE", 12, 72),
        ),
        _runs,
        "nothing runs",
        "open_runs",
    ),
    Pane(
        "upcoming",
        "UPCOMING",
        (Column("JOB"), Column("DUE", 16), Column("AT", 25, 110), Column("SCHEDULE", 0, 60)),
        _jobs,
        "there are no jobs",
        "upcoming",
    ),
    Pane(
        "failed",
        "FAILED",
        (
            Column("JOB", share=2),
            Column("WHEN", 16),
            Column("STATE", 11, 50),
            Column("ERROR", 0, 60, share=3),
        ),
        _failures,
        "nothing failed in the last 24 hours",
        "failures",
    ),
    Pane(
        "nodes",
        "NODES",
        (
            Column("NODE"),
            Column("STATE", 9),
            Column("SEEN", 16, 50),
            Column("PID", 9, 72),
            Column("CLOCK", 9, 72),
            Column("EXECUTORS", 0, 60),
        ),
        _nodes,
        "no node is at work: nothing is run",
        "nodes",
    ),
)


def summary(overview: Overview) -> str:
    """How things are, in a line."""
    states = [run.state for run in overview.open_runs]
    alive = sum(node.state == "alive" for node in overview.nodes)
    parts = [f"{alive} node{'' if alive == 1 else 's'}"]
    if silent := len(overview.nodes) - alive:
        parts.append(f"{silent} silent")
    more = "+" if "open_runs" in overview.more else ""
    parts.append(f"{states.count('running')}{more} running")
    if queued := states.count("queued"):
        parts.append(f"{queued}{more} queued")
    parts.append(f"{len(overview.failures)}{'+' if 'failures' in overview.more else ''} failed")
    late = overview.lateness
    if late.typical is not None:
        parts.append(f"late {duration_text(late.typical)}, worst {duration_text(late.worst)}")
    if late.overdue:
        parts.append(f"{late.overdue} overdue, by {duration_text(late.oldest)}")
    return " · ".join(parts)
