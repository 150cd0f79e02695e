"""What has become of each run was told once, and rightly."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from mainspring import events as codes
from mainspring.events import (
    EVENT_JOB_CANCELLED,
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_LOST,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    EVENT_JOB_TIMED_OUT,
)
from mainspring.model import run_key
from mainspring.testing.checker.evidence import at, name_of
from mainspring.testing.checker.values import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mainspring.model import RunRecord
    from mainspring.testing.checker.evidence import Evidence

_CODES = {
    "succeeded": EVENT_JOB_EXECUTED,
    "failed": EVENT_JOB_ERROR,
    "missed": EVENT_JOB_MISSED,
    "skipped": EVENT_JOB_MAX_INSTANCES,
    "timed_out": EVENT_JOB_TIMED_OUT,
    "cancelled": EVENT_JOB_CANCELLED,
    "lost": EVENT_JOB_LOST,
}
_ENDS = frozenset(_CODES.values())
_NAMES = {getattr(codes, name): name for name in codes.__all__ if name.startswith("EVENT_JOB_")}


def event_faults(evidence: Evidence) -> Iterator[Fault]:
    """Runs whose end was not told, or told wrongly."""
    if evidence.observed.events is None:
        return
    told: dict[str, list[int]] = defaultdict(list)
    for event in evidence.observed.events:
        if event.code in _ENDS:
            for identifier in _runs_of(event):
                told[identifier].append(event.code)
    for run in evidence.observed.runs:
        if run.outcome is not None:
            yield from _judged(evidence, run, told.pop(run.id, []))
    for identifier, heard in told.items():
        key = run_key(identifier)
        if key.job_id not in evidence.jobs:
            continue
        records = evidence.records_of(*key)
        state = f"its record says {records[0].state!r}" if records else "there is no record of it"
        yield Fault("told_wrong", f"of run {identifier!r} {_named(heard)} was told, and {state}")


def _runs_of(event: Any) -> Sequence[str]:
    """The identifiers of the runs that an event is about."""
    if event.code == EVENT_JOB_MAX_INSTANCES:
        found: Sequence[str] = event.run_ids
        return found
    return [event.run_id] if event.run_id is not None else []


def _judged(evidence: Evidence, run: RunRecord, heard: list[int]) -> Iterator[Fault]:
    code = _CODES[run.outcome or "lost"]
    others = [each for each in heard if each != code]
    if others or len(heard) > 1:
        yield Fault("told_wrong", f"{name_of(run)} is {run.outcome}, and {_named(heard)} was told of it")
    elif not heard and not _may_be_mute(evidence, run):
        yield Fault(
            "untold",
            f"{name_of(run)} is {run.outcome} since {at(run.finished)}, and {_NAMES[code]} was not told of it",
        )


def _may_be_mute(evidence: Evidence, run: RunRecord) -> bool:
    """Whether another event tells of it: of a removed job that of its removal, of what is beyond the backlog's limit that of the backlog."""
    job = evidence.jobs.get(run.job_id)
    if job is None:
        return True
    if (
        run.finished is not None
        and evidence.served(run.finished, evidence.observed.until) < evidence.observed.patience
    ):
        return True  # it may be under way
    if run.outcome == "skipped":
        # One that is added with the id of a job that has ended takes the place of that, as if it had been removed.
        return any(
            change.kind in {"removed", "added"}
            and run.finished is not None
            and change.at - evidence.observed.patience <= run.finished
            for change in job.changes
        )
    return run.outcome == "missed" and any(
        event.code == codes.EVENT_JOB_BACKLOG_DROPPED
        and event.job_id == run.job_id
        and event.first <= run.scheduled_run_time < event.before
        for event in evidence.observed.events or ()
    )


def _named(heard: list[int]) -> str:
    return " and ".join(_NAMES[code] for code in heard)
