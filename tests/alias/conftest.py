"""Each test starts processes of its own: the alias is for a whole process, and would leak into the other tests."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def python(tmp_path: Path) -> Run:
    """Runs ``python arguments…`` in an empty directory and gives what it printed; a failure fails the test."""

    def run(*arguments: str, path: Sequence[Path] = (), expect: int = 0) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def installed_apscheduler(tmp_path: Path) -> Path:
    """A directory that holds something installed as APScheduler 3.10.4, which says so if it is ever imported."""
    site = tmp_path / "site"
    package = site / "apscheduler"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("print('the installed one')\nversion = '3.10.4'\n")
    (package / "events.py").write_text("")
    metadata = site / "APScheduler-3.10.4.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: APScheduler\nVersion: 3.10.4\n")
    return site
