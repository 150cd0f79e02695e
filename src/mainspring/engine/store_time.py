"""What time it is by the clock of a store, as one node knows it.

Where a store has a clock of its own, that clock alone says what is due, for all nodes. A node doesn't ask for it before each decision: it knows
the time that the last answers carried, and how much has passed since on its monotonic clock, which nobody sets. So a step of the node's wall
clock changes nothing, whenever it comes.

An answer says what time it was somewhere between question and answer. What a node believes is kept for a minute, as long as no answer contradicts it.
One that does replaces it, with the earliest time that it may mean: so nothing is begun before it is due, and it is begun late by no more than
an answer takes.
This also follows a store whose own clock is set.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

#: After so many seconds a quick answer replaces what is believed: two clocks run apart by some milliseconds in that time.
KEPT_SECONDS, QUICK_SECONDS = 60.0, 1.0


class StoreTime(NamedTuple):
    """It was `moment` by the store's clock when it was `monotonic`, in seconds, by ours."""

    moment: datetime
    monotonic: float

    def at(self, monotonic: float) -> datetime:
        """What time it is by the store's clock when it is `monotonic` by ours."""
        return self.moment + timedelta(seconds=monotonic - self.monotonic)

    def corrected(self, asked: float, moment: datetime, answered: float) -> StoreTime:
        """What is known after an answer that says `moment` to a question of `asked`."""
        believed = self.at(answered)
        took = answered - asked
        is_contradicted = not moment <= believed <= moment + timedelta(seconds=took)
        is_old = answered - self.monotonic > KEPT_SECONDS and took <= QUICK_SECONDS
        return StoreTime(moment, answered) if is_contradicted or is_old else self
