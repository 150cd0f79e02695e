"""Delivers events to listeners, in the order in which they happened, away from the loop that runs the jobs.

There is one queue. What the scheduler's own threads report is delivered by a thread kept for it, so a slow or raising
listener delays no run. What a caller did (`add_job` and the like) is delivered on the caller's thread before the call
returns when nothing else waits to be delivered, and otherwise behind that.

Where the scheduler belongs to an event loop, the loop takes the place of the thread, and of callers on other threads.

A place in the queue can be reserved before the thing has happened, so that what follows from it can't be told first.

Not promised: that a listener hears of everything. Behind one that doesn't return, or is slower than what happens, events are queued up to a
limit, and beyond it are dropped; at a shutdown what is queued is delivered for some seconds. Both are logged, with the listener's name.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from inspect import isawaitable
from threading import Condition, Event, RLock, Thread, current_thread, get_ident
from typing import TYPE_CHECKING, Any, Protocol

from mainspring.callables import get_callable_name
from mainspring.clock import REAL_CLOCK  # noqa: TID251 - waits for threads or processes
from mainspring.errors import safe_str
from mainspring.events import EVENT_ALL, SchedulerEvent
from mainspring.executors.run import resolve_awaitable
from mainspring.safe_logging import SafeLogger

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Iterable

    Listener = Callable[[Any], Any]

#: Seconds for which a shutdown delivers what waits, and waits for a listener that has been called.
DELIVERED_AT_END_SECONDS = 5.0
#: So many events wait at most, and later ones are dropped: some tens of MB.
UNDELIVERED_LIMIT = 100_000
#: Seconds after which it is said again that events are dropped.
_REMIND_SECONDS = 60.0
#: A call of a listener that has taken less is one of many.
_SLOW_SECONDS = 1.0


class _Place:
    """A place in the queue: waiting for its event, ready, or given up."""

    __slots__ = ("event", "waits")

    def __init__(self, event: SchedulerEvent | None, *, waits: bool) -> None:
        self.event = event
        self.waits = waits


class _Dispatched(SchedulerEvent):
    """An event that the hook has let through."""

    def __init__(self, event: SchedulerEvent) -> None:
        super().__init__(event.code, event.alias)
        self.event = event


class Deliverer(Protocol):
    """An event loop on which listeners are called."""

    def call_soon(self, function: Callable[[], None]) -> None:
        """Have `function` called on the loop; from any thread."""

    def is_here(self) -> bool:
        """Whether the calling thread is the loop's."""

    def run_awaitable(self, result: Awaitable[Any], failed: Callable[[BaseException], None]) -> None:
        """Await what a listener returned, later, and say if it failed."""


