"""Whatever a job's function hands over, its node goes on, and the run has its outcome."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

import pytest
from nodes import HERE, PATHS, wait_for

from mainspring.executors.pool import ThreadPoolExecutor
from stores import open_store

pytestmark = [pytest.mark.one_python, pytest.mark.timeout(300)]

STORES = [
    "memory",
    "sqlite",
    "postgres",
    "mariadb",
    "redis",
    pytest.param("mongodb", marks=pytest.mark.xdist_group("mongodb")),
]
#: Those that are tried on each change.
OFTEN = ["sqlite", "mariadb"]


@pytest.fixture
def poison(request, tmp_path, tablename):
    """Give poison to a process on a store of a kind; what it says of that."""

    def give(kind, **settings):
        url = {"memory": "memory", "sqlite": f"sqlite:///{tmp_path}/jobs.sqlite"}.get(kind)
        log = tmp_path / "log"
        given = {
            "url": url or request.getfixturevalue(f"{kind}_url"),
            "name": tablename,
            "log": str(log),
            "executor": "threads",
            "workers": 8,
            "patience": 60,  # a busy machine takes twenty seconds to have a process say much
            "only": None,
            "one_by_one": False,
            **settings,
        }
        ended = subprocess.run(
            [sys.executable, str(HERE / "poisoned.py"), json.dumps(given)],
            env={**os.environ, "PYTHONPATH": PATHS},
            capture_output=True,
            timeout=280,
            check=False,
        )
        said = ended.stdout.splitlines()
        assert said, (ended.returncode, ended.stderr[-2000:], log.read_bytes()[-2000:])
        return json.loads(said[-1])

    return give


@pytest.mark.parametrize("kind", OFTEN)
def test_all_poisons_at_once(poison, kind):
    assert poison(kind) == []


@pytest.mark.soak
@pytest.mark.parametrize("executor", ["threads", "processes"])
@pytest.mark.parametrize("kind", STORES)
def test_each_poison_by_itself(poison, kind, executor):
    """So that one of them doesn't hide another."""
    assert poison(kind, one_by_one=True, executor=executor, workers=2) == []


TOGETHER = threading.Barrier(1)


def return_much(size):
    """A result, at the same moment as the others."""
    TOGETHER.wait(60)
    return "x" * size


def tick():
    return 1


@pytest.mark.soak
@pytest.mark.parametrize(("count", "size"), [(300, 60_000), (40, 1_000_000), (1000, 30_000)])
@pytest.mark.parametrize("kind", STORES[1:])
def test_many_large_results_at_once(request, make_scheduler, tmp_path, tablename, kind, count, size):
    """More than a server takes in one statement."""
    url = f"sqlite:///{tmp_path}/jobs.sqlite" if kind == "sqlite" else request.getfixturevalue(f"{kind}_url")
    global TOGETHER
    TOGETHER = threading.Barrier(count)
    scheduler = make_scheduler(
        jobstores={"default": open_store(url, tablename)},
        executors={"default": ThreadPoolExecutor(count), "own": ThreadPoolExecutor(2)},
        start=True,
    )
    scheduler.add_job(tick, "interval", seconds=0.3, id="tick", executor="own")
    scheduler.add_jobs(
        {"func": return_much, "args": [size], "id": f"much{n}", "trigger": "date"} for n in range(count)
    )
    wait_for(
        lambda: (
            len(
                [run for run in scheduler.get_runs(outcome="succeeded", limit=10_000) if run.job_id != "tick"]
            )
            == count
        ),
        "outcomes",
        60,
    )
    before = len(scheduler.get_runs("tick", outcome="succeeded", limit=10_000))
    wait_for(
        lambda: len(scheduler.get_runs("tick", outcome="succeeded", limit=10_000)) > before, "next tick", 10
    )
    begin = time.monotonic()
    scheduler.shutdown()
    assert time.monotonic() - begin < 10
