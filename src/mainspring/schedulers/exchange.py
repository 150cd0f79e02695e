"""The files of `export_jobs` and `import_jobs`: JSON in APScheduler's format."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mainspring.errors import SerializationError
from mainspring.job import Job
from mainspring.serializers.v3_json import decoded, encoded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mainspring.model import JobRecord

_VERSION = 1
#: The release of APScheduler whose files these are.
_FORMAT_OF = "3.11.3"


def _opened(file: Any, mode: str) -> Any:
    return (
        nullcontext(file)
        if hasattr(file, "read") or hasattr(file, "write")
        else Path(file).open(mode, encoding="utf-8")
    )


def write_jobs(outfile: Any, jobs: Iterable[Job]) -> None:
    """Write `jobs` to a path or a text file.

    Raises:
        SerializationError: a job that can't be written; nothing is.
    """
    written = []
    for job in jobs:
        try:
            written.append({key: encoded(value) for key, value in _listed(job.__getstate__()).items()})
        except ValueError as error:
            raise SerializationError(f"job {job.id!r} can't be exported: {error}") from error
    text = json.dumps({"version": _VERSION, "scheduler_version": _FORMAT_OF, "jobs": written})
    with _opened(outfile, "w") as stream:
        stream.write(text)


def _listed(state: dict[str, Any]) -> dict[str, Any]:
    return {**state, "args": list(state["args"])}


def read_jobs(infile: Any) -> list[JobRecord]:
    """The jobs in a path or a text file.

    Raises:
        SerializationError: it holds something else, or a newer version of it.
    """
    with _opened(infile, "r") as stream:
        try:
            content = json.load(stream)
        except ValueError as error:
            raise SerializationError(
                f"expected what export_jobs writes, got text that is no JSON: {error}"
            ) from error
    if not isinstance(content, dict) or "jobs" not in content:
        raise SerializationError("expected what export_jobs writes: a JSON object with 'version' and 'jobs'")
    if content.get("version") != _VERSION:
        raise SerializationError(
            f"expected version {_VERSION} of exported jobs, got {content.get('version')!r}"
        )
    return [_record(state) for state in content["jobs"]]


def _record(state: dict[str, Any]) -> JobRecord:
    job = Job.__new__(Job)
    try:
        job.__setstate__({key: decoded(value) for key, value in state.items()})
    except (ValueError, LookupError, TypeError) as error:
        raise SerializationError(f"job {state.get('id')!r} can't be imported: {error}") from error
    return job._record  # noqa: SLF001 - handles are ours
