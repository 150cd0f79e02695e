"""``mainspring jobs``: what is scheduled, and its switches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mainspring.cli.awaiting import say_if_nobody_runs, show_asked, wait_options
from mainspring.cli.backfilling import backfill
from mainspring.cli.configuration import job_of
from mainspring.cli.editing import edit
from mainspring.cli.examples import Command
from mainspring.cli.output import Column, from_now, output_option, show_list, show_one, time_text
from mainspring.cli.times import moment_meant, schedule_reading_options
from mainspring.cli.watching import watch_option
from mainspring.printable import printable

if TYPE_CHECKING:
    from mainspring.cli.target import Target


@click.group()
def jobs() -> None:
    """What is scheduled; pause, resume, run, edit and remove it."""


jobs.add_command(edit)
jobs.add_command(backfill)


@jobs.command("list", cls=Command, examples=("mainspring --store jobs.sqlite jobs list --tag billing",))
@click.option("--state", type=click.Choice(["scheduled", "paused"]), help="Only those.")
@click.option("--tag", help="Only jobs with this tag.")
@click.option("--executor", help="Only jobs of this executor.")
@click.option("--group", help="Only jobs of this group.")
@click.option("--owner", help="Only jobs of this owner: the file that they are kept in step with.")
@click.option("--search", metavar="TEXT", help="Only jobs with this text in their id, name or function.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many.")
@click.option("--after", metavar="ID", help="Those that come after this job: the next page.")
@output_option
@watch_option
@click.pass_obj
def list_jobs(target: Target, /, output: str, **query: Any) -> None:
    """List jobs, soonest first, paused ones last."""
    with target.open() as admin:
        now, zone = admin.now(), admin.timezone
        page = admin.jobs(**query)
        columns = (
            Column("ID", lambda job: job.id),
            Column("STATE", lambda job: job.state),
            Column("NEXT RUN", lambda job: time_text(job.next_run_time, zone)),
            Column("IN", lambda job: from_now(job.next_run_time, now)),
            Column("SCHEDULE", lambda job: job.unreadable or job.note or job.schedule, wraps=True),
            Column("FUNCTION", lambda job: job.function, wraps=True),
        )
        show_list(page.items, columns, output, "There are no such jobs.")
        if page.cursor is not None:
            click.echo(f"There are more: --after {page.cursor!r}", err=True)


@jobs.command(cls=Command, examples=("mainspring --store jobs.sqlite jobs show nightly-report",))
@click.argument("job_id", metavar="ID")
@output_option
@click.pass_obj
def show(target: Target, job_id: str, output: str) -> None:
    """Show all that is known of a job."""
    with target.open() as admin:
        show_one(admin.job(job_id), output, admin.timezone)


@jobs.command(
    cls=Command,
    examples=(
        'mainspring --store jobs.sqlite jobs pause nightly-report --note "the printer is broken"',
        "mainspring --store jobs.sqlite jobs pause nightly-report --until 2h",
    ),
)
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--note", metavar="TEXT", help="Why, for whoever looks at it.")
@click.option(
    "--until",
    metavar="TIME|SPAN",
    help="From then on they run again by themselves: 2026-01-31, 2026-01-31T09:30, 09:30 of today, or for 2h.",
)
@click.pass_obj
def pause(target: Target, job_ids: tuple[str, ...], note: str | None, until: str | None) -> None:
    """Don't run jobs until they are resumed, or until a time."""
    with target.open() as admin:
        end = None if until is None else moment_meant(until, admin.now())
        for job_id in job_ids:
            job = admin.pause_job(job_id, note=note, until=end)
            again = f", and runs again at {time_text(job.next_run_time, admin.timezone)}" if end else ""
            click.echo(f"{printable(job_id)} is paused{again}.")


