"""Runs coroutine functions on the loop of a `TornadoScheduler`, and other functions in threads."""

from __future__ import annotations

from mainspring.executors.asyncio import AsyncIOExecutor

__all__ = ["TornadoExecutor"]


class TornadoExecutor(AsyncIOExecutor):
    """The default executor of a `TornadoScheduler`: Tornado's loop is asyncio's.

    Args:
        max_workers: how many functions run in threads at a time.
    """
