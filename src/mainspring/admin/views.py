"""What is to be seen of jobs, runs, nodes and groups: plain values that don't change, each with a dictionary form for JSON.

Nothing of a job's code is loaded for them. Arguments whose names are those of secrets are masked.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from mainspring.engine.reasons import known_reason
from mainspring.engine.setbacks import KnownNode
from mainspring.jobstores.shared.lease import milliseconds
from mainspring.jobstores.shared.rows import Unreadable
from mainspring.masking import without_secrets
from mainspring.printable import shown
from mainspring.schedulers.job_texts import arguments_text, schedule_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mainspring.jobstores.shared.audit import AuditEntry
    from mainspring.model import Group, JobRecord, NodeRecord, RunRecord

__all__ = ["AuditView", "DueTime", "GroupView", "JobView", "NodeView", "Page", "RunView", "View"]

Item = TypeVar("Item", bound="View")


@dataclass(frozen=True)
class View:
    """Something to be shown."""

    def to_dict(self) -> dict[str, Any]:
        """What it says as plain values: times as ISO 8601 texts, durations as seconds."""
        return {one.name: plain(getattr(self, one.name)) for one in fields(self)}


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, View):
        return value.to_dict()
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return value


@dataclass(frozen=True)
class Page(Generic[Item]):
    """A part of a list.

    Attributes:
        items: in the order of the list.
        cursor: what to give as ``after`` to get the next part; ``None``: there is none.
    """

    items: tuple[Item, ...]
    cursor: str | None


@dataclass(frozen=True)
class JobView(View):
    """A job.

    Attributes:
        state: ``"scheduled"``, ``"paused"``, or ``"unreadable"``: it can't be read here, and `unreadable` says why.
        function: reference of what it calls.
        schedule: its trigger in words.
        next_run_time: aware; ``None`` while it is paused.
        note: why it is paused.
        arguments: what it is called with, as a call is written; secrets are masked.
        owner: who keeps it in step with a list, as of `BaseScheduler.sync`.
        options: those that aren't as they are by default.
    """

    id: str
    name: str
    state: str
    function: str
    schedule: str
    next_run_time: datetime | None
    executor: str
    group: str | None
    tags: tuple[str, ...]
    note: str | None
    owner: str | None
    arguments: str
    options: Mapping[str, Any]
    unreadable: str | None = None


@dataclass(frozen=True)
class RunView(View):
    """A run.

    Attributes:
        id: by which it is cancelled, and found in logs.
        state: ``"queued"``, ``"running"``, or its outcome.
        node: the name of the node that claimed it.
        started: when its function was called; a store gets it together with the end of the run.
        duration: for how long it ran; while it runs, since when a node claimed it.
        lateness: how much later than due it began; while it runs, how much later a node claimed it.
        progress: done, total (``None``: unknown) and a text.
        reason: why it was not run, or not to its end, as a code of `ReasonCode`; ``None``: it has ended well, or hasn't ended.
    """

    id: str
    job_id: str
    scheduled: datetime
    attempt: int
    state: str
    cause: str
    node: str | None
    started: datetime | None
    finished: datetime | None
    duration: timedelta | None
    lateness: timedelta | None
    error: str | None
    reason: str | None
    result: str | None
    traceback: str | None
    log: str | None
    progress: tuple[float, float | None, str] | None
    due_times: int | None


@dataclass(frozen=True)
class NodeView(View):
    """A node.

    Attributes:
        state: ``"alive"``, ``"silent"`` (it hasn't been heard of for the time of its lease), ``"stopped"`` or ``"dead"``.
        silent_for: how long ago its last sign of life was, by the store's clock.
    """

    name: str
    state: str
    host: str
    pid: int
    version: str
    executors: tuple[str, ...]
    started: datetime
    heartbeat: datetime
    silent_for: timedelta
    lease: timedelta
    clock_offset: timedelta


@dataclass(frozen=True)
class GroupView(View):
    """The limits of a group of jobs."""

    name: str
    limit: int | None
    rate: int | None
    per: timedelta


@dataclass(frozen=True)
class AuditView(View):
    """Something that somebody did.

    Attributes:
        who: under this name.
        action: such as ``"pause"``; of what brings a store in step with a file, with what became of the job: ``"apply-remove"``.
        job_id: to this job; ``None``: to the store as a whole.
        run_id: to this run of it.
        why: in their words; what looks like a secret in it is masked.
    """

    time: datetime
    who: str
    action: str
    job_id: str | None
    run_id: str | None
    why: str | None


@dataclass(frozen=True)
class DueTime(View):
    """A time at which a job will be due."""

    time: datetime
    job_id: str
    name: str


def paused_until(time: datetime, note: str | None) -> str:
    """The note of a job that runs again by itself."""
    until = f"{_PAUSED_UNTIL}{time.isoformat(timespec='seconds')}"
    return until if note is None else f"{until}: {note}"


_PAUSED_UNTIL = "paused until "


def paused_to(note: str | None) -> datetime | None:
    """Until when a job is paused by a note of `paused_until`; ``None``: it is another note, or none."""
    if note is None or not note.startswith(_PAUSED_UNTIL):
        return None
    with suppress(ValueError):
        until = datetime.fromisoformat(note.removeprefix(_PAUSED_UNTIL).split(": ", 1)[0])
        return until if until.tzinfo is not None else None
    return None


def _note_of(record: JobRecord, now: datetime) -> str | None:
    """Why a job is paused; without what is said of one that runs again by itself, once it does."""
    note = None if record.counters is None else record.counters.note
    if note is None:
        return None
    until = None if record.next_run_time is None else paused_to(note)
    if until is not None and until <= now:
        return None
    return without_secrets(note)


def job_view(record: JobRecord, now: datetime) -> JobView:
    """What is to be seen of a job, at a time by the store's clock."""
    return JobView(
        record.id,
        record.name,
        "paused" if record.next_run_time is None else "scheduled",
        record.func_ref or shown(record.func),
        schedule_text(record),
        record.next_run_time,
        record.options.executor,
        record.options.group,
        record.options.tags,
        _note_of(record, now),
        record.options.owner,
        arguments_text(record),
        _options(record),
    )


def row_view(row: JobRecord | Unreadable, now: datetime) -> JobView:
    """What is to be seen of a row, whether a job can be made of it here or not."""
    return unreadable_view(row) if isinstance(row, Unreadable) else job_view(row, now)


def unreadable_view(row: Unreadable) -> JobView:
    """What is to be seen of a row of which no job can be made here."""
    record = row.record
    return JobView(
        record.id,
        record.name,
        "unreadable",
        record.func_ref or "",
        "",
        record.next_run_time,
        record.options.executor,
        record.options.group,
        record.options.tags,
        None,
        record.options.owner,
        "",
        {},
        row.reason,
    )


def run_view(run: RunRecord, now: datetime) -> RunView:
    """What is to be seen of a run, at a time by the store's clock."""
    begun = run.started or (run.claimed if run.outcome is None else None)
    ended = run.finished or (now if run.outcome is None else None)
    known = known_reason(run.state, run.error)
    return RunView(
        run.id,
        run.job_id,
        run.scheduled_run_time,
        run.attempt,
        run.state,
        run.cause,
        run.node,
        run.started,
        run.finished,
        None if begun is None or ended is None else max(ended - begun, timedelta(0)),
        None if begun is None else begun - (run.available or run.scheduled_run_time),
        run.error,
        None if known is None else str(known.code),
        run.result,
        run.traceback,
        run.log,
        run.progress,
        run.due_times,
    )


def node_view(node: NodeRecord, now: datetime) -> NodeView:
    """What is to be seen of a node, at a time by the store's clock."""
    known = KnownNode(node.token, node.name, node.heartbeat, milliseconds(node.lease), node.state == "alive")
    return NodeView(
        node.name,
        "silent" if known.is_silent(now) else node.state,
        node.host,
        node.pid,
        node.version,
        node.executors,
        node.started,
        node.heartbeat,
        max(now - node.heartbeat, timedelta(0)),
        node.lease,
        node.clock_offset,
    )


def group_view(group: Group) -> GroupView:
    """What is to be seen of a group."""
    return GroupView(*group)


def audit_view(entry: AuditEntry, zone: tzinfo) -> AuditView:
    """What is to be seen of an entry; its time in a zone."""
    why = None if entry.why is None else without_secrets(entry.why)
    return AuditView(entry.time.astimezone(zone), entry.who, entry.action, entry.job_id, entry.run_id, why)


#: What has a place of its own in a view.
_SHOWN_APART = ("executor", "group", "tags", "owner", "is_plain")


def _options(record: JobRecord) -> dict[str, Any]:
    usual = type(record.options)()
    found = {}
    for one in fields(usual):
        value = getattr(record.options, one.name)
        if one.name not in _SHOWN_APART and value != getattr(usual, one.name):
            found[one.name] = (
                value
                if isinstance(value, int | bool | timedelta | None)
                else without_secrets(value if isinstance(value, str) else shown(value))
            )
    return found
