"""Dates with times, and from and until when."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from mainspring.timezones import astimezone
from mainspring.triggers.dialects.english.clauses.clock import read_time
from mainspring.triggers.dialects.english.clauses.months import read_year_number
from mainspring.triggers.dialects.english.clauses.zones import read_zone_here
from mainspring.triggers.dialects.english.sentence import Moment

if TYPE_CHECKING:
    from mainspring.triggers.dialects.english.reading import Reading
    from mainspring.triggers.dialects.english.words import Token, Words

__all__ = ["read_from", "read_moment", "read_until"]

#: What is said of a moment in summer, where it means one offset alone.
_SUMMER_OFFSETS = {
    "CEST": "+02:00",
    "EEST": "+03:00",
    "WEST": "+01:00",
    "EDT": "-04:00",
    "MDT": "-06:00",
    "PDT": "-07:00",
}


def read_moment(words: Words) -> Moment | None:
    """``2026-03-01``, ``2026-03-01 09:00``, ``2026-03-01 at 9``, with a time zone behind it if need be."""
    token = words.kind("date", "a date such as '2026-03-01'")
    if token is None:
        return None
    try:
        date.fromisoformat(token.text)
    except ValueError as error:
        raise words.refuse(token, f"{token.text} is no date: {error}") from None
    moment = Moment(token.text)
    time = words.kind("time", "a time such as '09:30'")
    if time is not None:
        moment.second = int(time.value)
        summer = words.token.text.upper()
        if words.token.kind == "word" and summer in _SUMMER_OFFSETS:
            words.at += 1
            moment.zone = astimezone(_SUMMER_OFFSETS[summer])
        else:
            moment.zone = read_zone_here(words)
    return moment


def read_from(reading: Reading) -> str | None:
    """``from 2026-03-01``; ranges of weekdays, days, months and years that begin with ``from`` too."""
    words = reading.words
    opening = words.token
    if words.word("starting", "beginning", "counted"):
        words.word("on", "from", "at")
    elif not words.word("from", "since", "after"):
        return None
    if words.phrase("when|the", "day|it", "it|is", "is|added", "added") or words.phrase(
        "when", "it", "is", "added"
    ):
        reading.sentence.starts_when_added = True
        return "start"
    if words.phrase("as", "soon", "as", "it", "is", "added"):
        reading.sentence.starts_when_added, reading.sentence.first = True, "now"
        return "start"
    _refuse_time(words, opening)
    moment = read_moment(words)
    if moment is not None:
        reading.sentence.start = moment
        if words.word("to", "through"):
            reading.sentence.end = words.needed(partial(read_moment, words))
            reading.sentence.places["end"] = words.token
        return "start"
    first = read_year_number(words)
    if first is not None and words.word("to", "through", "-"):
        last = words.needed(partial(read_year_number, words))
        reading.sentence.years = str(first) if first == last else f"{first}-{last}"
        if last < first:
            raise words.refuse(words.token, f"the year {last} is before {first}")
        return "years"
    return None


def _refuse_time(words: Words, opening: Token) -> None:
    """Refuse ``starting at 8``, which doesn't say until when on each day."""
    token = words.token
    following = words.ahead(1).text
    if opening.text not in ("starting", "beginning") or following in ("to", "until", "-", "through"):
        return
    second = read_time(words)
    if second is None:
        return
    window = f"from {second // 3600:02}:{second // 60 % 60:02} to 23:59"
    raise words.refuse(
        token,
        "a time of the day is no beginning: expected a date, or from when to when on each day",
        hint=words.with_text(opening, window, words.before),
    )


def read_until(reading: Reading) -> str | None:
    """``until 2026-12-31``."""
    words = reading.words
    if not words.word("until", "till", "through"):
        return None
    words.phrase("the", "end", "of")
    reading.sentence.end = words.needed(partial(read_moment, words))
    return "end"
