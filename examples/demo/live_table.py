"""The demo for a terminal: a table that lives, and the latest runs under it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from examples.demo.record import LISTENED, OfJob, Record, Run, counted
from rich.console import Console, Group
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from mainspring import BackgroundScheduler
    from mainspring.job import Job

_FRAMES_A_SECOND = 10
_SOON = 1.0  # seconds
_WIDE = 100  # columns
_LINES_OF_FRAMES = 8  # header, footer, borders, column titles


def show(scheduler: BackgroundScheduler, record: Record, seconds: float) -> None:
    """Show the jobs and their runs for `seconds`, on a screen of its own that is gone afterwards."""
    scheduler.add_listener(record, LISTENED)
    order = {job.id: job.name for job in scheduler.get_jobs()}
    console = Console()
    began = time.monotonic()
    try:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while (passed := time.monotonic() - began) < seconds:
                live.update(_screen(console, scheduler, record, order, passed, seconds), refresh=True)
                time.sleep(1 / _FRAMES_A_SECOND)
    finally:
        console.print(_scheduled(console, scheduler, record, order))


def _screen(
    console: Console,
    scheduler: BackgroundScheduler,
    record: Record,
    order: dict[str, str],
    passed: float,
    seconds: float,
) -> Layout:
    scheduled = _scheduled(console, scheduler, record, order)
    with record.lock:
        room = console.height - len(order) - _LINES_OF_FRAMES
        runs = _runs(list(record.latest)[: -max(room, 1) - 1 : -1], wide=console.width >= _WIDE)
        header = _header(passed, seconds, record)
    screen = Layout()
    screen.split_column(
        Layout(header, size=2),
        Layout(scheduled, size=len(order) + 3),
        Layout(Panel(runs, title="Latest runs", title_align="left", border_style="cyan")),
        Layout(Text("Ctrl-C ends it", style="dim", justify="right"), size=1),
    )
    return screen


def _header(passed: float, seconds: float, record: Record) -> Group:
    line = Table.grid(expand=True)
    line.add_column()
    line.add_column(justify="right")
    line.add_row(
        Text.assemble(("mainspring", "bold cyan"), f"  {datetime.now(UTC).astimezone():%H:%M:%S}"),
        Text.assemble(
            (counted(record.runs, "run"), "bold green"),
            "  ",
            (counted(record.errors, "error"), "bold red" if record.errors else "dim"),
        ),
    )
    return Group(line, ProgressBar(total=seconds, completed=passed, complete_style="cyan"))


def _scheduled(
    console: Console, scheduler: BackgroundScheduler, record: Record, order: dict[str, str]
) -> Panel:
    present = {job.id: job for job in scheduler.get_jobs()}
    with record.lock:
        jobs = _jobs(order, present, record, datetime.now(UTC), wide=console.width >= _WIDE)
    return Panel(jobs, title="Scheduled", title_align="left", border_style="cyan")


def _jobs(
    order: dict[str, str], present: dict[str, Job], record: Record, now: datetime, *, wide: bool
) -> Table:
    table = Table(box=None, expand=True, padding=(0, 1), header_style="bold", pad_edge=False)
    table.add_column("job", no_wrap=True)
    if wide:
        table.add_column("when", no_wrap=True, style="dim")
    table.add_column("next run", justify="right", no_wrap=True)
    table.add_column("runs", justify="right", no_wrap=True)
    table.add_column("errors", justify="right", no_wrap=True)
    table.add_column("late ms", justify="right", no_wrap=True)
    if wide:
        table.add_column("took ms", justify="right", no_wrap=True)
    table.add_column("last outcome", no_wrap=True, overflow="ellipsis", ratio=1)
    for job_id, name in order.items():
        known = record.jobs.get(job_id, OfJob())
        last = known.last
        cells = [
            Text(job_id, style="bold"),
            *([name] if wide else ()),
            _next_run(present.get(job_id), known, now),
            str(known.runs),
            Text(str(known.errors), style="red" if known.errors else "dim"),
            _late(last, record) if last else "",
            *([f"{last.took_ms:.1f}" if last else ""] if wide else ()),
            _outcome(last) if last else "",
        ]
        table.add_row(*cells)
    return table


def _late(run: Run, record: Record) -> str:
    """How late a run began; not of what was due while no demo ran, which the summary leaves out, too."""
    return f"{run.late_ms:.1f}" if run.due >= record.since else "overdue"


def _next_run(job: Job | None, known: OfJob, now: datetime) -> Text:
    if known.running > 0:
        return Text("● runs now", style="bold yellow")
    if job is None or job.next_run_time is None:
        return Text("done", style="dim")
    left = max((job.next_run_time - now).total_seconds(), 0)
    return Text(f"in {left:4.1f} s", style="bold" if left < _SOON else "")


def _runs(newest_first: list[Run], *, wide: bool) -> Table:
    table = Table(box=None, expand=True, padding=(0, 1), show_header=False, pad_edge=False)
    table.add_column("due", no_wrap=True, style="dim")
    table.add_column("job", no_wrap=True, style="bold")
    table.add_column("outcome", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("late", justify="right", no_wrap=True)
    if wide:
        table.add_column("took", justify="right", no_wrap=True, style="dim")
    for run in newest_first:
        cells = [f"{run.due.astimezone():%H:%M:%S}", run.job_id, _outcome(run), f"{run.late_ms:.1f} ms late"]
        table.add_row(*cells, *([f"took {run.took_ms:.0f} ms"] if wide else []))
    return table


def _outcome(run: Run) -> Text:
    return Text(f"✗ {run.outcome}", style="red") if run.failed else Text(f"✓ {run.outcome}", style="green")
