"""How many times, and by how much each is delayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.triggers.dialects.english.clauses.adverbs import ADVERBS
from mainspring.triggers.dialects.english.clauses.moments import read_moment
from mainspring.triggers.dialects.english.clauses.units import read_duration

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.reading import Reading

__all__ = ["read_count"]


def read_count(reading: Reading) -> str | None:
    """``3 times in total``, ``only once``; ``delayed by up to 90 seconds``."""
    words = reading.words
    token = words.token
    if words.phrase("only", "once"):
        reading.sentence.count = 1
        _counted_from(reading)
        return "number of times"
    if words.phrase("delayed", "by", "up", "to"):
        reading.sentence.jitter = read_duration(words)
        return "delay"
    if (words.token.text, words.ahead(1).text) == ("at", "most"):
        words.at += 2
    number = words.number()
    if (
        number is None
        or not words.word("times")
        or words.token.text in ("a", "an", "per", "each", "every", *ADVERBS)
    ):
        return None
    words.phrase("in", "total")
    _counted_from(reading)
    if not isinstance(number.value, int) or number.value < 1:
        raise words.refuse(token, "expected a whole number of times, 1 or more")
    reading.sentence.count = number.value
    return "number of times"


def _counted_from(reading: Reading) -> None:
    """``from when it is added``, ``from 2026-03-05 08:00 UTC``: where the counting of times begins."""
    words = reading.words
    if words.follows("from", "when", "it", "is", "added"):
        reading.sentence.counted_from = "added"
    elif words.token.text == "from" and words.ahead(1).kind == "date":
        words.at += 1
        reading.sentence.counted_from = read_moment(words)
