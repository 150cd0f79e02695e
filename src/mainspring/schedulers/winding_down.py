"""How a scheduler ends what it has begun, in the time that there is for it: the loop's pass, runs, outcomes, job stores, listeners."""

from __future__ import annotations

from functools import partial
from logging import WARNING
from threading import Event
from typing import TYPE_CHECKING

from mainspring.aside import Aside
from mainspring.clock import REAL_CLOCK  # noqa: TID251 - waits for threads and servers
from mainspring.executors.native import NativeExecutor
from mainspring.safe_logging import SafeLogger

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    from mainspring.executors.base import BaseExecutor
    from mainspring.model import Submission
    from mainspring.schedulers.dispatch import Dispatch
    from mainspring.schedulers.in_flight import InFlight
    from mainspring.schedulers.passes import Passes
    from mainspring.schedulers.reporting import Reporter
    from mainspring.schedulers.stopping import Stopping
    from mainspring.schedulers.stores import Stores

#: Seconds for which it is tried to tell stores what has become of runs; and between two tries.
_HANDING_OVER, _HANDING_OVER_WITHOUT_WAITING, _HANDING_OVER_PAUSE = 5.0, 1.0, 0.1
#: Seconds for which job stores that don't answer are waited for, all together: of the ten that a container mostly has it leaves half
#: to the runs. Each store is given a moment, however late it is.
STORES_ANSWER_WITHIN, _STORES_ANSWER_WITHOUT_WAITING, _STORES_ANSWER_AT_LEAST = 5.0, 2.0, 0.5


