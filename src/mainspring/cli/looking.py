"""``mainspring nodes``, ``groups``, ``parked``, ``next``, ``pressure`` and ``doctor``: who is at work, what comes, and what is wrong."""

from __future__ import annotations

import json
from itertools import groupby, islice
from typing import TYPE_CHECKING

import click

from mainspring.admin.diagnosis import diagnose
from mainspring.cli.examples import Command
from mainspring.cli.exits import FOUND_PROBLEMS
from mainspring.cli.output import Column, duration_text, from_now, output_option, show_list, time_text
from mainspring.cli.timelines import CELLS, lines_by_hour, lines_by_job
from mainspring.cli.times import SPAN
from mainspring.cli.watching import watch_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from mainspring.admin import Admin
    from mainspring.admin.pressure import Pressure
    from mainspring.admin.views import View
    from mainspring.cli.target import Target


@click.command(cls=Command, examples=("mainspring --store jobs.sqlite nodes",))
@click.option("--all", "all_of_them", is_flag=True, help="Also those that have ended.")
@output_option
@watch_option
@click.pass_obj
def nodes(target: Target, all_of_them: bool, output: str) -> None:
    """Who runs jobs from this store."""
    columns = (
        Column("NODE", lambda node: node.name),
        Column("STATE", lambda node: node.state),
        Column("SEEN", lambda node: f"{duration_text(node.silent_for)} ago"),
        Column("HOST", lambda node: node.host),
        Column("PID", lambda node: str(node.pid)),
        Column("VERSION", lambda node: node.version),
        Column("EXECUTORS", lambda node: ", ".join(node.executors)),
        Column("CLOCK", lambda node: duration_text(node.clock_offset)),
    )
    with target.open() as admin:
        found = admin.nodes(all_of_them=all_of_them)
        show_list(found, columns, output, "No node is at work on this store.")


@click.command(cls=Command, examples=("mainspring --store jobs.sqlite groups",))
@output_option
@watch_option
@click.pass_obj
def groups(target: Target, output: str) -> None:
    """The limits that groups of jobs have."""
    columns = (
        Column("GROUP", lambda group: group.name),
        Column("AT A TIME", lambda group: "any number" if group.limit is None else str(group.limit)),
        Column(
            "RATE",
            lambda group: "any" if group.rate is None else f"{group.rate} in {duration_text(group.per)}",
        ),
    )
    with target.open() as admin:
        show_list(admin.groups(), columns, output, "No group has limits.")


@click.command(cls=Command, examples=("mainspring --store jobs.sqlite parked",))
@output_option
@watch_option
@click.pass_obj
def parked(target: Target, output: str) -> None:
    """Jobs that should have been run and were not, or can't be read here, and why."""
    with target.open() as admin:
        now = admin.now()
        found = {job.id: job for job in (*admin.unreadable(), *admin.overdue())}
        columns = (
            Column("ID", lambda job: job.id),
            Column("STATE", lambda job: job.state),
            Column("DUE", lambda job: from_now(job.next_run_time, now)),
            Column("EXECUTOR", lambda job: job.executor),
            Column("REASON", lambda job: job.unreadable or "overdue", wraps=True),
        )
        show_list(found.values(), columns, output, "No job is parked or overdue.")


@click.command(
    "next",
    cls=Command,
    examples=(
        "mainspring --store jobs.sqlite next --span 7d",
        "mainspring --store jobs.sqlite next --timeline",
        "mainspring --store jobs.sqlite next --timeline hour",
    ),
)
@click.argument("job_id", metavar="[ID]", required=False)
@click.option("--span", type=SPAN, default="24h", show_default=True, help="How far ahead.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many.")
@click.option(
    "--timeline",
    type=click.Choice(["job", "hour"]),
    is_flag=False,
    flag_value="job",
    metavar="[job|hour]",
    help="Drawn, with a line for each job, or for each hour of the coming week at most.",
)
@output_option
@watch_option
@click.pass_obj
def due_next(
    target: Target, job_id: str | None, span: timedelta, limit: int, timeline: str | None, output: str
) -> None:
    """What will be due, in the order of time."""
    if timeline is not None:
        if job_id is not None:
            raise click.UsageError("--timeline is of all jobs: leave out the ID")
        with target.open() as admin:
            _draw(admin, span, limit, timeline, output)
        return
    with target.open() as admin:
        now, zone = admin.now(), admin.timezone
        times = list(islice(admin.due_times(now, now + span, job_id=job_id), limit + 1))
        columns = (
            Column("TIME", lambda due: time_text(due.time, zone)),
            Column("IN", lambda due: from_now(due.time, now)),
            Column("ID", lambda due: due.job_id),
            Column("NAME", lambda due: due.name, wraps=True),
        )
        nothing = f"Nothing is due in the next {duration_text(span)}."
        show_list(times[:limit], columns, output, nothing)
        if len(times) > limit:
            click.echo(f"There are more: --limit {limit * 2}", err=True)


