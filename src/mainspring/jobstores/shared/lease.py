"""The nodes of a store as they know each other, and whether this one may still trust its claims."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from mainspring.clock import Clock

ALIVE, STOPPED, DEAD = "alive", "stopped", "dead"


class NodeLease:
    """What this node claims is claimed under this, as long as it is renewed in time.

    Attributes:
        token: the number of this registration; a later one, of whichever node, has a higher number.
    """

    def __init__(self, token: int, duration: timedelta, clock: Clock, asked: float) -> None:
        self.token = token
        # Others may take over when the store has heard nothing for the whole duration. What passed on the way to
        # it counts from before the question was asked, and the margin is for clocks that run unevenly.
        self._window = duration.total_seconds() * 0.9
        self._clock = clock
        self._trusted_until = asked + self._window
        self._is_lost = False

    def renewed(self, asked: float) -> None:
        """The store has taken a heartbeat that was begun at `asked`, monotonic."""
        self._trusted_until = asked + self._window

    def lost(self) -> None:
        """Others have taken over, or this node has ended: for good."""
        self._is_lost = True

    def is_held(self) -> bool:
        """Whether no other node can have taken over what was claimed under this lease."""
        return not self._is_lost and self._clock.monotonic() < self._trusted_until


class Registration(NamedTuple):
    """What a node says of itself."""

    name: str
    executors: Collection[str]
    lease: timedelta


class LivingNode(NamedTuple):
    """A node that is counted among the living.

    Attributes:
        lease: in milliseconds.
    """

    token: int
    name: str
    heartbeat: datetime
    lease: int


def milliseconds(duration: timedelta) -> int:
    """A duration as the stores keep it."""
    return duration // timedelta(milliseconds=1)
