"""A bound for searches that may be in vain."""

from __future__ import annotations

#: How many times a search may ask a trigger, or an exclusion. A built-in trigger answers in a few microseconds, so that
#: a search in vain ends well within 100 ms.
SEARCH_LIMIT = 3_000


class SearchExhaustedError(Exception):
    """A search was given up: what it looks for doesn't exist, or is too far away to matter."""


class Steps:
    """Counts the steps of one search, over all triggers that take part in it."""

    __slots__ = ("_left",)

    def __init__(self, limit: int = SEARCH_LIMIT) -> None:
        self._left = limit

    def take(self) -> None:
        """Count a step.

        Raises:
            SearchExhaustedError: there were too many.
        """
        self._left -= 1
        if self._left < 0:
            raise SearchExhaustedError

    def share(self, parts: int) -> Steps:
        """Set apart one of `parts` equal shares of what is left, so that no other search is starved."""
        part = Steps(self._left // parts)
        self._left -= part._left
        return part

    def give_back(self, part: Steps) -> None:
        """Add what is left of a share."""
        self._left += max(part._left, 0)
