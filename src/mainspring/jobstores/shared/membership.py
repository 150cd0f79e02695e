"""This node among the others: its registration and lease, and those that are dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.clock import SYSTEM_CLOCK
from mainspring.jobstores.shared.lease import LivingNode, NodeLease, Registration

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime, timedelta

    from mainspring.jobstores.shared.backend import Backend


class Membership:
    """The registration of one node.

    Args:
        duration: without a sign of life for so long, a node counts as dead.
        executors: the aliases that this node has now.
        recovered: called when this node may claim again after it might not.

    Attributes:
        lease: under which this node claims.
    """

    lease: NodeLease

    def __init__(
        self,
        backend: Backend,
        duration: timedelta,
        executors: Callable[[], Collection[str]],
        recovered: Callable[[], None],
    ) -> None:
        self._backend = backend
        self._setting = backend.setting
        self._duration = duration
        self._executors = executors
        self._recovered = recovered
        self._seen: dict[int, tuple[datetime, float]] = {}
        self._has_left = False
        self.register()

    def _registration(self) -> Registration:
        return Registration(self._setting.node_name, list(self._executors()), self._duration)

    def register(self) -> None:
        """Enter this node, under a new lease."""
        token, asked = self._backend.register(self._registration())
        self.lease = NodeLease(token, self._duration, SYSTEM_CLOCK, asked)
        self._setting.token = token

    def renew(self) -> None:
        """Give a sign of life."""
        lease = self.lease
        was_held = lease.is_held()
        asked = SYSTEM_CLOCK.monotonic()
        if self._backend.renew(lease.token, self._registration()):
            lease.renewed(asked)
            if not was_held:
                self._recovered()
            return
        lease.lost()
        if self._has_left:
            return
        self._setting.logger.warning(
            "This node, %s, was not heard of for %s and was taken for dead; what it ran is lost. It goes on as a new one",
            self._setting.node_name,
            self._duration,
        )
        self.register()
        self._recovered()

    def bury_silent(self, known: Iterable[LivingNode]) -> bool:
        """Count among the dead who has given no sign of life for the time of its lease; whether there was anybody.

        Args:
            known: all that are counted among the living at present.
        """
        seen = {}
        is_any = False
        for node in known:
            token, heartbeat = node.token, node.heartbeat
            before = self._seen.get(token)
            if before is None or before[0] != heartbeat:
                seen[token] = (heartbeat, SYSTEM_CLOCK.monotonic())
                continue
            seen[token] = before
            # Measured by our own clock, which is never set: no clock that jumps makes a node look dead.
            silence = SYSTEM_CLOCK.monotonic() - before[1]
            if silence >= node.lease / 1000 and token != self.lease.token:
                self._bury(node)
                is_any = True
        self._seen = seen
        return is_any

    def _bury(self, node: LivingNode) -> None:
        if self._backend.declare_dead(node.token, node.heartbeat):
            self._setting.logger.warning(
                "Node %s gave no sign of life since %s: it is taken for dead", node.name, node.heartbeat
            )

    def sign_off(self) -> None:
        """Leave, in good order."""
        self._has_left = True
        self.lease.lost()
        self._backend.sign_off(self.lease.token)
