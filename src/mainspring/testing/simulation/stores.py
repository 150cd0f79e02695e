"""The stores of a simulation: new ones for each story, in as little time as can be."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mainspring.jobstores.memory import MemoryJobStore
from mainspring.testing.simulation.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainspring.jobstores.native import NativeJobStore
    from mainspring.testing.simulation.nodes import Node

#: What a story can be played on.
STORES = ("memory", "sqlite-memory", "sqlite")
#: More runs of a job than a story has: all of them are judged.
_KEPT_RUNS = 100_000
_numbers = count(1)


class Place(Protocol):
    """The store of one node.

    Attributes:
        wire: what is between the node and it; ``None``: nothing, since it is in the node's own memory.
    """

    store: NativeJobStore
    wire: Wire | None

    def tell_of_change(self) -> None:
        """Another node has announced a change."""

    def close(self) -> None:
        """The story is over."""


class Stores(Protocol):
    """Where a story is played."""

    def open(self, node: Node) -> Place:
        """The store of another node, on the same jobs."""

    def close(self) -> None:
        """The story is over."""


class _InMemory:
    """The store of a node in its own memory, which ends with it."""

    def __init__(self, node: Node) -> None:
        del node
        self.store: NativeJobStore = MemoryJobStore()
        self.wire: Wire | None = None

    def tell_of_change(self) -> None:
        """Nobody else changes it."""

    def close(self) -> None:
        """There is nothing to be closed."""


class MemoryStores:
    """Stores in the memory of one node: a story on them has one, which isn't killed."""

    def open(self, node: Node) -> Place:
        """A new store."""
        return _InMemory(node)

    def close(self) -> None:
        """There is nothing to be closed."""


class _Feed:
    """In the place of the thread that hears of changes."""

    def __init__(self, place: _OnSQLite, heard: Callable[[], None]) -> None:
        self._place = place
        place.heard = heard

    def stop(self) -> None:
        """Hear nothing more."""
        self._place.heard = None

    def leave_to_parent(self) -> None:
        """Nobody forks within a story."""


class _OnSQLite:
    """A node's own engine of a database that others have engines of, too."""

    def __init__(self, node: Node, url: str) -> None:
        from mainspring.jobstores.sqlalchemy import SQLAlchemyJobStore

        world = node.world
        self.heard: Callable[[], None] | None = None
        store = SQLAlchemyJobStore(url, node_name=node.name, lease=world.lease, keep_runs=_KEPT_RUNS)
        self.store: NativeJobStore = store
        self._engine = store.engine
        self.wire: Wire | None = Wire(node, store.engine)
        backend: Any = store._backend  # noqa: SLF001 - what a server has and SQLite doesn't is put in its place
        database = backend.database
        database.notify = self._notify
        backend.listen = partial(_Feed, self)
        if world.story.has_clock:
            database.has_clock, database.now = True, lambda _connection: world.now

    def _notify(self, *_: Any) -> None:
        if self.wire is not None:
            self.wire.announces = True

    def tell_of_change(self) -> None:
        """Another node has announced a change."""
        if self.heard is not None:
            self.heard()

    def close(self) -> None:
        """Close the connections."""
        if self.wire is not None:
            self.wire.remove()
            self.wire = None
        self._engine.dispose()


class SQLiteStores:
    """A database of SQLite, in a file or in memory, that each node has connections of its own to."""

    def __init__(self, *, in_memory: bool) -> None:
        name = f"mainspring-simulation-{os.getpid()}-{next(_numbers)}"
        self._folder = None if in_memory else tempfile.TemporaryDirectory(prefix=name)
        if self._folder is None:
            self._url = f"sqlite:///file:{name}?mode=memory&cache=shared&uri=true"
            # As long as there is a connection, the database is.
            self._kept: sqlite3.Connection | None = sqlite3.connect(
                f"file:{name}?mode=memory&cache=shared", uri=True, check_same_thread=False
            )
        else:
            self._url, self._kept = f"sqlite:///{Path(self._folder.name) / 'jobs.sqlite'}", None

    def open(self, node: Node) -> Place:
        """A store with connections of its own."""
        return _OnSQLite(node, self._url)

    def close(self) -> None:
        """Remove the database."""
        if self._kept is not None:
            self._kept.close()
        if self._folder is not None:
            self._folder.cleanup()


def stores_named(name: str) -> Stores:
    """New stores of a kind.

    Raises:
        ValueError: there is no such kind.
    """
    if name == "memory":
        return MemoryStores()
    if name in ("sqlite", "sqlite-memory"):
        return SQLiteStores(in_memory=name == "sqlite-memory")
    raise ValueError(f"a story can be played on {', '.join(STORES)}, got {name!r}")
