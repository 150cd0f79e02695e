"""A listener that remembers, and waits for what it is to hear."""

from __future__ import annotations

from threading import Condition
from typing import TYPE_CHECKING, Any

from mainspring.coercion import names_parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainspring.events import SchedulerEvent


@names_parameters
class EventRecorder:
    """Give it to `add_listener`.

    Attributes:
        events: all events so far, in the order in which they were delivered.
    """

    def __init__(self) -> None:
        self.events: list[Any] = []
        self._changed = Condition()  # reentrant: conditions are looked at while it is held

    def __call__(self, event: SchedulerEvent) -> None:  # noqa: D102 - what a listener is called for
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def of(self, codes: int, job_id: str | None = None) -> list[Any]:
        """The events with one of `codes`, of one job if it is named."""
        with self._changed:
            return [
                event
                for event in self.events
                if event.code & codes and job_id in (None, getattr(event, "job_id", None))
            ]

    def wait_for(
        self, codes: int, job_id: str | None = None, *, count: int = 1, timeout: float = 30
    ) -> list[Any]:
        """Wait until at least `count` events with one of `codes` have come, and return them.

        Raises:
            TimeoutError: they didn't within `timeout` seconds; the message lists what came instead.
        """
        self.wait_until(lambda: len(self.of(codes, job_id)) >= count, timeout=timeout)
        return self.of(codes, job_id)

    def wait_until(self, condition: Callable[[], bool], *, timeout: float = 30) -> None:
        """Wait until `condition` holds; it is looked at after every event.

        Raises:
            TimeoutError: it didn't within `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                heard = ", ".join(repr(event) for event in self.events[-20:]) or "nothing"
                raise TimeoutError(f"not heard within {timeout} s; heard so far: {heard}")
