"""Whether this process imports the program's modules for another one: a scheduler that they start is the other one's.

`multiprocessing` has each process that it doesn't fork import the main module again, and a worker of a pool imports the modules of the functions
that it is to call. A scheduler that such a module starts would run every job in each of these processes too; one with a pool would start a worker
that imports the module, and so on without an end.
"""

from __future__ import annotations

import multiprocessing.process
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_at_work = [0]  # how many imports for a call from another process go on


@contextmanager
def imports_for_another() -> Iterator[None]:
    """What is imported within is imported for the process that calls this one."""
    _at_work[0] += 1
    try:
        yield
    finally:
        _at_work[0] -= 1


def is_imported_for_another() -> bool:
    """Whether whatever is imported now is imported for the process that has started this one."""
    # Nothing public says that the main module is being imported; Python's own refusal to start processes meanwhile asks this, too.
    return bool(_at_work[0] or getattr(multiprocessing.process.current_process(), "_inheriting", False))
