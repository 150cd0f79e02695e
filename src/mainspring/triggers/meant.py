"""What was most likely meant by a text that no dialect reads: whole texts to be tried, the likeliest first. Whoever offers one has tried it before.

These are mistakes about a text as a whole, or forms of another program. Mistakes within a field or a word are each dialect's own to mend.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from mainspring.triggers.cron.expressions import MONTHS
from mainspring.triggers.meant_english import spoken_candidates
from mainspring.triggers.replacing import Replacements

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["candidates"]

_DASHES = re.compile("[\u2010-\u2015\u2212]")
_QUOTED = re.compile(r"""(["'`\u2018\u201c])(?P<inner>.+)["'`\u2019\u201d]""", re.DOTALL)
#: ``schedule: "0 9 * * *"``, ``cron = 0 9 * * *``
_KEY = re.compile(r"[a-z][\w .-]{0,30}?(?:(?<!\d):|\s*=)\s*(?P<inner>\S.*)", re.IGNORECASE | re.DOTALL)
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:h|m|s|ms))+", re.ASCII)
_SPOKEN_EVERY = re.compile(
    r"(?:@every\s+)?(?P<count>\d{1,9})\s*(?P<unit>s|sec|second|m|min|minute|h|hr|hour|d|day|w|week)s?",
    re.ASCII | re.IGNORECASE,
)
#: In Go's units, which have no days.
_GO_UNITS = {"s": (1, "s"), "m": (1, "m"), "h": (1, "h"), "d": (24, "h"), "w": (168, "h")}
_HASHES = re.compile(r"(?<![\w])h(?![\w])", re.ASCII)
_RATE = re.compile(r"rate\s*\(?\s*(?P<count>\d{1,9})\s*(?P<unit>[a-z]+)\s*\)?", re.ASCII | re.IGNORECASE)
_CRON = re.compile(r"cron\s*\((?P<inner>[^()]*)\)", re.ASCII | re.IGNORECASE)
_AT = re.compile(
    r"at\s*\(\s*(?P<day>\d{4}-\d\d-\d\d)[ T](?P<time>\d\d:\d\d)(?P<second>:\d\d)?[^)]*\)", re.ASCII
)
_CRON_WITHOUT_BRACKETS = re.compile(r"cron\s+(?P<inner>[^()]+)", re.ASCII | re.IGNORECASE)
_HOURS = re.compile(r"rate\s*\(\s*(?P<hours>\d{1,4}\.\d{1,3})\s*h(?:ou)?rs?\s*\)", re.ASCII | re.IGNORECASE)
_SCHEDULED = re.compile(r"""@Scheduled\s*\(.*?cron\s*=\s*(["'])(?P<inner>[^"']+)\1.*\)""", re.DOTALL)
_DOTTED_DATE = r"(?<![\d.])(\d\d)\.(\d\d)\.(\d{4})(?!\d)", r"\3-\2-\1"
_CRONTAB_FORMS = Replacements(
    (r"^(\d{1,2}):(\d\d)( \S+ \S+ \S+)(?: \*)?$", r"\2 \1\3"),
    (r"^(\S+ \S+ \* \*)$", r"\1 *"),
    (r"^@every(?=\d)", "@every "),
    (r"(?<=[a-z])\.\.(?=[a-z])", "-"),
    (r"#l\b", "L"),
)
_EVENT_FORMS = Replacements(
    (r"\b(\d{1,2})\.(\d\d)$", r"\1:\2"),
    (r"^(\d{1,2}) ?am$", r"\1:00"),
    (r"^(.*[ *])(\d{1,2})$", r"\1\2:00"),
    (r"^(?:every day|daily)(?: at)? (?=\d)", ""),
    (r"^every day$", "daily"),
    (r"^noon$", "12:00"),
    (r"^midnight$", "00:00"),
    (r"(?<=[a-z]);(?=[a-z])", ","),
)
_RULE_FORMS = Replacements(
    (r"=FORTNIGHTLY\b", "=WEEKLY;INTERVAL=2"),
    (r"\b(MO|TU|WE|TH|FR|SA|SU) (?=(?:MO|TU|WE|TH|FR|SA|SU)\b)", r"\1,"),
    (r",\s*(?=[A-Z]+=)", ";"),
    (r"\bFREQ=WEEKLY(?=.*BYDAY=[+-]?\d)", "FREQ=MONTHLY"),
    (r"BYHOUR=(\d{1,2}):(\d\d)", r"BYHOUR=\1;BYMINUTE=\2"),
    *((rf"(?<=[=,]){name}[a-z]*", str(number)) for number, name in enumerate(MONTHS, 1)),
)
_REPEAT_FORMS = Replacements(
    (r"/(?=\d+(?:\.\d+)?[HS]$)", "/PT"),
    (r"^R+(?=/)", "R"),
    (r",", "/"),
    _DOTTED_DATE,
)
_FIVE = 5
#: Hours, minutes and seconds come after a ``T``.
_WITHOUT_T = re.compile(r"(?<![\d.,PT])P(?=\d+[HS])", re.ASCII)
_WITHOUT_P = re.compile(r"(?<=/)(?=\d+[YMWD](?:/|\s|\Z))", re.ASCII)
_POINT = re.compile(r"(?P<day>\d{4}-\d\d-\d\d)T(?P<time>\d\d:\d\d(?::\d\d)?)(?P<utc>Z)?", re.ASCII)