class Listeners:
    """The listeners of one scheduler, and what they have still to be told.

    Attributes:
        loop: where listeners are called; ``None``: on a thread of our own.
        dropped: how many events were dropped because too many were waiting.
    """

    loop: Deliverer | None = None
    #: What is told of APScheduler's events instead of the listeners, which it may `dispatch` to; ``None``: nobody stands in between.
    hook: Callable[[SchedulerEvent], Any] | None = None

    def __init__(self) -> None:
        self.logger: logging.Logger | None = None
        #: All codes that anybody listens to: what nobody listens to need not be made.
        self.mask = 0
        self.pairs: tuple[tuple[Listener, int], ...] = ()
        self._begin_in_process()

    @property
    def _log(self) -> SafeLogger:
        return SafeLogger(self.logger)

    def _begin_in_process(self) -> None:
        """Make what belongs to one process."""
        self._queue: deque[_Place] = deque()
        # Taken itself, since events take it often, and through the condition it is a call in Python each time.
        self._lock = RLock()
        self._changed = Condition(self._lock)
        self._deliverer: int | None = None  # identifier of the thread that delivers at present
        self._wake = Event()
        self._is_roused = False
        self._thread: Thread | None = None
        self._is_open = False
        self.dropped = 0
        self._dropped_said_at: float | None = None
        self._calling: tuple[Listener, SchedulerEvent, float] | None = (
            None  # who is being told, and since when
        )

    def leave_to_parent(self) -> None:
        """In a forked process: there are the same listeners; what they have still to be told, the parent tells them."""
        self._begin_in_process()
        self.loop = None

    def add(self, callback: Listener, mask: int) -> None:
        """Tell `callback` of events whose code is in `mask`."""
        with self._lock:
            self.pairs = (*self.pairs, (callback, mask))
            self._count_mask()
            self._ensure_thread()

    def remove(self, callback: Listener) -> None:
        """Tell `callback` nothing more, however often it was added."""
        with self._lock:
            self.pairs = tuple(pair for pair in self.pairs if pair[0] != callback)
            self._count_mask()

    def replace(self, pairs: Iterable[tuple[Listener, int]]) -> None:
        """Tell these, and no others: each a callback and the codes that it is told of."""
        with self._lock:
            self.pairs = tuple((callback, mask) for callback, mask in pairs)
            self._count_mask()
            self._ensure_thread()

    def use_hook(self, hook: Callable[[SchedulerEvent], Any] | None) -> None:
        """Tell `hook` of APScheduler's events from now on, instead of the listeners."""
        with self._lock:
            self.hook = hook
            self._count_mask()
            self._ensure_thread()

    def dispatch(self, event: SchedulerEvent) -> None:
        """Tell the listeners of `event`, past the hook: at once where the hook was called to be told of it."""
        if self.hook is None:
            self.publish(event)
        elif self.is_delivering_here:
            self._tell(event, past_hook=True)
        else:
            self.publish(_Dispatched(event))

    def _count_mask(self) -> None:
        mask = 0 if self.hook is None else EVENT_ALL
        for _, wanted in self.pairs:
            mask |= wanted
        self.mask = mask

    def open(self) -> None:
        """Deliver on a thread of our own from now on."""
        with self._lock:
            self._is_open = True
            self._is_roused = False  # whom an earlier loop has not called
            self._ensure_thread()
            if self.loop is not None and self._queue:
                self._rouse()

    def _ensure_thread(self) -> None:
        has_hearers = self.pairs or self.hook is not None
        if self._is_open and has_hearers and self._thread is None and self.loop is None:
            thread = Thread(target=self._run, name="APScheduler-listeners", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return  # too late in the life of the interpreter: whoever reports delivers
            self._thread = thread

    def close(self, timeout: float | None) -> None:
        """Deliver what is waiting, for so many seconds at most, and for `DELIVERED_AT_END_SECONDS` in any case; end the thread."""
        is_told = self._flush(
            DELIVERED_AT_END_SECONDS if timeout is None else min(timeout, DELIVERED_AT_END_SECONDS)
        )
        with self._lock:
            self._is_open = False
            self._thread = None
            self._wake.set()
            left, calling = len(self._queue), self._calling
        if not is_told and self.logger is not None:
            self._log.warning(
                "%d events are not delivered at the shutdown of the scheduler%s", left, _said_of(calling)
            )

    @property
    def stuck(self) -> str | None:
        """Which listener doesn't return, and for how long; ``None``: none, or it has not been for long."""
        calling = self._calling
        if calling is None or REAL_CLOCK.monotonic() - calling[2] < DELIVERED_AT_END_SECONDS:
            return None
        return _said_of(calling).removeprefix(": ")

    @property
    def is_delivering_here(self) -> bool:
        """Whether the calling thread delivers at present: a listener is calling, which can't wait for itself."""
        return self._deliverer == get_ident()

    def _flush(self, timeout: float) -> bool:
        """Wait until nothing waits to be delivered; whether that came about. A listener, which can't wait for itself, doesn't."""
        if self.is_delivering_here:
            return True
        deadline = REAL_CLOCK.monotonic() + timeout
        with self._lock:
            while self._queue or self._deliverer is not None:
                left = deadline - REAL_CLOCK.monotonic()
                if left <= 0:
                    return timeout <= 0  # nobody was to wait
                self._changed.wait(left)
        return True

    def deliver_here(self) -> None:
        """Deliver what waits on this thread, or wait a few seconds for whoever delivers it now; an event loop's is left to it, unless this is its thread."""
        if self.loop is not None and self._is_open and not self.loop.is_here():
            return
        self._deliver()
        if self.loop is None:
            self._flush(DELIVERED_AT_END_SECONDS)

    @property
    def undelivered(self) -> int:
        """How many events wait to be delivered."""
        return len(self._queue)

    def post(self, event: SchedulerEvent) -> None:
        """Have `event` delivered, without waiting for it."""
        if not event.code & self.mask:
            return
        with self._lock:
            if len(self._queue) >= UNDELIVERED_LIMIT:
                said = self._count_dropped()
            else:
                said = None
                self._queue.append(_Place(event, waits=False))
            is_left = self._is_left_to_others()
        if said is not None:
            self._say_dropped(said)
        if not is_left:
            self._deliver()

    def _count_dropped(self) -> int | None:
        """An event is dropped; how many have been, if that is to be said. Needs the lock."""
        self.dropped += 1
        now = REAL_CLOCK.monotonic()
        if self._dropped_said_at is not None and now - self._dropped_said_at < _REMIND_SECONDS:
            return None
        self._dropped_said_at = now
        return self.dropped

    def _say_dropped(self, dropped: int) -> None:
        if self.logger is not None:
            self._log.warning(
                "%d events wait to be delivered, and no more are kept: %d were dropped so far%s",
                UNDELIVERED_LIMIT,
                dropped,
                _said_of(self._calling),
            )

    def reserve(self) -> _Place:
        """A place in the queue, to be given its event by `fill`, `publish` or `cancel`; what comes later waits for it."""
        place = _Place(None, waits=True)
        with self._lock:
            self._queue.append(place)
        return place

    def fill(self, place: _Place, event: SchedulerEvent) -> None:
        """Give a reserved place its event, without waiting for its delivery."""
        with self._lock:
            place.event = event
            place.waits = False
            if self._is_left_to_others():
                return
        self._deliver()

    def _is_left_to_others(self) -> bool:
        """Whether what is ready is delivered elsewhere; whoever does so is roused. Needs the lock."""
        if not self._is_delivered_elsewhere():
            return False
        if self._deliverer is None:
            self._rouse()
        return True

    def _is_delivered_elsewhere(self) -> bool:
        return self._thread is not None or (self.loop is not None and self._is_open)

    def _rouse(self) -> None:
        """Have what is ready delivered by whoever is there for it."""
        if self.loop is None:
            self._wake.set()
        elif not self._is_roused:
            self._is_roused = True
            self.loop.call_soon(self._deliver_on_loop)

    def _deliver_on_loop(self) -> None:
        self._is_roused = False
        self._deliver()

    def publish(self, event: SchedulerEvent, place: _Place | None = None) -> None:
        """Have `event` delivered, on this thread before returning if nothing else is waiting."""
        if place is None:
            if not event.code & self.mask:
                return
            place = self.reserve()
        with self._lock:
            place.event = event
            place.waits = False
            inline = not self._is_delivered_elsewhere() or (
                self._deliverer is None
                and self._queue[0] is place
                and (self.loop is None or self.loop.is_here())
            )
            if not inline:
                self._rouse()
        if inline:
            self._deliver(last=place)

    def cancel(self, place: _Place) -> None:
        """Give a reserved place up: nothing happened."""
        with self._lock:
            place.waits = False
            if self._is_delivered_elsewhere():
                self._rouse()
                return
        self._deliver()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            try:
                self._deliver()
            except BaseException:  # noqa: BLE001 - a listener that exits must not take the others' events with it
                if self.logger is not None:
                    self._log.exception("A listener raised an exception that ends threads")
            with self._lock:
                if not self._is_open or self._thread is not current_thread():
                    return  # after a restart another one delivers

    def _deliver(self, last: _Place | None = None) -> None:
        """Deliver what is ready, up to `last` if given. Only one thread does at a time."""
        with self._lock:
            if self._deliverer is not None:
                return  # whoever delivers goes on with what was added
            self._deliverer = get_ident()
        try:
            while True:
                with self._lock:
                    if not self._queue or self._queue[0].waits:
                        break
                    place = self._queue.popleft()
                if place.event is not None:
                    self._tell(place.event)
                if place is last:
                    break
        finally:
            with self._lock:
                self._deliverer = None
                left = bool(self._queue) and not self._queue[0].waits
                if left and self._is_delivered_elsewhere():
                    self._rouse()
                    left = False
                self._changed.notify_all()
        if left:
            self._deliver()

    def _tell(self, event: SchedulerEvent, *, past_hook: bool = False) -> None:
        if self.hook is not None and not past_hook:
            if isinstance(event, _Dispatched):
                event = event.event
            elif event.code & EVENT_ALL:
                try:
                    self.hook(event)
                except Exception as error:  # noqa: BLE001 - users' code
                    self._failed(self.hook, event, error)
                return
        for callback, mask in self.pairs:
            if event.code & mask:
                self._calling = (callback, event, REAL_CLOCK.monotonic())
                try:
                    result = callback(event)
                    if result is None or not isawaitable(result):
                        continue
                    if self.loop is None:
                        resolve_awaitable(result)
                    else:
                        self.loop.run_awaitable(result, partial(self._failed, callback, event))
                except Exception as error:  # noqa: BLE001 - listeners are users' code
                    self._failed(callback, event, error)
                finally:
                    self._calling = None

    def _failed(self, callback: Listener, event: SchedulerEvent, error: BaseException) -> None:
        if self.logger is not None:
            self._log.error("Error notifying listener %r of %r", callback, event, exc_info=error)


def _said_of(calling: tuple[Listener, SchedulerEvent, float] | None) -> str:
    """Which listener is being called, if one is, for a log."""
    if calling is None:
        return ""
    callback, event, since = calling
    name = f"{getattr(callback, '__module__', None) or '?'}.{get_callable_name(callback)}"
    seconds = REAL_CLOCK.monotonic() - since
    if seconds < _SLOW_SECONDS:
        return f": listener {name} is slower than what happens"
    return f": listener {name} has not returned for {seconds:.1f} s from {safe_str(event)}"
