"""Delays that look random, and are the same each time they are asked for.

The delay of a fire time is a hash of that time and of the job's id. So a trigger needs no memory to tell which base time
a delayed one belongs to, the base times never move, and jobs with the same trigger are spread.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from mainspring.coercion import is_number, number_meant
from mainspring.errors import TriggerError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def delay_of(base: datetime, longest: timedelta, seed: str) -> timedelta:
    """The delay of the time `base`, in UTC: not negative, and shorter than `longest`."""
    text = f"{seed}\0{(base - _EPOCH) // _TICK}"
    number = int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())
    return timedelta(microseconds=(longest // _TICK) * number >> 64)


def checked_jitter(value: Any) -> float | None:
    """`value`, if it is a number of seconds that isn't negative, or ``None``.

    Raises:
        TriggerError: it is neither.
    """
    if value is None:
        return None
    if not is_number(value) or value < 0:
        raise TriggerError(
            f"jitter must be a number of seconds, 0 or more, got {value!r}{number_meant(value)}"
        )
    seconds: float = value
    return seconds
