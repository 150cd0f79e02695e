from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import servers

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parents[1] / ".apscheduler-venvs"
RELEASES = ("3.5.1", "3.6.3", "3.10.4", "3.11.3")


@pytest.fixture
def write_old_jobs(tmp_path):
    """Has a release of APScheduler write jobs to a database; their next run times, by their ids."""

    def write(release: str, url: str, count: int = 0) -> dict[str, float | None]:
        python = ENVIRONMENTS / release / "bin" / "python"
        if not python.exists():
            servers.missing(
                f"APScheduler {release} is not installed (scripts/install_apschedulers.sh installs it)"
            )
        (tmp_path / "gone").mkdir(exist_ok=True)
        (tmp_path / "gone" / "gone.py").write_text("def function(): pass\n")
        done = subprocess.run(
            [str(python), "-W", "ignore", str(HERE / "write_old_jobs.py"), url, str(count)],
            env={**os.environ, "PYTHONPATH": str(HERE), "GONE": str(tmp_path / "gone")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        lines = [line.split() for line in done.stdout.splitlines()]
        return {job_id: None if moment == "-" else float(moment) for job_id, moment in lines}

    return write
