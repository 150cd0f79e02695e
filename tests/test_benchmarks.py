"""The measured programs still run; how fast is for `make bench` to say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parents[1] / "benchmarks" / "programs"


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("adding", 20),
        ("adding_many", 20),
        ("bare_pool", 20),
        ("due_coroutines", 20),
        ("due_jobs", 20),
        ("growing", 20),
        ("idle_loop", 0.2),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_program_prints_its_figures(tmp_path, name, argument):
    script = tmp_path / "program.py"
    script.write_text((PROGRAMS / f"{name}.py").read_text().replace("apscheduler", "mainspring"))
    ran = subprocess.run(
        [sys.executable, script, str(argument)], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    figures = json.loads(ran.stdout.splitlines()[-1])
    assert figures
    assert all(isinstance(value, (int, float)) for value in figures.values())
