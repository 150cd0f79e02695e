"""The line that says how current the screen is, and what became of what was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Status"]

#: A store that needs longer for an answer is said to be slow.
SLOW_SECONDS = 3.0


class Status(NamedTuple):
    """How current the screen is.

    Attributes:
        shown: when what is shown was so, by the store's clock; ``None``: nothing is shown yet.
        trouble: why the latest question had no answer.
        known: what is known to be wrong while an answer is waited for.
        waits: for how many seconds an answer has been waited for.
        said: what became of what somebody asked for.
        search: what was looked for.
        interval: seconds between an answer and the next question, as they were wanted.
        pause: as they are.
    """

    shown: datetime | None
    trouble: str | None
    known: str | None
    waits: float
    said: str | None
    search: str | None
    interval: float
    pause: float

    @property
    def is_trouble(self) -> bool:
        """Whether what is shown may no longer be so."""
        return self.trouble is not None or self.waits > max(SLOW_SECONDS, 2 * self.interval)

    def text(self) -> str:
        """It in words."""
        parts = [] if self.said is None else [self.said]
        shown = "" if self.shown is None else f"Shown is {self.shown:%H:%M:%S}. "
        if self.trouble is not None:
            parts.append(f"No answer from the store: {self.trouble.rstrip('.')}. {shown}It is asked again.")
        elif self.is_trouble:
            why = "" if self.known is None else f": it {self.known.rstrip('.')}"
            parts.append(f"The store has given no answer for {self.waits:.0f} s{why}. {shown}".rstrip())
        elif self.said is None:
            parts.append("Asking the store …" if self.shown is None else self._usual(self.shown))
        return " ".join(parts)

    def _usual(self, shown: datetime) -> str:
        found = "" if self.search is None else f" · only {self.search!r} (/ and an empty line: all)"
        every = (
            f"every {self.interval:g} s"
            if self.pause == self.interval
            else f"every {self.pause:.0f} s: the store is slow"
        )
        return f"{shown:%Y-%m-%d %H:%M:%S %Z} · {every}{found}"
