"""Ends runs that take too long, or that somebody has cancelled."""

from __future__ import annotations

from functools import partial
from heapq import heapify, heappop, heappush
from itertools import count
from logging import INFO, WARNING
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any, Literal
from weakref import ref

from mainspring.clock import REAL_CLOCK  # noqa: TID251 - waits for threads or processes
from mainspring.current import run_of
from mainspring.executors.native import NativeExecutor
from mainspring.safe_logging import SafeLogger
from mainspring.schedulers.stuck_runs import STUCK_RUNS_LIMIT

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    from mainspring.executors.base import BaseExecutor
    from mainspring.model import Submission
    from mainspring.schedulers.stuck_runs import StuckRuns

#: Seconds for which a run that was told to end may go on before its place is given to others.
_GRACE = 1.0
#: For so many seconds is waited at a time: the system takes no wait of centuries.
_LONGEST_WAIT = 86_400.0
#: So many alarms are there before it is looked for those that nobody needs any more.
_FIRST_SWEEP = 256

_REASONS = {"timed_out": "it has taken too long", "cancelled": "it was cancelled"}
#: Somebody wanted a run to be cancelled; nobody wants one to take too long.
_LEVELS = {"timed_out": WARNING, "cancelled": INFO}


class Alarms:
    """Calls functions at their times, on a thread of its own that is there while there are any.

    An alarm that nobody needs any more is not looked for one by one: when their number has doubled, all such are removed. So there are
    twice as many as are needed at most, or a few hundred.
    """

    def __init__(self, logger: Callable[[], logging.Logger]) -> None:
        self._logger = logger
        self._changed = Condition()
        self._alarms: list[tuple[float, int, Callable[[], None], Callable[[], bool]]] = []
        self._sequence = count()
        self._sweep_at = _FIRST_SWEEP
        self._thread: Thread | None = None

    def __len__(self) -> int:
        return len(self._alarms)

    def add(
        self, seconds: float, call: Callable[[], None], is_needed: Callable[[], bool] = lambda: True
    ) -> None:
        """Have `call` called in so many real seconds.

        Args:
            is_needed: whether it still is to be; asked before that now and then, for the alarm to be removed early. It takes no lock.
        """
        with self._changed:
            if len(self._alarms) >= self._sweep_at:
                self._alarms = [alarm for alarm in self._alarms if alarm[3]()]
                heapify(self._alarms)
                self._sweep_at = max(_FIRST_SWEEP, 2 * len(self._alarms))
            alarm = (REAL_CLOCK.monotonic() + seconds, next(self._sequence), call, is_needed)
            heappush(self._alarms, alarm)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="mainspring-alarms", daemon=True)
                self._thread.start()
            elif self._alarms[0] is alarm:
                self._changed.notify_all()

    def clear(self) -> None:
        """Forget all alarms."""
        with self._changed:
            self._alarms.clear()
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._alarms:
                    self._thread = None
                    return
                left = self._alarms[0][0] - REAL_CLOCK.monotonic()
                if left > 0:
                    self._changed.wait(min(left, _LONGEST_WAIT))
                    continue
                call = heappop(self._alarms)[2]
            try:
                call()
            except Exception:
                log = SafeLogger(self._logger())
                log.exception("Error stopping a run")


class Stopping:
    """Stops runs of one scheduler.

    Args:
        abandon: tells that a run has ended which goes on all the same.
        lose: tells that a run which goes on is lost.
        stuck: the runs of which that was told.
        pause: given one of them, when there are too many of its job: pauses the job, without waiting for its store.
    """

    def __init__(
        self,
        alarms: Alarms,
        executors: Mapping[str, BaseExecutor],
        abandon: Callable[[Submission], None],
        lose: Callable[[Submission], None],
        logger: Callable[[], logging.Logger],
        stuck: StuckRuns,
        pause: Callable[[Submission, int], None],
    ) -> None:
        self._stuck = stuck
        self._lose = lose
        self._pause = pause
        self._alarms = alarms
        self._executors = executors
        self._abandon = abandon
        self._logger = logger

    def watch(self, submission: Submission, seconds: float) -> None:
        """The run that was begun last may take so many seconds."""
        # Not kept alive for that: most have ended long before.
        watched, outcome_lock = ref(submission), submission.outcome_lock
        self._alarms.add(
            seconds, partial(self._timed_out, watched, outcome_lock), partial(_goes_on, watched, outcome_lock)
        )

    def _timed_out(self, submission: Callable[[], Submission | None], outcome_lock: Any) -> None:
        late = submission()
        if late is not None and _goes_on(submission, outcome_lock):
            self.stop(late, "timed_out")

    def stop(self, submission: Submission, reason: Literal["timed_out", "cancelled"]) -> None:
        """Have a submission end: the run that was begun last, and those that follow."""
        if submission.stop is not None:
            return
        submission.stop = reason
        job = submission.job
        SafeLogger(self._logger()).of_run(
            _LEVELS[reason],
            submission.key.id,
            'Run of job "%s" is to end: %s',
            job.name,
            f"it has taken longer than {job.options.timeout}" if reason == "timed_out" else _REASONS[reason],
        )
        self.signal_stop(submission)

    def signal_stop(self, submission: Submission) -> None:
        """Tell a submission that is to be stopped."""
        outcome_lock = None
        if submission.run_time is not None:
            outcome_lock = submission.outcome_lock
            run_of(submission).cancelled.set(_REASONS[submission.stop or "cancelled"])
        executor = self._executors.get(submission.job.options.executor)
        if isinstance(executor, NativeExecutor):
            executor.interrupt(submission)
        if outcome_lock is not None:
            self._alarms.add(_GRACE, partial(self._give_up, submission, outcome_lock))

    def give_up(self, submission: Submission) -> bool:
        """The process is to end: what goes on of a submission is recorded as lost; whether something does."""
        executor = self._executors.get(submission.job.options.executor)
        goes_on = submission.run_time is not None and submission.outcome_lock.acquire(False)
        if goes_on:
            submission.stop = submission.stop or "cancelled"  # none of its runs is to begin any more
            run_of(submission).cancelled.set("the process is about to end")
            if isinstance(executor, NativeExecutor):
                executor.leave_running(submission)
            self._lose(submission)
        if isinstance(executor, NativeExecutor):
            executor.interrupt(submission)
        return goes_on

    def _give_up(self, submission: Submission, outcome_lock: Any) -> None:
        stuck = self._stuck.add(submission)  # first: its thread takes it off when it ends at last
        if not outcome_lock.acquire(False):
            self._stuck.discard(submission)
            return  # its outcome has been told
        executor = self._executors.get(submission.job.options.executor)
        if isinstance(executor, NativeExecutor):
            executor.leave_running(submission)  # first: who hears of the end may shut the executor down
        self._abandon(submission)
        SafeLogger(self._logger()).of_run(
            WARNING,
            submission.key.id,
            'Run of job "%s" does not end though it was told to: its place is given to others, and its thread goes on',
            submission.job.name,
        )
        if stuck >= STUCK_RUNS_LIMIT:
            self._pause(submission, stuck)


def _goes_on(submission: Callable[[], Submission | None], outcome_lock: Any) -> bool:
    """Whether the run that was begun with this lock has no outcome yet."""
    watched = submission()
    return watched is not None and watched.outcome_lock is outcome_lock and not outcome_lock.locked()
