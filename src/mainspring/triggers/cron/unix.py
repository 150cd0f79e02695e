"""Lines of crontabs, brought to the fields of `CronTrigger`: as cron of Vixie and Debian reads them, with what others have added.

A time zone may stand before the fields (``CRON_TZ=…``, of cronie and Go) or after them (of fugit and sidekiq-cron), and a value may be
drawn (``0~59``, of OpenBSD): from the job's id, as with ``H``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mainspring.errors import CronSyntaxError
from mainspring.timezones import UTC, nearest_zone
from mainspring.triggers.cron.grammars import FIVE_FIELDS, UNIX
from mainspring.triggers.cron.reading import readable, zone_in

if TYPE_CHECKING:
    from datetime import tzinfo

__all__ = ["Placed", "command_after", "placed"]

_BEFORE = re.compile(
    r"""\s*(?:CRON_)?TZ\s*=\s*(?P<zone>"[^"\n]*"|'[^'\n]*'|\S+)\s+(?P<rest>\S.*)""", re.DOTALL
)
#: What a zone looks like, and no field of a cron expression does.
_ZONE = re.compile(
    r"[+-]\d\d:\d\d|[a-z][\w+-]*(?:/[a-z][\w+-]*)+|[A-Z]{3,5}(?:\d[A-Z]{3})?|Z", re.IGNORECASE | re.ASCII
)

#: What may be a field, if it can't be read.
_IS_FIELD = re.compile(r"[\d*?,/LW#H()~-]+", re.ASCII)


class Placed(NamedTuple):
    """A line of a crontab without its time zone.

    Attributes:
        text: the rest.
        start: where it begins in the line.
        timezone: the zone, or ``None``.
    """

    text: str
    start: int
    timezone: tzinfo | None


def placed(line: str) -> Placed:
    """A line of a crontab, and the time zone that it names, before its fields or after them.

    Raises:
        CronSyntaxError: no zone has that name.
    """
    if "=" in line and (match := _BEFORE.fullmatch(line)):
        name, rest = match["zone"].strip("\"'").removeprefix(":"), match["rest"]
        zone = zone_in(line, name, line.index(name, match.start("zone")), rest, UNIX)
        return Placed(rest, match.start("rest"), zone)
    rest, last = ([*line.strip().rsplit(maxsplit=1), "", ""])[:2]
    if not (last[-1:].isalpha() or last[:1] in "+-" or "/" in last):
        return Placed(line, 0, None)  # as most lines end
    is_whole = len(rest.split()) in UNIX.layouts or line.lstrip().startswith("@")
    if is_whole and _ZONE.fullmatch(last) and not _is_weekday_field(last):
        try:
            zone = zone_in(line, last, line.rindex(last), rest, UNIX) if last.upper() != "Z" else UTC
        except CronSyntaxError:
            if "/" in last or (last.isupper() and nearest_zone(last) is not None):
                raise  # it is meant to be one
        else:
            return Placed(rest, line.index(rest), zone)
    return Placed(line, 0, None)


def _is_weekday_field(word: str) -> bool:
    return re.fullmatch(r"(?:mon|tue|wed|thu|fri|sat|sun)\w*(?:/\d+)?", word, re.IGNORECASE) is not None


def _may_be_field(word: str) -> bool:
    return _is_weekday_field(word) or _IS_FIELD.fullmatch(word) is not None


def command_after(text: str) -> CronSyntaxError | None:
    """The error about what comes after five fields, if they alone can be read."""
    words = text.split(maxsplit=len(FIVE_FIELDS))
    if len(words) <= len(FIVE_FIELDS) or all(map(_may_be_field, words[-1].split())):
        return None
    fields = readable([" ".join(words[:-1])], UNIX)
    if fields is None:
        return None
    return CronSyntaxError(
        f"after the five fields there may be a time zone, but {words[-1][:100]!r} is none: leave out the command that is to be run",
        text=text,
        position=text.rindex(words[-1]),
        hint=fields,
    )
