"""A bound for searches that may be in vain, and what a search comes to.

A search goes in slices. One that ends without an answer says how far it has come, and another slice goes on from there: what wasn't found yet is
never taken for what doesn't exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

#: How many times a slice may ask a trigger, or an exclusion. A built-in trigger answers in a few microseconds, so that a slice takes some
#: tens of milliseconds.
SEARCH_LIMIT = 3_000
#: No share of a slice is smaller, or a search that is divided often would never get on.
_SMALLEST_SHARE = 8


class Found(NamedTuple):
    """There is a time."""

    time: datetime


class Never(NamedTuple):
    """There is none."""


class Unknown(NamedTuple):
    """The slice has ended without an answer.

    Attributes:
        since: where the search goes on: nothing fires before it, or, in a search backwards, after it.
    """

    since: datetime


Answer = Found | Never | Unknown
NEVER: Final = Never()


class SearchExhaustedError(Exception):
    """A slice has ended without an answer.

    Attributes:
        reached: nothing fires from where the search began up to this moment, itself included; ``None``: it didn't get anywhere.
    """

    def __init__(self, reached: datetime | None = None) -> None:
        super().__init__(reached)
        self.reached = reached

    def not_before(self, moment: datetime) -> SearchExhaustedError:
        """The same of a search forwards that has come at least to `moment`."""
        if self.reached is None or self.reached < moment:
            self.reached = moment
        return self

    def not_after(self, moment: datetime) -> SearchExhaustedError:
        """The same of a search backwards."""
        if self.reached is None or self.reached > moment:
            self.reached = moment
        return self


class Steps:
    """Counts the steps of one slice, over all triggers that take part in it.

    Args:
        limit: how many there may be.
        is_over: whether the slice has taken too long, since steps that ask code which isn't ours may take any time; ``None``: that doesn't
            matter.
    """

    __slots__ = ("_is_over", "_left")

    def __init__(self, limit: int = SEARCH_LIMIT, is_over: Callable[[], bool] | None = None) -> None:
        self._left = limit
        self._is_over = is_over

    def take(self, count: int = 1) -> None:
        """Count a step, or one that is worth several.

        Raises:
            SearchExhaustedError: there were too many.
        """
        self._left -= count
        if self._left < 0:
            raise SearchExhaustedError

    def go_on(self) -> None:
        """The search has come further, and isn't at its end.

        Raises:
            SearchExhaustedError: it has taken too long.
        """
        if self._is_over is not None and self._is_over():
            self._left = 0
            raise SearchExhaustedError

    def share(self, parts: int) -> Steps:
        """Set apart one of `parts` equal shares of what is left, so that no other search is starved."""
        part = Steps(max(self._left // parts, _SMALLEST_SHARE), self._is_over)
        self._left -= part._left
        return part

    def give_back(self, part: Steps) -> None:
        """Add what is left of a share."""
        self._left += max(part._left, 0)
