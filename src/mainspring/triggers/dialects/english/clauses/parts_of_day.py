"""``in the morning``, ``every evening``, ``monday nights``: which half of the day the times are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.reading import Reading
    from mainspring.triggers.dialects.english.words import Words

__all__ = ["read_part_of_day", "read_part_of_every_day"]

_PARTS = {word: part for part in ("morning", "afternoon", "evening", "night") for word in (part, f"{part}s")}


def read_part_of_day(reading: Reading) -> str | None:
    """``in the evening``, ``at night``, ``evenings``; after a day, ``evening`` alone."""
    words = reading.words
    if not words.follows("in", "the") and words.ahead(1).text in _PARTS:
        words.skip("at")
    return _noted(reading)


def read_part_of_every_day(reading: Reading) -> str | None:
    """``evening``, after ``every``: every day is meant."""
    place = reading.words.token
    found = _noted(reading)
    if found is not None:
        reading.sentence.is_every_day = True
        reading.sentence.places.setdefault(found, place)
    return None if found is None else "distance"


def _noted(reading: Reading) -> str | None:
    words: Words = reading.words
    part = _PARTS.get(words.token.text)
    if part is None:
        return None
    words.at += 1
    reading.sentence.part_of_day = part
    return "part of the day"
