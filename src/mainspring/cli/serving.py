"""``mainspring run``: a scheduler without a program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mainspring.cli.configuration import Configuration
from mainspring.cli.examples import Command
from mainspring.cli.logs import set_up_logs
from mainspring.cli.target import USUAL_FILE
from mainspring.jobstores.by_url import store_for
from mainspring.references import ref_to_obj
from mainspring.schedulers.base import BaseScheduler
from mainspring.schedulers.blocking import BlockingScheduler

if TYPE_CHECKING:
    from mainspring.cli.target import Target

#: SIGTERM's number and what shells add to it.
_BY_SIGTERM = 143


@click.command(
    "run",
    cls=Command,
    examples=(
        "mainspring run",
        "mainspring run jobs.toml --check",
        "mainspring run myapp.scheduling:scheduler",
        "mainspring --store jobs.sqlite run",
    ),
)
@click.argument("what", metavar="[FILE|MODULE:SCHEDULER]", required=False)
@click.option(
    "--shutdown-timeout",
    type=click.FloatRange(0),
    default=25.0,
    show_default=True,
    help="Seconds that running jobs may take to end when it is told to stop.",
)
@click.option("--check", is_flag=True, help="Load each function, say what would be run, and run nothing.")
@click.option(
    "--log-format",
    type=click.Choice(["plain", "json"]),
    default="plain",
    show_default=True,
    help="How the log is written, to standard error.",
)
@click.option("--verbose", "-v", is_flag=True, help="Log all that is done.")
@click.pass_obj
def run_scheduler(
    target: Target, what: str | None, shutdown_timeout: float, check: bool, log_format: str, verbose: bool
) -> None:
    """Run a scheduler: the jobs of a file, mainspring.toml by default; those of a store; or a scheduler of a program.

    SIGTERM and Ctrl-C let what runs end, and give back what hasn't begun; a second one ends at once.
    """
    set_up_logs(log_format, verbose=verbose)
    if what is not None and ":" in what and not Path(what).exists():
        scheduler, configuration = _of_program(what), None
    else:
        configuration = _configuration(target, what)
        scheduler = _made(target, configuration)
    if check:
        _check(configuration)
        return
    scheduler.configure(shutdown_timeout=shutdown_timeout)
    if configuration is not None:
        configuration.apply_to(scheduler)
    _run(scheduler)


def _run(scheduler: BlockingScheduler) -> None:
    """Run to the end. To be told to stop, and to have stopped in order, is no failure."""
    try:
        scheduler.start()
    except KeyboardInterrupt:
        return
    except SystemExit as end:
        if end.code != _BY_SIGTERM:
            raise


def _of_program(reference: str) -> BlockingScheduler:
    found = ref_to_obj(reference)
    if isinstance(found, BlockingScheduler):
        return found
    if isinstance(found, BaseScheduler):
        raise click.UsageError(
            f"{reference} is a {type(found).__name__}, whose start() doesn't run it to its end: give a BlockingScheduler"
        )
    raise click.UsageError(f"{reference} is no scheduler: it is of the type {type(found).__name__}")


def _configuration(target: Target, path: str | None) -> Configuration:
    if path is not None:
        return Configuration.read(Path(path))
    if USUAL_FILE.exists():
        return Configuration.read(USUAL_FILE)
    if target.store is None:
        raise click.UsageError(
            f"what is to be run? There is no {USUAL_FILE} here: give a file, module:scheduler, or --store URL to run the jobs of a store"
        )
    return Configuration({}, "no file")


def _made(target: Target, configuration: Configuration) -> BlockingScheduler:
    options: dict[str, Any] = dict(configuration.scheduler)
    if target.timezone is not None:
        options["timezone"] = target.timezone
    stores: dict[str, Any]
    if target.store is None:
        stores = dict(configuration.stores())
    else:
        stores = {"default": store_for(target.store, namespace=target.namespace)}
    return BlockingScheduler(
        jobstores=stores, executors=configuration.executors(), job_defaults=configuration.defaults, **options
    )


def _check(configuration: Configuration | None) -> None:
    """Load each function of a file; what can't be is raised."""
    jobs = () if configuration is None else configuration.jobs
    for job in jobs:
        ref_to_obj(job.function)
        click.echo(f"{job.id}: {job.function} can be loaded")
    click.echo(f"{len(jobs)} jobs, nothing is wrong with them.")
