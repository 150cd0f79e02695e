"""``30 minutes before sunset at 52.52° N, 13.405° E``: the sun's events in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.words import Token, Words

__all__ = ["Sun", "read_depression", "read_elevation", "read_sun"]

_EVENTS: Final = frozenset({"sunrise", "sunset", "dawn", "dusk", "noon"})
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600}
_PLACE_EXPECTED = "where is that? Expected degrees, such as 'at 52.52° N, 13.405° E'"


@dataclass(slots=True)
class Sun:
    """An event of the sun at a place.

    Attributes:
        offset: seconds after the event, negative before it.
    """

    event: Any
    latitude: float
    longitude: float
    offset: float


def read_sun(words: Words) -> Sun | None:
    """The event that comes next; ``None`` if there is none, and nothing is read then.

    Raises:
        CronSyntaxError: it isn't said where.
    """
    start = words.at
    words.skip("at")
    offset = _offset(words)
    if offset is None:
        words.at = start
        words.skip("at")
    words.skip("solar")
    event = words.token.text
    if event not in _EVENTS or (event == "noon" and words.before.text != "solar"):
        words.at = start
        return None
    words.at += 1
    words.skip("at")
    latitude = _degrees(words, "n", "s")
    words.skip(",")
    return Sun(event, latitude, _degrees(words, "e", "w"), offset or 0)


def _offset(words: Words) -> float | None:
    """``1 hour and 30 minutes before``; ``None`` if there is no such thing."""
    offset = 0.0
    while words.token.kind == "number":
        value = words.token.value
        unit = _SECONDS.get(words.ahead(1).text.removesuffix("s"))
        if unit is None:
            return None
        offset += value * unit
        words.at += 2
        words.skip(",")
        words.skip("and")
    if words.token.text not in ("before", "after"):
        return None
    words.at += 1
    return -offset if words.before.text == "before" else offset


def _degrees(words: Words, positive: str, negative: str) -> float:
    token = words.token
    if token.kind not in ("angle", "number"):
        raise words.refuse(token, _PLACE_EXPECTED)
    side = words.ahead(1).text
    if side not in (positive, negative):
        raise words.refuse(
            words.ahead(1), f"expected {positive.upper()} or {negative.upper()} after the degrees"
        )
    words.at += 2
    return float(-token.value if side == negative else token.value)


def read_depression(words: Words) -> float | None:
    """``with the sun 12° below the horizon``."""
    if words.token.text != "with" or not words.phrase("with", "the", "sun"):
        return None
    return _number_before(words, "angle", "below", "the", "horizon")


def read_elevation(words: Words) -> float | None:
    """``35 m above its horizon``."""
    token = words.token
    if token.kind != "number" or words.ahead(1).text not in ("m", "metres", "meters"):
        return None
    words.at += 1
    words.skip(words.token.text)
    return float(token.value) if words.phrase("above", "its|the", "horizon") else _failed(words)


def _number_before(words: Words, kind: str, *following: str) -> float:
    token: Token | None = words.kind(kind, "degrees such as '12°'")
    if token is None or not words.phrase(*following):
        return _failed(words)
    return float(token.value)


def _failed(words: Words) -> float:
    raise words.fail()
