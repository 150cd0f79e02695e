"""The table of nodes: who is there, and who is dead."""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from mainspring._version import __version__
from mainspring.jobstores.shared.lease import ALIVE, DEAD, STOPPED, LivingNode, milliseconds

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy.engine import Connection

    from mainspring.jobstores.shared.lease import Registration
    from mainspring.jobstores.sqlalchemy.tables import Tables


#: What a column of integers takes everywhere.
_LARGEST = 2**31 - 1


def _shown(offset: timedelta) -> int:
    """An offset of a clock in milliseconds, for who looks at the table: one that is years wrong as the most that can be shown."""
    return max(-_LARGEST, min(milliseconds(offset), _LARGEST))


def register(
    connection: Connection, tables: Tables, node: Registration, offset: timedelta, now: datetime
) -> int:
    """Enter a node; its token."""
    nodes = tables.nodes
    entered = connection.execute(
        nodes.insert().values(
            name=node.name,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=__version__,
            executors=json.dumps(sorted(node.executors)),
            clock_offset=_shown(offset),
            lease=milliseconds(node.lease),
            started=now,
            heartbeat=now,
            state=ALIVE,
        )
    )
    key = entered.inserted_primary_key
    return int(key[0])  # type: ignore[index]  # an inserted row has a key


def renew(
    connection: Connection,
    tables: Tables,
    token: int,
    node: Registration,
    offset: timedelta,
    now: datetime,
) -> bool:
    """Write a heartbeat; whether this registration is still counted among the living."""
    nodes = tables.nodes
    written = connection.execute(
        update(nodes)
        .where(nodes.c.token == token, nodes.c.state == ALIVE)
        .values(
            heartbeat=now,
            executors=json.dumps(sorted(node.executors)),
            clock_offset=_shown(offset),
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
