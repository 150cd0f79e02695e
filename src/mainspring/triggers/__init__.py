"""Triggers, and how texts become triggers.

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
