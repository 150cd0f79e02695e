"""Units of time and amounts of them: ``2 hours and 30 minutes``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mainspring.triggers.dialects.english.times import HOUR, MINUTE

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.words import Words

__all__ = ["DISTANCES", "SECONDS", "UNITS", "read_amounts", "read_duration", "read_unit"]

SECONDS = {"second": 1, "minute": MINUTE, "hour": HOUR}
DISTANCES = {
    "day": (0, 0, 0, 1),
    "week": (0, 0, 1, 0),
    "fortnight": (0, 0, 2, 0),
    "month": (0, 1, 0, 0),
    "quarter": (0, 3, 0, 0),
    "year": (1, 0, 0, 0),
}
UNITS = {
    **{word: unit for unit in (*SECONDS, *DISTANCES) for word in (unit, f"{unit}s")},
    "sec": "second",
    "secs": "second",
    "min": "minute",
    "mins": "minute",
    "hr": "hour",
    "hrs": "hour",
}
#: Units that are only read right after a number, as in ``5m``.
_LETTERS = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}
_HALF, _QUARTER_OF_AN_HOUR = 0.5, 15


def read_unit(words: Words) -> str | None:
    """A unit of time by its name in the singular."""
    token = words.token
    if token.text in _LETTERS and words.at and token.start == words.before.end:
        if words.spelt(token) == "M":
            raise words.refuse(token, "'M' may be minutes or months", hint=words.with_text(token, " months"))
        words.at += 1
        return _LETTERS[token.text]
    if token.kind == "word" and token.text in UNITS:
        words.at += 1
        return UNITS[token.text]
    words.expect("a unit such as 'minutes', 'hours', 'days', 'weeks' or 'months'")
    return None


def read_amounts(words: Words) -> list[tuple[Any, str]]:
    """``15 minutes``, ``2 hours and 30 minutes``: numbers with their units; of a unit alone, 1."""

    def one() -> tuple[Any, str] | None:
        if words.token.text == "quarter" and (
            words.ahead(1).text in ("hour", "hours")
            or [words.ahead(n).text for n in (1, 2, 3)] == ["of", "an", "hour"]
        ):
            words.at += 2 if words.ahead(1).text != "of" else 4
            return _QUARTER_OF_AN_HOUR, "minute"
        if words.follows("half"):
            words.skip("a")
            words.skip("an")
            return _HALF, words.needed(partial(read_unit, words))
        number = words.number()
        half = _HALF if words.follows("and", "a", "half") else 0
        unit = read_unit(words)
        if unit is None:
            return None
        half += _HALF if words.follows("and", "a", "half") else 0
        return (1 if number is None else number.value) + half, unit

    amounts = [one()]
    if amounts[0] is None:
        words.expect("'day', 'weekday', 'other' or a weekday")
        raise words.fail()
    if words.token.kind == "symbol" or words.token.text == "and":
        start = words.at
        words.word(",")
        words.word("and")
        more = words.several(lambda: one() if words.token.kind == "number" else None)
        if not more:
            words.at = start
        amounts += more
    return [amount for amount in amounts if amount is not None]


def read_duration(words: Words) -> float:
    """A duration in seconds."""
    token = words.token
    amounts = read_amounts(words)
    if any(unit not in SECONDS for _, unit in amounts):
        raise words.refuse(token, "expected seconds, minutes or hours")
    return float(sum(value * SECONDS[unit] for value, unit in amounts))
