"""How long an operator waits for each command on a big store: ``python -m benchmarks.operating [--jobs N] [--runs N] URL…``.

Each URL is of an empty database of SQLite, PostgreSQL or MySQL, or the path of a file of SQLite's that isn't there. Commands are processes of their own, as they are typed; so
the start of Python is in the figures.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import func, insert, literal, select

import mainspring
from mainspring.jobstores.by_url import store_for

#: Commands by the seconds within which they are to answer.
AIMS: dict[str, float] = {
    "jobs list": 1,
    "jobs list --search job-77 --json": 1,
    "jobs show job-7777": 1,
    "runs list": 1,
    "runs list job-7777": 1,
    "runs list --failed --since 7d": 1,
    "runs chart job-7777": 1,
    "why job-7777": 1,
    "audit": 1,
    "next": 5,
    "next --timeline": 5,
    "pressure": 5,
    "doctor": 5,
    "parked": 5,
    "db check": 15,
    "apply {file}": 5,
    "jobs export /dev/null": 5,
}
#: Each of these is a job's schedule in turn.
_SCHEDULES: list[dict[str, Any]] = [
    {"trigger": "interval", "minutes": 5},
    {"trigger": "cron", "minute": 17},
    {"trigger": "cron", "hour": 2, "minute": 30},
    {"trigger": "cron", "day_of_week": "mon-fri", "hour": 9},
]


def fill(url: str, jobs: int, runs: int) -> None:
    """Make a store with so many jobs, and so many runs of them that have ended, of the last days."""
    store: Any = store_for(url)
    scheduler = mainspring.BackgroundScheduler(jobstores={"default": store}, timezone="UTC")
    scheduler.start(paused=True)
    scheduler.add_jobs(
        [
            {"func": "time:time", "id": f"job-{at}", "tags": [f"tag-{at % 50}"], **_SCHEDULES[at % 4]}
            for at in range(jobs)
        ]
    )
    table, jobs_table = store._backend.tables.runs, store.jobs_t
    now = datetime.now(UTC).replace(microsecond=0)
    count = runs // jobs
    with store.engine.begin() as connection:
        for at in range(count):
            scheduled = now - timedelta(minutes=5 * (at + 1))
            values = {
                "job_id": jobs_table.c.id,
                "scheduled": literal(scheduled, table.c.scheduled.type),
                "attempt": literal(1),
                "outcome": literal("failed" if at % 50 == 7 else "succeeded"),
                "started": literal(scheduled, table.c.started.type),
                "finished": literal(scheduled + timedelta(seconds=1), table.c.finished.type),
                "node": literal("node-1"),
                "cause": literal("schedule"),
                "instances": literal(1),
                "reruns": literal(0),
            }
            known = {name: value for name, value in values.items() if name in table.c}
            connection.execute(
                insert(table).from_select(list(known), select(*(known[name] for name in known)))
            )
        there = connection.execute(select(func.count()).select_from(table)).scalar_one()
    assert there >= count * jobs, there
    scheduler.shutdown()
    if store.kind != "sqlite":
        with store.engine.connect() as connection:
            connection.exec_driver_sql(f"ANALYZE {'TABLE ' if store.kind == 'mysql' else ''}{table.name}")
            connection.commit()


def configuration(folder: Path, url: str, jobs: int) -> Path:
    """A file that says nearly what the store has."""
    file = folder / "big.toml"
    lines = ['owner = "big"', "[stores.default]", f'url = "{url}"']
    for at in range(jobs):
        lines += [
            f"[jobs.new-{at}]",
            'function = "time:time"',
            f'schedule = "{at % 60} {at // 60 % 24} * * *"',
        ]
    file.write_text("\n".join(lines))
    return file


def seconds(arguments: list[str], rounds: int) -> tuple[float, float]:
    """The medians of how long a command takes, and of its processor time, by which machines that do other things are seen through."""
    taken, worked = [], []
    for _ in range(rounds):
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-m", "mainspring", *arguments], capture_output=True, text=True, check=False
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(time.perf_counter() - began)
        worked.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        if done.returncode not in (0, 3):
            raise SystemExit(f"{arguments} failed:\n{done.stderr}")
    return median(taken), median(worked)


def main() -> None:
    """Fill each store, and ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--filled", action="store_true", help="they are filled already")
    parser.add_argument("urls", nargs="+")
    given = parser.parse_args()
    for url in given.urls:
        if not given.filled:
            began = time.perf_counter()
            fill(url, given.jobs, given.runs)
            print(f"filled in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            file = configuration(Path(folder), url, given.jobs)
            for command, aim in AIMS.items():
                took, worked = seconds(["--store", url, *command.format(file=file).split()], given.rounds)
                verdict = "" if took <= aim else "  MISSED"
                shown = command.format(file="FILE")
                print(
                    f"{url.partition(':')[0]:24} {shown:40} {took:6.2f} s, {worked:5.2f} s of its processor  (aim {aim} s){verdict}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
