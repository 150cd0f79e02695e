"""What may be said of a job, checked and turned into a record.

`add_job`, `modify_job` and third parties' stores all come through here, so a value is judged in one place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache, partial
from hashlib import blake2b
from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR, iscoroutine, signature
from os import urandom
from types import FunctionType
from typing import Any, NamedTuple

from mainspring.callables import check_callable_args, get_callable_name, is_generator_function, plain_counts
from mainspring.coercion import (
    LONGEST_DURATION,
    MOST,
    asbool,
    asint,
    is_number,
    nearest,
    number_meant,
    unknown_name,
)
from mainspring.engine.searching import first_time
from mainspring.model import JobCounters, JobOptions, JobRecord
from mainspring.printable import shown
from mainspring.references import obj_to_ref, ref_to_obj, reference_to_be
from mainspring.retry import Retry
from mainspring.storable import LONGEST_KEY, storable
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.plain import trigger_to_dict

# Jobs of one kind share one options object, which saves a million of them.
_shared_options = lru_cache(maxsize=1024)(replace)


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
    grace = _duration("misfire_grace_time", value)
    if grace is not None and grace < timedelta(0):
        raise TypeError(f"misfire_grace_time can't be negative, got {shown(value)}")
    return grace


def _duration(name: str, value: Any) -> timedelta | None:
    if value is None:
        return None
    if isinstance(value, timedelta):
        return min(value, LONGEST_DURATION)
    if is_number(value):
        return timedelta(seconds=value)
    raise TypeError(
        f"{name} must be None, a number of seconds or a timedelta, not {type(value).__name__} {shown(value)}{number_meant(value)}"
    )


def grace_as_number(grace: timedelta | None) -> float | None:
    """A grace time as users wrote it: seconds, whole where they are."""
    if grace is None:
        return None
    seconds = grace.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds


def _whole(name: str, *, at_least: int = 1, may_be_none: bool = False) -> Callable[[Any], Any]:
    """A check for whole numbers."""

    def check(value: Any) -> Any:
        if value is None and may_be_none:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not at_least <= value <= MOST:
            most = f", and {MOST:,} at most" if isinstance(value, int) and value > MOST else ""
            none = ", or None" if may_be_none else ""
            raise TypeError(
                f"{name} must be a whole number of {at_least} or more{most}{none}, got {shown(value)}{number_meant(value)}"
            )
        return value

    return check


#: Beyond it no database has room for a priority.
_HIGHEST_PRIORITY = 2**31 - 1


def _checked_priority(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _HIGHEST_PRIORITY:
        raise TypeError(
            f"priority must be a whole number, of {_HIGHEST_PRIORITY:,} at most in size, got {shown(value)}"
        )
    return value


def _one_of(name: str, *values: str) -> Callable[[Any], Any]:
    """A check for one of some texts."""

    def check(value: Any) -> Any:
        if value not in values:
            told = ", ".join(map(repr, values[:-1]))
            meant = nearest(value, values)
            hint = "" if meant is None else f"; did you mean {meant!r}?"
            raise TypeError(f"{name} must be {told} or {values[-1]!r}, got {shown(value)}{hint}")
        return value

    return check


def _checked_timeout(value: Any) -> timedelta | None:
    timeout = _duration("timeout", value)
    if timeout is not None and timeout <= timedelta(0):
        raise TypeError(f"timeout must be more than 0 seconds, or None, got {shown(value)}")
    return timeout


def _checked_tags(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError(
            f"tags must be a list or another iterable of texts, got {type(value).__name__} {shown(value)}: write tags=[{shown(value)}]"
        )
    return tuple(sorted({_checked_text("a tag", tag) for tag in value}))


def _checked_metadata(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise TypeError(
            f"metadata must be a dict or another mapping, got {type(value).__name__} {shown(value)}"
        )
    try:
        return json.dumps(dict(value), ensure_ascii=False, sort_keys=True, allow_nan=False) if value else None
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"metadata must hold what JSON can: {error}") from None


def _checked_hooks(value: Any) -> tuple[str, ...]:
    hooks = [value] if isinstance(value, str) or callable(value) else value
    if not isinstance(hooks, Iterable):
        raise TypeError(f"around_run must be functions that make context managers, got {shown(value)}")
    references = []
    for hook in hooks:
        try:
            references.append(hook if isinstance(hook, str) else obj_to_ref(hook))
        except ValueError as error:
            raise TypeError(
                f"around_run of a job must be functions that can be imported, or references to them: {error}. "
                "A scheduler takes any function"
            ) from None
        if not callable(ref_to_obj(references[-1])):
            raise TypeError(f"around_run must be functions that make context managers, got {shown(hook)}")
    return tuple(references)


def _checked_text(what: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"{what} must be text that is not empty, got {shown(value)}")
    if "\0" in value:
        raise ValueError(f"{what} can't have NUL characters, which databases can't keep, got {shown(value)}")
    return value


def _checked_group(value: Any) -> str:
    group = _checked_text("group", value)
    if len(group) > LONGEST_KEY:
        raise ValueError(f"group may have {LONGEST_KEY} characters, got {len(group):,}: {group[:_SHOWN]!r}…")
    return group


#: So many characters of what is too long are shown.
_SHOWN = 80


def _checked_executor(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(
            f"executor must be the alias that an executor has from add_executor(…, alias), got {type(value).__name__} {shown(value)}"
        )
    return _checked_text("executor", value)


def _yes_or_no(name: str, value: Any) -> bool:
    try:
        return asbool(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


#: The options of a job, and what makes of a value one that can be kept; raises `TypeError`, or `ValueError` for text.
_CHECKS: dict[str, Callable[[Any], Any]] = {
    "executor": _checked_executor,
    "misfire_grace_time": grace_as_timedelta,
    "coalesce": partial(_yes_or_no, "coalesce"),
    "max_instances": _whole("max_instances"),
    "on_lost": _one_of("on_lost", "record", "rerun"),
    "reruns": _whole("reruns", at_least=0),
    "tags": _checked_tags,
    "retry": lambda value: None if value is None else Retry.of(value),
    "timeout": _checked_timeout,
    "overlap": _one_of("overlap", "skip", "buffer_one", "buffer_all", "cancel_running", "allow"),
    "priority": _checked_priority,
    "group": lambda value: None if value is None else _checked_group(value),
    "catch_up_limit": _whole("catch_up_limit"),
    "max_runs": _whole("max_runs", may_be_none=True),
    "pause_after_failures": _whole("pause_after_failures", may_be_none=True),
    "keep_result": partial(_yes_or_no, "keep_result"),
    "capture_log": partial(_yes_or_no, "capture_log"),
    "around_run": _checked_hooks,
    "metadata": _checked_metadata,
}

#: As those, but said by `BaseScheduler.sync` alone.
_KEPT_CHECKS: dict[str, Callable[[Any], Any]] = {
    "owner": lambda value: None if value is None else _checked_text("owner", value),
}

_ALL_CHECKS = {**_CHECKS, **_KEPT_CHECKS}

#: How late a run may be by the policy ``"skip"``, if nothing else is said.
_SKIPPED_AFTER = timedelta(seconds=30)

#: With a policy come values of other options, unless they are given too.
_MISFIRE_POLICIES: dict[str, dict[str, Any]] = {
    "skip": {"coalesce": True, "misfire_grace_time": _SKIPPED_AFTER},
    "once": {"coalesce": True},
    "all": {"coalesce": False},
}
_check_misfire_policy = _one_of("misfire_policy", *_MISFIRE_POLICIES)

OPTIONS = frozenset(_CHECKS) | {"misfire_policy"}
#: What `modify_job` may change.
CHANGEABLE = OPTIONS | {"note", "args", "func", "kwargs", "name", "next_run_time", "trigger"}


def checked_trigger(value: Any) -> BaseTrigger:
    """`value`, if it is a trigger.

    Raises:
        TypeError: it isn't.
    """
    if not isinstance(value, BaseTrigger):
        raise TypeError(
            f"trigger must be a trigger object, got {type(value).__name__} {shown(value)}; "
            "add_job and reschedule_job take the name of one too"
        )
    return value


def options_with(base: JobOptions, changes: Mapping[str, Any]) -> JobOptions:
    """`base` with those of `changes` that are options.

    Raises:
        TypeError: a value of the wrong kind.
    """
    if "misfire_policy" in changes:
        changes = _without_policy(changes, base.misfire_grace_time)
    checked = {name: _ALL_CHECKS[name](value) for name, value in changes.items() if name in _ALL_CHECKS}
    new = {name: value for name, value in checked.items() if value != getattr(base, name)}
    return _shared_options(base, **new) if new else base


def _without_policy(values: Mapping[str, Any], grace: timedelta | None = None) -> dict[str, Any]:
    """`values` with what the misfire policy among them says of other options in its place.

    Args:
        grace: the grace time so far. One that came with ``"skip"`` goes with it; another is the user's own window, and stays.
    """
    policy = _check_misfire_policy(values["misfire_policy"])
    implied = dict(_MISFIRE_POLICIES[policy])
    if grace == _SKIPPED_AFTER and policy != "skip":
        implied["misfire_grace_time"] = None
    return {**implied, **{name: value for name, value in values.items() if name != "misfire_policy"}}


def options_as_plain(options: JobOptions) -> dict[str, Any]:
    """Options as JSON can hold them, and `options_with` reads them; of most only those that are not as usual."""
    plain: dict[str, Any] = {
        "misfire_grace_time": grace_as_number(options.misfire_grace_time),
        "coalesce": options.coalesce,
        "max_instances": options.max_instances,
        "on_lost": options.on_lost,
    }
    for name in _WRITTEN_IF_UNUSUAL:
        value = getattr(options, name)
        if value != getattr(_USUAL, name):
            plain[name] = value
    if options.retry is not None:
        plain["retry"] = options.retry.to_dict()
    if options.timeout is not None:
        plain["timeout"] = options.timeout.total_seconds()
    if options.metadata is not None:
        plain["metadata"] = json.loads(options.metadata)
    return plain


_USUAL = JobOptions()
_WRITTEN_IF_UNUSUAL = (
    "overlap",
    "group",
    "catch_up_limit",
    "priority",
    "max_runs",
    "pause_after_failures",
    "keep_result",
    "capture_log",
    "around_run",
    "reruns",
    "owner",
)


def job_defaults_from_configuration(values: Mapping[str, Any]) -> dict[str, Any]:
    """The ``job_defaults`` of a configuration, text values read as what they mean.

    Raises:
        TypeError: a value of the wrong kind.
        ValueError: text that is not a number or a truth value.
    """
    if "misfire_policy" in values:
        values = _without_policy(values)
    defaults: dict[str, Any] = {}
    for name in _CHECKS.keys() & values.keys() - {"executor"}:
        read = _FROM_TEXT.get(name)
        value = values[name] if read is None else read(name, values[name])
        _CHECKS[name](value)
        defaults[name] = value
    return defaults


def _number_from(name: str, value: Any) -> Any:
    """`value`, read as a number if it is text; ``None`` for text that says so."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.lower() in {"", "none"}:
        return None
    try:
        return int(text) if text.removeprefix("-").isdecimal() else float(text)
    except ValueError:
        raise ValueError(f"{name}: expected a number, got {shown(value)}") from None


