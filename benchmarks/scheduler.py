"""How fast jobs are added and run, and how late: mainspring beside APScheduler 3.11.3. ``make bench`` runs this.

To be fair to APScheduler, it is set up as mainspring is by default: ``misfire_grace_time`` is ``None`` (otherwise most of
50,000 jobs that are due at once would be dropped, which is fast). Both have a memory store, ten threads, and no logging.
Neither has listeners. APScheduler has no `add_jobs`, so it adds in a loop there.

The bare loop is what the scheduler's speed is held against: it hands the same function to the same thread pool, and
nobody is told of anything.

``--quick`` runs each program once, and leaves out the million, to see whether all of it works.
"""

from __future__ import annotations

import argparse
import platform

from benchmarks.harness import Measured, measure, show

DUE = 50_000
ADDED = 10_000
FEW, MANY = 10_000, 1_000_000
A_SECOND = 2_000


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scheduler", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often each program is run (default: 7)")
    parser.add_argument("--quick", action="store_true", help="one round, without the million")
    arguments = parser.parse_args()
    rounds = 1 if arguments.quick else arguments.rounds

    print(f"Python {platform.python_version()}, {platform.machine()}; medians of {rounds}.\n")
    speed(rounds)
    lateness(rounds)
    if not arguments.quick:
        million(min(rounds, 3))


def speed(rounds: int) -> None:
    """Due jobs through ten threads, and adding."""
    due, due_there, bare = measure(
        [
            Measured("due_jobs", (DUE,)),
            Measured("due_jobs", (DUE,), "apscheduler"),
            Measured("bare_pool", (DUE,)),
        ],
        rounds,
    )
    one, one_there = measure(
        [Measured("adding", (ADDED,)), Measured("adding", (ADDED,), "apscheduler")], rounds
    )
    many, many_there = measure(
        [Measured("adding_many", (ADDED,)), Measured("adding_many", (ADDED,), "apscheduler")], rounds
    )
    rows = []
    for words, ours, theirs, wanted in [
        (f"{DUE:,} due jobs, 10 threads", due, due_there, "4"),
        (f"add_job, {ADDED:,} times", one, one_there, "1.5"),
        (f"add_jobs of {ADDED:,}", many, many_there, "5"),
    ]:
        ours_there = (ours["per_second"], theirs["per_second"])
        rows.append(
            (words, *(f"{each:,.0f}" for each in ours_there), _ratio(*ours_there), f"at least {wanted}")
        )
    rows.append(
        (
            f"{DUE:,} due jobs, beside a bare loop",
            f"{due['per_second']:,.0f}",
            f"{bare['per_second']:,.0f} (bare)",
            _ratio(due["per_second"], bare["per_second"]),
            "at least 0.6",
        )
    )
    show("Jobs a second", rows, ("", "mainspring", "APScheduler", "ratio", "wanted"))


def lateness(rounds: int) -> None:
    """From when a run is due to when its function is called."""
    here, there = measure(
        [Measured("lateness", (A_SECOND,)), Measured("lateness", (A_SECOND,), "apscheduler")], rounds
    )
    rows = [
        (key, f"{here[key]:.3f}", f"{there[key]:.3f}", _ratio(here[key], there[key]), "at most 1")
        for key in ("p50", "p99")
    ]
    show(
        f"Lateness at {A_SECOND:,} runs a second, ms",
        rows,
        ("", "mainspring", "APScheduler", "ratio", "wanted"),
    )


def million(rounds: int) -> None:
    """Whether a million jobs cost more for each than ten thousand do."""
    few, many = measure([Measured("growing", (FEW,)), Measured("growing", (MANY,))], rounds)
    rows = [
        (words, f"{few[key]:,.1f}", f"{many[key]:,.1f}", _ratio(many[key], few[key]), "at most 2")
        for words, key in [("adding one, µs", "adding"), ("firing one, µs", "firing")]
    ]
    rows.append(("memory of one, bytes", f"{few['bytes']:,.0f}", f"{many['bytes']:,.0f}", "", "under 1,200"))
    show(
        f"Jobs in a memory store (medians of {rounds})",
        rows,
        ("", f"{FEW:,}", f"{MANY:,}", "ratio", "wanted"),
    )


def _ratio(one: float, other: float) -> str:
    return f"{one / other:.2f}"


if __name__ == "__main__":
    main()
