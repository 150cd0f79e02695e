"""The states of a run, and from which to which it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mainspring.model import RunState

#: From each state to those that may follow; ``None`` is a run that there isn't yet. Where nothing follows, it has ended.
MOVES: Final[Mapping[RunState | None, frozenset[RunState]]] = {
    None: frozenset({"queued", "running", "missed", "skipped"}),
    "queued": frozenset({"running", "skipped", "cancelled", "missed"}),
    # Back to the queue, or to nothing, if the node that had claimed it gives it back unbegun; skipped, if its executor has a limit of
    # its own.
    "running": frozenset({"succeeded", "failed", "timed_out", "cancelled", "lost", "queued", "skipped"}),
    "succeeded": frozenset(),
    "failed": frozenset(),
    "timed_out": frozenset(),
    "cancelled": frozenset(),
    "missed": frozenset(),
    "skipped": frozenset(),
    "lost": frozenset(),
}


def drawn() -> str:
    """The table as a state diagram of Mermaid, for the documentation."""
    lines = ["stateDiagram-v2"]
    for state, following in MOVES.items():
        before = "[*]" if state is None else state
        lines += [f"    {before} --> {after}" for after in sorted(following)]
        if not following:
            lines.append(f"    {before} --> [*]")
    return "\n".join(lines)
