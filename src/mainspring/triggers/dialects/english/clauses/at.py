"""``at 09:30 and 17:30``, ``at :15 past every hour``, and hours of the day apart from their distance."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from mainspring.triggers.dialects.english.clauses.clock import (
    is_hour,
    read_small_number,
    read_spoken_hour,
    read_time,
    read_windows,
)
from mainspring.triggers.dialects.english.clauses.every import read_every
from mainspring.triggers.dialects.english.clauses.moments import read_moment
from mainspring.triggers.dialects.english.clauses.past import read_hours_of_past, read_past, read_past_token
from mainspring.triggers.dialects.english.clauses.units import UNITS
from mainspring.triggers.dialects.english.times import HOUR, MINUTE, crossed

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.reading import Reading
    from mainspring.triggers.dialects.english.words import Token

__all__ = ["read_at", "read_hours_of_day"]


def read_at(reading: Reading) -> str | None:  # noqa: PLR0911 - one for each form
    """``at 09:30 and 17:30``, ``at :15 past every hour``, ``at 2026-03-01 09:00``; ``at`` may be left out before a time with minutes."""
    words = reading.words
    if words.token.kind == "time":
        return _clock_times(reading)
    if words.word("at"):
        if words.token.text == "every":
            return read_every(reading)
    elif not (words.token.kind == "number" and words.ahead(1).text == "past"):
        return None
    if words.token.text in ("minute", "minutes"):
        return _at_minutes(reading)
    if minutes := words.several(partial(read_past_token, words)):
        return reading.add_times(crossed(_hours_of(reading), minutes, [0]))
    if words.token.kind == "date":
        moment = read_moment(words)
        if moment is None or moment.second is None:
            words.expect("a time such as '09:30'")
            raise words.fail()
        reading.sentence.once = moment
        return "date"
    return read_past(reading) or _clock_times(reading)


def _hours_of(reading: Reading) -> set[int]:
    """The hours of ``:15``: ``past every hour``, ``every hour``, or those of ``every 2 hours`` before it."""
    words = reading.words
    if words.phrase("past"):
        return read_hours_of_past(words)
    return set(range(24)) if words.phrase("every|each", "hour") else _stepped_hours(reading)


def _at_minutes(reading: Reading) -> str | None:
    """``minute 23 past every 2nd hour from 0 to 20``, ``minutes 5 and 35``: of every hour, if no hours follow."""
    words = reading.words
    words.at += 1
    minutes = words.several(partial(read_small_number, words))
    if not minutes:
        raise words.fail()
    hours = read_hours_of_past(words) if words.word("past") else set(range(24))
    return reading.add_times(crossed(hours, minutes, [0]))


def _clock_times(reading: Reading) -> str | None:
    words = reading.words

    # Only "at" says that such words and figures are times; what follows them in a list is as they are.
    is_at = words.before.text == "at"

    def one() -> int | None:
        nonlocal is_at
        is_at = words.word("at") is not None or is_at
        token = words.token
        found = None
        if is_at and words.ahead(1).text not in UNITS:
            if token.kind == "word":
                return read_spoken_hour(words)
            found = _figures(token)
        is_at = found is not None
        if found is not None:
            words.at += 1
            return found
        if token.kind == "number" and words.ahead(1).text in (*UNITS, "times"):
            return None
        if token.kind == "number" and not is_hour(token):
            raise words.refuse(token, f"{token.text} is no hour: expected 0 to 23, or a time such as '09:30'")
        return read_time(words)

    start = words.at
    times = words.several(one)
    if not times:
        return None
    for token in words.between(start):
        if token.kind == "time" and ("m" in token.text or token.text[0].isalpha()):
            reading.sentence.exact_times.add(int(token.value))
    return reading.add_times(set(times))


def _figures(token: Token) -> int | None:
    """``0930`` and ``9.30``, of which only ``at`` says that they are times of the day."""
    match = re.fullmatch(r"(\d{1,2})\.(\d\d)|(\d\d)(\d\d)", token.text) if token.kind == "number" else None
    if match is None:
        return None
    hour, minute = int(match[1] or match[3]), int(match[2] or match[4])
    return hour * HOUR + minute * MINUTE if hour <= 23 and minute <= 59 else None  # noqa: PLR2004 - as on the clock


def _stepped_hours(reading: Reading) -> set[int]:
    """The hours of ``every 2 hours at :15``."""
    words, step = reading.words, reading.sentence.step
    if step is not None and step % HOUR == 0 and 24 % (step // HOUR) == 0:
        reading.sentence.step = None
        reading.sentence.places.pop("distance")
        return set(range(0, 24, int(step) // HOUR))
    words.expect("'past every hour'", "'every hour'")
    raise words.fail()


def read_hours_of_day(reading: Reading) -> str | None:
    """``from 9 to 17``, apart from the distance that is meant within it: ``every 30 minutes on weekdays from 9 to 17``."""
    token = reading.words.token
    if token.text not in ("from", "between"):
        return None
    windows = read_windows(reading.words)
    if not windows:
        return None
    reading.sentence.hours = windows
    return "hours"
