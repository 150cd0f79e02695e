"""What a node says of itself on a store, and whether it may still trust its claims.

The rules are in `mainspring.engine.leasing` and `mainspring.engine.membership`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring.engine.leasing import LeaseState
from mainspring.engine.membership import LivingNode
from mainspring.jobstores.shared.rows import read_time
from mainspring.model import NodeRecord

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from mainspring.jobstores.shared.node_context import NodeContext
    from mainspring.model import Submission

__all__ = [
    "ALIVE",
    "DEAD",
    "STOPPED",
    "Heartbeats",
    "LivingNode",
    "NodeLease",
    "Registration",
    "milliseconds",
    "new_token",
    "node_from",
]

ALIVE, STOPPED, DEAD = "alive", "stopped", "dead"


class NodeLease:
    """What this node claims is claimed under this, as long as it is renewed in time.

    Attributes:
        token: the number of this registration; a later one, of whichever node, has a higher number.
        was_forgotten: whether it was lost because the store was set back: nobody has taken anything over.
    """

    def __init__(self, token: int, duration: timedelta, node_context: NodeContext, asked: float) -> None:
        self.token = token
        self._node_context = node_context
        self._skipped: set[int] = set()
        self.was_forgotten = False
        self._clock = node_context.clock
        self._state = LeaseState(token, duration.total_seconds(), asked)
        self._trusted_until = self._state.trusted_until  # asked before each run that begins

    def _become(self, state: LeaseState) -> None:
        self._state, self._trusted_until = state, state.trusted_until

    @property
    def asked(self) -> float:
        """When the last heartbeat was asked for that the store took, monotonic."""
        return self._state.asked

    def renewed(self, asked: float) -> None:
        """The store has taken a heartbeat that was begun at `asked`, monotonic."""
        self._become(self._state.renewed(asked))

    def lost(self) -> None:
        """Others have taken over, or this node has ended: for good."""
        self._become(self._state.lost())

    def is_lost(self) -> bool:
        """Whether it has ended for good."""
        return self._state.is_lost

    def now(self) -> datetime:
        """The present by the clock of the store, in UTC."""
        return self._node_context.now()

    def skipped(self, submission: Submission) -> None:
        """A run of a submission is not begun, because the lease isn't held."""
        self._skipped.add(id(submission))

    def take_skipped(self, submission: Submission) -> bool:
        """Whether some run of a submission that has ended was not begun, because the lease wasn't held."""
        if not self._skipped or id(submission) not in self._skipped:
            return False
        self._skipped.discard(id(submission))
        return True

    def is_held(self) -> bool:
        """Whether no other node can have taken over what was claimed under this lease."""
        return self._clock.monotonic() < self._trusted_until


class Registration(NamedTuple):
    """What a node says of itself."""

    name: str
    executors: Collection[str]
    lease: timedelta


class Heartbeats:
    """The moments with which the signs of life of one registration are dated.

    Each is later than the one before, whatever clocks do: a store that knows an earlier one than it has taken was set back.

    Attributes:
        taken: the last that the store is known to have taken; ``None``: none yet.
    """

    def __init__(self) -> None:
        self.taken: datetime | None = None
        self._last: datetime | None = None

    def next(self, now: datetime) -> datetime:
        """With what to date the one that is about to be written."""
        self._last = now if self._last is None else max(now, self._last + _STEP)
        return self._last

    def confirm(self) -> None:
        """The store has taken the last one."""
        self.taken = self._last


_STEP = timedelta(microseconds=1)


def node_from(entry: Mapping[str, Any]) -> NodeRecord:
    """A registration as it was entered, with times as text or as times."""
    started, heartbeat = (read_time(entry[name]) for name in ("started", "heartbeat"))
    if started is None or heartbeat is None:
        raise ValueError(f"the registration of the node {entry['name']!r} has no time")
    return NodeRecord(
        entry["token"],
        entry["name"],
        entry["host"],
        entry["pid"],
        entry["version"],
        tuple(entry["executors"]),
        timedelta(milliseconds=entry["clock_offset"]),
        timedelta(milliseconds=entry["lease"]),
        started,
        heartbeat,
        entry["state"],
    )


def milliseconds(duration: timedelta) -> int:
    """A duration as the stores keep it."""
    return duration // timedelta(milliseconds=1)


def new_token(last: int, now: datetime) -> int:
    """The number of a new registration, higher than all before.

    Not only counted up: a store that was set back must not give the numbers away again that living nodes still have.

    Args:
        last: the highest that the store knows; 0: none.
    """
    return max(last + 1, int(now.timestamp() * 1000))
