"""What commands have in common that ask for a run: to wait for its end or not, and to show what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mainspring.cli.exits import RUN_FAILED
from mainspring.cli.output import show_one
from mainspring.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from mainspring.admin import Admin
    from mainspring.admin.views import RunView


def wait_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options ``--wait`` and ``--timeout`` of a command that asks for a run."""
    command = click.option(
        "--timeout", type=click.FloatRange(0, min_open=True), help="Wait for no more than so many seconds."
    )(command)
    return click.option(
        "--wait", is_flag=True, help=f"Wait for its end; exit with {RUN_FAILED} if it didn't succeed."
    )(command)


def say_if_nobody_runs(admin: Admin, job_id: str) -> None:
    """Say so, if no node that is at work has the executor of a job: its run waits for one, and so does who waits for the run."""
    executor = admin.job(job_id).executor
    if not any(node.state == "alive" and executor in node.executors for node in admin.nodes()):
        click.echo(
            f"No node that is at work has the executor {printable(executor)!r}: the run waits until one has.",
            err=True,
        )


def show_asked(context: click.Context, run: RunView, output: str, zone: tzinfo, *, waits: bool) -> None:
    """Show a run that was asked for, as far as it is, and end with `RUN_FAILED` if its end was waited for and isn't a good one."""
    if waits or output != "table":
        show_one(run, output, zone)
    else:
        click.echo(f"{printable(run.id)} is {run.state}.")
    if waits and run.state != "succeeded":
        context.exit(RUN_FAILED)
