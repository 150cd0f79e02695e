"""A text that is read from its beginning to its end, and what is said where reading stops."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from mainspring.errors import CronSyntaxError, TriggerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MOST_SHOWN = 30
#: A text that is longer isn't corrected.
_LONGEST_CORRECTED = 200


class Cursor:
    """A text, and how far it was read.

    Attributes:
        text: the whole of it, as it was given.
        position: of the first character that was not read yet.
        end: where reading ends; the end of the text, unless somebody has read what stands there.

    Args:
        is_trial: whether it is read to see if it can be, so that no corrections of it are looked for.
    """

    __slots__ = ("_is_trial", "end", "position", "text")

    def __init__(self, text: str, *, is_trial: bool = False) -> None:
        self.text = text
        self._is_trial = is_trial
        self.position = 0
        self.end = len(text)
        self.skip_space()

    def take(self, pattern: str) -> re.Match[str] | None:
        """What `pattern` matches from here on, if anything; it is read then."""
        match = _compiled(pattern).match(self.text, self.position, self.end)
        if match is not None:
            self.position = match.end()
        return match

    def sees(self, pattern: str) -> bool:
        """Whether `pattern` matches from here on."""
        return _compiled(pattern).match(self.text, self.position, self.end) is not None

    def skip_space(self) -> None:
        """Read the space from here on."""
        self.take(r"\s*")

    def is_at_end(self) -> bool:
        """Whether nothing but space is left."""
        return self.sees(r"\s*\Z")

    def rest(self) -> str:
        """What was not read yet, short enough to be shown."""
        rest = self.text[self.position : self.end].rstrip()
        return rest if len(rest) <= _MOST_SHOWN else f"{rest[:_MOST_SHOWN]}…"

    def corrected(
        self, read: Callable[[Cursor], object], found: str, meant: Iterable[str | None], at: int | None = None
    ) -> str | None:
        """The text with one of `meant` in the place of `found`, which stands here, or at `at`: the first that `read` can read.

        Args:
            read: raises a `TriggerError` if it can't.
        """
        if self._is_trial or len(self.text) > _LONGEST_CORRECTED:
            return None
        before = self.text[: self.position if at is None else at]
        after = self.text[len(before) + len(found) :]
        for word in meant:
            if word is None or word == found:
                continue
            candidate = f"{before}{word}{after}".strip()
            try:
                read(Cursor(candidate, is_trial=True))
            except TriggerError:
                continue
            return candidate
        return None

    def first_read(self, read: Callable[[Cursor], object], texts: Iterable[str]) -> str | None:
        """The first of some texts that `read` can read; none for a trial, or if this one is long.

        Args:
            read: raises a `TriggerError` if it can't.
        """
        if self._is_trial or len(self.text) > _LONGEST_CORRECTED:
            return None
        for text in texts:
            try:
                read(Cursor(text, is_trial=True))
            except TriggerError:
                continue
            return text
        return None

    def expected(self, what: str, *, at: int | None = None, hint: str | None = None) -> CronSyntaxError:
        """The error that something else stands here, or at `at`, than what was expected."""
        if at is not None:
            self.position = at
        found = repr(self.rest()) if self.rest() else "the end of the text"
        return self.error(f"expected {what}, got {found}", hint=hint)

    def error(self, reason: str, *, at: int | None = None, hint: str | None = None) -> CronSyntaxError:
        """The error that reading stopped here, or at `at`."""
        position = self.position if at is None else at
        return CronSyntaxError(reason, text=self.text, position=position, hint=hint)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII | re.IGNORECASE)
