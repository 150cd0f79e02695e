"""The only module that reads the machine's clocks. Everything else is given a `Clock`, or a time.

Two readings serve different purposes: the wall time says whether a job is due, and may jump; the monotonic time
measures how long something took or may take, and never goes back. It goes on while the machine sleeps: a lease runs out meanwhile, and
the clock of a store goes on.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo


# Python's own monotonic clock stands still while the machine is suspended, on Linux and macOS; these don't.
_COUNTS_SLEEP = getattr(time, "CLOCK_BOOTTIME", None) or (
    getattr(time, "CLOCK_MONOTONIC", None) if sys.platform == "darwin" else None
)
_elapsed = time.monotonic if _COUNTS_SLEEP is None else partial(time.clock_gettime, _COUNTS_SLEEP)


class Clock(Protocol):
    """What the schedulers ask of a clock; `mainspring.testing` has one that tests can move.

    It may also have a method ``pause(seconds)``, called by a thread that lets a moment pass before it tries again what has failed; without it
    that thread waits for an event that nobody sets.
    """

    def now(self, timezone: tzinfo = UTC) -> datetime:
        """The wall time, aware, in `timezone`."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back, and going on while the machine sleeps."""

    def wait(self, event: Event, timeout: float | None) -> bool:
        """Wait until `event` is set, or for `timeout` seconds of this clock; whether it is set."""


class SystemClock:
    """The machine's own clocks."""

    __slots__ = ()

    def now(self, timezone: tzinfo = UTC) -> datetime:
        """The wall time, aware, in `timezone`."""
        return datetime.now(timezone)

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back; those in which the machine sleeps count too."""
        return _elapsed()

    def wait(self, event: Event, timeout: float | None) -> bool:
        """Wait until `event` is set, or for `timeout` real seconds; whether it is set."""
        return event.wait(timeout)


class AwakeClock(SystemClock):
    """The same, but for the time that the machine sleeps, in which no thread does anything."""

    __slots__ = ()

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back; those in which the machine sleeps don't count, where that can be had."""
        return time.monotonic()


#: The machine's clock, which is given to the parts where they are put together; nobody else takes it, since tests give another one.
SYSTEM_CLOCK = SystemClock()

#: For whoever waits for a thread or a process to end: that takes real time, whatever clock a scheduler goes by.
REAL_CLOCK = AwakeClock()


def clock_of(scheduler: Any) -> Clock:
    """The clock that a scheduler was given; the machine's, where there is no scheduler."""
    # Not by getattr: to what a mock hasn't got, it makes up something.
    clock: Clock = getattr(scheduler, "__dict__", {}).get("_clock", SYSTEM_CLOCK)
    return clock


def pause(clock: Clock, seconds: float) -> None:
    """Let a moment pass, by a clock, before something that has failed is tried again."""
    own = getattr(clock, "pause", None)
    if own is None:
        clock.wait(Event(), seconds)
    else:
        own(seconds)


#: For so many seconds a trigger is searched at a time, if it runs code that isn't ours: nobody waits longer for what else is due.
SLICE_SECONDS = 0.05


def slices_of(clock: Clock) -> Callable[[], Callable[[], bool]]:
    """What says whether a slice of a search, which begins when this is asked, has taken too long by now."""

    def begin() -> Callable[[], bool]:
        end = clock.monotonic() + SLICE_SECONDS
        return lambda: clock.monotonic() >= end

    return begin


#: The wall time in seconds since 1970, for what is measured often and seldom looked at.
system_timestamp = time.time
