"""How fast and how late coroutines run on a loop of asyncio: mainspring beside APScheduler 3.11.3. ``make bench`` runs this.

Both have a memory store, no listeners and no logging; ``misfire_grace_time`` is ``None`` for both.
"""

from __future__ import annotations

import argparse
import platform

from benchmarks.harness import Measured, measure, show

DUE = 20_000
A_SECOND = 1_000
IDLE = 5  # seconds


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loops", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often each program is run (default: 7)")
    rounds = parser.parse_args().rounds

    print(f"Python {platform.python_version()}, {platform.machine()}; medians of {rounds}.\n")
    due, due_there = measure(_both("due_coroutines", DUE), rounds)
    late, late_there = measure(_both("coroutine_lateness", A_SECOND), rounds)
    idle, idle_there = measure(_both("idle_loop", IDLE), 1)
    rows = [
        _row(
            f"{DUE:,} due coroutines, a second", due, due_there, "per_second", "{:,.0f}", "at least 1, aim 3"
        ),
        _row(f"lateness at {A_SECOND:,}/s, p50, ms", late, late_there, "p50", "{:.3f}", "at most 1"),
        _row(f"lateness at {A_SECOND:,}/s, p99, ms", late, late_there, "p99", "{:.3f}", "at most 1"),
    ]
    rows.append(
        (
            f"wake-ups of an idle loop in {IDLE} s",
            f"{idle['wakes']:.0f}",
            f"{idle_there['wakes']:.0f}",
            "",
            "0",
        )
    )
    show("AsyncIOScheduler", rows, ("", "mainspring", "APScheduler", "ratio", "wanted"))


def _both(program: str, argument: object) -> list[Measured]:
    return [Measured(program, (argument,)), Measured(program, (argument,), "apscheduler")]


def _row(
    words: str, here: dict[str, float], there: dict[str, float], key: str, form: str, wanted: str
) -> tuple[str, ...]:
    ratio = here[key] / there[key]
    return (words, form.format(here[key]), form.format(there[key]), f"{ratio:.2f}", wanted)


if __name__ == "__main__":
    main()
