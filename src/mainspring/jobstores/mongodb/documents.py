"""Jobs and runs as documents, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mainspring.engine.reasons import JOB_REMOVED
from mainspring.errors import SerializationError, safe_str
from mainspring.jobstores.shared.rows import ENDING, Unreadable, time_text
from mainspring.jobstores.shared.runs import written_due_times
from mainspring.model import JobOptions, JobRecord, QueuedRun, run_id
from mainspring.triggers.date import DateTrigger

if TYPE_CHECKING:
    from datetime import datetime

    from mainspring.jobstores.shared.node_context import NodeContext
    from mainspring.jobstores.shared.runs import EndedRun, NewRun

Document = dict[str, Any]

#: A job of several that are added together, before all of them are there.
ADDING = "adding"
#: Jobs that nobody sees: not any more, or not yet.
HIDDEN = [ENDING, ADDING]
#: What a run's document says that it does, unless it is its job's document that says so.
QUEUED, RUNNING, ENDED = "queued", "running", "ended"

#: What jobs are looked for by, in `found_by`. One index for all of that costs a claim less than one for each, and most jobs have
#: none of it.
IS_ADDING, IS_ADOPTED, HAS_OUTBOX, HAS_PRIORITY, IS_FOLLOWER = (
    "adding",
    "adopted",
    "outbox",
    "priority",
    "follower",
)

#: Fields that not all jobs have.
_OPTIONAL = ("next_run_time", "tags", "follows", "tally", "group_name")
#: Kept as documents, where those can hold it; elsewhere they are JSON.
_PARSED = ("trigger", "options", "tags", "tally")


def text_of(moment: datetime | None) -> str | None:
    """A time as documents have it: a text, since dates have milliseconds only there."""
    return None if moment is None else time_text(moment)


def job_fields(record: JobRecord, node_context: NodeContext, now: datetime) -> tuple[Document, list[str]]:
    """A job as the fields of its document, but for its id; and the names of those that it doesn't have."""
    row = node_context.writable(record)
    row["group_name"] = record.options.group
    row["updated"] = now
    del row["id"]
    fields = {}
    for name, value in row.items():
        if name in _PARSED and value is not None:
            # A character that JSON escapes may be one that documents can't have.
            is_kept = "\\u" in value and name in ("options", "tally")
            fields[name] = value if is_kept else json.loads(value)
        elif value is not None:
            fields[name] = time_text(value) if hasattr(value, "astimezone") else value
    return fields, [name for name in _OPTIONAL if name not in fields]


def follower_of(job_id: str) -> str:
    """What the jobs are found by that come after another."""
    return f"after {job_id}"


def caller_of(func: str) -> str:
    """What the jobs are found by that call a function again and again; others are never looked for so."""
    return f"calls {func}"


def found_by(fields: Document) -> list[str]:
    """What a job with these fields is to be found by."""
    found = [] if fields["trigger"].get("type") == "date" else [caller_of(fields["func"])]
    if fields.get("priority"):
        found.append(HAS_PRIORITY)
    if "follows" in fields:
        found += [IS_FOLLOWER, follower_of(fields["follows"])]
    return found


def change_to(fields: Document, missing: list[str], **more: Any) -> Document:
    """The update that makes a document one with these fields."""
    update: Document = {"$set": {**fields, **more}}
    if missing:
        update["$unset"] = dict.fromkeys(missing, "")
    return update


def _as_json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def read_job(document: Document, node_context: NodeContext) -> JobRecord | Unreadable:
    """The job of a document, or why there is none."""
    job_id = str(document.get("_id"))
    try:
        parsed = {name: _as_json(document[name]) if name in document else None for name in _PARSED}
        version = document["version"]
        if not isinstance(version, int):
            raise SerializationError(f"its version is no number: {version!r}")  # noqa: TRY301 - as what is raised below
        row = (
            job_id,
            document["name"],
            document["func"],
            parsed["trigger"],
            document["arguments"],
            document.get("next_run_time"),
            document["executor"],
            parsed["options"],
            parsed["tags"],
            parsed["tally"],
            version,
        )
    except Exception as error:  # noqa: BLE001 - a damaged document may have anything
        stub = JobRecord(
            job_id, str(document.get("name")), None, None, (), {}, _PLACEHOLDER_TRIGGER, JobOptions(), None, 0
        )
        return Unreadable(stub, f"its document can't be read: {safe_str(error)}", error)
    return node_context.read(row)


