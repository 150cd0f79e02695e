"""``once a day``, ``twice a week``, ``3 times a day``: how often within a unit, which days and times have to make true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.triggers.dialects.english.clauses.adverbs import ADVERBS
from mainspring.triggers.dialects.english.clauses.every import every_unit
from mainspring.triggers.dialects.english.clauses.units import UNITS

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.reading import Reading
    from mainspring.triggers.dialects.english.words import Words

__all__ = ["read_frequency"]

_COUNTS = {"once": 1, "twice": 2, "thrice": 3}


def read_frequency(reading: Reading) -> str | None:
    """``once a day``, ``once daily``, ``twice per week``, ``3 times a day``, ``5 times each month``."""
    words = reading.words
    place = words.token
    count = _count(words)
    if count is None:
        return None
    if words.token.text in ADVERBS:
        unit = ADVERBS[words.token.text]
        words.at += 1
    elif words.token.text in ("a", "an", "per", "each", "every") and words.ahead(1).text in UNITS:
        unit = UNITS[words.ahead(1).text]
        words.at += 2
    else:
        return None
    if count == 1:
        return every_unit(reading, 1, unit, place)
    reading.sentence.frequency = (count, unit)
    reading.sentence.is_every_day = unit == "day"
    if unit == "week":
        reading.sentence.distance = (0, 0, 1, 0)
    elif unit == "month":
        reading.sentence.distance = (0, 1, 0, 0)
    elif unit != "day":
        reading.sentence.step = None
    return "distance"


def _count(words: Words) -> int | None:
    token = words.token
    if token.text in _COUNTS:
        words.at += 1
        return _COUNTS[token.text]
    start = words.at
    number = words.number()
    if number is not None and isinstance(number.value, int) and words.token.text == "times":
        words.at += 1
        return number.value
    words.at = start
    return None
