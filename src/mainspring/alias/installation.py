"""Puts the alias in place, for the rest of the process."""

from __future__ import annotations

import sys

import mainspring
from mainspring.alias.finders import AliasFinder, LastFinder, belongs_to_alias


def install() -> None:
    """Have ``apscheduler`` mean mainspring from now on; once is enough, and nothing undoes it.

    Raises:
        ImportError: APScheduler itself was imported before.
    """
    if any(isinstance(finder, AliasFinder) for finder in sys.meta_path):
        return
    present = sys.modules.get("apscheduler")
    if present is None:
        present = next((module for name, module in sys.modules.items() if belongs_to_alias(name)), None)
    if present is not None:
        raise ImportError(
            f"APScheduler was imported already (from {getattr(present, '__file__', None)!r}), and two schedulers under "
            "one name would mix: import mainspring.as_apscheduler before anything that imports apscheduler",
            name="mainspring.as_apscheduler",
        )
    from mainspring.alias.subprocesses import install_in_children
    from mainspring.profile import stand_in

    install_in_children()
    stand_in()
    sys.meta_path.insert(0, AliasFinder())
    sys.meta_path.append(LastFinder())
    # `apscheduler` is the very module `mainspring`, so this is what a program that asks for APScheduler's version gets.
    mainspring.__version__ = mainspring.version
