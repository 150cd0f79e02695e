"""The nodes of a store: who is there, and who is dead."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from pymongo import ReturnDocument

from mainspring._version import __version__
from mainspring.errors import ConfigurationError
from mainspring.jobstores.mongodb.documents import text_of
from mainspring.jobstores.shared.lease import ALIVE, DEAD, STOPPED, LivingNode, milliseconds
from mainspring.jobstores.shared.rows import read_time

if TYPE_CHECKING:
    from datetime import datetime

    from mainspring.jobstores.mongodb.documents import Document
    from mainspring.jobstores.mongodb.server import Server
    from mainspring.jobstores.shared.lease import Registration
    from mainspring.jobstores.shared.setting import Setting


class Nodes:
    """The nodes of one store."""

    def __init__(self, server: Server, setting: Setting) -> None:
        self._server = server
        self._setting = setting

    def ask_time(self) -> None:
        """Ask the server what time it is."""
        asked = self._setting.clock.monotonic()
        self._setting.measured(asked, self._server.now())

    def _told(self, node: Registration) -> Document:
        """What changes of a node from one heartbeat to the next."""
        return {
            "executors": sorted(node.executors),
            "clock_offset": milliseconds(self._setting.offset),
            "heartbeat": text_of(self._setting.now()),
        }

    def register(self, node: Registration) -> tuple[int, float]:
        """Enter a node; its token, and when that was asked for, on the monotonic clock."""
        self.ask_time()
        asked = self._setting.clock.monotonic()
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
                "started": text_of(self._setting.now()),
                "state": ALIVE,
                **self._told(node),
            }
        )
        return token, asked

    def renew(self, token: int, node: Registration) -> bool:
        """Write a heartbeat; whether this registration is still counted among the living."""
        self.ask_time()
        written = self._server.nodes.update_one({"_id": token, "state": ALIVE}, {"$set": self._told(node)})
        return bool(written.matched_count)

    def declare_dead(self, token: int, heartbeat: datetime) -> bool:
        """Count a node among the dead, if its last heartbeat is still `heartbeat`; whether this call did it."""
        condition = {"_id": token, "state": ALIVE, "heartbeat": text_of(heartbeat)}
        return bool(self._server.nodes.update_one(condition, {"$set": {"state": DEAD}}).matched_count)

    def sign_off(self, token: int) -> None:
        """This node has ended in good order."""
        now = text_of(self._setting.now())
        self._server.nodes.update_one(
            {"_id": token, "state": ALIVE}, {"$set": {"state": STOPPED, "heartbeat": now}}
        )

    def living(self) -> list[LivingNode]:
        """All nodes that are counted among the living."""
        found = []
        for node in self._server.nodes.find({"state": ALIVE}):
            heartbeat = read_time(node["heartbeat"])
            if heartbeat is not None:
                found.append(LivingNode(node["_id"], node["name"], heartbeat, node["lease"]))
        return found

    def forget_old(self, before: datetime) -> None:
        """Remove nodes that ended before a time."""
        self._server.nodes.delete_many({"state": {"$ne": ALIVE}, "heartbeat": {"$lt": text_of(before)}})
