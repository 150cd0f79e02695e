"""The command `mainspring` with its subcommands, and what all of them have in common."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from mainspring._version import __version__
from mainspring.cli.applying import apply
from mainspring.cli.asking import why as why_command
from mainspring.cli.auditing import audit
from mainspring.cli.completion import completion
from mainspring.cli.databases import db
from mainspring.cli.demonstrating import demo
from mainspring.cli.exits import FAILED, INTERRUPTED
from mainspring.cli.explaining import explain
from mainspring.cli.jobs import jobs
from mainspring.cli.looking import doctor, due_next, groups, nodes, parked, pressure
from mainspring.cli.migrating import migrate
from mainspring.cli.runs import runs
from mainspring.cli.serving import run_scheduler
from mainspring.cli.target import Target
from mainspring.cli.top.command import top
from mainspring.errors import MainspringError, safe_str
from mainspring.masking import without_secrets

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--store",
    envvar="MAINSPRING_STORE",
    metavar="URL",
    help="The job store: the URL of its database, or a file of SQLite's. [env: MAINSPRING_STORE; else the default store of mainspring.toml]",
)
@click.option(
    "--namespace", envvar="MAINSPRING_NAMESPACE", help="The deployment, where several share the database."
)
@click.option(
    "--timezone",
    metavar="ZONE",
    help="In which times are shown, such as Europe/Berlin; the machine's by default.",
)
@click.option(
    "--who",
    envvar="MAINSPRING_WHO",
    metavar="NAME",
    help="Under which name what is done is noted, for `audit`; the user and host by default. [env: MAINSPRING_WHO]",
)
@click.option("--why", metavar="TEXT", help="The reason that is noted with it.")
@click.version_option(__version__, prog_name="mainspring")
@click.pass_context
def mainspring(
    context: click.Context,
    store: str | None,
    namespace: str | None,
    timezone: str | None,
    who: str | None,
    why: str | None,
) -> None:
    """Run jobs on schedules, and look into job stores that schedulers run."""
    context.obj = Target(store, namespace, timezone, who, why)


for command in (
    apply,
    audit,
    completion,
    db,
    demo,
    doctor,
    due_next,
    explain,
    groups,
    jobs,
    migrate,
    nodes,
    parked,
    pressure,
    run_scheduler,
    runs,
    top,
    why_command,
):
    mainspring.add_command(command)


def run(arguments: Sequence[str]) -> int:
    """Run the command line; its exit code."""
    # What a file names may lie beside it. Behind all else, so that nothing there stands in for a library.
    if not {"", os.getcwd()} & set(sys.path):  # noqa: PTH109 - a text is compared
        sys.path.append(os.getcwd())  # noqa: PTH109 - and wanted
    try:
        answer: Any = mainspring.main(list(arguments), prog_name="mainspring", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        sys.stdout = None  # who reads has gone: nothing is to be flushed to them at the end
        return 0
    except (MainspringError, ImportError, LookupError, ValueError, TypeError, OSError) as error:
        click.echo(f"Error: {without_secrets(safe_str(error))}", err=True)
        return FAILED
    return answer if isinstance(answer, int) else 0
