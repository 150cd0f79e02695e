"""Emptying a queue that other threads fill and empty meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections import deque

T = TypeVar("T")


def drained(queue: deque[T]) -> list[T]:
    """All that is in `queue`, oldest first, taken out of it.

    One by one: whether a queue is empty may have changed by the time at which it is taken from. How many there are is asked all the
    same, since most queues are empty most of the time, and an error takes longer.
    """
    taken: list[T] = []
    try:
        while queue:
            for _ in range(len(queue)):
                taken.append(queue.popleft())  # noqa: PERF401 - what is taken stays taken if there is nothing more
    except IndexError:
        pass
    return taken
