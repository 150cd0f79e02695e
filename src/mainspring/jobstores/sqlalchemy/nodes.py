"""The table of nodes: who is there, and who is dead."""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from mainspring._version import __version__
from mainspring.engine.setbacks import KnownNode
from mainspring.jobstores.shared.lease import (
    ALIVE,
    DEAD,
    STOPPED,
    LivingNode,
    milliseconds,
    new_token,
    node_from,
)

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy.engine import Connection

    from mainspring.jobstores.shared.lease import Heartbeats, Registration
    from mainspring.jobstores.sqlalchemy.tables import Tables
    from mainspring.model import NodeRecord


#: What a column of integers takes everywhere.
_LARGEST = 2**31 - 1


def _shown(offset: timedelta) -> int:
    """An offset of a clock in milliseconds, for who looks at the table: one that is years wrong as the most that can be shown."""
    return max(-_LARGEST, min(milliseconds(offset), _LARGEST))


def register(
    connection: Connection,
    tables: Tables,
    node: Registration,
    offset: timedelta,
    now: datetime,
    beats: Heartbeats,
) -> int:
    """Enter a node; its token.

    Raises:
        IntegrityError: another one has entered at the same time.
    """
    nodes = tables.nodes
    last = connection.execute(select(func.max(nodes.c.token))).scalar_one() or 0
    token = new_token(last, now)
    connection.execute(
        nodes.insert().values(
            token=token,
            name=node.name,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=__version__,
            executors=json.dumps(sorted(node.executors)),
            clock_offset=_shown(offset),
            lease=milliseconds(node.lease),
            started=now,
            heartbeat=beats.next(now),
            state=ALIVE,
        )
    )
    return token


def renew(
    connection: Connection,
    tables: Tables,
    token: int,
    node: Registration,
    offset: timedelta,
    now: datetime,
    beats: Heartbeats,
) -> bool:
    """Write a heartbeat, if this registration is still counted among the living and the last one is known; whether it is."""
    nodes = tables.nodes
    as_known = [nodes.c.token == token, nodes.c.state == ALIVE]
    if beats.taken is not None:
        as_known.append(nodes.c.heartbeat >= beats.taken)
    written = connection.execute(
        update(nodes)
        .where(*as_known)
        .values(
            heartbeat=beats.next(now),
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


def known(connection: Connection, tables: Tables) -> list[KnownNode]:
    """All nodes, also those that have ended."""
    nodes = tables.nodes
    found = connection.execute(
        select(nodes.c.token, nodes.c.name, nodes.c.heartbeat, nodes.c.lease, nodes.c.state)
    )
    return [KnownNode(*row[:4], is_alive=row[4] == ALIVE) for row in found]


def list_nodes(connection: Connection, tables: Tables) -> list[NodeRecord]:
    """All registrations, the latest first."""
    nodes = tables.nodes
    found = connection.execute(select(nodes).order_by(nodes.c.token.desc())).mappings()
    return [node_from({**row, "executors": json.loads(row["executors"])}) for row in found]


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
