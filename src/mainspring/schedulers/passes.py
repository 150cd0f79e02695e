"""The passes of a scheduler's loop: one at a time, and when the loop comes back by itself."""

from __future__ import annotations

from threading import TIMEOUT_MAX, Lock, get_ident
from typing import TYPE_CHECKING

from mainspring.clock import REAL_CLOCK  # noqa: TID251 - waits for a thread
from mainspring.engine.waiting import UNPLANNED, Planned
from mainspring.safe_logging import SafeLogger
from mainspring.schedulers.states import STATE_RUNNING

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from mainspring.clock import Clock
    from mainspring.schedulers.dispatch import Dispatch
    from mainspring.schedulers.life import Life
    from mainspring.schedulers.stores import Stores

#: Seconds between two looks at what the loop is at.
_STEP = 0.05


class Passes:
    """Those of one scheduler in one process.

    Attributes:
        planned: when the loop comes back, if nothing changes.
        last: when the latest pass began, in the scheduler's zone; ``None``: there was none.
    """

    def __init__(self, clock: Clock, stores: Stores, dispatch: Dispatch, life: Life) -> None:
        self.planned = UNPLANNED
        self.last: datetime | None = None
        self._clock = clock
        self._stores = stores
        self._dispatch = dispatch
        self._life = life
        self._lock = Lock()
        self._thread: int | None = None

    @property
    def is_here(self) -> bool:
        """Whether the calling thread is making a pass."""
        return self._thread == get_ident()

    def make(self, timezone: tzinfo, retry_interval: float, logger: logging.Logger) -> float | None:
        """Run what is due; the seconds until the loop is to come back, or ``None`` if that is not known.

        Never raises for what a store, a trigger, an executor or a listener does.

        Args:
            retry_interval: seconds after which a store that fails is asked again at the latest.
        """
        with self._lock:
            self._thread = get_ident()
            try:
                return self._make(timezone, retry_interval, logger)
            finally:
                self._thread = None

    def _make(self, timezone: tzinfo, retry_interval: float, logger: logging.Logger) -> float | None:
        self.planned = UNPLANNED
        self.last = self._clock.now(timezone)
        if not self._life.is_active:
            return None
        # First: for its store a run goes on until its end is told.
        planned = self._stores.unhanded.again()
        log = SafeLogger(logger)
        if self._life.state != STATE_RUNNING:
            log.debug("Scheduler is paused -- not processing jobs")
            self.planned = planned
            return self.seconds_left()
        log.debug("Looking for jobs to run")
        # Whatever is added from here on and is due before this pass is over must wake the loop.
        planned = planned.or_sooner(
            self._dispatch.run(dict(self._stores.items()), timezone, retry_interval, logger)
        )
        if self._life.state != STATE_RUNNING:
            return None
        self.planned = planned
        now, monotonic = self._clock.now(timezone), self._clock.monotonic()
        wait, moment = planned.seconds_left(now, monotonic), planned.moment(now, monotonic)
        if wait is None or moment is None:
            log.debug("No jobs; waiting until a job is added")
            return None
        log.debug("Next wakeup is due at %s (in %f seconds)", moment.astimezone(timezone), wait)
        return min(wait, TIMEOUT_MAX)

    def plan(self, wait: float | None) -> None:
        """Have the loop come back after `wait` seconds, whatever is due; ``None``: when it is woken."""
        self.planned = (
            UNPLANNED if wait is None else Planned(monotonic=self._clock.monotonic() + max(wait, 0.0))
        )

    def seconds_left(self) -> float | None:
        """The seconds until the loop comes back by itself; ``None``: it doesn't."""
        return self.planned.seconds_left(self._clock.now(), self._clock.monotonic())

    def end_within(self, patience: float, deadline: float | None, gives_up: Callable[[], bool]) -> float:
        """Wait until a pass that goes on is over, unless it is the calling thread's.

        Args:
            patience: for how many seconds one job store may leave the pass without an answer.
            deadline: until when it is waited for at most, on the machine's monotonic clock.
            gives_up: whether it isn't waited for any more; asked now and then.

        Returns:
            what is left of `patience`; zero: a job store gives no answer, and the pass goes on without anybody to wait for it.
        """
        if self.is_here:
            return patience
        asked_since: float | None = None
        has_waited = 0.0
        while not self._lock.acquire(timeout=_STEP):
            now = REAL_CLOCK.monotonic()
            if self._dispatch.asks is None:
                asked_since = None
            elif asked_since is None:
                asked_since = now
            has_waited = 0.0 if asked_since is None else now - asked_since
            if has_waited >= patience:
                return 0.0
            if (deadline is not None and now >= deadline) or gives_up():
                return patience
        self._lock.release()
        # One that was asked for so long, and has raised in the end, is waited for as long less.
        return patience - has_waited if self._dispatch.store_errors else patience
