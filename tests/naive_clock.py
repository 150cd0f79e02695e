"""When a zone's clocks show a time, asked of Python's own `datetime` (PEP 495): nothing of ours."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo


def instants(wall: datetime, zone: tzinfo, gap: str = "shift", fold: str = "first") -> list[datetime]:
    """The instants that a time without a zone means, by the rule chosen: none, one or two."""
    first, second = (wall.replace(tzinfo=zone, fold=side).astimezone(UTC) for side in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None, fold=0) != wall:
        return [first] if gap == "shift" else []  # `fold=0` reads it with the offset before
    if first == second:
        return [first]
    return {"first": [first], "second": [second], "both": [first, second]}[fold]
