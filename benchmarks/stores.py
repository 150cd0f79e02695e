"""How fast stored jobs are added and run: mainspring beside APScheduler 3.11.3, on SQLite, PostgreSQL, Redis and MongoDB. ``make bench`` runs
this.

Both have ten threads, no logging and no listeners, and APScheduler's grace time is off. mainspring records every run, and is
timed until the last outcome is written; APScheduler keeps no record. Both databases keep what was committed (SQLite with
``synchronous=FULL``, PostgreSQL with its defaults); servers are started for this, on the same machine. Redis keeps nothing on disk here, so
that it isn't the disk that is measured. In MongoDB's place stands SecantusDB, if no ``mongod`` is installed: its figures say nothing of MongoDB.

The bare loop writes the same rows by hand, and runs nothing. PgQueuer is a queue on PostgreSQL: it schedules nothing, and runs its jobs as
coroutines on one loop, in batches of 100.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import Measured, measure, show

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import servers

DUE = 10_000
DUE_SLOW = 2_000
BACKFILLED = 5_000
A_SECOND, A_SECOND_REDIS = 200, 100
FEW, MANY = 1_000, 1_000_000


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stores", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each program is run (default: 5)")
    parser.add_argument("--quick", action="store_true", help="one round, without the million")
    arguments = parser.parse_args()
    rounds = 1 if arguments.quick else arguments.rounds

    print(f"Python {platform.python_version()}, {platform.machine()}; medians of {rounds}.\n")
    with tempfile.TemporaryDirectory() as folder:
        database(f"sqlite:///{folder}/bench.sqlite", "SQLite", rounds, ("20", "3", "40"))
        lateness(f"sqlite:///{folder}/late.sqlite", "SQLite", rounds)
        if not arguments.quick:
            many(f"sqlite:///{folder}/many.sqlite", "SQLite")
    server = servers.Postgres(durable=True)
    try:
        database(server.url, "PostgreSQL", rounds, ("8", "", ""))
        lateness(server.url, "PostgreSQL", rounds)
        if not arguments.quick:
            many(server.url, "PostgreSQL")
    finally:
        server.stop()
        server.remove()
    for made, due, wanted, bare in (
        (servers.RedisServer, DUE, "8", None),
        (servers.MongoDB, DUE_SLOW, "5", "bare_mongodb"),
    ):
        server = made()
        name = "Redis" if made is servers.RedisServer else "MongoDB" if server.is_real else "SecantusDB"
        try:
            beside(server.url, name, rounds, due, (wanted, "", ""), bare)
            if name == "Redis":
                lateness(server.url, name, rounds, A_SECOND_REDIS)
        finally:
            server.stop()
            server.remove()


def beside(
    url: str, name: str, rounds: int, due: int, wanted: tuple[str, str, str], bare: str | None
) -> None:
    """Due jobs, and adding, on servers other than databases.

    Args:
        bare: the program with a loop by hand, if there is one.
    """
    programs = [Measured("stored_jobs", (due, url)), Measured("stored_jobs", (due, url), "apscheduler")]
    if bare is not None:
        programs.append(Measured(bare, (due, url)))
    here, there, *limits = measure(programs, rounds)
    rows = rows_of(here, there, due, wanted)
    rows += [bare_row(here, limit, "at least 1/2") for limit in limits]
    show(f"Jobs a second on {name}", rows, HEADINGS)


HEADINGS = ("", "mainspring", "APScheduler", "ratio", "wanted")


def rows_of(
    here: dict[str, float], there: dict[str, float], due: int, wanted: tuple[str, str, str]
) -> list[tuple[str, ...]]:
    """The figures of both libraries, side by side."""
    return [
        (
            words,
            f"{here[key]:,.0f}",
            f"{there[key]:,.0f}",
            f"{here[key] / there[key]:.1f}",
            f"at least {least}" if least else "",
        )
        for words, key, least in [
            (f"{due:,} due jobs, 10 threads", "per_second", wanted[0]),
            ("add_job", "add_job", wanted[1]),
            ("add_jobs", "add_jobs", wanted[2]),
        ]
    ]


def bare_row(here: dict[str, float], bare: dict[str, float], wanted: str) -> tuple[str, ...]:
    """The figures beside those of a loop by hand."""
    ours, limit = here["per_second"], bare["per_second"]
    return "beside a bare loop", f"{ours:,.0f}", f"{limit:,.0f} (bare)", f"1/{limit / ours:.1f}", wanted


def database(url: str, name: str, rounds: int, wanted: tuple[str, str, str]) -> None:
    """Due jobs, and adding."""
    programs = [
        Measured("stored_jobs", (DUE, url)),
        Measured("stored_jobs", (DUE, url), "apscheduler"),
        Measured("bare_sql", (DUE, url)),
        Measured("stored_backfill", (BACKFILLED, url)),
    ]
    if url.startswith("postgresql"):
        programs.append(Measured("pgqueuer_due", (DUE, url), "pgqueuer"))
    here, there, bare, backfill, *queues = measure(programs, rounds)
    rows = rows_of(here, there, DUE, wanted)
    rows.append(bare_row(here, bare, "at least 1/4"))
    rows.append((f"{BACKFILLED:,} runs of a backfill", f"{backfill['per_second']:,.0f}", "", "", ""))
    for queue in queues:
        ours, theirs = here["per_second"], queue["per_second"]
        rows.append(
            ("beside PgQueuer", f"{ours:,.0f}", f"{theirs:,.0f} (PgQueuer)", f"{ours / theirs:.1f}", "aim 1")
        )
    show(f"Jobs a second on {name}", rows, HEADINGS)


def lateness(url: str, name: str, rounds: int, rate: int = A_SECOND) -> None:
    """From when a run is due to when its function is called."""
    (here,) = measure([Measured("stored_lateness", (rate, url))], rounds)
    rows = [("p50", f"{here['p50']:.2f}", ""), ("p99", f"{here['p99']:.2f}", "under 5")]
    show(f"Lateness at {rate} runs a second on {name}, ms", rows, ("", "mainspring", "wanted"))


def many(url: str, name: str) -> None:
    """Whether a claim takes longer where very many jobs are stored."""
    few, lots = measure([Measured("stored_many", (FEW, url)), Measured("stored_many", (MANY, url))], 1)
    ratio = lots["milliseconds"] / few["milliseconds"]
    rows = [("", f"{few['milliseconds']:.1f}", f"{lots['milliseconds']:.1f}", f"{ratio:.2f}", "at most 2")]
    show(f"Claiming 100 due jobs on {name}, ms", rows, ("", f"of {FEW:,}", f"of {MANY:,}", "ratio", "wanted"))


if __name__ == "__main__":
    main()
