"""Gives the alias to the worker processes that `multiprocessing` starts.

A process that is not forked imports anew what its work needs, ``apscheduler`` among it, before any code of ours runs
there. What it reads first is a dict of preparations, which is pickled here: one more value in it brings the alias along.
Pools of other libraries that start their processes through `multiprocessing` (pebble, `concurrent.futures`) are served too.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import wraps
from multiprocessing import spawn
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_MODULE = "mainspring.as_apscheduler"


class _Alias:
    """Pickled, it is text that puts the alias in place where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        # The path is among the preparations as well, and is set from them a moment later.
        return exec, (f"import sys\nsys.path[:] = {sys.path!r}\nimport {_MODULE}",)


def install_in_children() -> None:
    """Have processes that are started from now on put the alias in place before they import anything."""
    original = spawn.get_preparation_data

    @wraps(original)
    def get_preparation_data(name: str) -> dict[str, Any]:
        return {_MODULE: _Alias(), **original(name)}

    spawn.get_preparation_data = get_preparation_data
    with suppress(ImportError):  # Windows has none
        _install_in_fork_server()


def _install_in_fork_server() -> None:
    """Have the server of "forkserver" put the alias in place before it imports what its children are to find imported.

    The main module stands first in that, wherever it is named, and would be imported without the alias. Its import is left to the children, as
    Pythons before 3.14 do it too.
    """
    from multiprocessing import forkserver

    original = forkserver.set_forkserver_preload

    @wraps(original)
    def set_forkserver_preload(modules_names: Sequence[str]) -> None:
        original([_MODULE, *(name for name in modules_names if name != "__main__")])

    forkserver.set_forkserver_preload = set_forkserver_preload
    server: Any = forkserver._forkserver  # noqa: SLF001 - nothing public says what is to be imported
    set_forkserver_preload(server._preload_modules)  # noqa: SLF001
