"""What an operator does to the database of a store as a whole, where the store has means for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["Maintenance"]


class Maintenance(Protocol):
    """The database of one store, which is open. What can't be done there raises a `ConfigurationError` that says by what else."""

    @property
    def kind(self) -> str:
        """Which database, such as ``"sqlite"``."""

    def sizes(self) -> Mapping[str, int]:
        """How many rows the tables have, by their names."""

    def flaws(self) -> Iterator[str]:
        """What is broken in the database itself, in sentences."""

    def grants(self, user: str) -> list[str]:
        """The statements that let a user of the database do what a node does with the tables."""

    def vacuum(self) -> None:
        """Give room that removed rows have left back to the system."""

    def bytes(self) -> int | None:
        """The size of its file; ``None`` where it has none."""

    def backup(self, target: Path, *, replace: bool = False) -> None:
        """Copy it as it is at one moment, while nodes write to it; the copy is whole, or there is none."""

    def restore(self, source: Path) -> None:
        """Put what a backup holds in its place, whole or not at all."""
