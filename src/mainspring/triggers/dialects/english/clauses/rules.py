"""Rules for what the clauses before them say: changes of the clocks, windows, spread, business days."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mainspring.triggers.dialects.english.clauses.clock import read_windows
from mainspring.triggers.dialects.english.clauses.units import read_duration
from mainspring.triggers.dialects.english.clauses.weekdays import read_weekday

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.reading import Reading

__all__ = ["read_clock_rules", "read_placing", "read_rolling"]


def read_clock_rules(reading: Reading) -> str | None:
    """The rules for dates and times that don't exist, or come twice."""
    words = reading.words
    if words.phrase("skipping", "dates", "that", "don't", "exist"):
        return "missing dates"
    if words.phrase("skipping", "times", "that", "don't", "exist"):
        reading.sentence.gap = "skip"
        return "missing times"
    if words.phrase("moving", "times", "that", "don't", "exist", "forward", "with", "the", "clocks"):
        reading.sentence.gap = "shift"
        return "missing times"
    if words.phrase("firing", "at"):
        if words.phrase("both", "occurrences"):
            reading.sentence.fold = "both"
        elif words.phrase("the", "second", "occurrence"):
            reading.sentence.fold = "second"
        elif words.phrase("the", "first", "occurrence"):
            reading.sentence.fold = "first"
        else:
            raise words.fail()
        if not words.phrase("of", "times", "that", "come", "twice"):
            raise words.fail()
        return "repeated times"
    return None


def read_placing(reading: Reading) -> str | None:  # noqa: PLR0911 - one for each form
    """Windows of the day, a spread, a shift; the days on which weeks begin, and which aren't business days."""
    words = reading.words
    if words.phrase("only") and words.token.text in ("from", "between"):
        windows = read_windows(words)
        reading.sentence.windows = windows or None
        return "window" if windows else None
    if words.phrase("weeks", "beginning", "on"):
        reading.sentence.week_start = words.needed(partial(read_weekday, words))
        return "first day of the week"
    if words.phrase("business", "days", "being", "all", "but"):
        reading.sentence.closed = set(words.several(partial(read_weekday, words)))
        return "business days"
    if words.phrase("all", "days", "being", "business", "days"):
        reading.sentence.closed = set()
        return "business days"
    if words.phrase("spread", "over"):
        reading.sentence.spread = read_duration(words)
        words.phrase("by", "the", "job's", "id")
        return "spread"
    if words.word("each") and words.token.kind == "number":
        shift = read_duration(words)
        reading.sentence.shift = (
            shift if words.needed(lambda: words.word("later", "earlier")) == "later" else -shift
        )
        return "shift"
    return None


def read_rolling(reading: Reading) -> str | None:
    """``moved to the next business day``."""
    words = reading.words
    if words.phrase("moved", "to", "the"):
        roll = words.word("next", "previous")
        if roll is None or not words.phrase("business", "day"):
            raise words.fail()
        words.phrase("if", "on", "a", "saturday", "or", "sunday")
        reading.sentence.roll = roll
        return "roll"
    return None
