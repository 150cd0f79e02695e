"""Which of the other nodes are dead: judged by one node, from what it sees of them on the store.

A node lives as long as the store takes its heartbeats (`mainspring.engine.leasing`). Another node is *declared dead* when it has been silent
for the whole time of its lease: its heartbeat was the same at each look. Only then may others take over what it ran.

*Silence is counted over looks that succeeded.* A node can't tell others' silence from its own deafness. So a gap between two looks that is
longer than half of the lease doesn't count as silence: while this node couldn't look, the others may have been unable to speak. After a gap of
a whole lease, an outage, the count begins anew, and a whole lease passes before anybody is declared dead.

*And over heartbeats that were taken.* Some outages let a node read and nobody write: a file of SQLite that a backup has locked, a full disk, a
server that is read-only. So the store must also have taken this node's own heartbeats all the while: a gap between those is a gap as well, and
what was counted within it is taken back. Therefore all nodes of a store ask as often as the shortest lease among them needs
(`shortest_lease`).

Half a lease is short enough: who speaks four times in a lease has been silent for three quarters of it at most when a gap is over that counts, and
still has time to speak.

*No wall clock counts.* A heartbeat is a mark that changes or doesn't; how long it hasn't is measured by the monotonic clock of the node that looks.
So a clock that jumps makes no node look dead. Times are seconds on that clock, and are given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

#: A longer gap between looks, or between heartbeats of its own, doesn't count as silence of others: as a part of their leases.
LONGEST_GAP = 0.5

_BEFORE_ALL = float("-inf")


class LivingNode(NamedTuple):
    """A node that is counted among the living.

    Attributes:
        token: of its lease.
        heartbeat: the last that the store took, as the node that wrote it has dated it.
        lease: in milliseconds.
    """

    token: int
    name: str
    heartbeat: datetime
    lease: int

    @property
    def lease_seconds(self) -> float:
        """For how long it may be silent."""
        return self.lease / 1000


class _Silence(NamedTuple):
    """How long a heartbeat is known to be the last.

    Attributes:
        seconds: that were counted.
        confirmed: those of them that had been counted when the store last took a heartbeat of the node that looks.
    """

    heartbeat: Any
    seconds: float = 0.0
    confirmed: float = 0.0


class Membership:
    """What one node knows of the silence of the others."""

    def __init__(self) -> None:
        self._silences: dict[int, _Silence] = {}
        self._looked = self._answered = _BEFORE_ALL  # the last look: when it was asked for, and answered
        self._written = _BEFORE_ALL  # when the last heartbeat of this node was asked for that the store took
        self._unwritten = (
            0.0  # the longest time since the last look for which the store may not have taken any
        )

    def heartbeat_taken(self, asked: float, answered: float) -> None:
        """The store took a heartbeat of this node, at some time between these two."""
        self._unwritten = max(self._unwritten, answered - self._written)
        self._written = asked

    def looked(
        self, asked: float, answered: float, nodes: Iterable[LivingNode], own: int
    ) -> list[LivingNode]:
        """A look has succeeded: who is to be declared dead.

        Args:
            asked: when it was asked for; `answered`: when the answer was there.
            nodes: all that are counted among the living.
            own: the token of this node, which doesn't judge itself.
        """
        gap = max(answered - self._looked, answered - self._written, self._unwritten)
        has_written = self._unwritten > 0.0
        before, self._answered = self._answered, answered
        self._looked, self._unwritten = asked, 0.0
        silences: dict[int, _Silence] = {}
        dead: list[LivingNode] = []
        for node in nodes:
            known = self._silences.get(node.token)
            if known is None or known.heartbeat != node.heartbeat or gap > node.lease_seconds:
                known = _Silence(node.heartbeat)
            elif gap > node.lease_seconds * LONGEST_GAP:
                known = known._replace(seconds=known.confirmed)
            else:
                # Up to the question it was silent for certain, and up to the answer nothing else has been seen.
                silent = known.seconds + asked - before
                if node.token != own and silent >= node.lease_seconds:
                    dead.append(node)
                seconds = known.seconds + answered - before
                known = known._replace(seconds=seconds, confirmed=seconds if has_written else known.confirmed)
            silences[node.token] = known
        self._silences = silences
        return dead


def shortest_lease(own: float, nodes: Iterable[LivingNode] = ()) -> float:
    """In seconds, of the own and those of the nodes that are counted among the living: how often is looked and spoken follows from it."""
    return min([own, *(node.lease_seconds for node in nodes)])
