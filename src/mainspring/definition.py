"""What may be said of a job, checked and turned into a record.

`add_job`, `modify_job` and third parties' stores all come through here, so a value is judged in one place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from os import urandom
from types import FunctionType
from typing import Any

from mainspring.callables import check_callable_args, get_callable_name
from mainspring.coercion import asbool, asint, unknown_name
from mainspring.model import JobOptions, JobRecord
from mainspring.references import obj_to_ref, ref_to_obj, reference_to_be
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.plain import trigger_to_dict

#: What `modify_job` may change.
CHANGEABLE = frozenset(
    {
        "args",
        "coalesce",
        "executor",
        "func",
        "kwargs",
        "max_instances",
        "misfire_grace_time",
        "name",
        "next_run_time",
        "on_lost",
        "tags",
        "trigger",
    }
)
OPTIONS = frozenset({"misfire_grace_time", "coalesce", "max_instances", "executor", "on_lost", "tags"})

# Jobs of one kind share one options object, which saves a million of them.
_shared_options = lru_cache(maxsize=1024)(JobOptions)


def new_job_id() -> str:
    """An identifier that no other job has."""
    return urandom(16).hex()


def stable_id(func: Any, trigger: BaseTrigger) -> str | None:
    """An id that follows from a function and its trigger; ``None`` where the function has no reference."""
    try:
        reference = reference_to_be(func)
    except ValueError:
        return None
    text = f"{reference} {json.dumps(trigger_to_dict(trigger), sort_keys=True)}"
    return f"{get_callable_name(func)[:100]}-{blake2b(text.encode(), digest_size=8).hexdigest()}"


def grace_as_timedelta(value: Any) -> timedelta | None:
    """A grace time as a duration; numbers are seconds.

    Raises:
        TypeError: it is neither ``None`` nor a duration of zero or more.
    """
    if value is None:
        return None
    if isinstance(value, timedelta):
        grace = value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        grace = timedelta(seconds=value)
    else:
        raise TypeError(
            f"misfire_grace_time must be None, a number of seconds or a timedelta, not {type(value).__name__} {value!r}"
        )
    if grace < timedelta(0):
        raise TypeError(f"misfire_grace_time can't be negative, got {value!r}")
    return grace


def grace_as_number(grace: timedelta | None) -> float | None:
    """A grace time as users wrote it: seconds, whole where they are."""
    if grace is None:
        return None
    seconds = grace.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds


def _checked_max_instances(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise TypeError(f"max_instances must be a whole number of 1 or more, got {value!r}")
    return value


def _checked_on_lost(value: Any) -> Any:
    if value not in ("record", "rerun"):
        raise TypeError(f"on_lost must be 'record' or 'rerun', got {value!r}")
    return value


def _checked_tags(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError(
            f"tags must be a list or another iterable of texts, got {type(value).__name__} {value!r}"
        )
    return tuple(sorted({_checked_text("a tag", tag) for tag in value}))


def _checked_text(what: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"{what} must be text that is not empty, got {value!r}")
    return value


def checked_trigger(value: Any) -> BaseTrigger:
    """`value`, if it is a trigger.

    Raises:
        TypeError: it isn't.
    """
    if not isinstance(value, BaseTrigger):
        raise TypeError(
            f"trigger must be a trigger object or the name of one, got {type(value).__name__} {value!r}"
        )
    return value


def options_with(base: JobOptions, changes: Mapping[str, Any]) -> JobOptions:
    """`base` with those of `changes` that are options.

    Raises:
        TypeError: a value of the wrong kind.
    """
    return _shared_options(
        executor=_checked_text("executor", changes["executor"]) if "executor" in changes else base.executor,
        misfire_grace_time=(
            grace_as_timedelta(changes["misfire_grace_time"])
            if "misfire_grace_time" in changes
            else base.misfire_grace_time
        ),
        coalesce=bool(changes["coalesce"]) if "coalesce" in changes else base.coalesce,
        max_instances=(
            _checked_max_instances(changes["max_instances"])
            if "max_instances" in changes
            else base.max_instances
        ),
        on_lost=_checked_on_lost(changes["on_lost"]) if "on_lost" in changes else base.on_lost,
        tags=_checked_tags(changes["tags"]) if "tags" in changes else base.tags,
    )


def job_defaults_from_configuration(values: Mapping[str, Any]) -> dict[str, Any]:
    """The ``job_defaults`` of a configuration, text values read as what they mean.

    Raises:
        TypeError: a value of the wrong kind.
        ValueError: text that is not a number or a truth value.
    """
    defaults: dict[str, Any] = {}
    if "misfire_grace_time" in values:
        grace = values["misfire_grace_time"]
        if isinstance(grace, str):
            grace = None if grace.strip().lower() in {"", "none"} else float(grace)
        defaults["misfire_grace_time"] = grace_as_number(grace_as_timedelta(grace))
    if "coalesce" in values:
        defaults["coalesce"] = asbool(values["coalesce"])
    if "max_instances" in values:
        defaults["max_instances"] = _checked_max_instances(asint(values["max_instances"]))
    if "on_lost" in values:
        defaults["on_lost"] = _checked_on_lost(values["on_lost"])
    return defaults


def resolved_function(func: Any) -> tuple[Callable[..., Any], str | None]:
    """The function and its text reference, from either; the reference is ``None`` where there is none.

    Raises:
        TypeError: `func` is neither callable nor text.
        ValueError, LookupError: the text is no reference, or names nothing.
    """
    if type(func) is FunctionType:
        return func, _reference_of(func)
    if isinstance(func, str):
        return ref_to_obj(func), func
    if not callable(func):
        raise TypeError(
            f"func must be a callable or a text reference to one, got {type(func).__name__} {func!r}"
        )
    return func, _found_reference(func)


def _found_reference(func: Any) -> str | None:
    try:
        return obj_to_ref(func)
    except ValueError:
        return None


# Programs add many jobs of few functions. The bound keeps functions that were made on the fly from staying for long.
_reference_of = lru_cache(maxsize=64)(_found_reference)


def _checked_arguments(args: Any, kwargs: Any) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    if args is None:
        args = ()
    elif type(args) not in (tuple, list) and (isinstance(args, str) or not isinstance(args, Iterable)):
        raise TypeError(
            f"args must be a list or another iterable that is not text, got {type(args).__name__} {args!r}"
        )
    if kwargs is None:
        kwargs = _NO_KEYWORDS
    elif type(kwargs) is not dict and not isinstance(kwargs, Mapping):
        raise TypeError(f"kwargs must be a dict or another mapping, got {type(kwargs).__name__} {kwargs!r}")
    return tuple(args), dict(kwargs) if kwargs else _NO_KEYWORDS


_NO_KEYWORDS: Mapping[str, Any] = {}


def new_record(
    job_id: str,
    func: Any,
    trigger: BaseTrigger,
    args: Any,
    kwargs: Any,
    name: str | None,
    options: JobOptions,
    next_run_time: datetime | None = None,
) -> JobRecord:
    """The record of a new job; what is not given is ``None``.

    Raises:
        TypeError: a value of the wrong kind.
        ValueError: the arguments don't fit the function, or a reference is malformed.
        LookupError: a text reference names nothing.
    """
    function, func_ref = resolved_function(func)
    args, kwargs = _checked_arguments(args, kwargs)
    check_callable_args(function, args, kwargs)
    if name is None:
        name = function.__qualname__ if type(function) is FunctionType else get_callable_name(function)
    else:
        _checked_text("name", name)
    return JobRecord(
        _checked_text("id", job_id),
        name,
        function,
        func_ref,
        args,
        kwargs,
        trigger,
        options,
        next_run_time,
    )


def changed_record(record: JobRecord, changes: Mapping[str, Any]) -> JobRecord:
    """`record` with `changes`, of which `next_run_time` must be aware by now.

    Raises:
        AttributeError: a name that can't be changed or doesn't exist.
        TypeError, ValueError, LookupError: as for `new_record`.
    """
    unknown = [name for name in changes if name not in CHANGEABLE]
    if unknown:
        if unknown == ["id"]:
            raise ValueError("The job ID may not be changed: add a new job and remove this one")
        raise AttributeError(
            "The following are not modifiable attributes of Job: "
            + "; ".join(unknown_name("attribute", name, CHANGEABLE) for name in unknown)
        )
    fields: dict[str, Any] = {}
    if changes.keys() & {"func", "args", "kwargs"}:
        function, func_ref = (
            resolved_function(changes["func"]) if "func" in changes else (record.func, record.func_ref)
        )
        args, kwargs = _checked_arguments(
            changes.get("args", record.args), changes.get("kwargs", record.kwargs)
        )
        if function is not None:
            check_callable_args(function, args, kwargs)
        fields.update(func=function, func_ref=func_ref, args=args, kwargs=kwargs)
    if "name" in changes:
        fields["name"] = _checked_text("name", changes["name"])
    if "trigger" in changes:
        fields["trigger"] = checked_trigger(changes["trigger"])
    if changes.keys() & OPTIONS:
        fields["options"] = options_with(record.options, changes)
    if "next_run_time" in changes:
        fields["next_run_time"] = _checked_time(changes["next_run_time"])
    return record.changed(**fields)


def _checked_time(value: Any) -> datetime | None:
    if value is not None and not isinstance(value, datetime):
        raise TypeError(f"next_run_time must be None or a datetime, got {type(value).__name__} {value!r}")
    return value
