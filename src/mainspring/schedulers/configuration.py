"""What a scheduler's configuration says: keys collected, text read as what it means, unknown names reported."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mainspring.call_stack import outside
from mainspring.coercion import unknown_name
from mainspring.definition import OPTIONS, job_defaults_from_configuration
from mainspring.errors import ConfigurationError, ConfigurationWarning
from mainspring.printable import shown
from mainspring.references import ref_to_obj

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

JOB_DEFAULTS = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}

_DEFAULT_PREFIX = "apscheduler."
_OWN_PREFIX = "mainspring."


def collected(
    gconfig: Mapping[str, Any], prefix: str | None, options: Mapping[str, Any], known: Iterable[str]
) -> dict[str, Any]:
    """One nested configuration from a global one with dotted, prefixed keys, and from keyword options, which win.

    ``{"apscheduler.executors.default.class": "…"}`` becomes ``{"executors": {"default": {"class": "…"}}}``. Neither
    argument is changed. Keys without the prefix belong to somebody else, unless there is no prefix.
    """
    prefixes = (prefix or "",) if prefix != _DEFAULT_PREFIX else (_DEFAULT_PREFIX, _OWN_PREFIX)
    nested: dict[str, Any] = {}
    known = set(known)
    for key, value in gconfig.items():
        for candidate in prefixes:
            if key.startswith(candidate):
                _place(nested, key.removeprefix(candidate).split("."), value, key)
                break
        else:
            if key.partition(".")[0] in known:
                warnings.warn(
                    f"configuration key {key!r} is ignored, because it lacks the prefix: "
                    f"write {prefixes[0] + key!r}, or give it as a keyword argument",
                    ConfigurationWarning,
                    stacklevel=4,
                )
    for key, value in options.items():
        nested[key] = _copied(value)
    return nested


def _place(nested: dict[str, Any], path: list[str], value: Any, key: str) -> None:
    *parents, last = path
    for part in parents:
        nested = nested.setdefault(part, {})
        if not isinstance(nested, dict):
            raise ConfigurationError(
                f"configuration key {key!r}: {part!r} has a value of its own, so it can't have parts"
            )
    if isinstance(nested.get(last), dict) and isinstance(value, dict):
        nested[last] = nested[last] | _copied(value)
    else:
        nested[last] = _copied(value)


def _copied(value: Any) -> Any:
    return {key: _copied(part) for key, part in value.items()} if type(value) is dict else value


def report_unknown(kind: str, names: Iterable[str], known: Iterable[str], *, strict: bool) -> None:
    """Say of each of `names` that nothing understands it, with the nearest that something would.

    Raises:
        ConfigurationError: where `strict`; otherwise it is a `ConfigurationWarning`.
    """
    known = list(known)
    for name in names:
        message = unknown_name(kind, str(name), known)
        if strict:
            raise ConfigurationError(message)
        warnings.warn(message, ConfigurationWarning, stacklevel=outside())


def merged_job_defaults(present: Mapping[str, Any], given: Any, *, strict: bool) -> dict[str, Any]:
    """`present` defaults with those that a configuration gives.

    Raises:
        TypeError, ValueError: a value of the wrong kind.
    """
    if not hasattr(given, "items"):
        raise TypeError(f"job_defaults must be a dict, got {type(given).__name__} {shown(given)}")
    known = sorted(OPTIONS - {"executor"})
    report_unknown("key in job_defaults", given.keys() - set(known), known, strict=strict)
    return {**present, **job_defaults_from_configuration(given)}


def hooks_from(value: Any) -> tuple[Callable[[], Any], ...]:
    """The functions of ``around_run``, from one or several of them or of their references.

    Raises:
        ConfigurationError: it is something else.
    """
    hooks = [value] if isinstance(value, str) or callable(value) else value or ()
    if not isinstance(hooks, Iterable):
        raise ConfigurationError(
            f"around_run must be functions that make context managers, got {shown(value)}"
        )
    made = tuple(ref_to_obj(hook) if isinstance(hook, str) else hook for hook in hooks)
    for hook in made:
        if not callable(hook):
            raise ConfigurationError(
                f"around_run must be functions that make context managers, got {shown(hook)}"
            )
    return made


def seconds_from(name: str, value: Any) -> float:
    """An option that is a number of seconds, 0 or more.

    Raises:
        ConfigurationError: it is something else.
    """
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ConfigurationError(f"{name} must be a number of seconds, 0 or more, got {shown(value)}")
    return seconds


def logger_from(value: logging.Logger | str | None) -> logging.Logger:
    """The scheduler's logger, from one, from its name, or from a reference to one (``module:name``)."""
    if isinstance(value, str) and ":" in value:
        value = ref_to_obj(value)
    if value is None or isinstance(value, str):
        return logging.getLogger(value or "apscheduler.scheduler")
    if not hasattr(value, "log"):
        raise TypeError(
            f"logger must be a logger, or the name of one, got {type(value).__name__} {shown(value)}"
        )
    return value
