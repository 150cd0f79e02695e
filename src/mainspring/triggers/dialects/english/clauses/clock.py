"""Times of the day, and windows between two of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mainspring.triggers.dialects.english.clauses.units import UNITS
from mainspring.triggers.dialects.english.times import HOUR
from mainspring.triggers.dialects.english.words import NUMBER_WORDS

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.words import Token, Words

__all__ = [
    "is_hour",
    "read_minutes_range",
    "read_small_number",
    "read_small_numbers",
    "read_spoken_hour",
    "read_time",
    "read_window",
    "read_windows",
]


def read_time(words: Words) -> int | None:
    """A time of the day, or the number of an hour."""
    found = words.kind("time", "a time such as '09:30'")
    if found is not None:
        return int(found.value)
    token = words.token
    if token.kind == "number" and is_hour(token):
        words.at += 1
        return int(token.value) * HOUR
    return None


def read_spoken_hour(words: Words) -> int | None:
    """``nine``, ``nine o'clock``: an hour as a word, as it may stand after ``at``."""
    token = words.token
    if token.text not in NUMBER_WORDS or NUMBER_WORDS[token.text] > 12:  # noqa: PLR2004 - the last hour on a clock's face
        return None
    words.at += 1
    words.skip("o'clock")
    return NUMBER_WORDS[token.text] * HOUR


def is_hour(token: Token) -> bool:
    """Whether a number may be the hour of a time of the day."""
    return isinstance(token.value, int) and token.value <= 23  # noqa: PLR2004 - the last hour


def read_small_number(words: Words) -> int | None:
    """A number of minutes or seconds."""
    token = words.token
    if token.kind == "number" and isinstance(token.value, int) and token.value < 60:  # noqa: PLR2004 - as on the clock
        words.at += 1
        return token.value
    words.expect("a number from 0 to 59")
    return None


def read_small_numbers(words: Words) -> list[int] | None:
    """``5``, or ``0 to 29``."""
    first = read_small_number(words)
    if first is None:
        return None
    last = read_small_number(words) if words.word("to") else first
    if last is None or last < first:
        raise words.fail()
    return list(range(first, last + 1))


def read_windows(words: Words) -> list[tuple[int, int]]:
    """``from 08:00 to 12:00 and from 14:00 to 18:00``, or ``between`` them."""
    return words.several(partial(read_window, words))


def read_window(words: Words) -> tuple[int, int] | None:
    """``from 08:00 to 12:00``, ``between 9 and 17``: the first and the last second of the day."""
    start = words.at
    opening = words.word("from", "between")
    opened = words.token
    is_bare = words.token.kind == "time" and words.ahead(1).text == "-" and words.ahead(2).kind == "time"
    first = read_time(words) if opening or is_bare else None
    closing = ("and",) if opening == "between" else ("to", "until", "till", "through", "-")
    if first is None or not words.word(*closing):
        words.at = start
        return None
    closed = words.token
    last = read_time(words)
    if last is None or words.token.text in UNITS:
        words.at = start
        return None
    if opened.kind == closed.kind == "number" and last <= first <= 12 * HOUR:
        hour = last // HOUR
        raise words.refuse(
            closed,
            f"{hour} after {opened.text} is in the afternoon, or on the next day: write {hour % 12 + 12}:00 or {hour:02}:00",
            hint=words.with_text(closed, f"{hour % 12 + 12}:00"),
        )
    return first, last


def read_minutes_range(words: Words) -> tuple[int, int] | None:
    """``from 0 to 56``, before ``minutes past every hour``."""
    start = words.at
    words.word("from")
    first = read_small_number(words)
    if first is None or not words.word("to", "-"):
        words.at = start
        return None
    last = read_small_number(words)
    if last is None:
        words.at = start
        return None
    return first, last
