"""Who has done what, in the order in which it was done: a sorted set."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mainspring.jobstores.redis.server import text_of
from mainspring.jobstores.shared.audit import AuditEntry, AuditLog, entries_of
from mainspring.jobstores.shared.rows import read_time, time_text
from mainspring.storable import compact

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from mainspring.jobstores.redis.server import Server
    from mainspring.jobstores.shared.audit import AuditQuery, Step
    from mainspring.model import RunKey

_PAGE = 1000


def audit_of(now: datetime, step: Step, subjects: Iterable[str | RunKey]) -> list[str]:
    """What a script is to note of what it does, if somebody acts."""
    return [_text(entry) for entry in entries_of(now, step, subjects)]


def _text(entry: AuditEntry) -> str:
    return compact({**entry._asdict(), "time": time_text(entry.time)})


def _read(member: str) -> AuditEntry:
    values = json.loads(member.partition(" ")[2])
    return AuditEntry(**{**values, "time": read_time(values["time"])})


class AuditSet(AuditLog):
    """See `AuditLog`."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def write(self, entries: Sequence[AuditEntry]) -> None:
        """See `AuditLog.write`."""
        self._server.ask("audit", {"audit": [_text(entry) for entry in entries]})

    def entries(self, query: AuditQuery) -> list[AuditEntry]:
        """See `AuditLog.entries`."""
        found: list[AuditEntry] = []
        at = 0
        while len(found) < query.limit:
            page = self._members(at, at + _PAGE - 1)
            found += filter(query.matches, map(_read, page))
            at += _PAGE
            if len(page) < _PAGE:
                break
        return found[: query.limit]

    def _members(self, first: int, last: int) -> list[str]:
        """Those of these places, the latest first."""
        client, key = self._server.client, self._server.key("audit")
        return [text_of(member) for member in self._server.run(lambda: client.zrevrange(key, first, last))]

    def prune(self, keep: int) -> None:
        """See `AuditLog.prune`."""
        client, key = self._server.client, self._server.key("audit")
        while old := self._members(keep, keep + _PAGE - 1):
            client.zrem(key, *old)
