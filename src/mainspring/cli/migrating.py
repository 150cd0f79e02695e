"""``mainspring migrate``: takes over the jobs that APScheduler has stored."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from mainspring.cli.examples import Command
from mainspring.cli.exits import FOUND_PROBLEMS

if TYPE_CHECKING:
    from mainspring.cli.target import Target


@click.command(
    cls=Command,
    examples=(
        "mainspring --store jobs.sqlite migrate",
        "mainspring --store postgresql://user@host/new migrate postgresql://user@host/old --yes",
    ),
)
@click.argument("source", metavar="[SOURCE]", required=False)
@click.option("--yes", is_flag=True, help="Do it; otherwise it is only shown.")
@click.option("--table", metavar="NAME", help="APScheduler's table, if it isn't apscheduler_jobs.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
@click.pass_context
def migrate(context: click.Context, source: str | None, yes: bool, table: str | None, as_json: bool) -> None:
    """Take over the jobs that APScheduler 3 has stored: where this store is, or in SOURCE, a database's URL or a file of its export_jobs.

    Nothing of what is there is changed. Jobs that have been taken over before are not taken again. Without --yes it is only shown, and exits with 3 if there
    is anything to be taken over.
    """
    target: Target = context.obj
    names = {} if table is None else {"tablename": table}
    with target.open(makes=yes) as admin:
        report = admin.adopt_jobs(source, dry_run=not yes, **names)
    if report is None:
        raise click.ClickException("APScheduler has stored no jobs there")
    click.echo(json.dumps(report.as_dict(), indent=2, ensure_ascii=False) if as_json else str(report))
    if report.jobs and not yes:
        context.exit(FOUND_PROBLEMS)
