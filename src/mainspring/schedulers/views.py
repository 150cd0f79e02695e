"""Lists and dictionaries that programs reach into by APScheduler's private names: what they change there takes effect."""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import TYPE_CHECKING, Any, TypeVar

from mainspring.schedulers.pending import PendingJob
from mainspring.schedulers.plugins import OF_ALL_SCHEDULERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from mainspring.schedulers.listeners import Listeners
    from mainspring.schedulers.pending import PendingJobs
    from mainspring.schedulers.plugins import Plugins

T = TypeVar("T")


class _ListView(MutableSequence[T]):
    """A list that is read anew each time, and written as a whole when it is changed."""

    def _read(self) -> list[T]:
        raise NotImplementedError

    def _write(self, items: list[T]) -> None:
        raise NotImplementedError

    def _change(self, change: Callable[[list[T]], Any]) -> None:
        items = self._read()
        change(items)
        self._write(items)

    def __getitem__(self, place: Any) -> Any:
        return self._read()[place]

    def __setitem__(self, place: Any, item: Any) -> None:
        self._change(lambda items: items.__setitem__(place, item))

    def __delitem__(self, place: Any) -> None:
        self._change(lambda items: items.__delitem__(place))

    def __len__(self) -> int:
        return len(self._read())

    def __iter__(self) -> Iterator[T]:
        return iter(self._read())

    def insert(self, place: int, item: T) -> None:
        """See `list.insert`."""
        self._change(lambda items: items.insert(place, item))

    def __eq__(self, other: object) -> bool:
        return self._read() == (list(other) if isinstance(other, MutableSequence) else other)

    __hash__ = None  # type: ignore[assignment]  # as lists

    def __repr__(self) -> str:
        return repr(self._read())


class PendingList(_ListView[PendingJob]):
    """``scheduler._pending_jobs``: tuples of a job, the alias of its job store, and whether it replaces another."""

    def __init__(self, waiting: PendingJobs) -> None:
        self._waiting = waiting

    def _read(self) -> list[PendingJob]:
        return list(self._waiting)

    def _write(self, items: Iterable[tuple[Any, ...]]) -> None:
        self._waiting.replace([PendingJob(*item) for item in items])


class ListenerList(_ListView[tuple[Any, int]]):
    """``scheduler._listeners``: tuples of a callback and a mask."""

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners

    def _read(self) -> list[tuple[Any, int]]:
        return list(self._listeners.pairs)

    def _write(self, items: Iterable[tuple[Any, int]]) -> None:
        self._listeners.replace(items)


class PluginNames:
    """``scheduler._trigger_plugins`` and its like: what is behind each name; of a class, what all schedulers know that are made later."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def _of(self, scheduler: Any) -> Plugins:
        known: Mapping[str, Plugins] = OF_ALL_SCHEDULERS if scheduler is None else scheduler._plugins  # noqa: SLF001 - ours
        return known[self._kind]

    def __get__(self, scheduler: Any, owner: type) -> Any:
        return self._of(scheduler)

    def __set__(self, scheduler: Any, known: Mapping[str, Any]) -> None:
        self._of(scheduler).replace(known)


class LoadedClasses(PluginNames):
    """``scheduler._trigger_classes`` and its like: the class of each name that was used; what is put there is used from then on."""

    def __get__(self, scheduler: Any, owner: type) -> dict[str, Any]:
        return self._of(scheduler).loaded

    def __set__(self, scheduler: Any, classes: Mapping[str, Any]) -> None:
        self._of(scheduler).loaded = dict(classes)
