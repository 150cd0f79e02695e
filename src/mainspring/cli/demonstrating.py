"""``mainspring demo``: a scheduler with three jobs, watched for some seconds, and what to look at next."""

from __future__ import annotations

import random
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import click

from mainspring.cli.examples import Command
from mainspring.cli.output import counted, duration_text
from mainspring.clock import REAL_CLOCK  # noqa: TID251 - how long it is watched
from mainspring.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from mainspring.jobstores.by_url import store_for
from mainspring.printable import printable
from mainspring.schedulers.background import BackgroundScheduler

if TYPE_CHECKING:
    from mainspring.events import JobExecutionEvent

__all__ = ["demo", "greet", "measure", "stumble"]

#: So wide is a line, at most.
_WIDTH = 60


def greet() -> str:
    """What the job ``greet`` runs."""
    return "hello"


def measure() -> str:
    """What the job ``measure`` runs."""
    return f"{random.gauss(20, 2):.1f} degrees"


def stumble() -> str:
    """What the job ``stumble`` runs: it fails, so that there is something to be found."""
    raise ValueError("this one fails, for you to find it")


_JOBS = (
    (greet, "every second", 1),
    (measure, "every 3 seconds", 3),
    (stumble, "every 5 seconds", 5),
)


@click.command(cls=Command, examples=("mainspring demo", "mainspring demo --seconds 30 --file demo.sqlite"))
@click.option(
    "--seconds", type=click.FloatRange(1), default=12.0, show_default=True, help="How long it runs."
)
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("demo.sqlite"),
    show_default=True,
    help="Where its jobs and runs are kept.",
)
def demo(seconds: float, file: Path) -> None:
    """Run three jobs for some seconds, show each run, and say what to look at next."""
    ended: SimpleQueue[JobExecutionEvent] = SimpleQueue()
    scheduler = BackgroundScheduler(jobstores={"default": store_for(str(file))})
    scheduler.add_listener(ended.put, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    click.echo(f"Three jobs, kept in {file}, for {seconds:g} s:")
    for function, words, interval in _JOBS:
        name = function.__name__
        scheduler.add_job(function, "interval", id=name, replace_existing=True, seconds=interval)
        click.echo(f"  {name:<8} {words}")
    scheduler.start()
    outcomes = {"succeeded": 0, "failed": 0}
    try:
        end = REAL_CLOCK.monotonic() + seconds
        while (left := end - REAL_CLOCK.monotonic()) > 0:
            try:
                event = ended.get(timeout=left)
            except Empty:
                break
            outcomes[_show(event)] += 1
    finally:
        scheduler.shutdown()
        while not ended.empty():
            outcomes[_show(ended.get())] += 1
    click.echo(f"{counted(outcomes['succeeded'], 'run')} succeeded, {outcomes['failed']} failed.")
    click.echo("They are all in the file. Look into it:")
    for command in ("runs list --failed", "why stumble", "doctor"):
        click.echo(f"  mainspring --store {file} {command}")


def _show(event: JobExecutionEvent) -> str:
    """A line for a run; its outcome."""
    outcome = "succeeded" if event.exception is None else "failed"
    said = printable(str(event.retval if event.exception is None else event.exception))
    line = f"  {event.job_id:<8} {outcome:<9}  {duration_text(event.duration):>7}  {said}"
    click.echo(line[:_WIDTH])
    return outcome
