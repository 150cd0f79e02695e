"""The order in which clauses are tried. docs/triggers/dialects/english.md has the grammar as a whole."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mainspring.triggers.dialects.english.clauses.adverbs import read_adverb
from mainspring.triggers.dialects.english.clauses.at import read_at, read_hours_of_day
from mainspring.triggers.dialects.english.clauses.choice import read_choice
from mainspring.triggers.dialects.english.clauses.counts import read_count
from mainspring.triggers.dialects.english.clauses.days import read_on
from mainspring.triggers.dialects.english.clauses.every import read_every
from mainspring.triggers.dialects.english.clauses.exceptions import read_except
from mainspring.triggers.dialects.english.clauses.frequency import read_frequency
from mainspring.triggers.dialects.english.clauses.moments import read_from, read_moment, read_until
from mainspring.triggers.dialects.english.clauses.months import read_in
from mainspring.triggers.dialects.english.clauses.once import read_once
from mainspring.triggers.dialects.english.clauses.parts_of_day import read_part_of_day
from mainspring.triggers.dialects.english.clauses.rules import read_clock_rules, read_placing, read_rolling
from mainspring.triggers.dialects.english.clauses.sunlight import read_sunlight
from mainspring.triggers.dialects.english.clauses.within_hour import read_within_hour
from mainspring.triggers.dialects.english.clauses.zones import read_zone_clause
from mainspring.triggers.dialects.english.reading import Reading
from mainspring.triggers.dialects.english.words import A_CLAUSE

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainspring.triggers.dialects.english.sentence import Sentence
    from mainspring.triggers.dialects.english.words import Words

__all__ = ["read_sentence"]

#: Each returns the name of the clause that it has read, or ``None``. Earlier ones begin with words with which later ones begin too.
_CLAUSES: tuple[Callable[[Reading], str | None], ...] = (
    read_sunlight,
    read_choice,
    read_frequency,
    read_once,
    read_count,
    read_clock_rules,
    read_hours_of_day,
    read_placing,
    read_rolling,
    read_within_hour,
    read_adverb,
    read_every,
    read_part_of_day,
    read_at,
    read_from,
    read_until,
    read_in,
    read_except,
    read_zone_clause,
    read_on,
)
#: The clauses that may come more than once.
_REPEATED = frozenset({"times", "except", "choice"})


def read_sentence(words: Words) -> Sentence:
    """The sentence that comes next, up to the end, ``and also`` or a bracket.

    Raises:
        CronSyntaxError: there is none.
    """
    reading = Reading(words)
    while True:
        start = words.at
        if reading.has_clauses():
            if words.token.text == ",":
                words.at += 1
            if words.token.text == "and":
                words.at += 1
        if reading.has_clauses() and _also_at(reading):
            continue
        if words.token.text == "also" or words.token.text in (";", ")"):
            words.at = start
            break
        reading.place = place = words.token
        name = _clause(reading)
        if name is None:
            words.at = start
            break
        if name in reading.sentence.places and name not in _REPEATED:
            raise words.refuse(place, f"this says the {name} a second time: say it once")
        reading.sentence.places.setdefault(name, place)
    if not reading.has_clauses():
        raise words.fail()
    return reading.sentence


def _also_at(reading: Reading) -> bool:
    """Read ``also at 2026-03-04 12:00``: single times, and no other schedule."""
    words = reading.words
    if (words.token.text, words.ahead(1).text, words.ahead(2).kind) != ("also", "at", "date"):
        return False
    words.at += 2
    reading.sentence.extra += words.several(partial(read_moment, words))
    return True


def _clause(reading: Reading) -> str | None:
    """Read a clause; its name, or ``None`` if there is none."""
    words = reading.words
    words.expect(A_CLAUSE)
    start = words.at
    for read in _CLAUSES:
        name = read(reading)
        if name is not None:
            return name
        words.at = start
    return None
