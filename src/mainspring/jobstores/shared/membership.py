"""This node among the others: its registration and lease, and those that are dead.

What a lease is, and when another node is dead, is said in `mainspring.engine.leasing` and `mainspring.engine.membership`; here is when the
store is asked.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from mainspring.engine import membership as rules
from mainspring.engine import setbacks
from mainspring.engine.leasing import HEARTBEATS
from mainspring.engine.membership import shortest_lease
from mainspring.jobstores.shared.lease import Heartbeats, LivingNode, NodeLease, Registration

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime, timedelta

    from mainspring.engine.setbacks import KnownNode, SetBack
    from mainspring.jobstores.shared.backend import Backend
    from mainspring.jobstores.shared.set_back import Past

#: For so long, in real time, a claim waits for a heartbeat that is under way.
_PATIENCE_SECONDS = 2.0
#: A heartbeat that was asked for so long ago says how things are.
_JUST_NOW_SECONDS = 1.0


class Membership:
    """The registration of one node.

    Args:
        duration: without a sign of life for so long, a node counts as dead.
        executors: the aliases that this node has now.
        recovered: called when this node may claim again after it might not.
        past: is told of a store that was set back.
        before: the token, and the last heartbeat, of an earlier registration of this process on the same store.

    Attributes:
        lease: under which this node claims.
        shortest_lease: in seconds, among this node and those that it knows.
        was_dead: whether this node was ever declared dead.
    """

    lease: NodeLease

    def __init__(
        self,
        backend: Backend,
        duration: timedelta,
        executors: Callable[[], Collection[str]],
        recovered: Callable[[], None],
        past: Past,
        before: tuple[int, datetime] | None = None,
    ) -> None:
        self._backend = backend
        self._node_context = backend.node_context
        self._duration = duration
        self._executors = executors
        self._recovered = recovered
        self._past = past
        self._beats = Heartbeats()
        self._others = rules.Membership()
        self._has_left = False
        self.was_dead = False
        self._renewing = Lock()
        self._is_failing = False
        self.shortest_lease = shortest_lease(duration.total_seconds())
        known = backend.known_nodes()
        self.register()
        self._look_back(known, before)

    @property
    def heartbeat_seconds(self) -> float:
        """How often `renew` is to be called."""
        return self.shortest_lease / HEARTBEATS

    def _registration(self) -> Registration:
        return Registration(self._node_context.node_name, list(self._executors()), self._duration)

    @property
    def registered(self) -> tuple[int, datetime] | None:
        """The token, and the last heartbeat, that the store has taken."""
        return None if self._beats.taken is None else (self.lease.token, self._beats.taken)

    def _look_back(self, known: Collection[KnownNode], before: tuple[int, datetime] | None) -> None:
        """Say what has become of the store before this node came."""
        now = self._node_context.now()
        found = None if before is None else setbacks.set_back(*before, known, now)
        unused = setbacks.unused(known, now)
        if found is not None:
            self._past.was_set_back(found, self._node_context.node_name)
        elif unused is not None:
            self._past.was_unused(unused, now)
        ahead = setbacks.ahead(known, now)
        if ahead:
            self._past.clock_was_set_back(ahead)

    def register(self) -> None:
        """Enter this node, under a new lease."""
        clock = self._node_context.clock
        beats = Heartbeats()
        token, asked = self._backend.register(self._registration(), beats)
        beats.confirm()
        self._beats = beats
        self._others.heartbeat_taken(asked, clock.monotonic())
        self.lease = NodeLease(token, self._duration, self._node_context, asked)
        self._node_context.token = token

    def may_claim(self) -> bool:
        """Whether this node may claim now; one that was silent for too long gives a sign of life first.

        It doesn't while heartbeats fail or take long: whoever claims has other stores to serve.
        """
        if self.lease.is_held():
            return True
        if self._is_failing:
            return False
        if not self._renewing.acquire(timeout=_PATIENCE_SECONDS):
            self._is_failing = True
            return False
        try:
            if not self.lease.is_held():  # it may have been done meanwhile
                self._renew()
        finally:
            self._renewing.release()
        return self.lease.is_held()

    def renew(self) -> None:
        """Give a sign of life."""
        with self._renewing:
            self._renew()

    def _renew(self) -> None:
        try:
            self._renew_or_register()
        except BaseException:
            self._is_failing = True
            raise
        self._is_failing = False

    def _renew_or_register(self) -> None:
        clock = self._node_context.clock
        lease = self.lease
        was_held = lease.is_held()
        asked = clock.monotonic()
        if self._backend.renew(lease.token, self._registration(), self._beats):
            self._beats.confirm()
            lease.renewed(asked)
            self._others.heartbeat_taken(asked, clock.monotonic())
            if not was_held:
                self._recovered()
            return
        lease.lost()
        if self._has_left:
            return
        self.was_dead = True
        found = self._look_for_set_back(lease.token)
        lease.was_forgotten = found is not None
        if found is None:
            self._node_context.logger.warning(
                "This node, %s, was not heard of for %s and was taken for dead; what it ran is lost. It goes on as a new one",
                self._node_context.node_name,
                self._duration,
            )
        self.register()
        if found is not None:
            self._past.was_set_back(found, self._node_context.node_name)
        self._recovered()

    def _look_for_set_back(self, token: int) -> SetBack | None:
        """Whether the store was set back, as a heartbeat was refused. What it holds of this node is of an earlier life of it."""
        told = self._beats.taken
        if told is None:
            return None
        known = self._backend.known_nodes()
        found = setbacks.set_back(token, told, known, self._node_context.now())
        if found is not None:
            for node in known:
                if node.token == token and node.is_alive:
                    self._backend.declare_dead(token, node.heartbeat)
        return found

    def confirm(self) -> None:
        """Give a sign of life, unless one was given just now: something is not as it was."""
        if self._node_context.clock.monotonic() - self.lease.asked > _JUST_NOW_SECONDS:
            self._renew_soon()

    def _renew_soon(self) -> None:
        if not self._renewing.acquire(timeout=_PATIENCE_SECONDS):
            return
        try:
            self._renew()
        finally:
            self._renewing.release()

    def reap_expired(self, known: Iterable[LivingNode], asked: float) -> bool:
        """Declare dead who has given no sign of life for the time of its lease; whether there was anybody.

        Args:
            known: all that are counted among the living, as a look has found them.
            asked: when that look was asked for, on the monotonic clock.
        """
        nodes = list(known)
        own = next((node for node in nodes if node.token == self.lease.token), None)
        taken = self._beats.taken
        if own is None or (taken is not None and own.heartbeat < taken):
            self._renew_soon()  # it was declared dead, or the store was set back
        self.shortest_lease = shortest_lease(self._duration.total_seconds(), nodes)
        dead = self._others.looked(asked, self._node_context.clock.monotonic(), nodes, self.lease.token)
        for node in dead:
            self._declare_dead(node)
        return bool(dead)

    def _declare_dead(self, node: LivingNode) -> None:
        if self._backend.declare_dead(node.token, node.heartbeat):
            self._node_context.logger.warning(
                "Node %s gave no sign of life since %s: it is taken for dead", node.name, node.heartbeat
            )

    def sign_off(self) -> None:
        """Leave, in good order."""
        self._has_left = True
        self.lease.lost()
        self._backend.sign_off(self.lease.token)