def _draw(admin: Admin, span: timedelta, limit: int, timeline: str, output: str) -> None:
    if timeline == "hour":
        hours = [one for one in admin.pressure().hours if one.start <= admin.now() + span]
        found: Sequence[View] = hours
        lines = lines_by_hour(hours)
    else:
        timelines = admin.timelines(span, cells=CELLS, limit=limit)
        found, lines = timelines, lines_by_job(timelines)
    if output != "table":
        show_list(found, (), output, "")
        return
    if not found:
        click.echo(f"Nothing is due in the next {duration_text(span)}.", err=True)
    for line in lines:
        click.echo(line)


@click.command(cls=Command, examples=("mainspring --store jobs.sqlite pressure",))
@output_option
@click.pass_obj
def pressure(target: Target, output: str) -> None:
    """How much is due in each hour of the coming week, and a free time for one more daily job."""
    with target.open() as admin:
        found = admin.pressure()
    if output == "csv":
        show_list(found.hours, (), output, "")
    elif output == "json":
        click.echo(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
    else:
        for line in _heat_map(found):
            click.echo(line)


#: From nothing to the most.
_SHADES = (" ", "\u2591", "\u2592", "\u2593", "\u2588")


def _heat_map(pressure: Pressure) -> Iterator[str]:
    """A line for each day, with two places for each hour; in a repeated hour the fuller one is shown."""
    most = pressure.busiest.due
    yield f"{'':11}{''.join(f'{hour:<6}' for hour in range(0, 24, 3))}".rstrip()
    for day, hours in groupby(pressure.hours, key=lambda one: one.start.date()):
        by_hour: dict[int, int] = {}
        for one in hours:
            by_hour[one.start.hour] = max(by_hour.get(one.start.hour, 0), one.due)
        cells = (_shade(by_hour.get(hour), most) * 2 for hour in range(24))
        yield f"{day:%a %d %b} {''.join(cells)}".rstrip()
    if most == 0:
        yield "Nothing is due in the coming week."
        return
    busiest = pressure.busiest.start
    yield f"Most is due on {busiest:%a %d %b} from {busiest:%H:%M} on: {most} runs in an hour."
    hour, minute = pressure.free_slot.split(":")
    cron = f'"{int(minute)} {int(hour)} * * *"'
    yield f"A free time for a daily job is {pressure.free_slot} ({cron}): {pressure.due_then} runs at most are due in that hour."


def _shade(due: int | None, most: int) -> str:
    if due is None:
        return "\u00b7"
    return _SHADES[0 if due == 0 else max(1, -(-due * (len(_SHADES) - 1) // most))]


@click.command(
    cls=Command,
    examples=("mainspring --store jobs.sqlite doctor", "mainspring --store jobs.sqlite doctor --load"),
)
@click.option(
    "--load", is_flag=True, help="Also load the functions of the jobs, where their code is installed."
)
@output_option
@watch_option
@click.pass_context
def doctor(context: click.Context, load: bool, output: str) -> None:
    """What is wrong with a store, its nodes and its jobs, and what to do about each; exits with 3 if there is anything."""
    columns = (
        Column("ABOUT", lambda finding: finding.about),
        Column("FOUND", lambda finding: finding.message, wraps=True),
        Column("WHAT TO DO", lambda finding: finding.advice, wraps=True),
    )
    with context.obj.open() as admin:
        findings = diagnose(admin, loads=load)
    show_list(findings, columns, output, "Nothing is wrong that can be seen from here.")
    if findings:
        context.exit(FOUND_PROBLEMS)
