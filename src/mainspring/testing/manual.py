"""A scheduler without a loop: a test lets time pass, and what is due runs on its own thread, in order."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

from mainspring.coercion import names_parameters
from mainspring.events import (
    EVENT_JOB_CANCELLED,
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MISSED,
    EVENT_JOB_TIMED_OUT,
    JobExecutionEvent,
)
from mainspring.executors.debug import DebugExecutor
from mainspring.executors.run import resolve_awaitable
from mainspring.schedulers.base import BaseScheduler
from mainspring.testing.clock import SettableClock, duration, later
from mainspring.timezones import astimezone, convert_to_datetime
from mainspring.triggers.after import WAITS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import tzinfo
    from threading import Event

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

    def run_awaitable(self, result: Awaitable[Any], failed: Callable[[BaseException], None]) -> None:
        """Await what a listener returned."""
        try:
            resolve_awaitable(result)
        except Exception as error:  # noqa: BLE001 - listeners are users' code
            failed(error)


@names_parameters
class ManualScheduler(BaseScheduler):
    """Runs what is due when it is told to, on the thread that tells it; its clock stands still in between.

    ::

        scheduler = ManualScheduler(start=datetime(2026, 1, 1, tzinfo=UTC))
        scheduler.add_job(send_report, "cron", day=1, hour=6)
        scheduler.start()
        runs = scheduler.advance(timedelta(days=365))
        assert [event.scheduled_run_time.month for event in runs] == list(range(1, 13))

    Retries, misfires, groups and what else depends on time come at their times by that clock. Time-outs don't: a function that runs
    takes no time. Events are delivered before the method returns in which they happened. Waiting for a run (`wait_for_run`,
    ``handle.wait()``) runs what is due; what is still to come by then is a `TimeoutError`, since nobody lets time pass meanwhile.

    Args:
        start: the time at first; what has no time zone is in `timezone`.
        **options: of `BaseScheduler`.

    Attributes:
        clock: the clock, which may be set.
    """

    def __init__(
        self, gconfig: Any = None, *, start: datetime = DEFAULT_START, timezone: Any = UTC, **options: Any
    ) -> None:
        self.clock: SettableClock = options.pop("clock", None) or SettableClock(
            _moment(start, astimezone(timezone), "start")
        )
        super().__init__(gconfig, clock=self.clock, timezone=timezone, **options)
        self._calls = self._event_queue.loop = _Calls()
        self._is_woken = False

    @property
    def now(self) -> datetime:
        """The time by its clock, in its time zone."""
        return self.clock.now(self.timezone)

    def wakeup(self) -> None:
        """Something may have become due: `advance` and `run_due` look once more. Nothing is run by this alone."""
        self._is_woken = True

    def _wait_for(self, event: Event, seconds: float) -> bool:  # noqa: ARG002 - as others wait
        """Nobody else runs what is waited for."""
        self.run_due()
        if not event.is_set():
            raise TimeoutError(
                "the run has not ended: it waits for a time that only advance() brings, or was not claimed here"
            )
        return True

    def shutdown(self, wait: bool = True, timeout: float | None = None) -> None:
        """Stop; see `BaseScheduler.shutdown`."""
        super().shutdown(wait, timeout)

    def run_due(self) -> list[JobExecutionEvent]:
        """Run what is due now; see `advance`."""
        return self.advance_to(self.clock.now())

    def advance(self, delta: float | timedelta) -> list[JobExecutionEvent]:
        """Let time pass: seconds, or a duration. What becomes due meanwhile is run at its time.

        Returns:
            the events of the runs that have ended or were missed by that, in their order.

        Raises:
            ValueError: time can't go back, nor pass the year 9999; `clock.set_wall` sets the clock back, as an administrator does.
            RuntimeError: a run asks for it, for which time stands still.
        """
        return self.advance_to(later(self.clock.now(), duration(delta)))

    def advance_to(self, moment: datetime) -> list[JobExecutionEvent]:
        """Let time pass until a moment, which is read as `add_job` reads times; see `advance`."""
        # In UTC, since times of one zone compare by the wall clock: wrongly where an hour is repeated.
        moment = _moment(moment, self.timezone, "moment").astimezone(UTC)
        if moment < self.clock.now():
            raise ValueError(f"time can't be let pass until {moment}: it is {self.clock.now()}")
        if self._passes.is_here:
            raise RuntimeError(
                "a run can't let time pass: it is being run by a scheduler whose clock stands still"
            )
        ended: list[JobExecutionEvent] = []
        self.add_listener(ended.append, _ENDS)
        try:
            while True:
                self._look()
                upcoming = self._upcoming()
                if upcoming is None or upcoming > moment:
                    break
                self._let_pass_until(upcoming)
            if self._let_pass_until(moment):
                self._look()
        finally:
            self.remove_listener(ended.append)
        return ended

    def _let_pass_until(self, moment: datetime) -> bool:
        """Move the clock to `moment`, unless that has passed; whether it was moved."""
        left = moment - self.clock.now()
        if left <= timedelta(0):
            return False
        self.clock.advance(left)
        return True

    def _look(self) -> None:
        """Run what is due, and what becomes due at once by that."""
        self._is_woken = True
        while self._is_woken:
            self._is_woken = False
            self._process_jobs()
            self._in_flight.settle()
            for store in list(self._stores.used.values()):
                store.write_outcomes()
            self._calls.drain()

    def _upcoming(self) -> datetime | None:
        """When something is due next; a store that is looked at every second, for what others change, is asked instead."""
        now = self.clock.now()
        planned = self._passes.planned
        left = planned.seconds_left(now, self.clock.monotonic())
        if left is None:
            return None
        stores = list(self._stores.used.values())
        if self._stores.unhanded or self._dispatch.store_errors or self._dispatch.is_full:
            # Rounded up, since less than the clock can show would be no time at all, for ever.
            return now + timedelta(microseconds=ceil(left * 1_000_000))
        if all(store.poll_interval is None for store in stores):
            return planned.wall
        # By the clock of a store that has its own, so much later than now.
        times = [(store.next_time(), store.store_time(self.clock)) for store in stores]
        due: list[datetime] = [
            now + (time - present) for time, present in times if time is not None and time < WAITS
        ]
        return min(due, default=None)

    def _create_default_executor(self) -> BaseExecutor:
        return DebugExecutor()


def _moment(value: Any, timezone: tzinfo | None, name: str) -> datetime:
    moment = convert_to_datetime(value, timezone, name)
    if moment is None:
        raise TypeError(f"{name} must be a point in time, got None")
    return moment


_ENDS = EVENT_JOB_EXECUTED | EVENT_JOB_ERROR | EVENT_JOB_CANCELLED | EVENT_JOB_TIMED_OUT | EVENT_JOB_MISSED
