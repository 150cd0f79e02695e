"""Stretches of days, or of time, of which one is found at once, however many there are."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import timedelta

__all__ = ["Stretches"]


class Stretches:
    """Days, or moments, from a first to a last each; those that touch are one. So a search is past them in one step, however many they are.

    Args:
        stretches: in any order.
        unit: the distance between two that touch.
    """

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, stretches: Iterable[tuple[Any, Any]], unit: timedelta) -> None:
        self._firsts: list[Any] = []
        self._lasts: list[Any] = []
        for first, last in sorted(stretches):
            if self._lasts and _touches(self._lasts[-1], first, unit):
                self._lasts[-1] = max(self._lasts[-1], last)
            else:
                self._firsts.append(first)
                self._lasts.append(last)

    def around(self, one: Any) -> tuple[Any, Any] | None:
        """The stretch that `one` is in."""
        at = bisect_right(self._firsts, one) - 1
        return (self._firsts[at], self._lasts[at]) if at >= 0 and one <= self._lasts[at] else None

    def between(self, first: Any, last: Any) -> Iterator[tuple[Any, Any]]:
        """The stretches of which some is from `first` to `last`, in order."""
        for at in range(bisect_left(self._lasts, first), bisect_right(self._firsts, last)):
            yield self._firsts[at], self._lasts[at]

    def all(self) -> list[tuple[Any, Any]]:
        """The stretches, in order; none touches another."""
        return list(zip(self._firsts, self._lasts, strict=True))


def _touches(last: Any, first: Any, unit: timedelta) -> bool:
    return bool(first <= last or first - last <= unit)
