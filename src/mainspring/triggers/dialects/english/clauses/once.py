"""Single times: ``once, at 2026-03-01 09:00``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mainspring.triggers.dialects.english.clauses.clock import read_time
from mainspring.triggers.dialects.english.clauses.moments import read_moment

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.reading import Reading
    from mainspring.triggers.dialects.english.words import Words

__all__ = ["read_on_date", "read_once"]


def read_on_date(reading: Reading) -> str:
    """``2026-03-01``, ``2026-03-01 09:00``, ``2026-03-01 at 9``, after ``on``."""
    moment = read_moment(reading.words)
    if moment is not None and moment.second is None and reading.words.word("at"):
        moment.second = reading.words.needed(partial(read_time, reading.words))
    reading.sentence.once = moment
    return "date"


def read_once(reading: Reading) -> str | None:  # noqa: PLR0911 - one for each form
    """``once, at 2026-03-01 09:00``, ``once as soon as it is added``; in a schedule, a first time."""
    words = reading.words
    if reading.has_clauses() and words.phrase("first", "at"):
        reading.sentence.start = words.needed(partial(read_moment, words))
        reading.sentence.extra.append(reading.sentence.start)
        return "start"
    if words.phrase("once", "as", "soon", "as", "it", "is", "added"):
        if reading.has_clauses():
            reading.sentence.first = "now"
            return "first time"
        reading.sentence.once = "added"
        return "date"
    if words.phrase("once", "each"):
        return _once_each(reading)
    if not words.word("once") or words.token.text in ("every", "each"):
        return None
    words.word(",")
    if words.phrase("as", "soon", "as", "it", "is", "added"):
        reading.sentence.once = "added"
        return "date"
    if reading.has_clauses() and words.word("at"):
        reading.sentence.extra.append(words.needed(partial(read_moment, words)))
        return "first time"
    if not words.word("at", "on"):
        raise words.fail()
    return read_on_date(reading) if words.token.kind == "date" else _no_date(words)


def _once_each(reading: Reading) -> str | None:
    """``once each, at 2026-03-01 09:00 and 2026-03-04 12:00``; ``once each day`` is something else."""
    words = reading.words
    words.word(",")
    if not words.word("at"):
        return None
    moments = words.several(partial(read_moment, words))
    if not moments or any(moment.second is None for moment in moments):
        words.expect("dates such as '2026-03-01 09:00'")
        raise words.fail()
    reading.sentence.once, *reading.sentence.extra = moments
    return "date"


def _no_date(words: Words) -> str:
    words.expect("a date such as '2026-03-01'")
    raise words.fail()
