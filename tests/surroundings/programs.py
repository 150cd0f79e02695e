"""Runs programs where Python, or the machine, is not quite as elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import tzlocal

import mainspring
from servers import missing

SOURCE = Path(mainspring.__path__[0]).parent
#: Where what the project stands on is installed.
PACKAGES = Path(tzlocal.__path__[0]).parent
CHECKOUT = Path(__file__).resolve().parents[2]


def run(command, *, status=0, timeout=100, **options):
    """What a command prints, and logs; it ends with this status."""
    ran = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        **options,
    )
    assert ran.returncode == status, f"{ran.stdout}\n{ran.stderr}"
    return ran.stdout, ran.stderr


def run_on_changed_machine(folder, changes, program, *options, **environment):
    """Run a Python program where a shell script has changed what is mounted, for that program alone."""
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "--mount", "true"], check=False).returncode
    ):
        missing("there is no right to mount what only one process sees")
    script = folder / "changes.sh"
    script.write_text(f'set -e\n{changes}\nexec "$@"\n')
    return run(
        ["unshare", "--mount", "sh", script, sys.executable, *options, "-c", program],
        env={**os.environ, "PYTHONPATH": str(SOURCE), **environment},
    )


def environment_with(folder, *packages):
    """The Python of a new environment that has mainspring, as it would be installed, and these packages."""
    python = folder / "environment" / "bin" / "python"
    run([sys.executable, "-m", "venv", folder / "environment"])
    install = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        f"{CHECKOUT}[sqlalchemy]",
        *packages,
    ]
    ran = subprocess.run(
        [str(part) for part in install], capture_output=True, text=True, timeout=400, check=False
    )
    if ran.returncode:
        missing(f"there is no {' '.join(packages)}, or no package index: {ran.stderr[-500:]}")
    return python
