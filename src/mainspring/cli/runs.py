"""``mainspring runs``: what was run, runs, and waits to run."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, get_args

import click

from mainspring.cli.awaiting import say_if_nobody_runs, show_asked, wait_options
from mainspring.cli.examples import Command
from mainspring.cli.output import (
    Column,
    bar,
    duration_text,
    output_option,
    save_picture,
    show_list,
    show_one,
    time_text,
)
from mainspring.cli.times import SPAN
from mainspring.cli.watching import watch_option
from mainspring.jobstores.shared.rollups import LENGTHS, SPANS
from mainspring.model import TROUBLE, RunState
from mainspring.printable import printable, printable_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from mainspring.admin import RunView
    from mainspring.cli.target import Target
    from mainspring.jobstores.shared.rollups import Span


@click.group()
def runs() -> None:
    """What was run, what runs, and what waits; cancel it."""


@runs.command(
    "list", cls=Command, examples=("mainspring --store jobs.sqlite runs list --failed --since 12h",)
)
@click.argument("job_id", metavar="[ID]", required=False)
@click.option("--state", type=click.Choice(get_args(RunState)), help="Only those.")
@click.option(
    "--failed", is_flag=True, help=f"Only those that are {', '.join(TROUBLE[:-1])} or {TROUBLE[-1]}."
)
@click.option("--since", type=SPAN, metavar="SPAN", help="Due in the last while, such as 12h or 7d.")
@click.option("--tag", help="Only of jobs with this tag.")
@click.option("--group", help="Only of jobs of this group.")
@click.option("--owner", help="Only of jobs of this owner.")
@click.option("--search", metavar="TEXT", help="Only of jobs with this text in their id, name or function.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many.")
@output_option
@watch_option
@click.pass_obj
def list_runs(
    target: Target,
    /,
    job_id: str | None,
    state: RunState | None,
    failed: bool,
    since: timedelta | None,
    limit: int,
    output: str,
    **jobs: str | None,
) -> None:
    """List runs, of one job or of all, the latest due time first."""
    if failed and state is not None:
        raise click.UsageError("give --failed or --state, not both")
    states: Sequence[RunState | None] = TROUBLE if failed else [state]
    with target.open() as admin:
        zone = admin.timezone
        start = None if since is None else admin.now() - since
        found = [
            run
            for each in states
            for run in admin.runs(job_id, state=each, since=start, limit=limit + 1, **jobs)
        ]
        found.sort(key=lambda run: (run.scheduled, run.attempt), reverse=True)
        columns = (
            Column("RUN", lambda run: run.id),
            Column("STATE", lambda run: run.state),
            Column("STARTED", lambda run: time_text(run.started, zone)),
            Column("TOOK", lambda run: duration_text(run.duration)),
            Column("LATE", lambda run: duration_text(run.lateness)),
            Column("NODE", lambda run: run.node or ""),
            Column("ERROR", lambda run: run.error or "", wraps=True),
        )
        show_list(found[:limit], columns, output, "There are no such runs.")
        if len(found) > limit:
            click.echo(f"There are more: --limit {limit * 2}", err=True)


@runs.command(
    cls=Command, examples=("mainspring --store jobs.sqlite runs show report/2026-01-31T09:30:00.000000Z/1",)
)
@click.argument("run_id", metavar="RUN")
@output_option
@click.pass_obj
def show(target: Target, run_id: str, output: str) -> None:
    """Show all that is known of a run: error, traceback, log, result."""
    with target.open() as admin:
        show_one(admin.run(run_id), output, admin.timezone)


@runs.command(
    cls=Command, examples=("mainspring --store jobs.sqlite runs cancel report/2026-01-31T09:30:00.000000Z/1",)
)
@click.argument("run_ids", metavar="RUN...", nargs=-1, required=True)
@click.pass_obj
def cancel(target: Target, run_ids: tuple[str, ...]) -> None:
    """End runs that are queued or go on, on whichever node."""
    with target.open() as admin:
        for run_id in run_ids:
            admin.cancel_run(run_id)
            click.echo(f"{printable(run_id)} is cancelled, or told to end.")


@runs.command(
    cls=Command,
    examples=("mainspring --store jobs.sqlite runs retry report/2026-01-31T09:30:00.000000Z/1 --wait",),
)
@click.argument("run_id", metavar="RUN")
@wait_options
@output_option
@click.pass_context
def retry(context: click.Context, run_id: str, wait: bool, timeout: float | None, output: str) -> None:
    """Do a run that has ended once more: the next attempt at its due time, on whichever node has the job's executor."""
    waits = wait or timeout is not None
    with context.obj.open() as admin:
        say_if_nobody_runs(admin, admin.run(run_id).job_id)
        found = admin.retry_run(run_id, timeout=timeout if waits else 0)
        zone = admin.timezone
    show_asked(context, found, output, zone, waits=waits)


