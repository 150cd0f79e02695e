"""Emptying a queue that other threads fill and empty meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections import deque

T = TypeVar("T")


def drained(queue: deque[T]) -> list[T]:
    """All that is in `queue`, oldest first, taken out of it.

    One by one: whether a queue is empty may have changed by the time at which it is taken from.
    """
    taken: list[T] = []
    while True:
        try:
            taken.append(queue.popleft())
        except IndexError:
            return taken
