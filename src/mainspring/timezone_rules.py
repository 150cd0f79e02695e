"""Time zones that are given as a rule and not by a name: ``CET-1CEST,M3.5.0,M10.5.0/3``, as POSIX writes them in ``TZ``.

The rule is put into the form of a compiled zone file (RFC 8536), which `zoneinfo` reads: so its arithmetic is that of all other zones.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from io import BytesIO
from struct import pack
from typing import Any
from zoneinfo import ZoneInfo

__all__ = ["RuleZone", "zone_of_rule"]

_NAME, _TIME = r"(?:[A-Za-z]+|<[^>]*>)", r"[-+]?\d+(?::\d+){0,2}"
_RULE = re.compile(
    rf"(?P<winter_name>{_NAME})(?P<winter>{_TIME})(?P<summer_name>{_NAME})(?P<summer>{_TIME})?,(?P<begin>[^,/]+)(?:/(?P<begins>{_TIME}))?,(?P<end>[^,/]+)(?:/(?P<ends>{_TIME}))?"
)
_HOUR = 3600
#: Where no time is written, the clocks are changed at two.
_AT_TWO = 2 * _HOUR


class RuleZone(ZoneInfo):
    """A zone by its rule, which is its key. `ZoneInfo` itself can't be pickled where it wasn't found by name."""

    def __reduce__(self) -> tuple[Any, ...]:
        return zone_of_rule, (self.key,)


@lru_cache(maxsize=64)
def zone_of_rule(rule: str) -> tzinfo:
    """The zone of a rule; one without summer time is a fixed offset. What may be left out of a rule doesn't count: zones that differ in it are equal.

    Raises:
        ValueError: it is none, or says nothing of when its summer time begins.
    """
    rule = _in_short(rule)
    types = pack(">lBB", 0, 0, 0) + b"UTC\0"
    header = pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 0, 1, 4)
    block = header + types
    zone = RuleZone.from_file(BytesIO(block + block + f"\n{rule}\n".encode("ascii")), key=rule)
    if "," in rule:
        return zone
    return timezone(zone.utcoffset(datetime(2026, 1, 1)) or timedelta(0))  # noqa: DTZ001 - the same at any time


def _in_short(rule: str) -> str:
    """A rule without what goes without saying, and with numbers as short as they can be."""
    match = _RULE.fullmatch(rule)
    if match is None:
        return rule
    winter = _seconds(match["winter"])
    summer = winter - _HOUR if match["summer"] is None else _seconds(match["summer"])
    changes = [
        _day(match[day]) + _unless(_AT_TWO, _AT_TWO if match[time] is None else _seconds(match[time]), "/")
        for day, time in (("begin", "begins"), ("end", "ends"))
    ]
    names = match["winter_name"], match["summer_name"]
    return f"{names[0]}{_text(winter)}{names[1]}{_unless(winter - _HOUR, summer)},{','.join(changes)}"


def _unless(implied: int, seconds: int, prefix: str = "") -> str:
    return "" if seconds == implied else prefix + _text(seconds)


def _text(seconds: int) -> str:
    minutes, rest = divmod(abs(seconds), 60)
    text = f"{minutes // 60}" + (f":{minutes % 60:02}" if minutes % 60 or rest else "")
    return ("-" if seconds < 0 else "") + text + (f":{rest:02}" if rest else "")


def _seconds(text: str) -> int:
    parts = [*map(int, text.lstrip("+-").split(":")), 0, 0]
    seconds = (parts[0] * 60 + parts[1]) * 60 + parts[2]
    return -seconds if text.startswith("-") else seconds


def _day(text: str) -> str:
    """``M3.5.0`` without zeros that are only written."""
    return re.sub(r"\d+", lambda number: str(int(number[0])), text)
