"""Judges a history: given what was to happen, what the store says and what the functions noted, says what went wrong.

`check` is pure: values in, faults out. It reads no clock and asks no store, so that the same evidence always gets the same verdict, wherever it
came from: real nodes that were attacked, a scheduler under a manual clock, or a simulation.

It promises no more than the evidence bears. What may be explained by a wait that is allowed (a full group, a busy worker, a change within
`Observed.patience`) is no fault; what isn't given (no diary, no events, no lives of nodes) isn't judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.coercion import names_keywords
from mainspring.testing.checker.attempts import attempt_faults
from mainspring.testing.checker.calls import call_faults
from mainspring.testing.checker.diary import Diary, read_diary
from mainspring.testing.checker.due_times import due_times_faults
from mainspring.testing.checker.events import event_faults
from mainspring.testing.checker.evidence import Evidence
from mainspring.testing.checker.followers import follower_faults
from mainspring.testing.checker.limits import limit_faults
from mainspring.testing.checker.nodes import node_faults
from mainspring.testing.checker.schedules import schedule_faults
from mainspring.testing.checker.values import (
    Call,
    Change,
    Fault,
    FaultKind,
    GroupLimits,
    NodeLife,
    Observed,
    ObservedJob,
    Span,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Call",
    "Change",
    "Diary",
    "Fault",
    "FaultKind",
    "GroupLimits",
    "NodeLife",
    "Observed",
    "ObservedJob",
    "Span",
    "assert_faultless",
    "check",
    "read_diary",
]

_JUDGES = (
    schedule_faults,
    due_times_faults,
    attempt_faults,
    limit_faults,
    follower_faults,
    call_faults,
    node_faults,
    event_faults,
)


@names_keywords
def check(observed: Observed) -> list[Fault]:
    """All faults of a history; an empty list: none was found."""
    evidence = Evidence(observed)
    return [fault for judge in _JUDGES for fault in judge(evidence)]


@names_keywords
def assert_faultless(observed: Observed, *, but: Iterable[FaultKind] = ()) -> None:
    """Raise an `AssertionError` that lists the faults of a history, if it has any.

    Args:
        but: kinds of faults that are not minded.
    """
    minded = [fault for fault in check(observed) if fault.kind not in but]
    if minded:
        raise AssertionError(f"{len(minded)} faults:\n" + "\n".join(f"- {fault}" for fault in minded))