def _whole_from(name: str, value: Any) -> int | None:
    try:
        return asint(_number_from(name, value))
    except ValueError:
        raise ValueError(f"{name}: expected a whole number, got {shown(value)}") from None


def _retry_from(name: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return _number_from(name, value)
    texts = ("on", "not_on")
    return {key: part if key in texts else _number_from(f"{name}.{key}", part) for key, part in value.items()}


def _texts_from(name: str, value: Any) -> Any:  # noqa: ARG001 - as the others are called
    return re.split(r"[\s,]+", value.strip()) if isinstance(value, str) else value


#: How text in a configuration file is read as what it means, given the name of the option.
_FROM_TEXT: dict[str, Callable[[str, Any], Any]] = {
    "misfire_grace_time": _number_from,
    "timeout": _number_from,
    "retry": _retry_from,
    "tags": _texts_from,
    "coalesce": lambda _, value: asbool(value),
    "keep_result": lambda _, value: asbool(value),
    "capture_log": lambda _, value: asbool(value),
    **dict.fromkeys(
        ("max_instances", "priority", "catch_up_limit", "max_runs", "pause_after_failures", "reruns"),
        _whole_from,
    ),
}


def resolved_function(func: Any) -> tuple[Callable[..., Any], str | None]:
    """The function and its text reference, from either; the reference is ``None`` where there is none.

    Raises:
        TypeError: `func` is neither callable nor text, or is a generator function.
        ValueError, LookupError: the text is no reference, or names nothing.
    """
    if type(func) is FunctionType and not func.__code__.co_flags & _GENERATES:
        return func, _found_reference(func)
    if isinstance(func, str):
        return _that_runs(ref_to_obj(func)), func
    if not callable(func):
        if iscoroutine(func):
            func.close()  # so that nobody is told besides that it was never awaited
        raise TypeError(
            f"func must be a callable or a text reference to one, got {type(func).__name__} {shown(func)}. "
            "Give the function itself, and what it is called with as args and kwargs: add_job(f, args=[1]), not add_job(f(1))"
        )
    return _that_runs(func), _found_reference(func)


#: What the code of functions has that make generators of one kind or the other.
_GENERATES = CO_GENERATOR | CO_ASYNC_GENERATOR


def _that_runs(func: Any) -> Any:
    """`func`, if it does something when it is called.

    Raises:
        TypeError: it doesn't.
    """
    if is_generator_function(func):
        raise TypeError(
            f"func must be a function that does its work when it is called, and {get_callable_name(func)} has a yield: calling it "
            "makes a generator, and runs nothing. Give a function that loops over it"
        )
    return func


def _found_reference(func: Any) -> str | None:
    try:
        return obj_to_ref(func)
    except ValueError:
        return None


def _checked_arguments(args: Any, kwargs: Any) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    if args is None:
        args = ()
    elif type(args) in (tuple, list):
        pass  # as most are: to ask whether it is a mapping takes longer than all else here
    elif isinstance(args, Mapping) and args:
        raise TypeError("args must be a list or another iterable of values, got a mapping: give it as kwargs")
    elif isinstance(args, (str, bytes)) or not isinstance(args, Iterable):
        raise TypeError(
            f"args must be a list or another iterable that is not text, got {type(args).__name__}: write args=[…]. "
            "What a trigger takes is given by name: seconds=5, or a trigger such as CronTrigger.from_crontab('0 3 * * *')"
        )
    if kwargs is None:
        kwargs = _NO_KEYWORDS
    elif type(kwargs) is not dict and not isinstance(kwargs, Mapping):
        raise TypeError(
            f"kwargs must be a dict or another mapping, got {type(kwargs).__name__}: write kwargs={{'name': value}}, or args"
        )
    return tuple(args), dict(kwargs) if kwargs else _NO_KEYWORDS


_NO_KEYWORDS: Mapping[str, Any] = {}


class Named(NamedTuple):
    """A function as records have it.

    Attributes:
        reference: its text reference; ``None`` where there is none.
        name: what its jobs are called, if nothing else is said.
        counts: as of `plain_counts`.
    """

    function: Callable[..., Any]
    reference: str | None
    name: str
    counts: range


def named_function(func: Any) -> Named:
    """What a record says of a function, or of the one that a text reference names.

    Raises:
        TypeError, ValueError, LookupError: as of `resolved_function`.
    """
    function, reference = resolved_function(func)
    name = function.__qualname__ if type(function) is FunctionType else get_callable_name(function)
    return Named(function, reference, name if name.isascii() else storable(name), plain_counts(function))


def new_record(
    job_id: str,
    func: Any,
    trigger: BaseTrigger,
    args: Any,
    kwargs: Any,
    name: str | None,
    options: JobOptions,
    next_run_time: datetime | None = None,
    known: dict[FunctionType, Named] | None = None,
) -> JobRecord:
    """The record of a new job; what is not given is ``None``.

    Args:
        known: the functions of the jobs that are added together with it, so that each of them is looked up once.

    Raises:
        TypeError: a value of the wrong kind.
        ValueError: the arguments don't fit the function, or a reference is malformed.
        LookupError: a text reference names nothing.
    """
    if known is None or type(func) is not FunctionType:
        named = named_function(func)
    elif func in known:
        named = known[func]
    else:
        named = known[func] = named_function(func)
    function, func_ref, usual_name, counts = named
    args, kwargs = _checked_arguments(args, kwargs)
    if kwargs or len(args) not in counts:
        check_callable_args(function, args, kwargs)
    name = usual_name if name is None else _checked_text("name", name)
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


def checked_id(value: Any) -> str:
    """The id of a job.

    Raises:
        TypeError, ValueError: it can't be one.
    """
    return _checked_text("id", value)


def unfinished_record(job_id: str) -> JobRecord:
    """The record of a job of which nothing but the id is known yet.

    Raises:
        TypeError, ValueError: the id is none.
    """
    nothing: Any = None
    return JobRecord(checked_id(job_id), "", None, None, (), _NO_KEYWORDS, nothing, _USUAL, None)


def changed_record(record: JobRecord, changes: Mapping[str, Any], *, fits: bool = True) -> JobRecord:
    """`record` with `changes`, of which `next_run_time` must be aware by now.

    Args:
        fits: refuse arguments that the function doesn't take.

    Raises:
        AttributeError: a name that can't be changed or doesn't exist.
        TypeError, ValueError, LookupError: as for `new_record`.
    """
    unknown = [name for name in changes if name not in CHANGEABLE]
    if unknown:
        if "id" in unknown:
            raise ValueError("The job ID may not be changed: add a new job and remove this one")
        if unknown == ["jobstore"]:
            raise AttributeError(
                "a job can't be moved to another job store: add it there, and remove it here"
            )
        if isinstance(changes.get("trigger"), str):
            raise TypeError(
                f"modify_job takes a trigger, not its name with its arguments ({', '.join(unknown)}): "
                f"use reschedule_job(job_id, trigger={changes['trigger']!r}, …)"
            )
        of_triggers = [name for name in unknown if name in _trigger_parameters()]
        if of_triggers:
            raise AttributeError(
                f"not modifiable: {', '.join(of_triggers)}, which belong to the trigger. Give the job another one: "
                f"reschedule_job(job_id, trigger='interval', …), with {', '.join(of_triggers)} among its arguments"
            )
        raise AttributeError(
            "The following are not modifiable attributes of Job: "
            + "; ".join(unknown_name("attribute", name, CHANGEABLE) for name in unknown)
        )
    fields: dict[str, Any] = {}
    if changes.keys() & {"func", "args", "kwargs"}:
        fields.update(_changed_call(record, changes, fits=fits))
    if "name" in changes:
        fields["name"] = _checked_text("name", changes["name"])
    if "trigger" in changes:
        fields["trigger"] = checked_trigger(changes["trigger"])
    if changes.keys() & OPTIONS:
        fields["options"] = options_with(record.options, changes)
    if "note" in changes:
        note = None if changes["note"] is None else _checked_text("note", changes["note"])
        fields["counters"] = (record.counters or JobCounters())._replace(note=note)
    if "next_run_time" in changes:
        fields["next_run_time"] = _checked_time(changes["next_run_time"])
    return record.changed(**fields)


def _changed_call(record: JobRecord, changes: Mapping[str, Any], *, fits: bool) -> dict[str, Any]:
    """What is called with what, after `changes`."""
    function, func_ref = (
        resolved_function(changes["func"]) if "func" in changes else (record.func, record.func_ref)
    )
    args, kwargs = _checked_arguments(changes.get("args", record.args), changes.get("kwargs", record.kwargs))
    if function is not None and fits:
        check_callable_args(function, args, kwargs)
    called: dict[str, Any] = {"func": function, "func_ref": func_ref, "args": args, "kwargs": kwargs}
    if function is not None and not record.name:
        called["name"] = storable(get_callable_name(function))
    return called


def _trigger_parameters() -> set[str]:
    """What the triggers take that have names."""
    from mainspring.triggers.business_day import BusinessDayTrigger
    from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
    from mainspring.triggers.cron import CronTrigger
    from mainspring.triggers.date import DateTrigger
    from mainspring.triggers.interval import IntervalTrigger
    from mainspring.triggers.recurrence import RecurrenceTrigger
    from mainspring.triggers.sun import SunTrigger
    from mainspring.triggers.weekly import WeeklyTrigger

    named = (
        BusinessDayTrigger,
        CalendarIntervalTrigger,
        CronTrigger,
        DateTrigger,
        IntervalTrigger,
        RecurrenceTrigger,
        SunTrigger,
        WeeklyTrigger,
    )
    return {name for trigger in named for name in signature(trigger).parameters}


def _checked_time(value: Any) -> datetime | None:
    if value is not None and not isinstance(value, datetime):
        raise TypeError(
            f"next_run_time must be None or a datetime, got {type(value).__name__} {shown(value)}"
        )
    return value


def has_ended(record: JobRecord, now: datetime) -> bool:
    """Whether a job never runs by itself any more, since its trigger has no time left after `now`; one that is due, or waits, has not."""
    if record.next_run_time is not None:
        return False
    try:
        return first_time(record.trigger, now) is None
    except Exception:  # noqa: BLE001 - triggers are users' code; what can't be said is not said
        return False
