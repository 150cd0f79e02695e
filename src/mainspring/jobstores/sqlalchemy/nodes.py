"""The nodes of a store: who is there, who is dead, and whether this one may still trust its claims."""

from __future__ import annotations

import json
import os
import socket
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select, update

from mainspring._version import __version__

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from mainspring.clock import Clock
    from mainspring.jobstores.sqlalchemy.tables import Tables

ALIVE, STOPPED, DEAD = "alive", "stopped", "dead"


class NodeLease:
    """What this node claims is claimed under this, as long as it is renewed in time.

    Attributes:
        token: the number of this registration; a later one, of whichever node, has a higher number.
    """

    def __init__(self, token: int, duration: timedelta, clock: Clock, asked: float) -> None:
        self.token = token
        # Others may take over when the database has heard nothing for the whole duration. What passed on the way to
        # it counts from before the question was asked, and the margin is for clocks that run unevenly.
        self._window = duration.total_seconds() * 0.9
        self._clock = clock
        self._trusted_until = asked + self._window
        self._is_lost = False

    def renewed(self, asked: float) -> None:
        """The database has taken a heartbeat that was begun at `asked`, monotonic."""
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
    clock_offset: timedelta


def register(connection: Connection, tables: Tables, node: Registration, now: datetime) -> int:
    """Enter a node; its token."""
    nodes = tables.nodes
    entered = connection.execute(
        nodes.insert().values(
            name=node.name,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=__version__,
            executors=json.dumps(sorted(node.executors)),
            clock_offset=_milliseconds(node.clock_offset),
            lease=_milliseconds(node.lease),
            started=now,
            heartbeat=now,
            state=ALIVE,
        )
    )
    key = entered.inserted_primary_key
    return int(key[0])  # type: ignore[index]  # an inserted row has a key


def renew(connection: Connection, tables: Tables, token: int, node: Registration, now: datetime) -> bool:
    """Write a heartbeat; whether this registration is still counted among the living."""
    nodes = tables.nodes
    written = connection.execute(
        update(nodes)
        .where(nodes.c.token == token, nodes.c.state == ALIVE)
        .values(
            heartbeat=now,
            executors=json.dumps(sorted(node.executors)),
            clock_offset=_milliseconds(node.clock_offset),
        )
    )
    return written.rowcount == 1


def sign_off(connection: Connection, tables: Tables, token: int, now: datetime) -> None:
    """This node has ended in good order."""
    nodes = tables.nodes
    connection.execute(
        update(nodes)
        .where(nodes.c.token == token, nodes.c.state == ALIVE)
        .values(heartbeat=now, state=STOPPED)
    )


class LivingNode(NamedTuple):
    """A node that is counted among the living.

    Attributes:
        lease: in milliseconds.
    """

    token: int
    name: str
    heartbeat: datetime
    lease: int


def living(connection: Connection, tables: Tables) -> list[LivingNode]:
    """All nodes that are counted among the living."""
    nodes = tables.nodes
    found = connection.execute(
        select(nodes.c.token, nodes.c.name, nodes.c.heartbeat, nodes.c.lease).where(nodes.c.state == ALIVE)
    )
    return [LivingNode(*row) for row in found]


def declare_dead(connection: Connection, tables: Tables, token: int, heartbeat: datetime) -> bool:
    """Count a node among the dead, if its last heartbeat is still `heartbeat`; whether this call did it."""
    nodes = tables.nodes
    written = connection.execute(
        update(nodes)
        .where(nodes.c.token == token, nodes.c.state == ALIVE, nodes.c.heartbeat == heartbeat)
        .values(state=DEAD)
    )
    return written.rowcount == 1


def forget_old(connection: Connection, tables: Tables, before: datetime) -> None:
    """Remove the rows of nodes that ended before a time."""
    nodes = tables.nodes
    connection.execute(nodes.delete().where(nodes.c.state != ALIVE, nodes.c.heartbeat < before))


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
