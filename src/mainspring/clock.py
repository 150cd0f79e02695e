"""The only module that reads the machine's clocks. Everything else is given a `Clock`, or a time.

Two readings serve different purposes: the wall time says whether a job is due, and may jump; the monotonic time
measures how long something took or may take, and never goes back.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading
    from datetime import tzinfo


class Clock(Protocol):
    """What the schedulers ask of a clock; `mainspring.testing` has one that tests can move."""

    def now(self, timezone: tzinfo = UTC) -> datetime:
        """The wall time, aware, in `timezone`."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""

    def wait(self, event: threading.Event, timeout: float | None) -> bool:
        """Wait until `event` is set, or for `timeout` seconds of this clock; whether it is set."""


class SystemClock:
    """The machine's own clocks."""

    __slots__ = ()

    def now(self, timezone: tzinfo = UTC) -> datetime:
        """The wall time, aware, in `timezone`."""
        return datetime.now(timezone)

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""
        return time.monotonic()

    def wait(self, event: threading.Event, timeout: float | None) -> bool:
        """Wait until `event` is set, or for `timeout` real seconds; whether it is set."""
        return event.wait(timeout)


SYSTEM_CLOCK = SystemClock()


#: The wall time in seconds since 1970, for what is measured often and seldom looked at.
system_timestamp = time.time
