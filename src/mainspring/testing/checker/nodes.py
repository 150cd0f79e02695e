"""No run outlives its node, and none of a living node is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.testing.checker.evidence import at, in_utc, name_of
from mainspring.testing.checker.values import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mainspring.model import RunRecord
    from mainspring.testing.checker.evidence import Evidence
    from mainspring.testing.checker.values import NodeLife


def node_faults(evidence: Evidence) -> Iterator[Fault]:
    """Records that contradict who lived."""
    for run in evidence.observed.runs:
        if run.state == "running":
            yield from _left(evidence, run)
        elif run.outcome == "lost":
            yield from _alive(evidence, run)


def _left(evidence: Evidence, run: RunRecord) -> Iterator[Fault]:
    """Whether a run that goes on by its record has ended long ago. Somebody must have been there to see it."""
    observed = evidence.observed
    lives = evidence.node_of(run.node)
    ends = [life.ended for life in lives]
    last = max((end for end in ends if end is not None), default=None)
    if last is not None and None not in ends and evidence.served(last, observed.until) > observed.patience:
        yield Fault(
            "left_running",
            f"{name_of(run)} is still running by its record, and its node {run.node} ended at {at(last)}",
        )
        return
    if len(observed.nodes) and lives and all(end is not None for end in ends):
        return
    ended = [call.ended for call in evidence.calls_of(run)]
    if ended and None not in ended:
        end = max(filter(None, ended))
        if evidence.served(end, observed.until) > observed.patience:
            yield Fault(
                "left_running",
                f"{name_of(run)} is still running by its record, and its function ended at {at(end)}",
            )


def _alive(evidence: Evidence, run: RunRecord) -> Iterator[Fault]:
    found = run.finished
    if found is None:
        return
    for life in evidence.node_of(run.node):
        claimed = run.claimed or run.started
        if claimed is None or claimed < life.started:
            continue  # it was claimed by an earlier one of that name
        if (
            in_utc(life.started) <= found
            and (life.ended is None or found < life.ended)
            and not _was_mute(evidence, life, found)
        ):
            yield Fault(
                "lost_alive",
                f"{name_of(run)} was declared lost at {at(found)}, and its node {run.node} lived",
            )
            return


def _was_mute(evidence: Evidence, life: NodeLife, moment: datetime) -> bool:
    """Whether a node could give no sign of life, at a moment or shortly before."""
    patience = evidence.observed.patience
    return any(
        span.start <= moment and (span.end is None or moment <= span.end + patience) for span in life.stopped
    )
