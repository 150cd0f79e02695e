"""The script that counts the calls of a job counts what it says."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "walk.py"


@pytest.fixture(scope="module")
def walk() -> Any:
    spec = importlib.util.spec_from_file_location("walk_of_a_job", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["walk_of_a_job"] = module
    spec.loader.exec_module(module)
    return module


def test_what_does_not_grow_with_the_jobs_is_left_out(walk: Any) -> None:
    upkeep, woken, ended = (
        walk.Call("loop", "upkeep.py", "look"),
        walk.Call("loop", "base.py", "Base._process_jobs"),
        walk.Call("worker", "run.py", "perform"),
    )
    few = Counter({upkeep: 3, ended: walk.FEW, woken: walk.FEW})
    many = Counter({upkeep: 4, ended: 2 * walk.MANY - walk.FEW, woken: walk.MANY})
    rates = walk.walk(few, many)
    assert list(rates.items()) == [(woken, 1.0), (ended, 2.0)]  # from where the loop wakes
    assert walk.table(rates).splitlines()[2:] == [
        "| loop | `base.py` | 1 | `_process_jobs` |",
        "| worker | `run.py` | 2 | `perform` 2 times |",
    ]


def test_each_job_that_is_added_is_counted(walk: Any) -> None:
    counts = walk.added({"type": "memory"}, 3)
    added = [count for call, count in counts.items() if call.function.endswith(".add_job")]
    assert added == [3]
    assert not [call for call in counts if call.file.endswith("dispatch.py") and call.thread == "MainThread"]


def test_whole_ways_of_due_jobs_are_counted(walk: Any) -> None:
    counts = walk.run({"type": "memory"}, 2)
    performed = [count for call, count in counts.items() if call.function == "perform"]
    assert performed == [2]