@runs.command(cls=Command, examples=("mainspring --store jobs.sqlite runs follow nightly-report --progress",))
@click.argument("job_id", metavar="[ID]", required=False)
@click.option("--progress", is_flag=True, help="Also when they begin, and how far they say that they are.")
@click.option("--log", is_flag=True, help="Also what they have logged, when they end.")
@click.option("--count", type=click.IntRange(1), help="End after so many lines.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each.")
@click.pass_obj
def follow(
    target: Target, job_id: str | None, progress: bool, log: bool, count: int | None, as_json: bool
) -> None:
    """Show runs as they end, of one job or of all, until Ctrl-C."""
    with target.open() as admin:
        for number, run in enumerate(admin.follow(job_id, progress=progress), 1):
            if as_json:
                click.echo(json.dumps(run.to_dict(), ensure_ascii=False))
            else:
                error = f"  {printable(run.error)}" if run.error else _progress_text(run)
                ended = time_text(
                    run.finished or (admin.now() if run.state == "running" else run.scheduled), admin.timezone
                )
                click.echo(
                    f"{ended}  {run.state:<9}  {printable(run.id)}  {duration_text(run.duration)}{error}"
                )
                if log and run.log:
                    click.echo(indent(printable_lines(run.log), "    "))
            if number == count:
                return


def _progress_text(run: RunView) -> str:
    """How far a run is that goes on."""
    if run.state != "running" or run.progress is None:
        return ""
    done, total, text = run.progress
    part = (
        f"{done:g}"
        if total is None
        else f"{done:g} of {total:g} ({done / total:.0%})"
        if total
        else f"{done:g}"
    )
    return f"  {part}  {printable(text)}".rstrip()


@runs.command(
    cls=Command,
    examples=(
        "mainspring --store jobs.sqlite runs chart nightly-report",
        "mainspring --store jobs.sqlite runs chart nightly-report --by day --since 365d --json",
        "mainspring --store jobs.sqlite runs chart nightly-report --svg nightly-report.svg",
    ),
)
@click.argument("job_id", metavar="ID")
@click.option(
    "--by", "span", type=click.Choice(SPANS), default="hour", show_default=True, help="Of UTC, by due time."
)
@click.option(
    "--since",
    type=SPAN,
    metavar="SPAN",
    help="The last while; without it, the last 30 minutes, hours or days.",
)
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), help="As a picture, into this file.")
@output_option
@click.pass_obj
def chart(
    target: Target, job_id: str, span: Span, since: timedelta | None, svg: Path | None, output: str
) -> None:
    """Draw how long the runs of a job took, how late they began and how they ended, also of runs that are in the history no more."""
    with target.open() as admin:
        found = admin.periods(job_id, span, since=admin.now() - (since or 30 * LENGTHS[span]))
        zone = admin.timezone
    longest = max((one.took_most for one in found if one.took_most is not None), default=None)
    columns = (
        Column("FROM", lambda one: f"{one.start.astimezone(UTC if span == 'day' else zone):{_FORMS[span]}}"),
        Column("RUNS", lambda one: str(one.runs)),
        Column("NOT WELL", lambda one: str(one.not_well) if one.not_well else ""),
        Column("LATE", lambda one: duration_text(one.late_mean)),
        Column("TOOK", lambda one: duration_text(one.took_mean)),
        Column("LONGEST", lambda one: duration_text(one.took_most)),
        Column("", lambda one: bar(one.took_most, longest)),
    )
    if svg is not None and found:
        save_picture(found, columns, svg, f"runs of {printable(job_id)} by {span}")
        click.echo(f"{svg} shows {len(found)} {span}s.")
        return
    show_list(found, columns, output, "Nothing is known of its runs in that time.")


_FORMS: dict[Span, str] = {"minute": "%m-%d %H:%M", "hour": "%m-%d %H:%M", "day": "%Y-%m-%d"}
