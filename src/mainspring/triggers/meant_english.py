"""What was most likely meant by a sentence that isn't understood: whole sentences to be tried, as `meant` has them for other dialects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mainspring.timezones import zone_called
from mainspring.triggers.cron.expressions import FULL_WEEKDAYS, WEEKDAYS
from mainspring.triggers.replacing import Replacements

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["spoken_candidates"]

_WEEKDAY = rf"(?:{'|'.join([*(f'{name}s?' for name in FULL_WEEKDAYS), *WEEKDAYS, 'tues', 'thurs?'])})"
_FORMS = Replacements(
    (r"\beveryday\b", "every day"),
    (
        r"^(?:please|remind (?:me|us)|runs?|execute[sd]?|schedule[sd]?|fires?|occurs|repeats?|do (?:it|this))(?: to\b)?\s+",
        "",
    ),
    (r",?\s+(?:please|sharp|thanks|thank you)$", ""),
    (r"^(?=\d+ every\b)", "at "),
    (r"^(?=\d{4}-\d\d-\d\d\b)", "on "),
    (r"\b([01]?\d|2[0-3])h([0-5]\d)\b", r"\1:\2"),
    (r"\b([01]?\d|2[0-3])h(?!\w)", r"\1:00"),
    (r"(?<=\d)z\b", " UTC"),
    (rf"\b({_WEEKDAY})[/ ](?={_WEEKDAY}\b)", r"\1, "),
    (r"\bm-f\b", "mon-fri"),
    (r"\bmwf\b", "mon, wed, fri"),
    (r"\b(?:a )?couple (?:of )?", "2 "),
    (r"\bduring (?:business|office|working) hours\b", "from 09:00 to 17:00 on weekdays"),
    (r"^every (\d+ min(?:ute)?s? past)\b", r"at \1"),
    (r"^(?:on )?(\d\d)\.(\d\d)\.(\d{4})\b", r"on \3-\2-\1"),
    (r"^nightly$", "every day at 00:00"),
)
#: A time after the last second of the day; only of every day is it known which days are meant.
_DAILY_AT_24 = re.compile(
    r"(every day|daily)(.*)\b24:00|24:00(.*)\b(?:every day|daily)", re.ASCII | re.IGNORECASE
)
#: By how many words the name of a zone has.
_LAST_WORDS = {
    count: re.compile(
        rf"(?P<before>.*?\s)(?P<name>[a-z]+(?: [a-z]+){{{count - 1}}})(?P<after>(?: time)?)",
        re.ASCII | re.IGNORECASE,
    )
    for count in (1, 2)
}


def spoken_candidates(text: str) -> Iterator[str]:
    """What may have been meant by a sentence."""
    yield from _FORMS.of(text)
    if _DAILY_AT_24.search(text):
        yield text.replace("24:00", "00:00")
    for words in (1, 2):
        match = _LAST_WORDS[words].fullmatch(text)
        zone = zone_called(match["name"]) if match is not None else None
        if match is not None and zone is not None:
            yield f"{match['before']}{zone}{match['after']}"
