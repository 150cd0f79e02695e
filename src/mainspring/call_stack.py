"""Where a warning points to: at the line of the program that called this package."""

from __future__ import annotations

import sys

__all__ = ["outside"]


def outside() -> int:
    """The stack level, as `warnings.warn` counts it, of the nearest caller outside this package."""
    level = 2
    frame = sys._getframe(2)  # noqa: SLF001 - warnings has no public way to skip a package before Python 3.12
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).startswith("mainspring."):
        frame = frame.f_back
        level += 1
    return level
