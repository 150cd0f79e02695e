"""Runs as the scripts take them, and as they are read."""

from __future__ import annotations

import json
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from mainspring.jobstores.redis.rows import micros
from mainspring.jobstores.shared.rows import time_text
from mainspring.jobstores.shared.runs import queued_record, run_record, written_due_times
from mainspring.model import run_key
from mainspring.storable import compact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from mainspring.jobstores.shared.runs import Ended, NewRun
    from mainspring.model import QueuedRun, RunKey, RunRecord


def written(values: Mapping[str, Any]) -> str:
    """An object in JSON, without what has no value."""
    kept = {name: value for name, value in values.items() if value is not None}
    return compact(kept)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else time_text(moment)


def member_of(scheduled: datetime) -> str:
    """What names a run within its job, but for its attempt: as in `model.run_id`."""
    return f"{time_text(scheduled, 'T')}Z/"


def _named(job_id: str, scheduled: datetime, attempt: int) -> dict[str, Any]:
    """Which run."""
    return {
        "job_id": job_id,
        "member": member_of(scheduled),
        "scheduled": micros(scheduled),
        "attempt": attempt,
    }


def new_run(run: NewRun) -> dict[str, Any]:
    """A run that a decision makes: to be begun, or not to be run."""
    record = {
        "instances": run.instances,
        "group_name": run.group_name,
        "finished": _text(run.finished),
        "outcome": run.outcome,
        "error": run.error,
        "due_times": run.due_times,
    }
    named = _named(run.job_id, run.scheduled, run.attempt)
    return {**named, "instances": run.instances, "record": written(record)}


def queued_run(run: QueuedRun, *, is_next: bool = False, of: int = -1) -> dict[str, Any]:
    """A run that is to be queued.

    Args:
        is_next: make it another attempt, if it is known.
        of: from which outcome it follows.
    """
    record: dict[str, Any] = {"cause": run.cause, "available": time_text(run.available)}
    if run.reruns:
        record["reruns"] = run.reruns
    if run.due_times != 1:
        record["due_times"] = written_due_times(run.due_times)
    return {
        **_named(run.job_id, run.scheduled_run_time, run.attempt),
        "available": micros(run.available),
        "cause": run.cause,
        "record": written(record),
        "is_next": is_next,
        "of": of,
    }


def keyed(key: RunKey) -> dict[str, Any]:
    """A run by its whole identifier."""
    return {"job_id": key.job_id, "name": key.id, "scheduled": micros(key.scheduled_run_time)}


def not_begun(finished: datetime, outcome: str, error: str | None) -> str:
    """What became of a run that is not begun, in JSON."""
    return written({"finished": _text(finished), "outcome": outcome, "error": error})


def outcome_of(ended: Ended) -> str:
    """What became of a run, in JSON."""
    result = ended.result
    _, outcome, started, finished, error, value, traceback, log, _, progress = result
    told_nothing = error is None and value is None and traceback is None and log is None and progress is None
    if told_nothing and started is not None and finished is not None:
        # As most end; there is nothing in it that JSON would write otherwise.
        return (
            f'{{"started":"{time_text(started)}","finished":"{time_text(finished)}","outcome":"{outcome}"}}'
        )
    run = ended.written()
    return written(
        {
            "started": _text(started),
            "finished": _text(finished),
            "outcome": outcome,
            "error": run.error,
            "result": run.result,
            "traceback": run.traceback,
            "log": run.log,
            "progress": progress,
        }
    )


def ended_parts(runs: Iterable[tuple[str, datetime, int, int, str, bool]]) -> list[dict[str, Any]]:
    """Outcomes as `finish` takes them: by token, in the order of these runs.

    Args:
        runs: of each run its job, due time, attempt and token, its outcome in JSON, and whether that says how far it was.
    """
    parts = []
    at = 0
    for token, of_token in groupby(runs, itemgetter(3)):
        ids, times, attempts, _, outcomes, says = zip(*of_token, strict=True)
        named = zip(ids, times, attempts, strict=True)
        parts.append(
            {
                "token": str(token),
                "from": at,
                "ids": ids,
                "names": [f"{job_id}/{member_of(time)}{attempt}" for job_id, time, attempt in named],
                "times": [micros(time) for time in times],
                "outcomes": outcomes,
                "says": says,
            }
        )
        at += len(ids)
    return parts


def read_queued(name: str, text: str, now: datetime) -> QueuedRun:
    """A queued run."""
    return queued_record(_values(name, text), now)


def read_run(name: str, text: str, progress: str | None = None) -> RunRecord:
    """A run, with what it has said of how far it is."""
    return run_record({"progress": progress, **_values(name, text)})


def _values(name: str, text: str) -> dict[str, Any]:
    job_id, scheduled, attempt = run_key(name)
    return {**json.loads(text), "job_id": job_id, "scheduled": scheduled, "attempt": attempt}
