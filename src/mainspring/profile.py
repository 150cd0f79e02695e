"""Whether this process stands in for APScheduler: what programs written for it rely on is then the default, where it is not ours.

Set once by the alias, for the rest of the process. The modules are the same objects under both names, so nothing else could tell.
"""

from __future__ import annotations

_stands_in = False


def stand_in() -> None:
    """Have parts that are made from now on take APScheduler's defaults."""
    global _stands_in  # noqa: PLW0603 - a process either stands in for APScheduler or doesn't
    _stands_in = True


def stands_in() -> bool:
    """Whether APScheduler's defaults are taken."""
    return _stands_in
