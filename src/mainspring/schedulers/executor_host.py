"""What executors may ask of their scheduler (`mainspring.executors.host`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.executors.host import ExecutorHost

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mainspring.clock import Clock
    from mainspring.model import Submission
    from mainspring.schedulers.in_flight import InFlight
    from mainspring.schedulers.reporting import Reporter


class SchedulerHost(ExecutorHost):
    """One scheduler; in a forked process the same one, with what is begun there."""

    def __init__(self, clock: Clock) -> None:
        self._own_clock = clock

    def begin_in_process(self, in_flight: InFlight, reporter: Reporter) -> None:
        """Answer by these parts, which belong to one process."""
        self._in_flight = in_flight
        self._reporter = reporter

    @property
    def clock(self) -> Clock:
        """See `ExecutorHost`."""
        return self._own_clock

    @property
    def own(self) -> Submission | None:
        """See `ExecutorHost.own`."""
        return self._in_flight.own

    def going_on(self) -> Iterable[Submission]:
        """See `ExecutorHost.going_on`."""
        return self._in_flight.going_on()

    def wait_for_others(self, seconds: float, alias: str) -> object:
        """See `ExecutorHost.wait_for_others`."""
        return self._in_flight.wait_for_others(seconds, executor=alias)

    def abandon(self, submission: Submission) -> None:
        """See `ExecutorHost.abandon`."""
        self._reporter.abandon(submission)
