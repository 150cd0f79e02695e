"""The lease of a node: for how long it may trust what it has claimed.

A *lease* is a node's right to the runs that it has claimed on a store which other nodes share. It lasts for a fixed time, such as 30
seconds, and each *heartbeat* that the store takes renews it: from then on it lasts for that time again.

*Who may take over.* Once the store has had no heartbeat of a node for the whole time of its lease, any other node may declare it dead
(`mainspring.engine.membership`), and what it ran is lost or run again.

*When it is trusted.* A node may begin runs under its lease only while it is sure that nobody can have declared it dead. It counts from the
moment at which it *asked* for its last heartbeat to be written, since the answer may have been long on its way, and only nine tenths of the
time, since no two clocks run equally fast. So it stops before others may begin.

*When it is lost.* A heartbeat that the store refuses, because this node had been declared dead, ends the lease for good. So does leaving.
What comes next is another lease with another token.

*Fencing.* The token is the number of the lease, and a later lease has a higher one. Whatever is claimed carries the token, and a store takes an
outcome only from the token that still holds the run: a node that was paused past its lease can't overwrite what others did since.

Everything here is a value: times are seconds on the monotonic clock of the node whose lease it is, and are given.
"""

from __future__ import annotations

from typing import NamedTuple

#: The part of its time for which a lease is trusted after a heartbeat was asked for.
TRUSTED_SHARE = 0.9
#: A node asks for a heartbeat so many times in the time of a lease, so that one that fails doesn't cost it the lease.
HEARTBEATS = 4


class LeaseState(NamedTuple):
    """A lease, as the node that holds it knows it.

    Attributes:
        token: its number, by which a store tells this lease from those before and after it.
        duration: in seconds.
        asked: when the last heartbeat was asked for that the store took.
        is_lost: whether it has ended for good.
    """

    token: int
    duration: float
    asked: float
    is_lost: bool = False

    @property
    def trusted_until(self) -> float:
        """When this node must stop to trust it, unless it is renewed."""
        return float("-inf") if self.is_lost else self.asked + self.duration * TRUSTED_SHARE

    def is_trusted(self, now: float) -> bool:
        """Whether nobody can have taken over what was claimed under it."""
        return now < self.trusted_until

    def renewed(self, asked: float) -> LeaseState:
        """The store took a heartbeat that was asked for at `asked`. A lost lease stays lost, and an earlier answer changes nothing."""
        return self if self.is_lost else self._replace(asked=max(asked, self.asked))

    def lost(self) -> LeaseState:
        """The store refused a heartbeat, or this node leaves."""
        return self._replace(is_lost=True)
