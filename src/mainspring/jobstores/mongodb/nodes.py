"""The nodes of a store: who is there, and who is dead."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from pymongo import ReturnDocument

from mainspring._version import __version__
from mainspring.engine.setbacks import KnownNode, kept_from
from mainspring.errors import ConfigurationError
from mainspring.jobstores.mongodb.documents import text_of
from mainspring.jobstores.shared.lease import (
    ALIVE,
    DEAD,
    STOPPED,
    LivingNode,
    milliseconds,
    new_token,
    node_from,
)
from mainspring.jobstores.shared.rows import read_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mainspring.jobstores.mongodb.documents import Document
    from mainspring.jobstores.mongodb.server import Server
    from mainspring.jobstores.shared.lease import Heartbeats, Registration
    from mainspring.jobstores.shared.node_context import NodeContext
    from mainspring.model import NodeRecord


class Nodes:
    """The nodes of one store."""

    def __init__(self, server: Server, node_context: NodeContext) -> None:
        self._server = server
        self._node_context = node_context

    def ask_time(self) -> None:
        """Ask the server what time it is."""
        asked = self._node_context.clock.monotonic()
        self._node_context.measured(asked, self._server.now())

    def _told(self, node: Registration, beats: Heartbeats) -> Document:
        """What changes of a node from one heartbeat to the next."""
        return {
            "executors": sorted(node.executors),
            "clock_offset": milliseconds(self._node_context.offset),
            "heartbeat": text_of(beats.next(self._node_context.now())),
        }

    def register(self, node: Registration, beats: Heartbeats) -> tuple[int, float]:
        """Enter a node; its token, and when that was asked for, on the monotonic clock."""
        self.ask_time()
        asked = self._node_context.clock.monotonic()
        least = new_token(0, self._node_context.now()) - 1
        self._server.notes.update_one({"_id": "token"}, {"$max": {"value": least}})
        counter = self._server.notes.find_one_and_update(
            {"_id": "token"}, {"$inc": {"value": 1}}, return_document=ReturnDocument.AFTER
        )
        if counter is None:
            raise ConfigurationError(
                f"the collection {self._server.notes.full_name!r} has lost its document 'token': restore it, with a value that no node has had"
            )
        token = int(counter["value"])
        self._server.nodes.insert_one(
            {
                "_id": token,
                "name": node.name,
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "version": __version__,
                "lease": milliseconds(node.lease),
                "started": text_of(self._node_context.now()),
                "state": ALIVE,
                **self._told(node, beats),
            }
        )
        return token, asked

    def renew(self, token: int, node: Registration, beats: Heartbeats) -> bool:
        """Write a heartbeat, if this registration is still counted among the living and the last one is known; whether it is."""
        self.ask_time()
        as_known: Document = {"_id": token, "state": ALIVE}
        if beats.taken is not None:
            as_known["heartbeat"] = {"$gte": text_of(beats.taken)}
        written = self._server.nodes.update_one(as_known, {"$set": self._told(node, beats)})
        return bool(written.matched_count)

    def declare_dead(self, token: int, heartbeat: datetime) -> bool:
        """Count a node among the dead, if its last heartbeat is still `heartbeat`; whether this call did it."""
        condition = {"_id": token, "state": ALIVE, "heartbeat": text_of(heartbeat)}
        return bool(self._server.nodes.update_one(condition, {"$set": {"state": DEAD}}).matched_count)

    def sign_off(self, token: int) -> None:
        """This node has ended in good order."""
        now = text_of(self._node_context.now())
        self._server.nodes.update_one(
            {"_id": token, "state": ALIVE}, {"$set": {"state": STOPPED, "heartbeat": now}}
        )

    def living(self) -> list[LivingNode]:
        """All nodes that are counted among the living."""
        return [LivingNode(*node[:4]) for node in self._known({"state": ALIVE})]

    def known(self) -> list[KnownNode]:
        """All nodes, also those that have ended."""
        return list(self._known({}))

    def _known(self, where: Document) -> Iterator[KnownNode]:
        for node in self._server.nodes.find(where):
            heartbeat = read_time(node["heartbeat"])
            if heartbeat is not None:
                is_alive = node["state"] == ALIVE
                yield KnownNode(node["_id"], node["name"], heartbeat, node["lease"], is_alive)

    def list_nodes(self) -> list[NodeRecord]:
        """All registrations, the latest first."""
        found = self._server.nodes.find({}).sort("_id", -1)
        return [node_from({**node, "token": node["_id"]}) for node in found]

    def forget_old(self, before: datetime) -> None:
        """Remove nodes that ended before a time."""
        kept = text_of(kept_from(before, self._node_context.now()))
        self._server.nodes.delete_many({"state": {"$ne": ALIVE}, "heartbeat": {"$lt": kept}})
