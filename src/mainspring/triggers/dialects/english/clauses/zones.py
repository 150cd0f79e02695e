"""Time zones: ``Europe/Berlin``, ``UTC+02:00``."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfoNotFoundError

from mainspring.timezones import astimezone, zone_names

if TYPE_CHECKING:
    from datetime import tzinfo

    from mainspring.triggers.dialects.english.reading import Reading
    from mainspring.triggers.dialects.english.words import Words

__all__ = ["read_zone", "read_zone_clause", "read_zone_here"]

#: Names without a place that the database has; others, such as CEST, are only said by some, and IST means three.
_SHORT_ZONES = frozenset({"CET", "EET", "WET", "MET", "EST", "MST", "HST"})


def read_zone_clause(reading: Reading) -> str | None:
    """``in Europe/Berlin``; ``in`` may be left out."""
    reading.words.word("in")
    return read_zone(reading)


def read_zone(reading: Reading) -> str | None:
    """A time zone, as that of the sentence."""
    zone = read_zone_here(reading.words)
    if zone is None:
        return None
    reading.words.word("time")
    reading.sentence.zone = zone
    return "zone"


def read_zone_here(words: Words) -> tzinfo | None:
    """A time zone: ``Europe/Berlin``, ``UTC``, ``UTC+02:00``, or another name that the database has."""
    token = words.token
    if token.kind == "word" and token.text in ("utc", "gmt"):
        words.at += 1
        return astimezone("UTC")
    if token.kind == "zone":
        words.at += 1
        name = token.text[3:] if token.text[:3].upper() in ("UTC", "GMT") else token.text
        if name[0] in "+-" and ":" not in name:
            name = f"{name[0]}{int(name[1:]):02}:00"
        try:
            return astimezone(name)
        except ZoneInfoNotFoundError as error:
            for known in zone_names():
                if known.lower() == name.lower():
                    return astimezone(known)
            raise words.refuse(token, str(error.args[0])) from None
        except ValueError as error:
            raise words.refuse(token, f"{name} is no offset: {error}") from None
    if token.kind == "word" and token.text.upper() in _SHORT_ZONES:
        words.at += 1
        return astimezone(token.text.upper())
    words.expect("a time zone such as 'Europe/Berlin'")
    return None