@jobs.command(cls=Command, examples=("mainspring --store jobs.sqlite jobs resume nightly-report",))
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True)
@click.pass_obj
def resume(target: Target, job_ids: tuple[str, ...]) -> None:
    """Run paused jobs again, from the next time of their schedule on."""
    with target.open() as admin:
        for job_id in job_ids:
            job = admin.resume_job(job_id)
            if job is None:
                click.echo(f"{printable(job_id)} has no time left in its schedule, and was removed.")
            else:
                click.echo(
                    f"{printable(job_id)} runs next at {time_text(job.next_run_time, admin.timezone)}."
                )


@jobs.command(cls=Command, examples=("mainspring --store jobs.sqlite jobs run nightly-report --wait",))
@click.argument("job_id", metavar="ID")
@wait_options
@output_option
@click.pass_context
def run(context: click.Context, job_id: str, wait: bool, timeout: float | None, output: str) -> None:
    """Run a job once more now, on whichever node has its executor; its schedule stays as it is."""
    waits = wait or timeout is not None
    with context.obj.open() as admin:
        say_if_nobody_runs(admin, job_id)
        found = admin.run_job(job_id, timeout=timeout if waits else 0)
        zone = admin.timezone
    show_asked(context, found, output, zone, waits=waits)


@jobs.command(cls=Command, examples=("mainspring --store jobs.sqlite jobs remove nightly-report --yes",))
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.pass_obj
def remove(target: Target, job_ids: tuple[str, ...], yes: bool) -> None:
    """Remove jobs; what runs of them goes on."""
    if not yes:
        click.confirm(f"Remove {', '.join(map(printable, job_ids))}?", abort=True)
    with target.open() as admin:
        for job_id in job_ids:
            admin.remove_job(job_id)
            click.echo(f"{printable(job_id)} is removed.")


@jobs.command(
    cls=Command,
    examples=(
        'mainspring --store jobs.sqlite jobs add backup --command "pg_dump shop -f /backup/shop" --schedule "30 2 * * *"',
        'mainspring --store jobs.sqlite jobs add poll --function myapp.feeds:poll --schedule "every 15 minutes"',
    ),
)
@click.argument("job_id", metavar="ID")
@click.option("--function", metavar="REFERENCE", help="What it calls, such as myapp.tasks:clean.")
@click.option("--command", metavar="TEXT", help="Or the command that it runs by the shell.")
@click.option("--schedule", metavar="EXPR", required=True, help="When: a schedule in any dialect.")
@schedule_reading_options
@click.option("--name", help="What people see.")
@click.option("--executor", help="The alias of the executor.")
@click.option("--tag", "tags", multiple=True, help="A word by which it is found; may be given several times.")
@click.option("--timeout", metavar="SPAN", help="How long a run may take, such as 10m.")
@click.option("--paused", is_flag=True, help="Don't run it until it is resumed.")
@output_option
@click.pass_obj
def add(target: Target, /, job_id: str, output: str, **table: Any) -> None:
    """Add a job."""
    given = {name: list(value) if name == "tags" else value for name, value in table.items() if value}
    job = job_of(job_id, given)
    with target.open() as admin:
        show_one(admin.add_job(job.parameters()), output, admin.timezone)


@jobs.command(cls=Command, examples=("mainspring --store jobs.sqlite jobs export jobs.json",))
@click.argument("file", type=click.File("w", encoding="utf-8", lazy=True), default="-")
@click.option("--mask-secrets", is_flag=True, help="For people to look at; such a file can't be imported.")
@click.pass_obj
def export(target: Target, file: Any, mask_secrets: bool) -> None:
    """Write all jobs as JSON, with all secrets in their arguments, to a file or to standard output."""
    with target.open() as admin:
        admin.export_jobs(file, mask_secrets=mask_secrets)


@jobs.command("import", cls=Command, examples=("mainspring --store other.sqlite jobs import jobs.json",))
@click.argument("file", type=click.Path())
@click.option("--replace", is_flag=True, help="Replace jobs of the same ids.")
@click.pass_obj
def import_jobs(target: Target, file: str, replace: bool) -> None:
    """Add the jobs that export wrote: all of them, or none. The file is to be trusted like a program."""
    with target.open() as admin:
        added = admin.import_jobs(file, replace_existing=replace)
    click.echo(f"{len(added)} jobs are imported.")
