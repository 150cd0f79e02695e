"""Schedules of Jenkins, as in its field "Build periodically": crontabs with ``H``, and short forms that are hashed too.

The grammar is that of Jenkins itself: five fields with numbers alone; a day fires if its day of the month *and* its weekday match; a first
line may name the time zone (``TZ=Europe/Berlin``); lines that begin with ``#`` say nothing. Of several lines each fires.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mainspring.errors import CronSyntaxError
from mainspring.triggers.combining import OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.cron.grammars import FIVE_FIELDS, Grammar, Numbering
from mainspring.triggers.cron.reading import within, zone_in

if TYPE_CHECKING:
    from datetime import tzinfo

__all__ = ["read"]

JENKINS = Grammar(
    name="jenkins",
    layouts={5: FIVE_FIELDS},
    weekdays=Numbering(lowest=0, highest=7, monday=1, sunday=0, first=0),
    forms=frozenset(),
    macros={
        "@yearly": "H H H H *",
        "@annually": "H H H H *",
        "@monthly": "H H H * *",
        "@weekly": "H H * * H",
        "@daily": "H H * * *",
        "@midnight": "H H(0-2) * * *",
        "@hourly": "H * * * *",
    },
    has_question_mark=False,
    has_names=False,
    wraps=False,
    steps_from_value=False,
)

_ZONE = re.compile(r"TZ=(?P<zone>\S+)")


def read(text: str) -> CronTrigger | OrTrigger:
    """The trigger that a schedule of Jenkins means.

    Raises:
        CronSyntaxError: it can't be read.
    """
    triggers: list[CronTrigger] = []
    zone: tzinfo | None = None
    position = 0
    for line in text.splitlines(keepends=True):
        stripped = line.strip()
        start = position + line.index(stripped)
        position += len(line)
        match = _ZONE.match(stripped)
        if match and not triggers and zone is None:
            zone = _zone(match["zone"], text, start + match.start("zone"))
            rest = stripped[match.end() :]
            start += match.end() + len(rest) - len(rest.lstrip())
            stripped = rest.strip()
        if stripped and not stripped.startswith("#"):
            triggers.append(_read_line(stripped, text, start, zone))
    if not triggers:
        raise CronSyntaxError("expected a schedule such as 'H 3 * * 1-5'", text=text)
    return triggers[0] if len(triggers) == 1 else OrTrigger(triggers)


def _read_line(line: str, text: str, start: int, zone: tzinfo | None) -> CronTrigger:
    try:
        return CronTrigger._from_text(line, JENKINS, zone)
    except CronSyntaxError as error:
        raise within(text, start, line, error) from None


def _zone(name: str, text: str, start: int) -> tzinfo:
    lines = text[start + len(name) :].split("\n")
    schedules = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return zone_in(text, name, start, schedules[0] if schedules else "", JENKINS)
