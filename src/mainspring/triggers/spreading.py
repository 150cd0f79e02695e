"""A trigger whose jobs don't all begin at once: each has a place of its own in a span after the fire time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Self

from mainspring.errors import TriggerError
from mainspring.triggers.common_fields import INNER, ZONE_BOUND
from mainspring.triggers.declared import Codec, Field, positional
from mainspring.triggers.wrapping import WrappingTrigger, last_of, next_of, shifted_answer

if TYPE_CHECKING:
    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.explaining import Phrase
    from mainspring.triggers.steps import Steps

__all__ = ["SpreadTrigger", "place_of"]

_MILLISECOND = timedelta(milliseconds=1)
_BITS = 64
#: 2**64 divided by the golden ratio: its multiples divide a circle more evenly than those of any other number, however many there are.
_GOLDEN = 0x9E3779B97F4A7C15
#: The last number in a text.
_NUMBER = re.compile(r"(\d+)\D*\Z", re.ASCII)
#: More digits than a counter has say nothing.
_MOST_DIGITS = 12
_UNITS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_SPAN = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", re.ASCII)
_EXPECTED = "expected a span such as '1h', '90m' or '1h30m', a timedelta, or a number of seconds, above zero"


def place_of(job_id: str) -> float:
    """The place of a job: from 0 up to, not including, 1; always the same for the same id.

    Ids that differ in their last number alone lie evenly: of n of them that are numbered on, each has n-ths of the whole about itself, never
    less than about half of one, nor more than twice. (The multiples of the golden ratio; Knuth, The Art of Computer Programming, volume 3,
    section 6.4, theorem S.) Others lie as chance has it, by a hash.
    """
    return _place(job_id) / (1 << _BITS)


def _place(job_id: str) -> int:
    match = _NUMBER.search(job_id)
    if match is not None and len(match[1]) > _MOST_DIGITS:
        match = None
    text = job_id if match is None else f"{job_id[: match.start(1)]}\0{job_id[match.end(1) :]}"
    number = int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())
    if match is not None:
        number += int(match[1]) * _GOLDEN
    return number & ((1 << _BITS) - 1)


class SpreadTrigger(WrappingTrigger):
    """Fires later than another trigger, by an amount that is the job's own. `BaseTrigger.spread` makes it.

    The amount is elapsed time, also where the clocks change, and the same for each fire time, on every node, and after each restart.

    Args:
        trigger: the other.
        over: the span in which the jobs are spread; see `BaseTrigger.spread`.

    Attributes:
        over: the span.

    Raises:
        TriggerError: `over` is no span of time.
    """

    __slots__ = ("_seed", "over")

    kind = "spread"
    fields_declared = (
        INNER,
        positional("over", codec=Codec(timedelta.total_seconds), shown=lambda over: f"'{_shown(over)}'"),
        Field("seed", "_seed"),
        ZONE_BOUND,
    )

    def __init__(self, trigger: BaseTrigger, over: Any) -> None:
        self._wrap(trigger)
        self.over = _read(over)
        self._seed: str | None = None

    @property
    def delay(self) -> timedelta:
        """By how much it is later; nothing, until it is added to a scheduler."""
        if self._seed is None:
            return timedelta(0)
        # Whole milliseconds, none of which is the mark of a job that is still searched for (`mainspring.engine.searching`).
        return (self.over // _MILLISECOND * _place(self._seed) >> _BITS) * _MILLISECOND

    def _around(self, trigger: BaseTrigger) -> Self:
        made = type(self)(trigger, self.over)
        made._seed = self._seed
        return made

    def bind(self, *, timezone: tzinfo, now: datetime, job_id: str) -> Self:
        if self._seed is not None:
            return super().bind(timezone=timezone, now=now, job_id=job_id)
        seeded = self._around(self.trigger)
        seeded._timezone, seeded._seed = self._timezone, job_id
        return super(SpreadTrigger, seeded).bind(timezone=timezone, now=now, job_id=job_id)

    def _is_bound(self) -> bool:
        return self._seed is not None and super()._is_bound()

    def is_same_schedule(self, other: BaseTrigger) -> bool:
        return (
            type(other) is type(self)
            and self.over == other.over
            and self._seed == other._seed
            and self.trigger.is_same_schedule(other.trigger)
        )

    def _after(self, moment: datetime, steps: Steps) -> datetime | None:
        return shifted_answer(next_of, self.trigger, moment, self.delay, steps)

    def _before(self, moment: datetime, steps: Steps) -> datetime | None:
        return shifted_answer(last_of, self.trigger, moment, self.delay, steps)

    def count_between(self, first: datetime, last: datetime) -> int | None:
        return self.trigger.count_between(first - self.delay, last - self.delay)

    def _phrase(self) -> Phrase:
        from mainspring.triggers.explaining import Clause, phrase_of
        from mainspring.triggers.explaining.durations import spoken_duration

        span = spoken_duration(self.over)
        if self._seed is None:
            return phrase_of(self.trigger).but(Clause("spread", span=span))
        delay = timedelta(seconds=round(self.delay.total_seconds()))
        return phrase_of(self.trigger).but(Clause("spread.by", span=span, delay=spoken_duration(delay)))

    def __str__(self) -> str:
        return f"{self.trigger} spread over {_shown(self.over)}"


def _read(value: Any) -> timedelta:
    """A span of time.

    Raises:
        TriggerError: it is none.
    """
    span: timedelta | None = None
    if isinstance(value, timedelta):
        span = value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        try:
            span = timedelta(seconds=value)
        except (OverflowError, ValueError):  # infinite, or no number
            span = None
    elif isinstance(value, str):
        match = _SPAN.fullmatch(value.strip().lower())
        if match is not None:
            parts = zip(_UNITS.values(), match.groups(), strict=True)
            span = timedelta(seconds=sum(unit * int(number or 0) for unit, number in parts))
    if span is None or span <= timedelta(0):
        raise TriggerError(f"spread_over: {_EXPECTED}, got {value!r}")
    return span


def _shown(span: timedelta) -> str:
    if span.microseconds:
        return f"{span.total_seconds()} s"
    left = span.days * 86_400 + span.seconds
    text = ""
    for name, unit in _UNITS.items():
        if left // unit:
            text += f"{left // unit}{name}"
        left %= unit
    return text
