"""A job store that fails, or is slow, when a test wants it to."""

from __future__ import annotations

from functools import partial
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, Literal

from mainspring.coercion import names_parameters, unknown_name
from mainspring.jobstores.contract import RunStore
from mainspring.jobstores.native import NativeJobStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mainspring.clock import Clock

#: What a scheduler calls of a store.
_METHODS = tuple(
    name
    for name, value in vars(RunStore).items()
    if callable(value) and not name.startswith("_") and name not in ("shutdown", "has_told", "store_time")
)

#: What else it sees of one.
_SEEN = ("live_records", "claim_limit", "poll_interval", "clock_offset", "has_waiting", "has_told", "trouble")


def _known(method: str) -> None:
    if method not in _METHODS:
        raise ValueError(unknown_name("method of a store", method, _METHODS))


def _passing_on(name: str) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self._called(name, partial(getattr(self.store, name), *args, **kwargs))

    call.__name__ = name
    return call


def _property(name: str) -> property:
    return property(lambda self: getattr(self.store, name))


#: A store whose every method is called through `_called`, and that is otherwise as the store behind it.
_Passing: Any = type(
    "_Passing",
    (NativeJobStore,),
    {name: _passing_on(name) for name in _METHODS} | {name: _property(name) for name in _SEEN},
)


class _Fault:
    def __init__(self, error: BaseException | type[BaseException], when: str, times: int) -> None:
        self.error = error
        self.when = when
        self.left = times


@names_parameters
class FaultyStore(_Passing):  # type: ignore[misc]  # made above
    """Passes calls on to a store, and has some of them fail or take long.

    ::

        store = FaultyStore(MemoryJobStore())
        store.fail("claim", OSError("no network"), times=3)
        store.fail("add_records", when="after")  # it is done, and nobody is told
        store.delay(0.5)

    Args:
        store: the store behind it: one of mainspring's own, or another that claims runs itself.

    Attributes:
        calls: how often each method was called.
    """

    def __init__(self, store: NativeJobStore) -> None:
        if not isinstance(store, NativeJobStore):
            raise TypeError(
                f"a FaultyStore needs a store that claims runs itself, got {type(store).__name__}"
            )
        NativeJobStore.__init__(self)
        self.store = store
        self.calls: dict[str, int] = {}
        self._guard = Lock()
        self._faults: dict[str, list[_Fault]] = {}
        self._seconds: dict[str | None, float] = {}

    def fail(
        self,
        method: str,
        error: BaseException | type[BaseException] = OSError("a fault that was asked for"),  # noqa: B008 - raised, not changed
        *,
        when: Literal["before", "after"] = "before",
        times: int = 1,
    ) -> None:
        """Have the next calls of a method of the store raise.

        Args:
            method: a method of `RunStore`, such as ``"claim"``.
            error: what is raised.
            when: ``"before"`` anything is done; or ``"after"``, as where an answer is lost.
            times: how many calls.

        Raises:
            ValueError: a store has no such method, or it is none of these times.
        """
        _known(method)
        if when not in ("before", "after"):
            raise ValueError(f"when must be 'before' or 'after', got {when!r}")
        with self._guard:
            self._faults.setdefault(method, []).append(_Fault(error, when, times))

    def delay(self, seconds: float, method: str | None = None) -> None:
        """Have every call take so many seconds longer, or every call of one method; 0: no longer.

        Raises:
            ValueError: a store has no such method.
        """
        if method is not None:
            _known(method)
        with self._guard:
            self._seconds[method] = seconds

    def mend(self) -> None:
        """Let all calls work again, without delay."""
        with self._guard:
            self._faults.clear()
            self._seconds.clear()

    def _take_fault(self, method: str) -> _Fault | None:
        with self._guard:
            self.calls[method] = self.calls.get(method, 0) + 1
            faults = self._faults.get(method, [])
            while faults and faults[0].left < 1:
                faults.pop(0)
            if not faults:
                return None
            faults[0].left -= 1
            return faults[0]

    def _called(self, method: str, call: Callable[[], Any]) -> Any:
        fault = self._take_fault(method)
        seconds = self._seconds.get(method, self._seconds.get(None, 0))
        if seconds:
            Event().wait(seconds)
        if fault is not None and fault.when == "before":
            raise fault.error
        result = call()
        if fault is not None:
            raise fault.error
        return result

    def store_time(self, clock: Clock) -> datetime:
        """What time it is for the store behind, which costs it nothing."""
        present: datetime = self.store.store_time(clock)
        return present

    def start(self, scheduler: Any, alias: str) -> None:
        """Start the store behind."""
        NativeJobStore.start(self, scheduler, alias)
        self._called("start", partial(self.store.start, scheduler, alias))

    def shutdown(self) -> None:
        """Shut the store behind down; that never fails."""
        self.store.shutdown()
        NativeJobStore.shutdown(self)
