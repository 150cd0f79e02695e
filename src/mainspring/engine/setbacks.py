"""Whether a store was set back: holds again what it held some time ago, as after a backup was restored.

*Who lives through it* knows for certain. Each heartbeat of a node is later than the one before, whatever clocks do, and a store that has taken one
doesn't know an earlier one, or none, of the same registration, unless it was set back. (Whoever was declared dead is still known, with the last
heartbeat.) So one heartbeat tells: what the store knows of the node, and what it has been told.

*Who comes later* can't know. A store that was set back looks like one whose nodes died at that moment: they are counted among the living, and
silent. So that is said as what it is, one or the other.

What was done in between is not in the store any more: what is due by it may have been run before. Nobody can tell from the store which of it was, so
it is dealt with as what is overdue always is, and said.

Everything here is a value. Times are those of the store's clock, and are given.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from mainspring.triggers.standard import shifted

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

#: What is known of a node that has left, or was declared dead, is kept for so long at least: so that a node of which nothing is known
#: was forgotten by a store that was set back.
KEPT_FOR = timedelta(days=1)
#: By so much a heartbeat may be ahead of the store's clock: nodes know that by its answers.
_AHEAD = timedelta(seconds=10)


class KnownNode(NamedTuple):
    """What a store knows of a registration.

    Attributes:
        heartbeat: the last that it has taken.
        lease: in milliseconds.
        is_alive: whether it is counted among the living: it hasn't left, and nobody has declared it dead.
    """

    token: int
    name: str
    heartbeat: datetime
    lease: int
    is_alive: bool

    def is_silent(self, now: datetime) -> bool:
        """Whether it is counted among the living, and hasn't been heard of for the time of its lease, as far as clocks say."""
        return self.is_alive and now - self.heartbeat > timedelta(milliseconds=self.lease)


class SetBack(NamedTuple):
    """A store was set back.

    Attributes:
        to: the last that it knows of who noticed it, or of anybody; ``None``: it knows nobody.
        told: what it had been told last.
        noticed: when that was found out.
    """

    to: datetime | None
    told: datetime
    noticed: datetime

    def may_have_run(self, due: datetime | None) -> bool:
        """Whether what is due, or was first due, at this time is of the time that isn't in the store."""
        return due is not None and due <= self.noticed and (self.to is None or due > self.to)


class Unused(NamedTuple):
    """Nobody is there who uses a store.

    Attributes:
        since: when somebody was last heard of.
        silent: the names of those who were there then, and haven't left.
    """

    since: datetime
    silent: tuple[str, ...]


def set_back(token: int, told: datetime, known: Collection[KnownNode], now: datetime) -> SetBack | None:
    """Whether a store was set back, as a node finds out whose heartbeat it refuses.

    Args:
        token: of the node's registration.
        told: the last heartbeat that the store has taken of it.
        known: all that the store knows of now.
    """
    own = next((node for node in known if node.token == token), None)
    if own is not None:
        return SetBack(own.heartbeat, told, now) if own.heartbeat < told else None
    if now - told >= KEPT_FOR:
        return None  # it may have been declared dead, and forgotten
    before = [node.heartbeat for node in known if node.heartbeat < told]
    return SetBack(max(before, default=None), told, now)


def unused(known: Collection[KnownNode], now: datetime) -> Unused | None:
    """Whether nobody is there who uses a store that was used before, as a node finds it that comes."""
    if not known or any(node.is_alive and not node.is_silent(now) for node in known):
        return None
    silent = tuple(sorted({node.name for node in known if node.is_silent(now)}))
    return Unused(max(node.heartbeat for node in known), silent)


def ahead(known: Collection[KnownNode], now: datetime) -> timedelta:
    """By how much the store's clock must have been set back at least, since somebody was heard of later than it is; zero if it wasn't."""
    latest = max((node.heartbeat for node in known), default=now)
    return latest - now if latest - now > _AHEAD else timedelta(0)


def kept_from(before: datetime, now: datetime) -> datetime:
    """Since when what is known of nodes that have ended is kept, if history is kept since `before`."""
    return min(before, shifted(now, -KEPT_FOR))
