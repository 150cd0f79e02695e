"""A clock that tests can move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from threading import Event, Lock, local
from typing import Any

from mainspring.coercion import NamesParameters, names_keywords, names_parameters
from mainspring.forks import leaves_to_parent


@names_parameters
class SettableClock(metaclass=NamesParameters):
    """Stands still until it is moved; give it to a scheduler as ``clock=``.

    Args:
        start: the wall time at first, aware.

    Raises:
        ValueError: a time without time zone, here and in `set_wall`; time that is to go back, or to pass the year 9999, in `advance`.
    """

    def __init__(self, start: datetime) -> None:
        self._begin_in_process()
        leaves_to_parent(self)
        self._now = _in_utc(start)
        self._monotonic = 0.0
        self._moves = 0

    def _begin_in_process(self) -> None:
        self._lock = Lock()
        self._sleepers: list[tuple[float, Event]] = []
        self._seen = local()

    def leave_to_parent(self) -> None:
        """In a forked process: it shows what it showed, and who waited for it is the parent's."""
        self._begin_in_process()

    def now(self, timezone: tzinfo = UTC) -> datetime:
        """The wall time, in `timezone`."""
        self._look()
        return self._now.astimezone(timezone)

    def monotonic(self) -> float:
        """Seconds by which the clock was advanced so far."""
        self._look()
        return self._monotonic

    def _look(self) -> None:
        """Note what the calling thread may base its next wait on: the first that it sees after the last one."""
        if not hasattr(self._seen, "moves"):
            self._seen.moves = self._moves

    def pause(self, seconds: float) -> None:
        """Wait for so many real seconds, during which this clock stands still: something real has failed, and is to be tried again."""
        Event().wait(seconds)

    def wait(self, event: Event, timeout: float | None) -> bool:
        """Wait until `event` is set, or the clock was advanced by `timeout` seconds; then it is set too.

        Returns at once if the clock was advanced since the calling thread last looked at it: what it wants to wait for
        is by a time that has passed.
        """
        seen = self._seen.__dict__.pop("moves", self._moves)
        if timeout is None:
            return event.wait()
        with self._lock:
            if timeout <= 0 or seen != self._moves:
                return event.is_set()
            sleeper = (self._monotonic + timeout, event)
            self._sleepers.append(sleeper)
        event.wait()
        with self._lock:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)
        return True

    def advance(self, delta: float | timedelta) -> None:
        """Let time pass: seconds, or a duration. Whoever waited for it wakes."""
        passed = duration(delta)
        seconds = passed.total_seconds()
        if seconds < 0:
            raise ValueError(f"time can't go back by {-seconds} s; set_wall sets a clock back")
        with self._lock:
            self._now = later(self._now, passed)
            self._monotonic += seconds
            self._moves += 1
            if not self._sleepers:
                return
            due = [event for until, event in self._sleepers if until <= self._monotonic]
            self._sleepers = [(until, event) for until, event in self._sleepers if until > self._monotonic]
        for event in due:
            event.set()

    def set_wall(self, now: datetime) -> None:
        """Set the wall clock, forward or back, as an administrator or a suspended machine does: nobody wakes."""
        with self._lock:
            self._now = _in_utc(now)


@names_keywords
def use_scheduler_clock(store: Any) -> None:
    """Have the scheduler's clock say what is due in a job store on a server, instead of the server's; before the store is started.

    So a `ManualScheduler`, or several that share a clock, can let time pass there too.

    Raises:
        TypeError: it is no store that has a clock of its own.
    """
    node_context: Any = getattr(store, "_node_context", None)
    if not hasattr(node_context, "goes_by_scheduler"):
        raise TypeError(f"expected a job store that nodes share, got {type(store).__name__}")
    node_context.goes_by_scheduler = True


def duration(delta: float | timedelta) -> timedelta:
    """A duration that is given in seconds, or as one.

    Raises:
        ValueError: it is none that Python has.
    """
    try:
        return delta if isinstance(delta, timedelta) else timedelta(seconds=delta)
    except (OverflowError, ValueError):
        raise ValueError(f"time passes by a number of seconds, or a timedelta, got {delta!r}") from None


def later(moment: datetime, passed: timedelta) -> datetime:
    """A moment, when so much time has passed.

    Raises:
        ValueError: it has none left.
    """
    try:
        return moment + passed
    except OverflowError:
        raise ValueError(
            f"{passed} after {moment} is beyond the year 9999, with which time ends for Python: let less time pass"
        ) from None


def _in_utc(moment: datetime) -> datetime:
    given: object = moment
    if not isinstance(given, datetime) or given.tzinfo is None:
        raise ValueError(
            f"a clock needs a datetime with a time zone, such as datetime(2026, 1, 1, tzinfo=UTC), got {moment!r}"
        )
    try:
        return given.astimezone(UTC)
    except OverflowError:
        raise ValueError(
            f"a clock needs a time that is in the years 1 to 9999 in UTC, got {moment}"
        ) from None