_PLACEHOLDER_TRIGGER = DateTrigger("9999-12-31T00:00:00+00:00")


def name_of(job_id: str, scheduled: datetime, attempt: int) -> str:
    """The id of a run's document: its identifier."""
    return run_id(job_id, scheduled, attempt)


def active_run(run: NewRun, claimed: Document) -> Document:
    """A run that goes on, as its job's document has it.

    Args:
        claimed: who has claimed it, and when.
    """
    active = {
        "name": name_of(run.job_id, run.scheduled, run.attempt),
        "scheduled": time_text(run.scheduled),
        "attempt": run.attempt,
        "instances": run.instances,
        **claimed,
    }
    if run.group_name is not None:
        active["group_name"] = run.group_name
    if run.cause is not None:
        active["cause"] = run.cause
    if run.due_times is not None:
        active["due_times"] = run.due_times
    return active


def run_not_begun(run: NewRun, claimed: Document) -> Document:
    """The document of a run that a decision says is not to be run."""
    more = {} if run.due_times is None else {"due_times": run.due_times}
    return {
        **more,
        "_id": name_of(run.job_id, run.scheduled, run.attempt),
        "job_id": run.job_id,
        "scheduled": time_text(run.scheduled),
        "attempt": run.attempt,
        "state": ENDED,
        "finished": text_of(run.finished),
        "outcome": run.outcome,
        "error": run.error,
        **claimed,
    }


def skipped_run(run: QueuedRun, finished: datetime) -> Document:
    """The document of a run that isn't run, because the job that it was made for was removed."""
    skipped = queued_run(run) | removed_fields(finished)
    del skipped["available"]
    return skipped


def removed_fields(finished: datetime) -> Document:
    """What is said of runs that were queued when their job was removed."""
    return {
        "state": ENDED,
        "finished": time_text(finished),
        "outcome": "skipped",
        "error": JOB_REMOVED,
    }


def disowned_names(job: Document) -> set[str]:
    """The names of runs that go on, and whose job was removed meanwhile: nothing follows from them."""
    return {one["name"] for one in job.get("active", ()) if one.get("job_removed")}


def queued_run(run: QueuedRun, after: int | None = None) -> Document:
    """The document of a run that waits.

    Args:
        after: the attempt that has failed, or was lost, so that this one follows, where that is why.
    """
    more: Document = {"reruns": run.reruns} if run.reruns else {}
    if after is not None:
        more["after"] = after
    if run.due_times != 1:
        more["due_times"] = written_due_times(run.due_times)
    return {
        **more,
        "_id": run.key.id,
        "job_id": run.job_id,
        "scheduled": time_text(run.scheduled_run_time),
        "attempt": run.attempt,
        "state": QUEUED,
        "available": time_text(run.available),
        "cause": run.cause,
    }


def outcome_fields(run: EndedRun) -> Document:
    """What an outcome adds to the document of a run."""
    fields = {
        "state": ENDED,
        "token": run.token,
        "started": text_of(run.started),
        "finished": text_of(run.finished),
        "outcome": run.outcome,
        "error": run.error,
        "result": run.result,
        "traceback": run.traceback,
        "log": run.log,
    }
    return {name: value for name, value in fields.items() if value is not None}


def active_runs(job: Document) -> list[Document]:
    """The runs of a job that go on, each with the job's id."""
    return [{**one, "job_id": job["_id"]} for one in job.get("active", ())]


def running(job: Document) -> int:
    """How many instances of a job go on."""
    return sum(one["instances"] for one in job.get("active", ()))
