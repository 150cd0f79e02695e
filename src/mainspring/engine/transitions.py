"""The states of a run, from which to which it goes, and what is made of it then.

A run that is tried again is made in one place (`next_attempt`), and so is the end of one that is not run (`not_run`), which goes no way that
isn't in the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from mainspring.engine.reasons import CANCELLED_UNBEGUN, JOB_REMOVED
from mainspring.model import QueuedRun, RunResult

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mainspring.model import Outcome, RunKey, RunState

#: From each state to those that may follow; ``None`` is a run that there isn't yet. Where nothing follows, it has ended.
RUN_TRANSITIONS: Final[Mapping[RunState | None, frozenset[RunState]]] = {
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


def next_attempt(
    key: RunKey,
    available: datetime,
    cause: Literal["retry", "rerun"],
    reruns: int,
    due_times: int | None,
) -> QueuedRun:
    """The run that is tried after the one of a key, at the same due time.

    Args:
        available: when it may begin.
        cause: whether the one before has failed, or its node has died and it is run again for that.
        reruns: how many of the attempts, the new one included, were made because a node had died.
        due_times: how many due times it stands for, as of `RunRecord`.
    """
    job_id, scheduled, attempt = key
    return QueuedRun(job_id, scheduled, attempt + 1, available, cause, reruns, due_times)


def not_run(
    state: Literal["queued"] | None, scheduled: datetime, outcome: Outcome, reason: str, now: datetime
) -> RunResult:
    """What becomes of a run that is not begun.

    Args:
        state: what it was: queued, or not there yet.
        reason: why, in words.

    Raises:
        ValueError: from that state a run doesn't come to this outcome.
    """
    if outcome not in RUN_TRANSITIONS[state]:
        raise ValueError(f"a run that is {state or 'not there yet'} can't become {outcome}")
    return RunResult(scheduled, outcome, None, now, reason)


def removed(run: QueuedRun, now: datetime) -> RunResult:
    """What becomes of a queued run whose job was removed."""
    return not_run("queued", run.scheduled_run_time, "skipped", JOB_REMOVED, now)


def cancelled(run: QueuedRun, now: datetime) -> RunResult:
    """What becomes of a queued run that somebody has cancelled."""
    return not_run("queued", run.scheduled_run_time, "cancelled", CANCELLED_UNBEGUN, now)


def drawn() -> str:
    """The table as a state diagram of Mermaid, for the documentation."""
    lines = ["stateDiagram-v2"]
    for state, following in RUN_TRANSITIONS.items():
        before = "[*]" if state is None else state
        lines += [f"    {before} --> {after}" for after in sorted(following)]
        if not following:
            lines.append(f"    {before} --> [*]")
    return "\n".join(lines)
