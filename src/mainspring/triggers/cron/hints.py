"""What was most likely meant by a part of a cron field that can't be read: candidates, the likeliest first. Whoever offers one has tried it before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mainspring.coercion import nearest
from mainspring.triggers.cron.expressions import FULL_MONTHS, FULL_WEEKDAYS, MONTHS, WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["candidates"]

_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_WORD = re.compile(r"[^\W\d_]{2,}")
_BOUNDS = re.compile(r"(?P<first>\d{1,9})(?:-(?P<last>\d{1,9}))?(?P<step>/\d{1,9})?", re.ASCII)
_HASHED = re.compile(r"H\((?P<first>\d{1,9})-(?P<last>\d{1,9})\)(?P<step>/\d{1,9})?", re.ASCII)
_CLOCK = re.compile(r"(?P<hour>\d{1,2})(?:[:.]00)?\s*(?P<half>[ap])\.?m\.?", re.ASCII | re.IGNORECASE)
_POSITION = re.compile(r"(?P<at>\d|[a-z]+)(?:st|nd|rd|th|\.)?[\s-]+(?P<day>[a-z][a-z -]*)", re.ASCII)
_EVERY = re.compile(r"(?:every|each)\s+(?P<step>\d{1,9})(?:\s+(?P<unit>[a-z]+))?", re.ASCII)

#: Two letters, as in iCalendar and systemd, and as in German.
_SHORT_WEEKDAYS = {
    **dict(zip(("mo", "tu", "we", "th", "fr", "sa", "su"), WEEKDAYS, strict=True)),
    **dict(zip(("mo", "di", "mi", "do", "fr", "sa", "so"), WEEKDAYS, strict=True)),
}
_GERMAN_WEEKDAYS = dict(
    zip(
        ("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag"),
        WEEKDAYS,
        strict=True,
    )
)
_MORE_WEEKDAYS = {
    **_SHORT_WEEKDAYS,
    **_GERMAN_WEEKDAYS,
    "tues": "tue",
    "weds": "wed",
    "thur": "thu",
    "thurs": "thu",
}
_MORE_MONTHS = {"sept": "sep", "maerz": "mar", "märz": "mar", "mai": "may", "okt": "oct", "dez": "dec"}
_WORKDAYS = frozenset(
    {
        "weekday",
        "weekdays",
        "workday",
        "workdays",
        "business day",
        "business days",
        "working days",
        "werktags",
    }
)
_ALL = frozenset({"all", "any", "every", "each", "daily", "everyday", "every day", "**", "always"})
_POSITIONS = {
    "first": "1st",
    "1": "1st",
    "second": "2nd",
    "2": "2nd",
    "third": "3rd",
    "3": "3rd",
    "fourth": "4th",
    "4": "4th",
    "fifth": "5th",
    "5": "5th",
    "last": "last",
}
#: A word is taken for another of which so much is the same; for less if it is short, since one letter of three is much.
_ALIKE, _ALIKE_IF_SHORT = 0.75, 0.6
_SHORT = 4
_SUNDAY = 7
#: A number that is further beyond a bound was not meant to be it.
_NEAR = 2


def candidates(name: str, text: str, lowest: int, highest: int) -> Iterator[str]:
    """What may have been meant by `text`.

    Args:
        name: of the field.
        lowest, highest: the bounds of its numbers.
    """
    low = " ".join(text.lower().split())
    if low in _ALL:
        yield "*"
    yield from _every(name, low)
    if name == "day_of_week":
        yield from _weekdays(low)
    if name == "day":
        yield from _days(low)
    if name == "year" and low.isdecimal() and int(low) < 100:  # noqa: PLR2004 - two digits
        yield str(2000 + int(low))
    if name == "hour":
        yield from _hours(low)
    yield from _numbers(text, lowest, highest)
    tidied = _tidied(name, low, highest)
    yield tidied
    yield _by_name(name, tidied)
    yield from _numbers(tidied, lowest, highest)


def _every(name: str, text: str) -> Iterator[str]:
    if match := _EVERY.fullmatch(text):
        unit = (match["unit"] or name).removesuffix("s")
        if unit in (name, {"minute": "min", "second": "sec"}.get(name)):
            yield f"*/{match['step']}"


def _weekdays(text: str) -> Iterator[str]:
    if text in _WORKDAYS:
        yield "mon-fri"
    if text in ("weekend", "weekends"):
        yield "sat,sun"
    match = _BOUNDS.fullmatch(text)
    if match is not None and _SUNDAY in (int(match["first"]), int(match["last"] or 0)):
        # Who has a 7 counts from 1 for Monday, as ISO does, or as cron.
        first, last = int(match["first"]), int(match["last"] or match["first"])
        if first == 0:
            yield f"*{match['step'] or ''}"
        elif first <= last <= _SUNDAY:
            days = [WEEKDAYS[number - 1] for number in (first, last)]
            yield "-".join(dict.fromkeys(days)) + (match["step"] or "")
    if match := re.fullmatch(r"(?P<day>[a-z]+|\d)#(?P<at>\d{1,9})", text):
        yield f"{match['day']}#{min(max(int(match['at']), 1), 5)}"


def _days(text: str) -> Iterator[str]:
    if re.fullmatch(r"-\d{1,2}", text):
        yield "last" if text == "-1" else f"L{int(text) + 1}"
    if match := re.fullmatch(r"last\s*(-\s*\d{1,2})", text):
        yield f"L{match[1].replace(' ', '')}"
    if text in ("last day", "end", "ultimo", "eom", "last day of month", "last day of the month"):
        yield "last"
    if match := re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th|\.)", text):
        yield match[1]
    if match := re.fullmatch(r"(\d{1,9})w", text):
        yield f"{min(max(int(match[1]), 1), 31)}W"
    if text == "wl":
        yield "LW"
    match = _POSITION.fullmatch(text)
    if match is None:
        return
    at, day = match["at"], match["day"]
    position = _POSITIONS.get(at) or _POSITIONS.get(nearest(at, _POSITIONS) or "")
    if day in _WORKDAYS:
        # Only these two can be said; there is a trigger for the others.
        yield {"last": "LW", "1st": "1W"}.get(position or "", "")
    elif position is not None and (weekday := _weekday(day)) is not None:
        yield f"{position} {weekday}"
    elif at.isdecimal() and (weekday := _weekday(day)) is not None:
        yield f"5th {weekday}"


def _hours(text: str) -> Iterator[str]:
    if match := _CLOCK.fullmatch(text):
        hour = int(match["hour"])
        if 1 <= hour <= 12:  # noqa: PLR2004 - of half a day
            yield str(hour % 12 + (12 if match["half"].lower() == "p" else 0))
    if match := re.fullmatch(r"(\d{1,2})\s*(?:h|uhr|o'?clock)", text):
        yield match[1]


def _numbers(text: str, lowest: int, highest: int) -> Iterator[str]:
    """Bounds that are a little too low or too high, brought within the field's."""
    size = highest - lowest + 1
    if match := re.fullmatch(r"\*/(\d{1,9})", text):
        if int(match[1]) == size:
            yield str(lowest)
        if not int(match[1]):
            yield "*"
    if match := _HASHED.fullmatch(text):
        first, last = sorted(min(max(int(match[at]), lowest), highest) for at in ("first", "last"))
        step = match["step"] or ""
        yield f"H({first}-{last}){step}"
        yield f"H({first}-{last})"
    if re.fullmatch(r"H/\d{1,9}", text):
        yield "H"
    match = _BOUNDS.fullmatch(text)
    if match is None:
        return
    first, step = int(match["first"]), match["step"] or ""
    if match["last"] is None:
        if first == highest + 1 and not lowest:
            yield f"{lowest}{step}"  # 24:00 is 00:00
        if lowest - _NEAR <= first <= highest + _NEAR:
            yield f"{min(max(first, lowest), highest)}{step}"
        yield str(first)
        return
    last = int(match["last"])
    if lowest - _NEAR <= first <= highest and lowest <= last < 2 * highest:
        yield f"{max(first, lowest)}-{min(last, highest)}{step}"
        yield f"{first}-{last}" if step.strip("/0") == "" else str(first)


