"""Schedules that differ in nothing but their times of the day, told as one."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from mainspring.timezones import zone_identity
from mainspring.triggers.business_day import BusinessDayTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.explaining.clauses import Clause, Phrase
from mainspring.triggers.explaining.times import at, every_span, is_of_day, times_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.cron.fields import BaseField

__all__ = ["times_together", "told_together"]

_DAY, _HOUR = 86_400, 3600
#: A schedule with more times of the day is told by its fields alone.
_MOST_TIMES = 3000
#: So many single times are listed, and so many beside what is regular; so many stretches of the day are told one by one, with so many times in each.
_LISTED, _SINGLE, _STRETCHES, _IN_A_STRETCH = 12, 3, 3, 3
_PROGRESSION = 4
#: What is said of one schedule alone: it is another thing of two together.
_COUNTED = ("fires.", "first.")


def told_together(spoken: Sequence[tuple[BaseTrigger, Phrase]]) -> list[Phrase]:
    """The phrases of triggers, those as one that differ in nothing but times which have a phrase of their own."""
    groups: list[tuple[Phrase, set[int] | None, list[Phrase]]] = []
    for trigger, phrase in spoken:
        times = _times(trigger) if phrase.what.key == "when" else None
        for place, (first, have, members) in enumerate(groups):
            if times is not None and have is not None and _differ_in_times(first, phrase):
                groups[place] = (first, have | times, [*members, phrase])
                break
        else:
            groups.append((phrase, times, [phrase]))
    phrases: list[Phrase] = []
    for first, times, members in groups:
        merged = _merged(first, times) if len(members) > 1 and times is not None else None
        phrases += [merged] if merged is not None else members
    return phrases


def _merged(phrase: Phrase, times: set[int]) -> Phrase | None:
    parts = _beside_times(phrase)
    clause = times_together(times, wraps=not parts)
    if clause is None:
        return None
    if "days" not in parts and is_of_day(clause):
        parts["days"] = Clause("days.every")
    return phrase._replace(what=Clause("when", times=clause, **parts))


def times_together(times: set[int], *, wraps: bool) -> Clause | None:
    """Times of the day, in seconds since midnight, in a phrase of their own; ``None`` if they have none.

    Args:
        wraps: whether every day fires, so that a stretch of the day may go on past midnight.
    """
    numbers = [
        sorted({time // size % count for time in times}) for size, count in ((3600, 24), (60, 60), (1, 60))
    ]
    hours, minutes, seconds = numbers
    if len(hours) * len(minutes) * len(seconds) == len(times):
        return times_of(hours, minutes, seconds, wraps=wraps)
    ordered = sorted(times)
    regular = _regular(ordered, wraps=wraps)
    if regular is not None:
        return regular
    return at(*ordered) if len(ordered) <= _LISTED else None


def _regular(ordered: list[int], *, wraps: bool) -> Clause | None:
    """Times in stretches in which they have the same distance, and a few beside these."""
    if wraps:
        # A stretch begins after the longest pause.
        pauses = [(ordered[at] - ordered[at - 1]) % _DAY for at in range(len(ordered))]
        begin = pauses.index(max(pauses))
        ordered = ordered[begin:] + [time + _DAY for time in ordered[:begin]]
    gaps = Counter(later - earlier for earlier, later in pairwise(ordered))
    step = max(gaps, key=lambda gap: (gaps[gap], -gap))
    classes: dict[int, list[int]] = {}
    for time in ordered:
        classes.setdefault(time % step, []).append(time)
    # Single times between those of a stretch would divide it, so that it is looked at by itself first.
    for some in (max(classes.values(), key=len), ordered):
        stretches = [one for one in _stretches(some, step) if len(one) >= _IN_A_STRETCH]
        single = sorted({time % _DAY for time in set(ordered).difference(*stretches)})
        if (
            stretches
            and len(stretches) <= _STRETCHES
            and len(single) <= _SINGLE
            and len(ordered) >= _PROGRESSION
        ):
            break
    else:
        return None
    every = every_span(step, [(one[0] % _DAY, one[-1] % _DAY) for one in stretches])
    if step == _HOUR and len(stretches[0]) == _DAY // _HOUR and not stretches[0][0] % _HOUR:
        every = Clause("times.hourly")
    return Clause("times.mixed", single=at(*single), every=every) if single else every


def _stretches(times: Sequence[int], step: int) -> list[list[int]]:
    """Times in order, divided where the next one is at another distance."""
    stretches = [[times[0]]]
    for earlier, later in pairwise(times):
        if later - earlier == step:
            stretches[-1].append(later)
        else:
            stretches.append([later])
    return stretches


def _times(trigger: BaseTrigger) -> set[int] | None:
    """The times of the day of a trigger that has fields for them; ``None`` for others, and for times that a job's id will choose."""
    fields: Sequence[BaseField]
    if type(trigger) is CronTrigger:
        fields = [trigger._field(name) for name in ("hour", "minute", "second")]
        seed: str | None = trigger.seed
    elif type(trigger) is BusinessDayTrigger:
        fields, seed = trigger.fields[1:], trigger._seed
    else:
        return None
    if seed is None and any(field.has_hash() for field in fields):
        return None
    hours, minutes, seconds = (field.values(seed or "") for field in fields)
    if len(hours) * len(minutes) * len(seconds) > _MOST_TIMES:
        return None
    return {hour * 3600 + minute * 60 + second for hour in hours for minute in minutes for second in seconds}


def _differ_in_times(one: Phrase, other: Phrase) -> bool:
    """Whether nothing but the times of the day is different in what two phrases say."""
    return (
        _beside_times(one) == _beside_times(other)
        and one.details == other.details
        and zone_identity(one.zone) == zone_identity(other.zone)
        and not any(detail.key.startswith(_COUNTED) for detail in one.details)
    )


def _beside_times(phrase: Phrase) -> dict[str, Clause]:
    """What a phrase says beside times; that it is of every day goes without saying."""
    parts = {name: part for name, part in phrase.what.parts.items() if name != "times"}
    if "days" in parts and parts["days"].key == "days.every":
        del parts["days"]
    return parts
