"""Namespaces: one deployment among others in one database, told apart by the names of all that it keeps there.

A namespace is put before the name of the table of jobs, the key or the collection, from which all other names are made. So two stores with
different namespaces share nothing, whatever their ids; and what has no namespace is a deployment of its own.
"""

from __future__ import annotations

import re
from typing import Any

from mainspring.errors import ConfigurationError

#: The longest that leaves room in names of 63 characters, PostgreSQL's, for what is made of the usual name of the table.
LONGEST = 30

# No capitals: SQLite, MySQL on some systems, and people take names for the same that differ in these alone.
_VALID = re.compile(r"[a-z][a-z0-9_]*")
_UNFIT = re.compile(r"[^a-z0-9_]+")


def checked_namespace(namespace: Any) -> str:
    """A namespace as stores use it; empty: there is none.

    Raises:
        ConfigurationError: it can't be one; the message has the nearest that can.
    """
    if namespace is None:
        return ""
    if isinstance(namespace, str) and len(namespace) <= LONGEST and _VALID.fullmatch(namespace):
        return namespace
    expected = (
        f"namespace must be a word of 1 to {LONGEST} small letters, digits and underscores that begins with a letter, "
        f"such as 'staging', got {namespace!r}"
    )
    nearest = _UNFIT.sub("_", str(namespace).lower()).strip("_").lstrip("0123456789_")[:LONGEST]
    if not isinstance(namespace, str) or not nearest:
        raise ConfigurationError(f"{expected}: leave it out for none")
    raise ConfigurationError(f"{expected}: did you mean {nearest!r}?")


def within(namespace: str, name: str, separator: str) -> str:
    """A name in a namespace."""
    return f"{namespace}{separator}{name}" if namespace else name


def shown_with(namespace: str, where: str) -> str:
    """Where a store is, as people are told of it."""
    return f"{where}, namespace {namespace!r}" if namespace else where
