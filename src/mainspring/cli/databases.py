"""``mainspring db``: the database of a job store as a whole."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mainspring.admin import upkeep
from mainspring.admin.upkeep import checks, maintenance_of, pending_upgrade, prune
from mainspring.cli.examples import Command
from mainspring.cli.exits import FOUND_PROBLEMS
from mainspring.cli.output import Column, counted, output_option, show_list
from mainspring.cli.times import SPAN
from mainspring.jobstores.shared.rows import record_of

if TYPE_CHECKING:
    from datetime import timedelta

    from mainspring.admin import Admin
    from mainspring.cli.target import Target

_MIB = 1024 * 1024


@click.group()
def db() -> None:
    """The database of a job store: bring it up to date, check, prune, vacuum, back up, restore."""


@db.command(
    cls=Command,
    examples=("mainspring --store jobs.sqlite db upgrade", "mainspring --store jobs.sqlite db upgrade --yes"),
)
@click.option(
    "--yes/--dry-run",
    default=False,
    help="Do it; otherwise what would be done is only shown, as SQL where it is that.",
)
@click.pass_context
def upgrade(context: click.Context, yes: bool) -> None:
    """Make the tables of a store, or bring those of an older release up to date; without --yes exits with 3 if there is anything to do."""
    target: Target = context.obj
    pending = pending_upgrade(target.store_alone())
    if pending is None:
        click.echo("It is up to date.")
        return
    if not yes:
        click.echo(pending)
        click.echo("Nothing was changed; --yes does it.", err=True)
        context.exit(FOUND_PROBLEMS)
    with target.open(makes=True) as admin:
        admin.note("upgrade")
        click.echo("It is up to date now.")


@db.command(cls=Command, examples=("mainspring --store jobs.sqlite db check",))
@output_option
@click.pass_context
def check(context: click.Context, output: str) -> None:
    """Whether a store is whole: its database, tables, jobs and runs; exits with 3 if it isn't."""
    with context.obj.open() as admin:
        found = list(checks(admin))
    columns = (
        Column("ABOUT", lambda one: one.about),
        Column("GOOD", lambda one: "yes" if one.is_good else "no"),
        Column("FOUND", lambda one: one.found, wraps=True),
    )
    show_list(found, columns, output, "")
    if not all(one.is_good for one in found):
        context.exit(FOUND_PROBLEMS)


@db.command(
    "prune",
    cls=Command,
    examples=(
        "mainspring --store jobs.sqlite db prune --keep 20 --older-than 7d --dry-run",
        "mainspring --store jobs.sqlite db prune --keep 20 --older-than 7d --yes",
    ),
)
@click.option(
    "--keep",
    type=click.IntRange(0),
    default=100,
    show_default=True,
    help="So many ended runs of each job stay at most.",
)
@click.option(
    "--older-than",
    type=SPAN,
    default="30d",
    show_default=True,
    help="Runs that ended longer ago are removed.",
)
@click.option(
    "--dry-run", is_flag=True, help="Only say how many runs that is; exits with 3 if there are any."
)
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.pass_context
def prune_runs(context: click.Context, keep: int, older_than: timedelta, dry_run: bool, yes: bool) -> None:
    """Remove history. It goes step by step: after Ctrl-C, what is left is done by calling it again."""
    target: Target = context.obj
    with target.open() as admin:
        job_ids = [record_of(row).id for row in admin.store.list_rows()]
        if dry_run or not yes:
            count = upkeep.prunable(admin, job_ids, keep, older_than)
            if dry_run or not count:
                click.echo(
                    f"{counted(count, 'run')} would be removed."
                    if dry_run
                    else "There is nothing to be removed."
                )
                if count:
                    context.exit(FOUND_PROBLEMS)
                return
            click.confirm(f"Remove {counted(count, 'run')} from the history?", abort=True)
        with click.progressbar(length=len(job_ids), label="Pruning", file=sys.stderr) as bar:
            for count in prune(admin, job_ids, keep, older_than):
                bar.update(count)
    click.echo("The history is pruned.")


@db.command(cls=Command, examples=("mainspring --store jobs.sqlite db vacuum --yes",))
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.pass_obj
def vacuum(target: Target, yes: bool) -> None:
    """Give room that removed rows have left back to the system. SQLite and MySQL let no node write meanwhile."""
    with target.open() as admin:
        maintenance = maintenance_of(admin.store)
        if not yes and maintenance.kind != "postgresql":
            _ask_beside_nodes(
                admin, "can't write until it is done: longer than their lease, they count as dead"
            )
        before = maintenance.bytes()
        upkeep.vacuum(admin)
        after = maintenance.bytes()
    if before is None or after is None:
        click.echo("It is vacuumed.")
    else:
        click.echo(f"It is vacuumed: {before / _MIB:.1f} MiB before, {after / _MIB:.1f} MiB now.")


@db.command(cls=Command, examples=("mainspring --store postgresql://admin@host/db db grants app",))
@click.argument("user", metavar="USER")
@click.pass_obj
def grants(target: Target, user: str) -> None:
    """The statements that let USER of the database do what a node does; they are shown, and not executed."""
    with target.open() as admin:
        for statement in maintenance_of(admin.store).grants(user):
            click.echo(statement)


@db.command(cls=Command, examples=("mainspring --store jobs.sqlite db backup jobs-backup.sqlite",))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--replace", is_flag=True, help="In the place of a file that is there.")
@click.pass_obj
def backup(target: Target, file: Path, replace: bool) -> None:
    """Copy SQLite's file as it is now, while nodes are at work. The copy is checked, and may be read by you alone."""
    with target.open() as admin:
        maintenance_of(admin.store).backup(file, replace=replace)
    click.echo(f"{file} holds the store as it is now: {file.stat().st_size / _MIB:.1f} MiB.")


@db.command(cls=Command, examples=("mainspring --store jobs.sqlite db restore jobs-backup.sqlite --yes",))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.pass_obj
def restore(target: Target, file: Path, yes: bool) -> None:
    """Put a backup in the place of what SQLite's file holds: all of it, or nothing. Nodes at work notice it, and say what it means."""
    with target.open() as admin:
        maintenance_of(admin.store)
        if not yes:
            click.confirm(f"Put what {file} holds in the place of all jobs and runs?", abort=True)
            _ask_beside_nodes(admin, "will run again what was run since, where it is due by the backup")
        upkeep.restore(admin, file)
    click.echo(f"The store holds what {file} holds.")


def _ask_beside_nodes(admin: Admin, what: str) -> None:
    names = ", ".join(node.name for node in admin.nodes() if node.state == "alive")
    if names:
        click.confirm(f"{names} is at work, and {what}. Go on?", abort=True)
