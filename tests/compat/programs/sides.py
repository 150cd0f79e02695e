"""What the programs of a theme print on each side.

The original's answers are got by running it, and kept in its environment's folder, which is not a part of the repository, under the hash of all
that they depend on. They are never written by hand.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import servers

HERE = Path(__file__).parent
RELEASE = "3.11.3"
ENVIRONMENT = HERE.parents[2] / ".apscheduler-venvs" / RELEASE
PYTHON = ENVIRONMENT / "bin" / "python"
#: Seconds that all programs of a theme may take on one side.
PATIENCE = 100.0

Answers = dict[str, dict[str, Any]]


class Sides:
    """The answers of both sides, each theme run once in this process, on both at the same time: they wait more than they compute."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[Answers, Answers]] = {}

    def of(self, theme: str) -> tuple[Answers, Answers]:
        """What the programs of a theme print on the original, and on mainspring under its name."""
        if theme not in self._known:
            with ThreadPoolExecutor(2) as pool:
                original = pool.submit(self._kept, theme)
                here = pool.submit(_run, sys.executable, theme, "alias", self._folder)
            self._known[theme] = (original.result(), here.result())
        return self._known[theme]

    def _kept(self, theme: str) -> Answers:
        kept = ENVIRONMENT / "answers" / f"{theme}-{_fingerprint(theme)}.json"
        if kept.exists():
            return json.loads(kept.read_text())
        answers = _run(str(PYTHON), theme, "original", self._folder)
        if "*" not in answers:
            kept.parent.mkdir(exist_ok=True)
            unfinished = kept.with_suffix(f".{os.getpid()}")
            unfinished.write_text(json.dumps(answers))
            unfinished.replace(kept)
        return answers


def needs(theme: str) -> list[str]:
    """The packages that a theme names in a line ``# needs: …``."""
    for line in (HERE / "themes" / f"{theme}.py").read_text().splitlines():
        if line.startswith("# needs:"):
            return line.removeprefix("# needs:").split()
    return []


def leave_out_if_missing(theme: str) -> None:
    """Leaves a test out, aloud, if the original isn't there, or if its theme needs a package that one side lacks."""
    if not PYTHON.exists():
        servers.missing(
            f"APScheduler {RELEASE} is not installed (scripts/install_apschedulers.sh installs it)"
        )
    for package in needs(theme):
        pytest.importorskip(package)
        if not any(ENVIRONMENT.glob(f"lib/python*/site-packages/{package}")):
            servers.missing(
                f"{package} is not installed beside APScheduler {RELEASE} (scripts/install_apschedulers.sh installs it)"
            )


def _fingerprint(theme: str) -> str:
    parts = [(HERE / name).read_bytes() for name in ("kit.py", "runner.py", f"themes/{theme}.py")]
    parts.append((ENVIRONMENT / "pyvenv.cfg").read_bytes())
    parts += sorted(path.name.encode() for path in ENVIRONMENT.glob("lib/python*/site-packages/*.dist-info"))
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _run(python: str, theme: str, side: str, folder: Path) -> Answers:
    place = folder / f"{theme}-{side}"
    place.mkdir(exist_ok=True)
    done = subprocess.run(
        [python, str(HERE / "runner.py"), theme, side],
        cwd=place,
        env={**os.environ, "TZ": "Europe/Berlin", "PYTHONHASHSEED": "0", "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    answers = {answer["name"]: answer for answer in map(json.loads, done.stdout.splitlines())}
    if done.returncode:
        answers["*"] = {"lines": [], "trouble": f"The process ended with {done.returncode}:\n{done.stderr}"}
    return answers
