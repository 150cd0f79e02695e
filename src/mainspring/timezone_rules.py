"""Time zones that are given as a rule and not by a name: ``CET-1CEST,M3.5.0,M10.5.0/3``, as POSIX writes them in ``TZ``.

The rule is put into the form of a compiled zone file (RFC 8536), which `zoneinfo` reads: so its arithmetic is that of all other zones.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from io import BytesIO
from struct import pack
from typing import Any
from zoneinfo import ZoneInfo

__all__ = ["RuleZone", "zone_of_rule"]


class RuleZone(ZoneInfo):
    """A zone by its rule, which is its key. `ZoneInfo` itself can't be pickled where it wasn't found by name."""

    def __reduce__(self) -> tuple[Any, ...]:
        return zone_of_rule, (self.key,)


@lru_cache(maxsize=64)
def zone_of_rule(rule: str) -> tzinfo:
    """The zone of a rule; one without summer time is a fixed offset.

    Raises:
        ValueError: it is none, or says nothing of when its summer time begins.
    """
    types = pack(">lBB", 0, 0, 0) + b"UTC\0"
    header = pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 0, 1, 4)
    block = header + types
    zone = RuleZone.from_file(BytesIO(block + block + f"\n{rule}\n".encode("ascii")), key=rule)
    if "," in rule:
        return zone
    return timezone(zone.utcoffset(datetime(2026, 1, 1)) or timedelta(0))  # noqa: DTZ001 - the same at any time
