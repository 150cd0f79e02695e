"""Which references may be loaded from a store: what `functions=` says, asked before anything is imported."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from types import ModuleType
from typing import Any

from mainspring.errors import ConfigurationError, SerializationError
from mainspring.references import ref_to_obj

_ANY = re.compile(r"[\s,]+")
#: Parts of references that lead out of what a module has made: ``__globals__``, ``__call__`` of what it has imported, ``__main__``.
_SPECIAL = re.compile(r"(?:^|(?<=[.:]))__\w*__(?=$|[.:])")


class AllowedReferences:
    """Patterns of references, such as ``"myapp.*:*"``.

    A ``*`` stands for any characters but a colon, dots too, and for no name such as ``__globals__``. What a pattern with a ``*`` lets in
    must also have been made in a module that one lets in, and so must all that it is reached by: ``"myapp.jobs:system"``, which that module
    has imported from `os`, is not what ``"myapp.*:*"`` means.

    Args:
        patterns: several, or one; text has commas or spaces between them.

    Raises:
        ConfigurationError: one that has no colon.
    """

    def __init__(self, patterns: Any) -> None:
        given = _ANY.split(patterns.strip()) if isinstance(patterns, str) else patterns
        given = list(given) if isinstance(given, Iterable) else [None]
        if not all(isinstance(one, str) for one in given):
            raise ConfigurationError(
                f"functions must be patterns of references such as 'myapp.*:*', got {patterns!r}"
            )
        for one in given:
            if ":" not in one:
                raise ConfigurationError(
                    f"functions has {one!r}, which is no pattern of references: did you mean {f'{one}:*'!r}?"
                )
        self._exact = frozenset(one for one in given if "*" not in one)
        self._patterns = [
            (re.compile(re.escape(one).replace(r"\*", "[^:]*")), frozenset(_SPECIAL.findall(one)))
            for one in given
            if "*" in one
        ]
        self._told = ", ".join(map(repr, given)) or "nothing"
        self._admitted: set[str] = set()

    def admit(self, reference: str) -> None:
        """See to it that a reference may be loaded. Imports its module only if it matches.

        Raises:
            SerializationError: it may not be.
        """
        if reference in self._admitted or reference in self._exact:
            return
        if not self._matches(reference):
            raise SerializationError(
                f"{reference!r:.200} may not be loaded: functions= of this job store allows {self._told}"
            )
        try:
            self._refuse_borrowed(reference)
        except (LookupError, ValueError, TypeError) as error:
            if isinstance(error, SerializationError):
                raise
            return  # nothing is there: said by whoever loads it
        if len(self._admitted) < _REMEMBERED:
            self._admitted.add(reference)

    def _matches(self, reference: str) -> bool:
        if reference in self._exact:
            return True
        special = frozenset(_SPECIAL.findall(reference))
        return any(one.fullmatch(reference) and special <= named for one, named in self._patterns)

    def _refuse_borrowed(self, reference: str) -> None:
        module, _, path = reference.partition(":")
        parts = path.split(".")
        found: Any = None
        for count in range(1, len(parts) + 1):
            found = ref_to_obj(f"{module}:{'.'.join(parts[:count])}")
            if isinstance(found, ModuleType):
                raise SerializationError(
                    f"{reference!r:.200} may not be loaded: it leads through the module {found.__name__!r}, which functions= of this job "
                    f"store must name itself; it allows {self._told}"
                )
            home = _home(found)
            if home is not None and not self._matches(home):
                raise SerializationError(
                    f"{reference!r:.200} may not be loaded: it {'is' if count == len(parts) else 'leads through'} {home!r}, and functions= of "
                    f"this job store allows {self._told}. If it is meant, add the reference itself"
                )


def _home(found: Any) -> str | None:
    """Where a class, a function or a method was made, or what stands for one; ``None``: of a value that doesn't say so."""
    while isinstance(found, partial):
        found = found.func
    name = getattr(found, "__qualname__", None)
    if not isinstance(name, str):
        return None
    return f"{getattr(found, '__module__', None)}:{name}"


_REMEMBERED = 10_000
