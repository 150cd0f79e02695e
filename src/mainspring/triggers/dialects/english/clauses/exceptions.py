"""``except on 2026-12-25 and in August``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mainspring.triggers.dialects.english.clauses.moments import read_moment
from mainspring.triggers.dialects.english.clauses.months import read_month_range
from mainspring.triggers.dialects.english.clauses.weekdays import WEEKEND, read_weekday_range
from mainspring.triggers.dialects.english.words import MONTH_WORDS, WEEKDAY_WORDS

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.reading import Reading
    from mainspring.triggers.dialects.english.words import Words

__all__ = ["read_except"]


def read_except(reading: Reading) -> str | None:
    """``except on 2026-12-25 and in August``."""
    words = reading.words
    if not words.word("except", "excluding", "but"):
        return None
    words.word("for", "not")
    while True:
        if not _exception(reading):
            raise words.fail()
        start = words.at
        comma = words.word(",")
        if not (words.word("and") or comma) or not _exception_follows(words):
            words.at = start
            return "except"


def _exception_follows(words: Words) -> bool:
    token = words.token
    first = words.ahead(1) if token.text in ("on", "from", "in") else token
    return first.kind == "date" or first.text in WEEKDAY_WORDS or first.text in MONTH_WORDS


def _exception(reading: Reading) -> bool:
    words = reading.words
    opening = words.word("on", "from", "in", "at")
    if words.token.kind == "date":
        first = words.needed(partial(read_moment, words))
        last = words.needed(partial(read_moment, words)) if words.word("to", "-", "through") else first
        if last.text() < first.text():
            raise words.refuse(words.token, f"the end {last.text()} is before the beginning {first.text()}")
        reading.sentence.excluded.append((first, last))
        return True
    if opening == "from":
        words.at -= 1
    if words.word("weekends"):
        reading.sentence.excluded_weekdays |= WEEKEND
        return True
    weekdays = read_weekday_range(words)
    if weekdays:
        reading.sentence.excluded_weekdays |= weekdays
        return True
    months = read_month_range(words)
    if months:
        reading.sentence.excluded_months |= months
        return True
    words.expect("dates", "weekdays", "months")
    return False
