"""How many of the processor's instructions a job costs, beside an older version of this repository. Needs valgrind.

    .venv/bin/python -m benchmarks.instructions df606a6

Instructions don't depend on what else the machine does, so 2 % can be told apart, which seconds can't. Each program is run with two counts of
jobs, and the difference is divided by theirs: what a start costs is left out. Commits to disk, and the servers', aren't counted.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

CHECKOUT = Path(__file__).resolve().parents[1]
PROGRAM = CHECKOUT / "benchmarks" / "programs" / "counted.py"
WAYS = (
    ("memory", "date"),
    ("memory", "interval"),
    ("memory", "cron"),
    ("memory", "together"),
    ("memory", "due"),
    ("sqlite", "date"),
    ("sqlite", "interval"),
    ("sqlite", "together"),
    ("sqlite", "due"),
    ("sqlite", "signed-due"),
)
FEW, MANY = 500, 2_500


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__)
    parser.add_argument("revision", help="of the version to compare with")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run (default: 3)")
    parser.add_argument("--only", default="", help="the ways that have this in their names")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        older = Path(scratch) / "older"
        subprocess.run(
            ["git", "worktree", "add", "--quiet", "--detach", str(older), arguments.revision],
            check=True,
            cwd=CHECKOUT,
        )
        try:
            print(
                f"| where, what | {arguments.revision} | now | ratio |\n|---|---|---|---|  (thousands of instructions a job)"
            )
            for place, way in WAYS:
                if arguments.only in f"{place} {way}":
                    before, now = (
                        median(counted(tree, place, way, Path(scratch)) for _ in range(arguments.rounds))
                        for tree in (older, CHECKOUT)
                    )
                    print(
                        f"| {place}, {way} | {before / 1000:.1f} | {now / 1000:.1f} | {now / before:.3f} |",
                        flush=True,
                    )
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(older)], check=True, cwd=CHECKOUT)


def counted(tree: Path, place: str, way: str, scratch: Path) -> float:
    """The instructions that one job takes more."""
    few, many = (_run(tree, place, way, count, scratch) for count in (FEW, MANY))
    return (many - few) / (MANY - FEW)


def _run(tree: Path, place: str, way: str, count: int, scratch: Path) -> int:
    file = scratch / "jobs.sqlite"
    for name in scratch.glob("jobs.sqlite*"):
        name.unlink()
    # Compiled modules aren't kept, or the first run would count what the others don't.
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree / "src"),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [
            "valgrind",
            "--tool=cachegrind",
            "--cache-sim=no",
            "--cachegrind-out-file=/dev/null",
            sys.executable,
            str(PROGRAM),
            way,
            str(count),
            "memory" if place == "memory" else f"sqlite:///{file}",
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if done.returncode or found is None:
        raise SystemExit(f"it failed:\n{done.stdout}{done.stderr}")
    return int(found[1].replace(",", ""))


if __name__ == "__main__":
    main()
