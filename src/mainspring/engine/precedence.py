"""Which runs come first of those that could begin together."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


def by_priority(things: Iterable[T], priority_of: Callable[[T], int]) -> list[T]:
    """Those of a higher priority first; those of the same stay in the order in which they are."""
    return sorted(things, key=lambda thing: -priority_of(thing))
