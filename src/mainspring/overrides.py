"""Which methods of ours somebody else has replaced: a subclass, or whoever has put a function into an object or a class.

Programs written for APScheduler override methods with an underscore, and expect them to be called. Each kind of part (schedulers, executors,
job stores) has a table of such methods, and looks here, when it is made or started, which of them are to be called: what nobody has
replaced costs nothing while jobs run.
"""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_OURS = __name__.partition(".")[0]


def replaced(part: Any, names: Iterable[str]) -> frozenset[str]:
    """Those of `names` that are not the library's own methods of `part`, an object or a class."""
    own: Iterable[str] = getattr(part, "__dict__", ()) if not isinstance(part, type) else ()
    kind = part if isinstance(part, type) else type(part)
    return frozenset(name for name in names if name in own or _is_foreign(kind, name))


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
