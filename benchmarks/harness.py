"""Runs measured programs beside APScheduler's, fairly, and prints what came out.

Every figure comes from a process of its own. The programs to be compared take turns (A B A B …), so that a machine that
slows down slows all of them, and the median of the rounds is taken. All run on the same interpreter, that of
``.bench-venv``, where APScheduler 3.11.3 is installed and mainspring is not: it comes from this checkout's ``src``. A
program for both is one text: for mainspring, ``apscheduler`` is replaced in it.

Nothing is kept: the environment is made once, the results are printed and forgotten.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

CHECKOUT = Path(__file__).resolve().parents[1]
PROGRAMS = CHECKOUT / "benchmarks" / "programs"
ENVIRONMENT = CHECKOUT / ".bench-venv"
APSCHEDULER = "apscheduler==3.11.3"
DATABASES = (
    "sqlalchemy>=2.0.30",
    "psycopg[binary]>=3.2",
    "pgqueuer>=1.6",
    "asyncpg>=0.30",
    "redis>=5",
    "pymongo>=4.9",
)


@dataclass(frozen=True)
class Measured:
    """A program to measure.

    Attributes:
        name: of a file in ``programs``, without its suffix. It prints one JSON object: figures by their names.
        arguments: that it is called with.
        library: whose modules it is to import: ``"mainspring"`` or ``"apscheduler"``.
    """

    name: str
    arguments: tuple[object, ...] = ()
    library: str = "mainspring"


def measure(programs: list[Measured], rounds: int) -> list[dict[str, float]]:
    """For each program the median of each figure that it prints, of `rounds` runs in turns.

    Raises:
        SystemExit: a program failed; what it printed is shown.
    """
    python = prepared_python()
    results: list[list[dict[str, float]]] = [[] for _ in programs]
    with tempfile.TemporaryDirectory() as scratch:
        for turn in range(rounds):
            for program, figures in zip(programs, results, strict=True):
                _say(
                    f"{program.library}: {program.name} {' '.join(map(str, program.arguments))}, {turn + 1} of {rounds}"
                )
                figures.append(_run(python, program, Path(scratch)))
    _say("")
    return [{key: median(each[key] for each in figures) for key in figures[0]} for figures in results]


def _run(python: Path, program: Measured, scratch: Path) -> dict[str, float]:
    folder = scratch / program.library
    folder.mkdir(exist_ok=True)
    for name in (program.name, "opened"):
        text = (PROGRAMS / f"{name}.py").read_text()
        (folder / f"{name}.py").write_text(text.replace("apscheduler", program.library))
    script = folder / f"{program.name}.py"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if program.library == "mainspring":
        environment["PYTHONPATH"] = str(CHECKOUT / "src")
    done = subprocess.run(
        [python, script, *map(str, program.arguments)],
        env=environment,
        cwd=scratch,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"{program} failed:\n{done.stdout}{done.stderr}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def prepared_python() -> Path:
    python = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin") / "python"
    ready = ENVIRONMENT / ".ready"
    wanted = " ".join([APSCHEDULER, *DATABASES])
    if not ready.exists() or ready.read_text() != wanted:
        print(f"Making {ENVIRONMENT.name} with {APSCHEDULER}.", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
        install = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            APSCHEDULER,
            *DATABASES,
        ]
        subprocess.run(install, check=True)
        ready.write_text(wanted)
    return python


def _say(words: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)


def show(title: str, rows: list[tuple[str, ...]], headings: tuple[str, ...]) -> None:
    """Print a table: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    print(title)
    for row in [headings, tuple("-" * width for width in widths), *rows]:
        first, *others = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([first, *others]).rstrip())
    print(flush=True)
