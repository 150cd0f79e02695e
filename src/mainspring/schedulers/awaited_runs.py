"""Who waits for a run, and is to be told of its end."""

from __future__ import annotations

from threading import Event, Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mainspring.schedulers.reporting import Reporter


class AwaitedRuns:
    """Who waits for runs of this scheduler."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._lock = Lock()
        self._events: dict[str, list[Event]] = {}

    def add(self, run_id: str) -> Event:
        """An event that is set when the run has ended here."""
        event = Event()
        with self._lock:
            self._events.setdefault(run_id, []).append(event)
            self._reporter.ended = self._ended
        return event

    def remove(self, run_id: str, event: Event) -> None:
        """Nobody waits for it any more."""
        with self._lock:
            waiting = self._events.get(run_id, [])
            if event in waiting:
                waiting.remove(event)
            if not waiting:
                self._events.pop(run_id, None)
            if not self._events:
                self._reporter.ended = None

    def _ended(self, run_id: str) -> None:
        with self._lock:
            for event in self._events.get(run_id, ()):
                event.set()