def _tidied(name: str, text: str, highest: int) -> str:
    """`text` with what is written otherwise elsewhere as it is here: other dashes, words between, a star or stroke too few or too many."""
    text = re.sub(r"[\u2010-\u2015\u2212]|\.{2,3}|\u2026", "-", text)
    text = re.sub(r"\s*(?:\bto\b|\bthrough\b|\bthru\b|\buntil\b|\bbis\b)\s*", "-", text)
    text = re.sub(r"\s*(?:[;&|]|(?<=[a-z]{3})\+(?=[a-z]{3})|\band\b|\bund\b|\bor\b)\s*", ",", text)
    text = re.sub(r"\s*(-|/)\s*", r"\1", text)
    text = re.sub(r"-{2,}", "-", text)
    text = re.sub(r"/{2,}", "/", text)
    text = re.sub(r"^\*{2,}", "*", text)
    text = re.sub(r"^\*(\d)", r"*/\1", text)
    text = re.sub(r"^/", "*/", text).rstrip("/").rstrip(",")
    if re.fullmatch(r"\d+(?:\.0+)?", text):
        text = text.partition(".")[0]
    if re.fullmatch(r"h(?:\(\d+-\d+\))?(?:/\d+)?", text):
        return "H" + text[1:]
    if re.fullmatch(r"\d+-", text):
        return f"{text}{highest}"
    if name != "day" and re.fullmatch(r"\w+(?: \w+)+", text):
        text = text.replace(" ", ",")
    return text


def _by_name(name: str, text: str) -> str:
    """`text` with the nearest name of a weekday or month for each word."""
    if name not in ("day_of_week", "month"):
        return text
    read = _weekday if name == "day_of_week" else _month
    return _WORD.sub(lambda word: read(word[0]) or word[0], text)


def _weekday(word: str) -> str | None:
    return _known(word, WEEKDAYS, FULL_WEEKDAYS, _MORE_WEEKDAYS)


def _month(word: str) -> str | None:
    return _known(word, MONTHS, FULL_MONTHS, _MORE_MONTHS)


def _known(word: str, short: list[str], full: list[str], more: dict[str, str]) -> str | None:
    if word in short:
        return word
    if word in more:
        return more[word]
    found = nearest(word, [*full, *short], _ALIKE if len(word) > _SHORT else _ALIKE_IF_SHORT)
    if found in full:
        return short[full.index(found)]
    return found
