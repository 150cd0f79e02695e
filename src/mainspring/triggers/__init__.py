"""Triggers say when a job is due, and texts of many dialects become triggers.

Nothing in this package reads a clock or changes anything: a trigger that is bound to a zone answers `get_next_fire_time` and
`previous` for any time, always in the same way. Sums are made by the wall clock, and `clock_changes.py` has the one rule for
times that don't exist or come twice. A search ends after so many steps, and says how far it came.

Start at `base.py` and `standard.py`, which all triggers share, and at `interval.py`, the plainest. `parsing.py` reads texts
(`dialects` has a file for each), `explaining` says what a trigger means, `writing.py` writes it as cron, and `linting` warns
of what surprises people. `combining.py`, `excluding.py`, `windowing.py` and their like make new triggers of others.

What can be imported from here is loaded when it is first used, so that importing mainspring takes no longer.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mainspring.linting import lint
    from mainspring.triggers.linting import LintCode, LintWarning
    from mainspring.triggers.parsing import parse

_HOME = {
    "LintCode": "mainspring.triggers.linting",
    "LintWarning": "mainspring.triggers.linting",
    "lint": "mainspring.linting",  # above the triggers, since it may ask the clock
    "parse": "mainspring.triggers.parsing",
}

__all__ = ["LintCode", "LintWarning", "lint", "parse"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOME[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
