"""``mainspring apply``: brings a store in step with a file, after it has shown what that means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mainspring.admin import Admin
from mainspring.cli.configuration import Configuration
from mainspring.cli.examples import Command
from mainspring.cli.exits import FOUND_PROBLEMS
from mainspring.cli.target import USUAL_FILE
from mainspring.jobstores.by_url import store_for
from mainspring.jobstores.shared.backend import OLDER_RELEASE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mainspring.cli.target import Target
    from mainspring.schedulers.syncing import SyncPlan


@click.command(
    cls=Command,
    examples=("mainspring apply", "mainspring apply jobs.toml --prune --yes", "mainspring apply --json"),
)
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do it; otherwise it is only shown.")
@click.option("--prune", is_flag=True, help="Remove jobs of the same owner that are no longer in the file.")
@click.option("--take-over", is_flag=True, help="Change jobs of the same ids that are others', too.")
@click.option("--json", "as_json", is_flag=True, help="The plan as JSON.")
@click.pass_context
def apply(
    context: click.Context, file: Path | None, yes: bool, prune: bool, take_over: bool, as_json: bool
) -> None:
    """Bring a store in step with the jobs of a file: mainspring.toml, if none is named.

    The store is the file's; --store before the command names another one for its default store.

    Shows what would be added, changed, left and removed, and does it with --yes. Without, it exits with 3 if there is anything to be done.
    """
    configuration = Configuration.read(file or USUAL_FILE)
    plans = list(_plans(context.obj, configuration, prune=prune, take_over=take_over, yes=yes))
    if as_json:
        click.echo(json.dumps({alias: plan.to_dict() for alias, plan in plans}, indent=2, ensure_ascii=False))
    else:
        for alias, plan in plans:
            click.echo(f"Job store {alias}: {plan}" if len(plans) > 1 else str(plan))
    if any(plan.changes_something for _, plan in plans) and not yes:
        if not as_json:
            click.echo("Nothing was changed; --yes does it.", err=True)
        context.exit(FOUND_PROBLEMS)


def _plans(
    target: Target, configuration: Configuration, *, prune: bool, take_over: bool, yes: bool
) -> Iterator[tuple[str, SyncPlan]]:
    zone = configuration.scheduler.get("timezone", target.timezone)
    for alias, store in target.stores_of(configuration).items():
        lacking = None if yes else store.lacks()
        is_new = lacking is not None and OLDER_RELEASE not in lacking
        if is_new:
            click.echo(f"Job store {alias} isn't there yet, and is made with it: {lacking}", err=True)
        with Admin(
            # What is planned for an empty store is planned for one in memory.
            store_for("sqlite://") if is_new else store,
            timezone=zone,
            job_defaults=configuration.defaults,
            makes=yes or is_new,
            who=target.who,
            why=target.why,
        ) as admin:
            yield (
                alias,
                configuration.sync(admin.sync, alias, prune=prune, take_over=take_over, dry_run=not yes),
            )
