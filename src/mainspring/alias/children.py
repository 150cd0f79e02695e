"""Gives the alias to the worker processes that `multiprocessing` starts.

A process that is not forked imports anew what its work needs, ``apscheduler`` among it, before any code of ours runs
there. What it reads first is a dict of preparations, which is pickled here: one more value in it brings the alias along.
Pools of other libraries that start their processes through `multiprocessing` (pebble, `concurrent.futures`) are served too.
"""

from __future__ import annotations

import sys
from functools import wraps
from multiprocessing import spawn
from typing import Any


class _Alias:
    """Pickled, it is text that puts the alias in place where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        # The path is among the preparations as well, and is set from them a moment later.
        return exec, (f"import sys\nsys.path[:] = {sys.path!r}\nimport mainspring.as_apscheduler",)


def install_in_children() -> None:
    """Have processes that are started from now on put the alias in place before they import anything."""
    original = spawn.get_preparation_data

    @wraps(original)
    def get_preparation_data(name: str) -> dict[str, Any]:
        return {"mainspring.as_apscheduler": _Alias(), **original(name)}

    spawn.get_preparation_data = get_preparation_data
