"""``at a time that the job's id chooses``: the fields of a cron trigger that have an ``H``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mainspring.triggers.dialects.english.times import HOUR, MINUTE
from mainspring.triggers.dialects.english.words import WEEKDAY_WORDS

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.words import Words

__all__ = ["WHO_CHOOSES", "read_chosen", "read_chosen_start"]

WHO_CHOOSES: Final = ("that", "the", "job's", "id", "chooses")
_LAST_MINUTE: Final = 59
#: What is chosen, and the fields that say so.
_PHRASES: Final[dict[tuple[str, ...], dict[str, str]]] = {
    ("at", "a", "time"): {"hour": "H", "minute": "H"},
    ("at", "a", "full", "hour"): {"hour": "H", "minute": "0"},
    ("every", "hour", "at", "a", "minute"): {"hour": "*", "minute": "H"},
    ("every", "hour", "at", "a", "minute", "and", "a", "second"): {"hour": "*", "minute": "H", "second": "H"},
    ("every", "minute", "at", "a", "second"): {"hour": "*", "minute": "*", "second": "H"},
    ("on", "a", "day", "of", "the", "month"): {"day": "H"},
    ("on", "a", "day", "of", "the", "week"): {"day_of_week": "H"},
    ("in", "a", "month"): {"month": "H"},
    ("of", "a", "month"): {"month": "H"},
}


def read_chosen(words: Words) -> dict[str, str] | None:
    """The fields of the clause that comes next; ``None`` if it isn't one of these, and nothing is read then."""
    start = words.at
    for phrase, fields in _PHRASES.items():
        if words.follows(*phrase, *WHO_CHOOSES):
            return dict(fields)
    for read in (_time_in_a_span, _day_in_a_span):
        found = read(words)
        if found is not None and words.follows(*WHO_CHOOSES):
            return found
        words.at = start
    return None


def read_chosen_start(words: Words) -> bool:
    """Whether ``from a minute that the job's id chooses`` comes next; it is read then."""
    return words.follows("from", "a", "minute", *WHO_CHOOSES)


def _time_in_a_span(words: Words) -> dict[str, str] | None:
    """``at a time from 00:00 to 07:59``: of some hours, or of minutes in one of them."""
    if not words.follows("at", "a", "time", "from"):
        return None
    first, to, last = words.token, words.ahead(1), words.ahead(2)
    if first.kind != "time" or last.kind != "time" or to.text != "to" or first.value > last.value:
        return None
    words.at += 3
    hours = first.value // HOUR, last.value // HOUR
    minutes = first.value // MINUTE % 60, last.value // MINUTE % 60
    seconds = first.value % MINUTE, last.value % MINUTE
    if minutes != (0, _LAST_MINUTE) and hours[0] != hours[1]:
        return None
    if seconds not in ((0, 0), (0, MINUTE - 1)):
        return None
    return {
        "hour": str(hours[0]) if hours[0] == hours[1] else _within(hours, 23),
        "minute": _within(minutes, _LAST_MINUTE),
        "second": "H" if seconds[1] else "0",
    }


def _within(span: tuple[int, int], highest: int) -> str:
    return "H" if span == (0, highest) else f"H({span[0]}-{span[1]})"


def _day_in_a_span(words: Words) -> dict[str, str] | None:
    """``on a day from the 1st to the 7th of the month``, ``on a day from Monday to Friday``."""
    if not words.follows("on", "a", "day", "from"):
        return None
    first, to, last = words.token, words.ahead(1), words.ahead(2)
    if first.text in WEEKDAY_WORDS and to.text == "to" and last.text in WEEKDAY_WORDS:
        words.at += 3
        return {"day_of_week": f"H({WEEKDAY_WORDS[first.text]}-{WEEKDAY_WORDS[last.text]})"}
    if not words.follows("the"):
        return None
    first = words.token
    words.at += 1
    if not words.follows("to", "the"):
        return None
    last = words.token
    words.at += 1
    if {first.kind, last.kind} != {"ordinal"} or not words.follows("of", "the", "month"):
        return None
    return {"day": f"H({first.value}-{last.value})"}
