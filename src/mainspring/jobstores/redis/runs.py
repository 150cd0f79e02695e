"""Runs as the scripts take them, and as they are read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mainspring.jobstores.redis.rows import micros
from mainspring.jobstores.shared.rows import time_text
from mainspring.jobstores.shared.runs import queued_record, run_record
from mainspring.model import run_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mainspring.jobstores.shared.runs import EndedRun, NewRun
    from mainspring.model import QueuedRun, RunKey, RunRecord


# Made once: `json.dumps` makes one for each call, which takes longer than a small object.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def written(values: Mapping[str, Any]) -> str:
    """An object in JSON, without what has no value."""
    kept = {name: value for name, value in values.items() if value is not None}
    return _encode(kept)


def outcome_of(finished: datetime, outcome: str, error: str | None) -> str:
    """What becomes of a run that is not begun."""
    return written({"finished": _text(finished), "outcome": outcome, "error": error})


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else time_text(moment)


def _named(job_id: str, scheduled: datetime, attempt: int) -> dict[str, Any]:
    """Which run: its identifier without the attempt, and the same within its job."""
    name = run_id(job_id, scheduled, attempt).removesuffix(str(attempt))
    return {
        "job_id": job_id,
        "name": name,
        "member": name[len(job_id) + 1 :],
        "scheduled": micros(scheduled),
        "attempt": attempt,
    }


def new_run(run: NewRun) -> dict[str, Any]:
    """A run that a decision makes: to be begun, or not to be run."""
    record = {
        "job_id": run.job_id,
        "scheduled": time_text(run.scheduled),
        "instances": run.instances,
        "group_name": run.group_name,
        "finished": _text(run.finished),
        "outcome": run.outcome,
        "error": run.error,
    }
    named = _named(run.job_id, run.scheduled, run.attempt)
    return {**named, "instances": run.instances, "record": written(record)}


def queued_run(run: QueuedRun, *, is_next: bool = False, of: int = -1) -> dict[str, Any]:
    """A run that is to be queued.

    Args:
        is_next: make it another attempt, if it is known.
        of: from which outcome it follows.
    """
    record = {
        "job_id": run.job_id,
        "scheduled": time_text(run.scheduled_run_time),
        "cause": run.cause,
        "available": time_text(run.available),
    }
    return {
        **_named(run.job_id, run.scheduled_run_time, run.attempt),
        "available": micros(run.available),
        "cause": run.cause,
        "record": written(record),
        "is_next": is_next,
        "of": of,
    }


def ended_run(run: EndedRun, progress: str | None) -> dict[str, Any]:
    """An outcome."""
    outcome = {
        "started": _text(run.started),
        "finished": _text(run.finished),
        "outcome": run.outcome,
        "error": run.error,
        "result": run.result,
        "traceback": run.traceback,
        "log": run.log,
        "progress": progress,
    }
    return {
        "job_id": run.job_id,
        "name": run_id(run.job_id, run.scheduled, run.attempt),
        "scheduled": micros(run.scheduled),
        "token": str(run.token),
        "outcome": written(outcome),
        "says": progress is not None,
    }


def keyed(key: RunKey) -> dict[str, Any]:
    """A run by its whole identifier."""
    return {"job_id": key.job_id, "name": key.id, "scheduled": micros(key.scheduled_run_time)}


def read_queued(text: str, now: datetime) -> QueuedRun:
    """A queued run."""
    return queued_record(json.loads(text), now)


def read_run(text: str, progress: str | None = None) -> RunRecord:
    """A run, with what it has said of how far it is."""
    return run_record({"progress": progress, **json.loads(text)})
