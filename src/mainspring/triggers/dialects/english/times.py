"""Times of the day as sets of seconds, and as the fields of cron triggers."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

DAY = 86_400
HOUR = 3600
MINUTE = 60


class Fields(NamedTuple):
    """Fields of a cron trigger: all of these hours, with all of these minutes, with all of these seconds."""

    hour: str
    minute: str
    second: str


#: From when to when each part of the day is, in hours; the night goes on over midnight.
_PARTS = {"morning": (0, 12), "afternoon": (12, 19), "evening": (16, 24), "night": (20, 30)}


def in_part(part: str, time: int) -> int | None:
    """The time of the day in a part of it that may be meant by a time on a clock of 12 hours; ``None``: it may be none, or two."""
    first, last = _PARTS[part]
    hours = {time % DAY, (time + DAY // 2) % DAY} if time < 13 * HOUR else {time}
    found = [one for one in hours if first * HOUR <= one < last * HOUR or one + DAY < last * HOUR]
    return time if time in found else found[0] if len(found) == 1 else None


def within(step: int, first: int, last: int) -> set[int]:
    """Every so many seconds from a first to a last time of the day, both included; the last may be on the next day."""
    if last < first:
        last += DAY
    return {time % DAY for time in range(first, last + 1, step)}


def crossed(hours: Iterable[int], minutes: Iterable[int], seconds: Iterable[int]) -> set[int]:
    """The times of the day with all of these hours, minutes and seconds."""
    minutes, seconds = list(minutes), list(seconds)
    return {
        hour * HOUR + minute * MINUTE + second for hour in hours for minute in minutes for second in seconds
    }


def as_fields(times: Iterable[int]) -> list[Fields]:
    """As few fields as the times are taken apart into: hours that have the same minutes, minutes that have the same seconds."""
    by_hour: dict[int, dict[int, set[int]]] = {}
    for time in times:
        by_hour.setdefault(time // HOUR, {}).setdefault(time // MINUTE % 60, set()).add(time % 60)
    hours: dict[tuple[frozenset[int], frozenset[int]], set[int]] = {}
    for hour, by_minute in by_hour.items():
        minutes: dict[frozenset[int], set[int]] = {}
        for minute, seconds in by_minute.items():
            minutes.setdefault(frozenset(seconds), set()).add(minute)
        for seconds_of, minutes_of in minutes.items():
            hours.setdefault((frozenset(minutes_of), seconds_of), set()).add(hour)
    found = [
        Fields(text_of(of, 0, 23), text_of(minutes_of, 0, 59), text_of(seconds_of, 0, 59))
        for (minutes_of, seconds_of), of in sorted(hours.items(), key=lambda pair: min(pair[1]))
    ]
    return sorted(set(found), key=found.index)


def text_of(values: Collection[int], lowest: int, highest: int) -> str:
    """Numbers as a cron field has them: ``*``, ``*/15``, ``8-18/2``, ``8-12,14-18``, or one by one."""
    ordered = sorted(values)
    if len(ordered) == highest - lowest + 1:
        return "*"
    steps = {later - earlier for earlier, later in pairwise(ordered)}
    if len(ordered) > 2 and len(steps) == 1 and steps != {1}:  # noqa: PLR2004 - two are listed
        step = steps.pop()
        if ordered[0] == lowest and ordered[-1] + step > highest:
            return f"*/{step}"
        return f"{ordered[0]}-{ordered[-1]}/{step}"
    if len(ordered) == 2 and ordered[0] == lowest and 2 * ordered[1] - lowest == highest + 1:  # noqa: PLR2004 - halves
        return f"*/{ordered[1] - lowest}"
    texts = []
    for first in ordered:
        if first - 1 in values:
            continue
        last = first
        while last + 1 in values:
            last += 1
        texts.append(f"{first}-{last}" if last - first > 1 else ",".join(map(str, range(first, last + 1))))
    return ",".join(texts)
