"""Runs the demo, and ends it with a summary."""

from __future__ import annotations

import argparse
import logging
import sys
from contextlib import suppress
from pathlib import Path

from examples.demo import live_table, plain_lines
from examples.demo.foreground import foreground
from examples.demo.jobs import schedule
from examples.demo.record import Record, counted
from examples.demo.website import Website

from mainspring import BackgroundScheduler


def main() -> None:
    """Read the command line, and run."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.demo",
        description="Fetch pages from a local web server by date, interval and cron, and watch it happen. "
        "Jobs and their runs are kept in a SQLite file.",
    )
    parser.add_argument("--seconds", type=float, default=30, help="how long to run (default: 30)")
    parser.add_argument("--plain", action="store_true", help="print lines, in a terminal too")
    parser.add_argument(
        "--database", default="demo.sqlite", help="the file that keeps jobs and runs (default: demo.sqlite)"
    )
    arguments = parser.parse_args()
    show = live_table.show if sys.stdout.isatty() and not arguments.plain else plain_lines.show

    # A failing job is logged with its traceback; here it has a row of its own.
    logging.getLogger("apscheduler").addHandler(logging.NullHandler())

    record = Record()
    scheduler = BackgroundScheduler()
    scheduler.add_jobstore("sqlalchemy", url=f"sqlite:///{arguments.database}")
    with foreground(), Website() as website:
        with suppress(KeyboardInterrupt):
            schedule(scheduler, website.url)
            scheduler.start()
            show(scheduler, record, arguments.seconds)
            kept = counted(len(scheduler.get_runs(limit=1_000_000)), "run")
            print(
                f"{arguments.database} keeps {kept}, of this demo and of those before: the next one goes on from here."
            )
        scheduler.shutdown(wait=True, timeout=5)
    print(record.summary())
    print("Next, look into it from outside:")
    for words in ("jobs list", "runs list --failed", "doctor"):
        print(f"  {_command()} --store {arguments.database} {words}")


def _command() -> str:
    """How the command line is called from here."""
    beside = Path(sys.executable).with_name("mainspring")
    try:
        return str(beside.relative_to(Path.cwd()))
    except ValueError:
        return "mainspring"


main()
