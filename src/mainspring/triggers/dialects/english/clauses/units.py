"""Units of time and amounts of them: ``2 hours and 30 minutes``."""

from __future__ import annotations

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


def read_unit(words: Words) -> str | None:
    """A unit of time by its name in the singular."""
    token = words.token
    if token.kind == "word" and token.text in UNITS:
        words.at += 1
        return UNITS[token.text]
    words.expect("a unit such as 'minutes', 'hours', 'days', 'weeks' or 'months'")
    return None


def read_amounts(words: Words) -> list[tuple[Any, str]]:
    """``15 minutes``, ``2 hours and 30 minutes``: numbers with their units; of a unit alone, 1."""

    def one() -> tuple[Any, str] | None:
        number = words.number()
        unit = read_unit(words)
        return None if unit is None else (1 if number is None else number.value, unit)

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
