"""A scheduler without a loop: a test lets time pass, and what is due runs on its own thread, in order."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mainspring.events import (
    EVENT_JOB_CANCELLED,
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MISSED,
    EVENT_JOB_TIMED_OUT,
    JobExecutionEvent,
)
from mainspring.executors.debug import DebugExecutor
from mainspring.executors.run import finished
from mainspring.schedulers.base import BaseScheduler
from mainspring.testing.clock import SettableClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mainspring.executors.base import BaseExecutor

#: Where time begins, unless a test says otherwise.
DEFAULT_START = datetime(2026, 1, 1, tzinfo=UTC)


class _Calls:
    """Delivers events on the thread that lets time pass."""

    def __init__(self) -> None:
        self._calls: deque[Callable[[], None]] = deque()

    def call_soon(self, function: Callable[[], None]) -> None:
        """Call `function` at the next `drain`."""
        self._calls.append(function)

    def drain(self) -> None:
        """Call what is to be called."""
        while self._calls:
            self._calls.popleft()()

    def is_here(self) -> bool:
        """Whether the calling thread delivers: any does."""
        return True

    def see_to(self, result: Awaitable[Any], failed: Callable[[BaseException], None]) -> None:
        """Await what a listener returned."""
        try:
            finished(result)
        except Exception as error:  # noqa: BLE001 - listeners are users' code
            failed(error)


class ManualScheduler(BaseScheduler):
    """Runs what is due when it is told to, on the thread that tells it; its clock stands still in between.

    ::

        scheduler = ManualScheduler(start=datetime(2026, 1, 1, tzinfo=UTC))
        scheduler.add_job(send_report, "cron", day=1, hour=6)
        scheduler.start()
        runs = scheduler.advance(timedelta(days=365))
        assert [event.scheduled_run_time.month for event in runs] == list(range(1, 13))

    Retries, misfires, groups and what else depends on time come at their times by that clock. Time-outs don't: a function that runs
    takes no time. Events are delivered before the method returns in which they happened.

    Args:
        start: the time at first, aware.
        **options: of `BaseScheduler`.

    Attributes:
        clock: the clock, which may be set.
    """

    def __init__(
        self, gconfig: Any = None, *, start: datetime = DEFAULT_START, timezone: Any = UTC, **options: Any
    ) -> None:
        self.clock: SettableClock = options.pop("clock", None) or SettableClock(start)
        super().__init__(gconfig, clock=self.clock, timezone=timezone, **options)
        self._calls = self._event_queue.loop = _Calls()

    @property
    def now(self) -> datetime:
        """The time by its clock, in its time zone."""
        return self.clock.now(self.timezone)

    def wakeup(self) -> None:
        """Does nothing: what is due is run by `advance` and `run_due`."""

    def shutdown(self, wait: bool = True, timeout: float | None = None) -> None:
        """Stop; see `BaseScheduler.shutdown`."""
        super().shutdown(wait, timeout)

    def run_due(self) -> list[JobExecutionEvent]:
        """Run what is due now; see `advance`."""
        return self.advance_to(self.now)

    def advance(self, delta: float | timedelta) -> list[JobExecutionEvent]:
        """Let time pass: seconds, or a duration. What becomes due meanwhile is run at its time.

        Returns:
            the events of the runs that have ended or were missed by that, in their order.
        """
        seconds = delta.total_seconds() if isinstance(delta, timedelta) else delta
        return self.advance_to(self.now + timedelta(seconds=seconds))

    def advance_to(self, moment: datetime) -> list[JobExecutionEvent]:
        """Let time pass until a moment; see `advance`."""
        ended: list[JobExecutionEvent] = []
        self.add_listener(ended.append, _ENDS)
        try:
            while True:
                self._look(ended)
                upcoming = self._planned
                if upcoming is None or upcoming > moment:
                    break
                if upcoming > self.now:
                    self.clock.advance(upcoming - self.now)
            if moment > self.now:
                self.clock.advance(moment - self.now)
                self._look(ended)
        finally:
            self.remove_listener(ended.append)
        return ended

    def _look(self, ended: list[JobExecutionEvent]) -> None:
        """Run what is due, and what becomes due at once by that."""
        before = -1
        while before != len(ended):
            before = len(ended)
            self._process_jobs()
            self._in_flight.settle()
            self._calls.drain()

    def _create_default_executor(self) -> BaseExecutor:
        return DebugExecutor()


_ENDS = EVENT_JOB_EXECUTED | EVENT_JOB_ERROR | EVENT_JOB_CANCELLED | EVENT_JOB_TIMED_OUT | EVENT_JOB_MISSED
