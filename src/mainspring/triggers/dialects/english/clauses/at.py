"""``at 09:30 and 17:30``, ``at :15 past every hour``, and hours of the day apart from their distance."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mainspring.triggers.dialects.english.clauses.clock import is_hour, read_time, read_windows
from mainspring.triggers.dialects.english.clauses.moments import read_moment
from mainspring.triggers.dialects.english.clauses.past import read_hours_of_past, read_past, read_past_token
from mainspring.triggers.dialects.english.clauses.units import UNITS
from mainspring.triggers.dialects.english.times import HOUR, crossed

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.reading import Reading

__all__ = ["read_at", "read_hours_of_day"]


def read_at(reading: Reading) -> str | None:
    """``at 09:30 and 17:30``, ``at :15 past every hour``, ``at 2026-03-01 09:00``; ``at`` may be left out before a time with minutes."""
    words = reading.words
    if words.token.kind == "time":
        return _clock_times(reading)
    if not words.word("at"):
        return None
    if minutes := words.several(partial(read_past_token, words)):
        hours = read_hours_of_past(words) if words.phrase("past") else None
        if hours is None and words.phrase("every|each", "hour"):
            hours = set(range(24))
        if hours is None:
            hours = _stepped_hours(reading)
        return reading.add_times(crossed(hours, minutes, [0]))
    if words.token.kind == "date":
        moment = read_moment(words)
        if moment is None or moment.second is None:
            words.expect("a time such as '09:30'")
            raise words.fail()
        reading.sentence.once = moment
        return "date"
    return read_past(reading) or _clock_times(reading)


def _clock_times(reading: Reading) -> str | None:
    words = reading.words

    def one() -> int | None:
        words.word("at")
        token = words.token
        if token.kind == "number" and words.ahead(1).text in (*UNITS, "times"):
            return None
        if token.kind == "number" and not is_hour(token):
            raise words.refuse(token, f"{token.text} is no hour: expected 0 to 23, or a time such as '09:30'")
        return read_time(words)

    times = words.several(one)
    return reading.add_times(set(times)) if times else None


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
