"""The threads that keep a store in order: one renews the lease, one writes outcomes, finds dead nodes, removes old history.

What is due, and when it is called again, is said by `Upkeep`; that somebody calls it at its time is a `Runner`'s affair: usually a thread's.
"""

from __future__ import annotations

from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Protocol

from mainspring.errors import safe_str
from mainspring.jobstores.shared.backoff import pause_before_retry

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    from mainspring.clock import Clock
    from mainspring.jobstores.shared.outage import Outage

#: Seconds that an outcome waits at most for a claim that would take it along.
FLUSH_AFTER = 0.05
#: Seconds after which it is said again that something still fails.
REMIND_AFTER = 60.0
#: Seconds after which what has failed is called again at the latest: until it works, the store counts as one that fails.
LONGEST_UNTIL_RETRIED = 2.0


class Runner(Protocol):
    """Calls `Upkeep.run_due` whenever something is due, or has changed, until it returns ``None``."""

    def start(self) -> None:
        """Begin to."""

    def join(self, timeout: float) -> bool:
        """Wait until the upkeep has ended, for so many seconds; whether it has."""


class OnThread:
    """A thread for one upkeep."""

    def __init__(self, upkeep: Upkeep) -> None:
        self._upkeep = upkeep
        self._thread = Thread(target=self._run, name=upkeep.name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def join(self, timeout: float) -> bool:
        """See `Runner.join`."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        upkeep = self._upkeep
        while (left := upkeep.run_due()) is not None:
            if left > 0:
                upkeep.clock.wait(upkeep.changed, left)


class Upkeep:
    """Calls what is to be done again and again, each in its time, until it is told to stop.

    Args:
        clock: by which it waits.
        tasks: with the seconds between two calls of each, or what gives them. What raises is logged, once a minute if it goes on, and called again in its turn.
        flush: writes outcomes; called soon after `flush_soon`, and again, with growing pauses of less than a second, as long as it raises.
        ended: called on the thread when it stops.
        retried_after: when a task is called again that has raised, as a part of its seconds; at the latest after `LONGEST_UNTIL_RETRIED`.
        outage: of the store, which tells of the failures that are the database's.
        runner: makes what calls `run_due`; ``None``: a thread of its own does.

    Attributes:
        clock: by which it waits.
        changed: set when something is due earlier than was said.
    """

    def __init__(
        self,
        name: str,
        tasks: Mapping[Callable[[], None], float | Callable[[], float]],
        logger: logging.Logger,
        clock: Clock,
        *,
        flush: Callable[[], None] | None = None,
        ended: Callable[[], None] | None = None,
        outage: Outage | None = None,
        retried_after: float = 1.0,
        runner: Callable[[Upkeep], Runner | None] = lambda _: None,
    ) -> None:
        self.name = name
        self._retried_after = retried_after
        self._outage = outage
        self._tasks = tasks
        self._flush = flush
        self._ended = ended
        self._logger = logger
        self.clock = clock
        self._lock = Lock()
        self.changed = Event()
        self._due = dict.fromkeys(tasks, 0.0)
        self._flush_at: float | None = None
        self._failed_flushes = 0
        self._failing: dict[Callable[[], None], float] = {}  # and when that was said last
        self._is_stopping = False
        #: Set as soon as nothing is to be tried again any more.
        self.stopping = Event()
        self._runner = runner(self) or OnThread(self)

    def start(self) -> None:
        """Begin; the tasks are called for the first time when their seconds have passed."""
        now = self.clock.monotonic()
        self._due = {task: now + self._seconds_of(task) for task in self._tasks}
        self._runner.start()

    def flush_soon(self) -> None:
        """Outcomes are there to be written."""
        if self._flush_at is None:
            self._flush_after(FLUSH_AFTER)

    def _flush_after(self, seconds: float) -> None:
        with self._lock:
            if self._flush_at is None:
                self._flush_at = self.clock.monotonic() + seconds
                self.changed.set()

    def call_now(self, task: Callable[[], None]) -> None:
        """Call one of the tasks at once."""
        with self._lock:
            self._due[task] = 0.0
            self.changed.set()

    def stop(self) -> None:
        """End, after a last call of what was given as `ended`."""
        with self._lock:
            self._is_stopping = True
            self.changed.set()

    def leave_to_parent(self) -> None:
        """In a forked process: there is no thread, or one that is to end at once where threads are greenlets, which outlive a fork."""
        self._ended = None
        self._is_stopping = True
        self._lock, self.changed = Lock(), Event()
        self.changed.set()

    def join(self, timeout: float) -> bool:
        """Wait until it has ended; whether it has."""
        if not self._runner.join(timeout):
            self.stopping.set()
            return False
        return True

    def run_due(self) -> float | None:
        """Do what is due by now: the seconds until this is to be called again, unless something changes; ``None``: it has ended."""
        self.changed.clear()  # before it is looked at what has changed
        with self._lock:
            is_over = self._is_stopping
            now = self.clock.monotonic()
            left = self._next_at() - now
            flushes = not is_over and self._flush_at is not None and self._flush_at <= now
            if flushes:
                self._flush_at = None
            due = [] if is_over else [task for task, at in self._due.items() if at <= now]
            for task in due:
                self._due[task] = now + self._seconds_of(task)
        if is_over:
            if self._ended is not None:
                self._call(self._ended)
            return None
        if left > 0:
            return left
        if flushes:
            self._write()
        for task in due:
            if not self._call(task):
                self._call_sooner(task)
        return self._remaining()

    def _remaining(self) -> float:
        """The seconds until something is due."""
        with self._lock:
            return max(self._next_at() - self.clock.monotonic(), 0.0)

    def _write(self) -> None:
        if self._flush is None:
            return
        if self._call(self._flush):
            self._failed_flushes = 0
        else:
            self._failed_flushes += 1
            self._flush_after(pause_before_retry(self._failed_flushes))

    def _call_sooner(self, task: Callable[[], None]) -> None:
        """A task has failed, and isn't to be put off for all of its time."""
        with self._lock:
            again = self.clock.monotonic() + min(
                self._seconds_of(task) * self._retried_after, LONGEST_UNTIL_RETRIED
            )
            self._due[task] = min(self._due[task], again)

    def _seconds_of(self, task: Callable[[], None]) -> float:
        seconds = self._tasks[task]
        return seconds() if callable(seconds) else seconds

    def _next_at(self) -> float:
        moments = [*self._due.values()]
        if self._flush_at is not None:
            moments.append(self._flush_at)
        return min(moments)

    def _call(self, task: Callable[[], None]) -> bool:
        """Call something; whether it worked."""
        try:
            task()
        except Exception as error:
            if self._outage is not None and self._outage.failure_of(error) is not None:
                return False
            now = self.clock.monotonic()
            if task not in self._failing:
                self._failing[task] = now
                self._logger.exception("Error in the upkeep of a job store; trying again")
            elif now - self._failing[task] >= REMIND_AFTER:
                self._failing[task] = now
                self._logger.warning("Error in the upkeep of a job store: %s; trying again", safe_str(error))
        else:
            if self._failing.pop(task, None) is not None:
                self._logger.info("The upkeep of a job store works again")
            return True
        return False
