"""``mainspring audit``: who has done what to jobs and runs, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mainspring.cli.examples import Command
from mainspring.cli.output import Column, output_option, show_list, time_text
from mainspring.cli.times import SPAN
from mainspring.cli.watching import watch_option

if TYPE_CHECKING:
    from datetime import timedelta

    from mainspring.cli.target import Target


@click.command(
    cls=Command,
    examples=(
        "mainspring --store jobs.sqlite audit --since 7d",
        "mainspring --store jobs.sqlite audit nightly-report --who anna --json",
    ),
)
@click.argument("job_id", metavar="[ID]", required=False)
@click.option("--who", help="Only what was done under this name.")
@click.option("--since", type=SPAN, metavar="SPAN", help="Done in the last while, such as 12h or 7d.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many.")
@output_option
@watch_option
@click.pass_obj
def audit(
    target: Target, job_id: str | None, who: str | None, since: timedelta | None, limit: int, output: str
) -> None:
    """Who has paused, run, changed or removed jobs by this command line or `mainspring.admin`, and why; the latest first.

    What programs do by their schedulers is not noted. The latest 10,000 entries are kept.
    """
    with target.open() as admin:
        zone = admin.timezone
        start = None if since is None else admin.now() - since
        found = admin.audit(job_id, who=who, since=start, limit=limit)
    columns = (
        Column("TIME", lambda entry: time_text(entry.time, zone)),
        Column("WHO", lambda entry: entry.who),
        Column("ACTION", lambda entry: entry.action),
        Column("WHAT", lambda entry: entry.run_id or entry.job_id or "the store"),
        Column("WHY", lambda entry: entry.why or "", wraps=True),
    )
    show_list(found, columns, output, "Nothing of that kind was done.")
