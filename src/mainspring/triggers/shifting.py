"""The fire times of a trigger, each a fixed span of time later or earlier."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from mainspring.errors import TriggerError
from mainspring.triggers.common_fields import INNER, ZONE_BOUND
from mainspring.triggers.declared import Codec, positional
from mainspring.triggers.standard import TICK
from mainspring.triggers.wrapping import WrappingTrigger, last_of, next_of, shifted_answer

if TYPE_CHECKING:
    from mainspring.triggers.base import BaseTrigger
    from mainspring.triggers.explaining import Phrase
    from mainspring.triggers.steps import Steps

__all__ = ["ShiftedTrigger"]


class ShiftedTrigger(WrappingTrigger):
    """Fires a fixed span of elapsed time after another trigger does, or before it.

    So a schedule has fractions of a second, which the clock times of other triggers don't have.

    Args:
        trigger: the other.
        shift: how much later; earlier, if it is negative.

    Raises:
        TriggerError: the shift is zero.
        TypeError: it is no `timedelta`.
    """

    __slots__ = ("shift",)

    kind = "shifted"
    fields_declared = (
        INNER,
        positional(
            "shift",
            codec=Codec(lambda shift: shift // TICK, lambda ticks, _zone: timedelta(microseconds=ticks)),
            shown=repr,
        ),
        ZONE_BOUND,
    )
    shown_as = "<{name} ({fields})>"

    def __init__(self, trigger: BaseTrigger, shift: timedelta) -> None:
        self._wrap(trigger)
        if not isinstance(shift, timedelta):
            raise TypeError(f"shift must be a timedelta, got {type(shift).__name__} {shift!r}")
        if not shift:
            raise TriggerError("shift must be longer or shorter than zero: otherwise use the trigger itself")
        self.shift = shift

    def _around(self, trigger: BaseTrigger) -> Self:
        return type(self)(trigger, self.shift)

    def is_same_schedule(self, other: BaseTrigger) -> bool:
        return (
            type(other) is type(self)
            and self.shift == other.shift
            and self.trigger.is_same_schedule(other.trigger)
        )

    def _after(self, moment: datetime, steps: Steps) -> datetime | None:
        return shifted_answer(next_of, self.trigger, moment, self.shift, steps)

    def _before(self, moment: datetime, steps: Steps) -> datetime | None:
        return shifted_answer(last_of, self.trigger, moment, self.shift, steps)

    def _phrase(self) -> Phrase:
        from mainspring.triggers.explaining import Clause, phrase_of
        from mainspring.triggers.explaining.durations import spoken_duration

        key = "shifted.earlier" if self.shift < timedelta(0) else "shifted.later"
        return phrase_of(self.trigger).but(Clause(key, distance=spoken_duration(abs(self.shift))))

    def __str__(self) -> str:
        return f"{self.trigger} shifted by {self.shift}"
