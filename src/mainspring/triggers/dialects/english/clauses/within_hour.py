"""``at the top of the hour``, ``on the half hour``: places in the hour that have a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.triggers.dialects.english.times import crossed

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.reading import Reading
    from mainspring.triggers.dialects.english.words import Words

__all__ = ["read_place_in_hour", "read_within_hour"]


def read_within_hour(reading: Reading) -> str | None:
    """``on the hour``, ``on the half hour``, ``at the top of every hour``: of every hour."""
    minute = read_place_in_hour(reading.words)
    return None if minute is None else reading.add_times(crossed(range(24), [minute], [0]))


def read_place_in_hour(words: Words) -> int | None:
    """The minute of what follows, if that is a place in the hour; it is read then."""
    start = words.at
    if words.follows("on", "the", "hour"):
        return 0
    if words.follows("on", "the", "half", "hour") or words.follows("on", "the", "half-hour"):
        return 30
    words.skip("at")
    words.skip("the")
    if (
        words.follows("top", "of")
        and words.token.text in ("the", "every", "each")
        and words.ahead(1).text == "hour"
    ):
        words.at += 2
        return 0
    words.at = start
    return None