class WindingDown:
    """The end of one scheduler in one process, which may be started again afterwards.

    Args:
        logger: the scheduler's, which may be set to another.
        gives_up: whether runs aren't waited for any more, for a reason of the scheduler's loop; asked now and then.

    Attributes:
        goes_on: whether it is being done.
        over: set when it has been done.
        has_given_up: whether the runs that go on are not waited for any more.
        leaves_store_asking: whether the loop waits for a job store that gives no answer, and is not waited for.
    """

    def __init__(
        self,
        stores: Stores,
        executors: Mapping[str, BaseExecutor],
        in_flight: InFlight,
        reporter: Reporter,
        dispatch: Dispatch,
        stopping: Stopping,
        passes: Passes,
        logger: Callable[[], logging.Logger],
        gives_up: Callable[[], bool],
    ) -> None:
        self.goes_on = self.has_given_up = self.leaves_store_asking = False
        self.over = Event()
        self._stores = stores
        self._executors = executors
        self._in_flight = in_flight
        self._reporter = reporter
        self._dispatch = dispatch
        self._stopping = stopping
        self._passes = passes
        self._logger = logger
        self._gives_up = gives_up

    def forget(self) -> None:
        """The scheduler is started, again perhaps: nothing is given up yet."""
        self.has_given_up = self.leaves_store_asking = self._reporter.holds_back = False

    def begin(self) -> None:
        """It is about to be done."""
        self.over.clear()
        self.goes_on = True

    def end(self) -> None:
        """It has been done, or has failed."""
        self.goes_on = False
        self.over.set()

    def end_runs(self, wait: bool, deadline: float | None) -> float:
        """Let the loop finish its pass, give back what was not begun, and end the executors; until when job stores may be waited for.

        Args:
            wait: whether runs are let end.
            deadline: on the monotonic clock, as what is returned.
        """
        patience = self._wait_for_pass(wait, deadline)
        releasing = self._leave_to_others()
        self._shut_executors_down(wait, deadline)
        left = left_until(deadline)
        until = REAL_CLOCK.monotonic() + (
            patience if left is None else min(patience, max(left, _STORES_ANSWER_AT_LEAST))
        )
        if releasing is not None and not releasing.wait(until - REAL_CLOCK.monotonic()):
            self._log.warning(
                "What was claimed and not begun could not be given back in time: it is when the job store "
                "answers, or other nodes record it as lost"
            )
        return until

    def end_stores(self, until: float) -> None:
        """Have each job store end."""
        for alias, store in self._stores.items():
            try:
                store.leave(max(until - REAL_CLOCK.monotonic(), _STORES_ANSWER_AT_LEAST))
            except Exception:  # noqa: BLE001 - logged
                self._log.exception("Error shutting down job store %r", alias)

    def give_up_runs(self) -> None:
        """Have what still runs recorded as lost, since the process is about to end."""
        self.has_given_up = True
        given_up = [submission for submission in self._in_flight.all() if self._stopping.give_up(submission)]
        for submission in given_up:
            self._log.of_run(
                WARNING,
                submission.key.id,
                'Run of job "%s" is given up: it goes on, and the process is to end. It is recorded as lost',
                submission.job.name,
                outcome="lost",
            )
        self._in_flight.wake()

    @property
    def _log(self) -> SafeLogger:
        return SafeLogger(self._logger())

    def _wait_for_pass(self, wait: bool, deadline: float | None) -> float:
        """Let the loop finish what it is submitting, unless this is the loop; for how many seconds stores may still be waited for."""
        if not wait:
            return _STORES_ANSWER_WITHOUT_WAITING
        patience = STORES_ANSWER_WITHIN - _STORES_ANSWER_AT_LEAST
        left = self._passes.end_within(patience, deadline, lambda: self.has_given_up)
        if not left:
            self._log.warning(
                "Job store %r gives no answer: the scheduler is shut down without waiting for it. What it hands out from now on is not "
                "run, and given back if it can be",
                self._dispatch.asks,
            )
            self.leaves_store_asking = True
        return left + _STORES_ANSWER_AT_LEAST

    def _leave_to_others(self) -> Aside | None:
        """What was claimed from stores that other nodes share, and not begun: they run it sooner than this one would.

        When a signal has come, what is in memory isn't begun either.
        """
        is_drain = self._reporter.holds_back
        taken: list[Submission] = []
        for executor in list(self._executors.values()):
            if isinstance(executor, NativeExecutor):
                taken += executor.take_back()
                if is_drain:
                    for submission in self._in_flight.all():
                        if submission.run_time is None and submission.lease is None:
                            executor.interrupt(submission)
        for submission in taken:
            self._in_flight.withdraw(submission)
        return Aside("mainspring-release", partial(self._stores.release, taken)) if taken else None

    def hand_over(self, wait: bool, until: float) -> None:
        """Tell the stores what they could not be told of runs before, in the time that there is for it."""
        unhanded = self._stores.unhanded
        until = min(
            until, REAL_CLOCK.monotonic() + (_HANDING_OVER if wait else _HANDING_OVER_WITHOUT_WAITING)
        )

        def hand_over() -> None:
            unhanded.again(at_once=True)
            while unhanded and REAL_CLOCK.monotonic() < until:
                Event().wait(_HANDING_OVER_PAUSE)
                unhanded.again(at_once=True)

        if unhanded:
            Aside("mainspring-hand-over", hand_over).wait(
                until - REAL_CLOCK.monotonic() + _HANDING_OVER_PAUSE
            )
        for sentence in unhanded.forget():
            self._log.error("%s", sentence)

    def _shut_executors_down(self, wait: bool, deadline: float | None) -> None:
        for alias, executor in list(self._executors.items()):
            ended = wait and self._in_flight.wait_for_others(
                left_until(deadline), executor=alias, gives_up=self._gives_up
            )
            if wait and not ended:
                self._tell_left(alias)
            own = self._in_flight.own
            is_own = own is not None and own.job.options.executor == alias
            try:
                # An executor can't wait for the thread that this is called from.
                executor.shutdown(
                    ended and not is_own and not self.has_given_up
                )  # by its place: programs' own may call it otherwise
            except Exception:  # noqa: BLE001 - logged
                self._log.exception("Error shutting down executor %r", alias)

    def _tell_left(self, alias: str) -> None:
        """Runs of an executor go on although they were waited for."""
        if self._reporter.holds_back:
            self.give_up_runs()
        elif not self.has_given_up:
            for left in self._in_flight.all():
                if left.job.options.executor == alias:
                    self._log.of_run(
                        WARNING, left.key.id, "Shutting down while jobs still run: %s", left.job.name
                    )


def left_until(deadline: float | None) -> float | None:
    """The seconds until `deadline`, on the machine's monotonic clock, not below zero; ``None``: there is none."""
    return None if deadline is None else max(deadline - REAL_CLOCK.monotonic(), 0)
