"""Clauses about the sun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.triggers.dialects.english.sun import read_depression, read_elevation, read_sun

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.reading import Reading

__all__ = ["read_sunlight"]


def read_sunlight(reading: Reading) -> str | None:
    """``30 minutes before sunset at 52.52° N, 13.405° E``, and what is told of it after a comma."""
    sentence = reading.sentence
    found = read_sun(reading.words)
    if found is not None:
        sentence.sun = found
        return "sun"
    depression = read_depression(reading.words)
    if depression is not None:
        sentence.depression = depression
        return "height of the sun"
    elevation = read_elevation(reading.words)
    if elevation is not None:
        sentence.elevation = elevation
        return "height of the place"
    return None
