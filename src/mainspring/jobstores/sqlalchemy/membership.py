"""This node among the others: its registration and lease, and those that are dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.clock import SYSTEM_CLOCK
from mainspring.jobstores.sqlalchemy import nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime, timedelta

    from mainspring.jobstores.sqlalchemy.context import Context


class Membership:
    """The registration of one node.

    Args:
        duration: without a sign of life for so long, a node counts as dead.
        executors: the aliases that this node has now.
        recovered: called when this node may claim again after it might not.

    Attributes:
        lease: under which this node claims.
    """

    lease: nodes.NodeLease

    def __init__(
        self,
        context: Context,
        duration: timedelta,
        executors: Callable[[], Collection[str]],
        recovered: Callable[[], None],
    ) -> None:
        self._context = context
        self._duration = duration
        self._executors = executors
        self._recovered = recovered
        self._seen: dict[int, tuple[datetime, float]] = {}
        self.register()

    def _registration(self) -> nodes.Registration:
        return nodes.Registration(
            self._context.node_name, list(self._executors()), self._duration, self._context.offset
        )

    def register(self) -> None:
        """Enter this node, under a new lease."""

        def enter() -> nodes.NodeLease:
            with self._context.database.writing() as connection:
                self._context.measure_offset(connection)
                asked = SYSTEM_CLOCK.monotonic()
                token = nodes.register(
                    connection, self._context.tables, self._registration(), self._context.now()
                )
            return nodes.NodeLease(token, self._duration, SYSTEM_CLOCK, asked)

        self.lease = self._context.database.run(enter)

    def renew(self) -> None:
        """Give a sign of life."""
        lease = self.lease
        was_held = lease.is_held()
        asked = SYSTEM_CLOCK.monotonic()
        with self._context.database.writing() as connection:
            self._context.measure_offset(connection)
            is_alive = nodes.renew(
                connection, self._context.tables, lease.token, self._registration(), self._context.now()
            )
        if is_alive:
            lease.renewed(asked)
            if not was_held:
                self._recovered()
            return
        lease.lost()
        self._context.logger.warning(
            "This node, %s, was not heard of for %s and was taken for dead; what it ran is lost. It goes on as a new one",
            self._context.node_name,
            self._duration,
        )
        self.register()
        self._recovered()

    def bury_silent(self, known: Iterable[nodes.LivingNode]) -> bool:
        """Count among the dead who has given no sign of life for the time of its lease; whether there was anybody.

        Args:
            known: all that are counted among the living at present.
        """
        seen = {}
        is_any = False
        for token, name, heartbeat, lease in known:
            before = self._seen.get(token)
            if before is None or before[0] != heartbeat:
                seen[token] = (heartbeat, SYSTEM_CLOCK.monotonic())
                continue
            seen[token] = before
            # Measured by our own clock, which is never set: no clock that jumps makes a node look dead.
            if SYSTEM_CLOCK.monotonic() - before[1] >= lease / 1000 and token != self.lease.token:
                self._bury(token, name, heartbeat)
                is_any = True
        self._seen = seen
        return is_any

    def _bury(self, token: int, name: str, heartbeat: datetime) -> None:
        with self._context.database.writing() as connection:
            is_dead = nodes.declare_dead(connection, self._context.tables, token, heartbeat)
        if is_dead:
            self._context.logger.warning(
                "Node %s gave no sign of life since %s: it is taken for dead", name, heartbeat
            )

    def sign_off(self) -> None:
        """Leave, in good order."""
        self.lease.lost()
        with self._context.database.writing() as connection:
            nodes.sign_off(connection, self._context.tables, self.lease.token, self._context.now())
