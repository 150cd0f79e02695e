"""A scheduler that is shut down and started again, many times: no thread, no file and no connection more than at first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import mainspring

HERE = Path(__file__).parent
PATHS = f"{HERE}:{HERE.parent}:{Path(mainspring.__path__[0]).parent}"
SCHEDULERS = ["blocking", "background", "asyncio", "tornado", "gevent", "twisted", "qt-pyside6"]
STORES = ["memory", "sqlite", "postgres", "mariadb", "redis", "mongodb"]
#: On each change the schedulers on the store that needs no server, and the stores under one of them.
IN_CI = {("background", store) for store in ("memory", "postgres", "redis")} | {
    (scheduler, "sqlite") for scheduler in ("asyncio", "gevent")
}

pytestmark = [
    pytest.mark.one_python,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads and files are counted in /proc"),
]


def pairs(*, soak: bool):
    for scheduler in SCHEDULERS:
        for store in STORES:
            marks = [pytest.mark.xdist_group("mongodb")] if store == "mongodb" else []
            if soak:
                marks.append(pytest.mark.soak)
            if soak or (scheduler, store) in IN_CI:
                yield pytest.param(scheduler, store, id=f"{scheduler}-{store}", marks=marks)


def check(request, scheduler: str, store: str, tablename: str, tmp_path: Path, count: int) -> None:
    url = {"memory": "memory", "sqlite": f"sqlite:///{tmp_path}/jobs.sqlite"}.get(store)
    url = url or request.getfixturevalue(f"{store}_url")
    ran = subprocess.run(
        [
            sys.executable,
            "-X",
            "faulthandler",
            str(HERE / "cycles.py"),
            scheduler,
            url,
            tablename,
            str(count),
        ],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": PATHS},
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    first, last = map(Counter, json.loads(ran.stdout.splitlines()[-1]))
    assert last <= first, f"{last - first} more than {first}"


@pytest.mark.parametrize(("scheduler", "store"), [*pairs(soak=False)])
def test_a_few_times(request, scheduler, store, tablename, tmp_path):
    check(request, scheduler, store, tablename, tmp_path, 3)


@pytest.mark.parametrize(("scheduler", "store"), [*pairs(soak=True)])
def test_many_times(request, scheduler, store, tablename, tmp_path):
    check(request, scheduler, store, tablename, tmp_path, 50)
