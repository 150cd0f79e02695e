"""``mainspring why``: why a job ran, or didn't, or won't."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mainspring.cli.examples import Command
from mainspring.cli.output import Column, output_option, show_list, time_text
from mainspring.cli.times import span_meant

if TYPE_CHECKING:
    from datetime import tzinfo

    from mainspring.admin import Explanation
    from mainspring.cli.target import Target


@click.command(
    cls=Command,
    examples=(
        "mainspring --store jobs.sqlite why nightly-report",
        "mainspring --store jobs.sqlite why nightly-report 2026-01-31",
        "mainspring --store jobs.sqlite why nightly-report 2026-01-31T02:30 --json",
    ),
)
@click.argument("job_id", metavar="ID")
@click.argument("time", metavar="[TIME]", required=False)
@output_option
@click.pass_obj
def why(target: Target, job_id: str, time: str | None, output: str) -> None:
    """Why a job ran at a time, did not, or will not run.

    TIME is a day, a minute or a second: 2026-01-31, 2026-01-31T09:30, or 09:30 of today. Without it, the latest run and the next one are explained.
    """
    with target.open() as admin:
        start, end = (None, None) if time is None else span_meant(time, admin.now())
        told = admin.why(job_id, start, end)
        zone = admin.timezone
    columns = (
        Column("DUE", lambda one: _times(one, zone)),
        Column("VERDICT", lambda one: one.verdict),
        Column("REASON", lambda one: one.code or ""),
        Column("WHY", lambda one: one.reason, wraps=True),
        Column("WHAT TO DO", lambda one: one.advice or "", wraps=True),
    )
    show_list(told, columns, output, f"Nothing is known of {job_id}.")


def _times(one: Explanation, zone: tzinfo) -> str:
    if one.count == 1:
        return time_text(one.first, zone)
    return f"{one.count} times, {time_text(one.first, zone)} to {time_text(one.last, zone)}"
