"""Classes and functions by text references such as ``"package.module:name"``, for triggers as data."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from mainspring.errors import SerializationError


def reference_to(named: Any) -> str:
    """Text that `named`, a class or function of a module, can be found by.

    Raises:
        SerializationError: it can't be, because it is a lambda, is defined inside a function, or has no name.
    """
    module, name = getattr(named, "__module__", None), getattr(named, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str) or "<" in name:
        raise SerializationError(
            f"{named!r} has no name that it could be imported by: give a class or function at the level of a module"
        )
    reference = f"{module}:{name}"
    if found_by(reference) is not named:
        raise SerializationError(
            f"{reference!r} is something else than {named!r}: give what its name stands for"
        )
    return reference


def found_by(reference: str) -> Any:
    """What `reference` stands for; APScheduler's triggers are ours.

    Raises:
        SerializationError: nothing is there.
    """
    module, _, name = reference.partition(":")
    if module.startswith("apscheduler.triggers."):
        module = f"mainspring{module.removeprefix('apscheduler')}"
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise SerializationError(f"nothing is found at {reference!r}: {error}") from error
    return found
