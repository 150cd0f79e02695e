"""Runs coroutine functions on the loop of a `TornadoScheduler`, and other functions in threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.executors.asyncio import AsyncIOExecutor
from mainspring.former_names import former_names

__all__ = ["TornadoExecutor"]


class TornadoExecutor(AsyncIOExecutor):
    """The default executor of a `TornadoScheduler`: Tornado's loop is asyncio's.

    Args:
        max_workers: how many functions run in threads at a time.
    """


if not TYPE_CHECKING:
    __getattr__ = former_names(__name__)
