"""``mainspring jobs backfill``: what wasn't run in a span of time, run now."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

import click

from mainspring.cli.awaiting import say_if_nobody_runs
from mainspring.cli.examples import Command
from mainspring.cli.exits import RUN_FAILED
from mainspring.cli.output import counted
from mainspring.cli.times import moment_meant, span_meant
from mainspring.printable import printable

if TYPE_CHECKING:
    from mainspring.cli.target import Target


@click.command(
    cls=Command,
    examples=(
        "mainspring --store jobs.sqlite jobs backfill nightly-report 2026-01-01 2026-01-31",
        "mainspring --store jobs.sqlite jobs backfill poll 2026-01-31T09:00 2026-01-31T17:00 --at-once --wait",
    ),
)
@click.argument("job_id", metavar="ID")
@click.argument("start", metavar="FROM")
@click.argument("end", metavar="TO")
@click.option(
    "--at-once", is_flag=True, help="As many at a time as its executor runs, whatever its max_instances."
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="Refuse a span with more due times.",
)
@click.option(
    "--wait", is_flag=True, help=f"Wait for their ends; exit with {RUN_FAILED} if one didn't succeed."
)
@click.pass_context
def backfill(
    context: click.Context, job_id: str, start: str, end: str, at_once: bool, limit: int, wait: bool
) -> None:
    """Run a job now for those due times from FROM to TO, both included, at which it has not been run.

    Each run knows the time that it was due for. What is queued is run whether this command goes on or not; called again, it queues what is still missing.
    """
    target: Target = context.obj
    with target.open() as admin:
        now = admin.now()
        overlap: Literal["allow", "buffer_all"] = "allow" if at_once else "buffer_all"
        last = span_meant(end, now)[1]
        runs = admin.backfill(job_id, moment_meant(start, now), last, overlap=overlap, limit=limit)
        click.echo(f"{counted(len(runs), 'run')} of {printable(job_id)} queued.")
        if not runs:
            return
        say_if_nobody_runs(admin, job_id)
        if not wait:
            return
        failed = 0
        with click.progressbar(length=len(runs), label="Running", file=sys.stderr) as bar:
            for run in admin.ended(runs):
                failed += run.state != "succeeded"
                bar.update(1)
        click.echo(f"{len(runs) - failed} succeeded, {failed} didn't.")
    if failed:
        context.exit(RUN_FAILED)
