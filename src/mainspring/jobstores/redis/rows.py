"""Jobs as hashes, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mainspring.errors import SerializationError
from mainspring.jobstores.shared.rows import COLUMNS, Unreadable, record_of, time_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mainspring.jobstores.shared.node_context import NodeContext
    from mainspring.model import JobRecord

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

#: The fields of a job that a node needs, but for its id, which is the key.
FIELDS = COLUMNS[1:]
_VERSION = FIELDS.index("version")


def micros(moment: datetime) -> str:
    """A time as the scripts know it: whole microseconds since 1970."""
    since = moment - _EPOCH
    return str((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def moment_of(micros: str) -> datetime:
    """The time of so many microseconds."""
    return _EPOCH + int(float(micros)) * _MICROSECOND


def written_job(
    record: JobRecord, node_context: NodeContext, now: datetime, expects: int | None = None
) -> dict[str, Any]:
    """A job as `put_job` takes it.

    Args:
        expects: the version that the stored one must have, to be replaced.
    """
    row = node_context.writable(record)
    row["created"] = row["updated"] = now
    row["group_name"] = record.options.group
    fields: list[str] = []
    for name, value in row.items():
        if value is not None and name != "id":
            fields += (name, time_text(value) if isinstance(value, datetime) else str(value))
    due = record.next_run_time
    return {
        "id": record.id,
        "fields": fields,
        "due": False if due is None else micros(due),
        "executor": row["executor"],
        "func": row["func"],
        "priority": row["priority"],
        "follows": row["follows"] or False,
        "expects": False if expects is None else str(expects),
    }


def read_job(
    job_id: str, fields: Sequence[Any], node_context: NodeContext, functions: dict[str, Any] | None = None
) -> JobRecord | Unreadable:
    """The job of the values of `FIELDS`, or why there is none.

    Args:
        functions: see `shared.rows.read`.
    """
    values: list[Any] = [None if value is False else value for value in fields]
    try:
        version = int(values[_VERSION])
    except (TypeError, ValueError) as error:
        values[_VERSION] = 0
        record = record_of(node_context.read((job_id, *values)))
        return Unreadable(record, f"its version is no number: {version_text(fields)}", error)
    values[_VERSION] = version
    return node_context.read((job_id, *values), functions)


def version_text(fields: Sequence[Any]) -> str:
    """What is in the place of a version."""
    return repr(fields[_VERSION])[:80]


def readable(job_id: str, fields: Sequence[Any], node_context: NodeContext) -> JobRecord:
    """The job of the values of `FIELDS`.

    Raises:
        SerializationError: there is none.
    """
    record = read_job(job_id, fields, node_context)
    if isinstance(record, Unreadable):
        raise SerializationError(f"job {job_id!r} can't be had: {record.reason}") from record.error
    return record
