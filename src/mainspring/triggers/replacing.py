"""Forms that stand for others, as pairs of a pattern and a text, tried one by one and all together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Replacements"]


class Replacements:
    """Makes texts of a text, in which some forms are replaced.

    Args:
        pairs: patterns, without regard to capital letters, and the text for each.
    """

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self._rules = [(re.compile(pattern, re.ASCII | re.IGNORECASE), text) for pattern, text in pairs]

    def of(self, text: str) -> Iterator[str]:
        """The text with each form replaced by itself, and with all of them, one after the other."""
        together = text
        for pattern, replacement in self._rules:
            alone = pattern.sub(replacement, text)
            if alone != text:
                yield alone
            together = pattern.sub(replacement, together)
        if together != text:
            yield together
