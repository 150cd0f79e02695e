"""Keyword arguments of a job as its handle shows them: what is put in changes the job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_MISSING: Any = object()


class Keywords(dict[str, Any]):
    """A dict that hands all of itself to `assign` when it is changed; if that raises, it stays as it was.

    Copied or pickled, it is a plain dict.
    """

    __slots__ = ("_assign",)

    def __init__(self, values: Mapping[str, Any], assign: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(values)
        self._assign = assign

    def _become(self, values: dict[str, Any]) -> None:
        self._assign(values)
        super().clear()
        super().update(values)

    def __setitem__(self, name: str, value: Any) -> None:
        self._become({**self, name: value})

    def __delitem__(self, name: str) -> None:
        left = dict(self)
        del left[name]
        self._become(left)

    def update(self, *values: Any, **named: Any) -> None:
        """See `dict.update`."""
        new = dict(self)
        new.update(*values, **named)
        self._become(new)

    def __ior__(self, values: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Self:  # type: ignore[override,misc]
        self.update(values)
        return self

    def setdefault(self, name: str, default: Any = None) -> Any:
        """See `dict.setdefault`."""
        if name not in self:
            self[name] = default
        return self[name]

    def pop(self, name: str, default: Any = _MISSING) -> Any:
        """See `dict.pop`."""
        left = dict(self)
        found = left.pop(name) if default is _MISSING else left.pop(name, default)
        self._become(left)
        return found

    def popitem(self) -> tuple[str, Any]:
        """See `dict.popitem`."""
        left = dict(self)
        found = left.popitem()
        self._become(left)
        return found

    def clear(self) -> None:
        """See `dict.clear`."""
        self._become({})

    def copy(self) -> dict[str, Any]:
        """A plain dict of the same."""
        return dict(self)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return dict, (dict(self),)
