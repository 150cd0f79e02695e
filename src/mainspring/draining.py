"""Emptying a queue that other threads fill and empty meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections import deque

T = TypeVar("T")


def drained(queue: deque[T]) -> list[T]:
    """All that is in `queue`, oldest first, taken out of it.

    One by one: whether a queue is empty may have changed by the time at which it is taken from. It is asked all the same, since
    most queues are empty most of the time, and an error takes longer.
    """
    taken: list[T] = []
    while queue:
        try:
            taken.append(queue.popleft())
        except IndexError:
            break
    return taken
