"""The files of `export_jobs` and `import_jobs`: JSON in APScheduler's format."""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mainspring.engine.searching import first_time
from mainspring.errors import SerializationError, kind_of, repr_of, safe_str
from mainspring.job import Job
from mainspring.masking import masked_arguments
from mainspring.serializers.v3_json import decoded, encoded
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.plain import trigger_from_dict, trigger_to_dict

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


def write_jobs(outfile: Any, jobs: Iterable[Job], *, mask_secrets: bool = False) -> None:
    """Write `jobs` to a path or a text file.

    Args:
        mask_secrets: write no arguments whose names are those of secrets, and say in the file that they are left out.

    Raises:
        SerializationError: a job that can't be written; nothing is.
    """
    written = []
    for job in jobs:
        try:
            written.append(
                json.dumps({key: encoded(value) for key, value in _listed(job, mask_secrets).items()})
            )
        except Exception as error:
            raise SerializationError(f"job {job.id!r} can't be exported: {_said(error)}") from error
    about: dict[str, Any] = {"version": _VERSION, "scheduler_version": _FORMAT_OF}
    if mask_secrets:
        about["masked"] = True
    text = json.dumps({**about, "jobs": []})
    with _opened(outfile, "w") as stream:
        stream.write(f"{text.removesuffix(']}')}{', '.join(written)}]}}")


def _listed(job: Job, mask_secrets: bool) -> dict[str, Any]:
    state = job.__getstate__()
    args, kwargs = list(state["args"]), state["kwargs"]
    if mask_secrets:
        args, kwargs = masked_arguments(job.func, args, kwargs)
    return {**state, "args": args, "kwargs": kwargs}


def read_jobs(infile: Any) -> list[JobRecord]:
    """The jobs in a path or a text file.

    Raises:
        SerializationError: it holds something else, or a newer version of it; the message says where.
    """
    name = _name_of(infile)
    records: dict[str, JobRecord] = {}
    for at, state in enumerate(states_in(infile), 1):
        told = state.get("id") if isinstance(state, dict) else None
        where = f"{name}: job {at}" if told is None else f"{name}: job {at}, {_shown(told)},"
        try:
            record = record_of(values_of(state))
        except SerializationError as error:
            raise SerializationError(f"{where} can't be imported: {error}") from error
        if record.id in records:
            raise SerializationError(f"{where} has the id of one before it")
        records[record.id] = record
    return list(records.values())


def states_in(infile: Any) -> list[Any]:
    """What stands for jobs in a path or a text file.

    Raises:
        SerializationError: it holds something else, or a newer version of it.
    """
    name = _name_of(infile)
    with _opened(infile, "r") as stream:
        try:
            content = json.loads(stream.read(), object_pairs_hook=_once_each)
        except (ValueError, TypeError, RecursionError) as error:
            raise SerializationError(
                f"{name}: expected what export_jobs writes, got text that is no JSON: {_said(error)}"
            ) from error
    if not isinstance(content, dict) or not isinstance(content.get("jobs"), list):
        raise SerializationError(
            f"{name}: expected what export_jobs writes: a JSON object with 'version', and 'jobs', a list"
        )
    if content.get("version") != _VERSION:
        raise SerializationError(
            f"{name}: expected version {_VERSION} of exported jobs, got {_shown(content.get('version'))}"
        )
    if content.get("masked"):
        raise SerializationError(
            f"{name}: the jobs were exported with mask_secrets=True, without the secrets among their arguments: they can't be imported. "
            "Export them without it"
        )
    return content["jobs"]  # type: ignore[no-any-return]


def values_of(state: Any) -> dict[str, Any]:
    """The values of what stands for a job.

    Raises:
        SerializationError: one can't be read.
    """
    if not isinstance(state, dict):
        raise SerializationError(f"expected a JSON object, got {_shown(state)}")
    values: dict[str, Any] = {}
    for key, value in state.items():
        try:
            values[key] = decoded(value)
        except Exception as error:
            raise SerializationError(f"its {key!r:.40}: {_said(error)}") from error
    return values


def record_of(values: dict[str, Any]) -> JobRecord:
    """The job that another process's `Job.__getstate__` has given, which may be anything.

    Raises:
        SerializationError: it is none; the message says why, and not which.
    """
    for key, kinds, expected in _FIELDS:
        if key not in values:
            raise SerializationError(f"it has no {key!r}")
        if not isinstance(values[key], kinds):
            shown = f"a {kind_of(values[key])}" if key in ("args", "kwargs") else _shown(values[key])
            raise SerializationError(f"its {key!r} should be {expected}, and is {shown}")
    moment = values["next_run_time"]
    if moment is not None and moment.utcoffset() is None:
        raise SerializationError("its 'next_run_time' has no time zone")
    if not values["id"]:
        raise SerializationError("its 'id' is empty")
    if not all(isinstance(key, str) for key in values["kwargs"]):
        raise SerializationError("its 'kwargs' have names that are no text")
    try:
        _refuse_broken(values["trigger"])
    except Exception as error:
        raise SerializationError(f"its 'trigger' is damaged: {_said(error)}") from error
    job = Job.__new__(Job)
    try:
        job.__setstate__(values)
        record = job._record  # noqa: SLF001 - handles are ours
        if not callable(record.func):
            raise TypeError(f"{values['func']!r:.80} can't be called")  # noqa: TRY301 - as what is raised there
    except Exception as error:
        raise SerializationError(_said(error)) from error
    return record


def _refuse_broken(trigger: BaseTrigger) -> None:
    """Ask a trigger what schedulers and stores ask it: its state was put into it without a look.

    Raises:
        Exception: of any kind.
    """
    bound = trigger.bind(timezone=UTC, now=_SOME_TIME, job_id="imported")
    first_time(bound, _SOME_TIME)
    str(bound), repr(bound)
    if type(trigger).__module__.startswith("mainspring."):
        trigger_from_dict(trigger_to_dict(bound))


_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)

#: What a job in a file has, of which kinds, and how those are called.
_FIELDS: tuple[tuple[str, Any, str], ...] = (
    ("id", str, "text"),
    ("name", str, "text"),
    ("func", str, "a reference such as 'package.module:function'"),
    ("args", (list, tuple), "a list"),
    ("kwargs", dict, "a JSON object"),
    ("trigger", BaseTrigger, "a trigger"),
    ("next_run_time", (datetime, type(None)), "a datetime or null"),
)


def _name_of(file: Any) -> str:
    name = getattr(file, "name", None) if hasattr(file, "read") else file
    return "the file" if name is None else str(name)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these pairs: of two with one key, one would be lost without a word."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r:.80} is there twice in one object")
    return found


def _said(error: BaseException) -> str:
    """What an error says, in a line that isn't long; none of the values that it may quote at length."""
    words = (
        safe_str(error)
        if isinstance(error, ValueError | LookupError)
        else f"{kind_of(error)}: {safe_str(error)}"
    )
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"


def _shown(value: Any) -> str:
    shown = repr_of(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"


_LONGEST, _SHOWN = 500, 80
