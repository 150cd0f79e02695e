"""The seed's program with four kinds of parts: stores in MongoDB and SQLite, threads and processes."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "programs" / "stores.py"


def test_it_runs_under_the_alias(tmp_path):
    for name in ("mainspring.jobstores.mongodb", "mainspring.jobstores.sqlalchemy", "pymongo", "sqlalchemy"):
        if find_spec(name) is None:
            pytest.skip(f"{name} is not there")
    command = [sys.executable, "-m", "mainspring.as_apscheduler", str(PROGRAM)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
