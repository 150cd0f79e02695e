"""``mainspring jobs edit``: changes a job, after it has shown what that means."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from mainspring.cli.configuration import job_of
from mainspring.cli.examples import Command
from mainspring.cli.exits import FOUND_PROBLEMS
from mainspring.cli.output import time_text
from mainspring.cli.times import schedule_reading_options
from mainspring.definition import OPTIONS
from mainspring.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from mainspring.cli.target import Target
    from mainspring.schedulers.syncing import SyncedJob

#: So many of the next times are shown where the schedule changes.
_TIMES = 3
#: What a job has to have, to be read as one of a file.
_ANY_FUNCTION, _ANY_SCHEDULE = "any:function", "@daily"


@click.command(
    cls=Command,
    examples=(
        'mainspring --store jobs.sqlite jobs edit report --schedule "30 3 * * *"',
        'mainspring --store jobs.sqlite jobs edit report --kwargs \'{"to": "team@example.com"}\' --yes',
        "mainspring --store jobs.sqlite jobs edit report --set timeout=10m --set max_instances=2 --yes",
    ),
)
@click.argument("job_id", metavar="ID")
@click.option("--schedule", metavar="EXPR", help="When: a schedule in any dialect.")
@schedule_reading_options
@click.option("--function", metavar="REFERENCE", help="What it calls.")
@click.option("--command", metavar="TEXT", help="Or the command that it runs by the shell.")
@click.option("--args", metavar="JSON", help="A list of arguments.")
@click.option(
    "--kwargs",
    metavar="JSON",
    help="An object of arguments by name; all of them, not only those that change.",
)
@click.option("--name", help="What people see.")
@click.option("--executor", help="The alias of the executor.")
@click.option(
    "--tag",
    "tags",
    multiple=True,
    help="A word by which it is found, in the place of those it has; may be given several times.",
)
@click.option(
    "--set",
    "options",
    metavar="OPTION=VALUE",
    multiple=True,
    help="Any option that a file has for a job; VALUE as JSON (null takes it away), or a text. May be given several times.",
)
@click.option("--yes", is_flag=True, help="Do it; otherwise it is only shown.")
@click.option("--json", "as_json", is_flag=True, help="What changes, as JSON.")
@click.pass_context
def edit(context: click.Context, /, job_id: str, yes: bool, as_json: bool, **given: Any) -> None:
    """Change a job, which keeps its history and, unless its schedule changes, its next run time.

    Shows what would change, and does it with --yes. Without, it exits with 3 if anything would.
    """
    changes = _changes(job_id, {name: value for name, value in given.items() if value not in (None, ())})
    target: Target = context.obj
    with target.open() as admin:
        planned = admin.edit_job(job_id, changes, dry_run=not yes)
        owner, zone = admin.job(job_id).owner, admin.timezone
    if as_json:
        click.echo(json.dumps(planned.to_dict(), indent=2, ensure_ascii=False))
    else:
        _show(planned, zone)
    if planned.action == "keep":
        return
    if owner is not None:
        click.echo(
            f"{job_id} is kept in step with {owner}: the next apply of that changes it back.", err=True
        )
    if not yes:
        click.echo("Nothing was changed; --yes does it.", err=True)
        context.exit(FOUND_PROBLEMS)


def _changes(job_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What `modify_job` is given: read as a file's job would be, of which only what was named is taken.

    Raises:
        click.UsageError: something can't be meant so.
    """
    table: dict[str, Any] = {name: value for name, value in given.items() if name != "options"}
    table.update(_option(text) for text in given.get("options", ()))
    if not table:
        raise click.UsageError("what is to be changed? See --help")
    if "schedule" not in table and table.keys() & {"dialect", "timezone"}:
        raise click.UsageError("--dialect and --schedule-timezone belong to a --schedule")
    for name in ("args", "kwargs"):
        if name in table:
            table[name] = _json(f"--{name}", table[name])
    if "tags" in table:
        table["tags"] = list(table["tags"])
    calls_command = "command" in table
    whole = {"schedule": _ANY_SCHEDULE, **({} if calls_command else {"function": _ANY_FUNCTION}), **table}
    try:
        parameters = job_of(job_id, whole).parameters()
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from error
    named = {"trigger"} if "schedule" in table else set()
    named |= {"func", "args", "kwargs"} if calls_command else {"func"} if "function" in table else set()
    named |= table.keys() & {"args", "kwargs", "name", "executor", *OPTIONS}
    return {name: value for name, value in parameters.items() if name in named}


def _option(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    name = name.strip()
    if not sign or name not in OPTIONS:
        raise click.UsageError(
            f"--set takes OPTION=VALUE, such as timeout=10m, with one of {', '.join(sorted(OPTIONS))}; got {text!r}"
        )
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _json(option: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"{option} takes JSON: {error}") from error


def _show(planned: SyncedJob, zone: tzinfo) -> None:
    if planned.action == "keep":
        click.echo(f"Nothing is different of {planned.id}.")
        return
    click.echo(f"~ {planned.id}")
    for one in planned.differences:
        click.echo(f"    {one.what}: {one.before} -> {one.after}")
    if planned.times_after:
        click.echo(
            f"    next: {', '.join(time_text(time, zone) for time in planned.times_after[:_TIMES])}, …"
        )