def candidates(dialect: str, text: str) -> Iterator[str]:
    """What may have been meant by `text`, as texts of a dialect."""
    for tidied in _tidied(text):
        yield tidied
        yield from _of_dialect(dialect, tidied)


def _tidied(text: str) -> Iterator[str]:
    """A text with the characters of a keyboard, and then, one by one, without what is around it in a configuration file."""
    tidied = _DASHES.sub("-", unicodedata.normalize("NFKC", text)).strip()
    while True:
        yield tidied
        match = _QUOTED.fullmatch(tidied) or _KEY.fullmatch(tidied)
        inner = tidied.strip("#;.,") if match is None else match["inner"]
        if inner.strip() == tidied:
            return
        tidied = inner.strip()


def _of_dialect(dialect: str, text: str) -> Iterator[str]:
    match dialect:
        case "unix" | "jenkins":
            yield from _crontab(text)
        case "eventbridge":
            yield from _eventbridge(text)
        case "spring":
            if match := _SCHEDULED.fullmatch(text):
                yield match["inner"]
        case "rrule":
            yield from _RULE_FORMS.of(text)
        case "iso8601":
            yield from _REPEAT_FORMS.of(text)
            yield _WITHOUT_T.sub("PT", text)
            yield _WITHOUT_P.sub("P", text)
        case "systemd":
            if match := _POINT.fullmatch(text):
                yield f"{match['day']} {match['time']}{' UTC' if match['utc'] else ''}"
            yield from _EVENT_FORMS.of(text)
        case "english":
            yield from spoken_candidates(text)


def _crontab(text: str) -> Iterator[str]:
    yield from _CRONTAB_FORMS.of(text)
    if _DURATION.fullmatch(text):
        yield f"@every {text}"
    if match := _SPOKEN_EVERY.fullmatch(text):
        factor, unit = _GO_UNITS[match["unit"][0].lower()]
        yield f"@every {int(match['count']) * factor}{unit}"
    yield _HASHES.sub("H", text)


def _eventbridge(text: str) -> Iterator[str]:
    if match := _CRON_WITHOUT_BRACKETS.fullmatch(text):
        yield f"cron({match['inner']})"
    if (match := _HOURS.fullmatch(text)) and (minutes := float(match["hours"]) * 60).is_integer():
        yield f"rate({int(minutes)} minutes)"
    if match := _RATE.fullmatch(text):
        unit = match["unit"].lower().removesuffix("s")
        unit = {"min": "minute", "m": "minute", "hr": "hour", "h": "hour", "d": "day"}.get(unit, unit)
        count = int(match["count"])
        yield f"rate({count} {unit}{'' if count == 1 else 's'})"
    if match := _CRON.fullmatch(text):
        words = match["inner"].split()
        if len(words) == _FIVE:  # as in a crontab
            yield f"cron({match['inner'].strip()} *)"
            if words[4] == "*":
                yield f"cron({' '.join(words[:4])} ? *)"
            elif words[2] == "*":
                yield f"cron({words[0]} {words[1]} ? {words[3]} {words[4]} *)"
    if match := _AT.fullmatch(text):
        yield f"at({match['day']}T{match['time']}{match['second'] or ':00'})"
