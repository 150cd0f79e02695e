"""Which methods of ours somebody else has replaced: a subclass, or whoever has put a function into an object or a class.

Programs written for APScheduler override methods with an underscore, and expect them to be called. Each kind of part (schedulers, executors,
job stores) has a table of such methods, and looks here, when it is made or started, which of them are to be called: what nobody has
replaced costs nothing while jobs run.
"""

from __future__ import annotations

from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_OURS = __name__.partition(".")[0]


def replaced(part: Any, names: Iterable[str]) -> frozenset[str]:
    """Those of `names` that are not the library's own methods of `part`, an object or a class."""
    kind = part if isinstance(part, type) else type(part)
    return frozenset(
        name for name in names if _is_foreign(kind, name) or (kind is not part and _is_own(part, kind, name))
    )


def _is_own(part: Any, kind: type, name: str) -> bool:
    """Whether something was put into the object itself under the name of a method of its class.

    Its `__dict__` isn't asked for where that can be avoided: from then on Python 3.11 and 3.12 take three times as long to read any
    attribute of the object, since what was an array becomes a dictionary.
    """
    for definer in kind.__mro__:
        if name in vars(definer):
            found = vars(definer)[name]
            if hasattr(type(found), "__set__"):
                return False  # a property: nothing of the object's own comes before it
            usual = found.__get__(part, kind) if hasattr(type(found), "__get__") else found
            return not _is_same(getattr(part, name, None), usual)
    return name in getattr(part, "__dict__", ())


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, MethodType) and isinstance(other, MethodType):
        return one.__func__ is other.__func__ and one.__self__ is other.__self__
    return one is other


def _is_foreign(kind: type, name: str) -> bool:
    for definer in kind.__mro__:
        if name in vars(definer):
            return not _is_ours(vars(definer)[name])
    return False


def _is_ours(found: Any) -> bool:
    function = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
    if not isinstance(function, FunctionType):
        return False
    return is_home(function.__globals__.get("__name__"))


def is_home(module: Any) -> bool:
    """Whether a module of this name is the library's own."""
    return isinstance(module, str) and module.partition(".")[0] == _OURS
