"""Processes that import the program again ("spawn", "forkserver", and pools of them) leave the jobs to the one that has started them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mainspring import imported_again

HERE = Path(__file__).parent


def run(*arguments, cwd=HERE):
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=False, cwd=cwd
    )


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_scheduler_that_a_program_starts_when_it_is_imported_runs_in_one_process(method):
    ran = run("spawned_program.py", method, "background")
    assert ran.returncode == 0, ran.stderr
    said = ran.stdout.splitlines()
    assert said.count("imported as __main__") == said.count("runs jobs: True") == 1, ran.stdout
    # The worker of the pool, and the process of the program's own, which may have one of its own.
    assert "run in a child of the program: True" in said, ran.stdout
    assert "runs jobs: False" in said
    assert "child runs jobs: True" in said
    assert "The scheduler is not started in process" in ran.stderr
    assert "below if __name__ == '__main__':" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_program_that_is_not_guarded_has_no_chain_of_processes():
    ran = run("spawned_program.py", "spawn", "blocking")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        "imported as __main__",
        "imported as __mp_main__",
        "run in a child of the program: True",
    ]


MODULE = """
import multiprocessing
from mainspring import BackgroundScheduler, ProcessPoolExecutor

def work():
    return scheduler.running, multiprocessing.parent_process().pid

scheduler = BackgroundScheduler(timezone="UTC", executors={"default": ProcessPoolExecutor(1)})
scheduler.start()
"""


def test_a_worker_that_imports_the_module_of_a_function_starts_no_scheduler_of_it(tmp_path):
    (tmp_path / "jobs.py").write_text(MODULE)
    program = (
        "import os, jobs; job = jobs.scheduler.add_job(jobs.work, 'interval', hours=1);"
        "print(job.run_now().wait(60).result, os.getpid()); jobs.scheduler.shutdown()"
    )
    ran = run("-c", program, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    result, pid = ran.stdout.rsplit(" ", 1)
    assert result == f'{{"$type":"tuple","value":[false,{pid.strip()}]}}', ran.stdout + ran.stderr


def test_what_is_imported_for_nobody_else_starts():
    with imported_again.imports_for_another():
        assert imported_again.is_imported_for_another()
    assert not imported_again.is_imported_for_another()
