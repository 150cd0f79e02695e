"""The measured programs still run; how fast is for `make bench` to say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_python

PROGRAMS = Path(__file__).parents[1] / "benchmarks" / "programs"


@pytest.mark.parametrize(
    "command",
    [
        "adding 20",
        "adding_many 20",
        "bare_pool 20",
        "bare_sql 20 sqlite:///bench.sqlite",
        "due_coroutines 20",
        "due_jobs 20",
        "growing 20",
        "idle_loop 0.2",
        "stored_backfill 20 sqlite:///bench.sqlite",
        "stored_jobs 20 sqlite:///bench.sqlite",
        "stored_lateness 20 sqlite:///bench.sqlite",
        "stored_many 20 sqlite:///bench.sqlite",
    ],
    ids=lambda command: command.split()[0],
)
def test_a_program_prints_its_figures(tmp_path, command):
    name, *arguments = command.split()
    for each in (name, "opened"):
        text = (PROGRAMS / f"{each}.py").read_text()
        (tmp_path / f"{each}.py").write_text(text.replace("apscheduler", "mainspring"))
    ran = subprocess.run(
        [sys.executable, f"{name}.py", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    figures = json.loads(ran.stdout.splitlines()[-1])
    assert figures
    assert all(isinstance(value, (int, float)) for value in figures.values())
