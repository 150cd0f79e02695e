"""What the services of a scheduler, and what its job stores ask through, may ask of it, and tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainspring.safe_logging import SafeLogger

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from mainspring.clock import Clock
    from mainspring.events import SchedulerEvent
    from mainspring.jobstores.host import StartLimit
    from mainspring.jobstores.shared.upkeep import Runner, Upkeep
    from mainspring.model import JobRecord

# ruff: noqa: SLF001 - made for this


class ServiceHost:
    """One scheduler, as its services see it. Most of it is looked up at each call: programs set some, and shells have their own ways.

    Attributes:
        scheduler: whose handles jobs get.
        clock: its clock.
    """

    def __init__(self, scheduler: Any, clock: Clock) -> None:
        self.scheduler = scheduler
        self.clock = clock

    @property
    def timezone(self) -> tzinfo:
        """The zone in which times are read and shown."""
        zone: tzinfo = self.scheduler.timezone
        return zone

    @property
    def log(self) -> SafeLogger:
        """Its logger."""
        return SafeLogger(self.scheduler._logger)

    @property
    def is_strict(self) -> bool:
        """Whether what APScheduler passes over is an error."""
        return bool(self.scheduler._is_strict)

    @property
    def start_timeout(self) -> float:
        """Seconds for which a start is tried."""
        return float(self.scheduler.start_timeout)

    @property
    def is_running(self) -> bool:
        """Whether it runs in this process."""
        return bool(self.scheduler.running)

    def start_limit(self, alias: str) -> StartLimit:
        """For how long a job store tries to start."""
        limit: StartLimit = self.scheduler._opening.limit(alias)
        return limit

    def upkeep_runner(self, upkeep: Upkeep) -> Runner | None:
        """What does the upkeep of a job store in time; ``None``: a thread for each."""
        runner: Runner | None = self.scheduler._upkeep_runner(upkeep)
        return runner

    def instead_of_waiting(self) -> str | None:
        """What to do instead of calling a job store that can't be had, on a thread that must not wait; ``None``: it may."""
        words: str | None = self.scheduler._instead_of_waiting()
        return words

    def must_not_wait(self) -> bool:
        """Whether the calling thread has other work than to wait for job stores."""
        return bool(self.scheduler._must_not_wait())

    def elsewhere(self, work: Callable[[], None]) -> None:
        """Have something done on a thread that may wait."""
        self.scheduler._elsewhere(work)

    def run_aside(self, work: Callable[[], None]) -> None:
        """Have something done that may take long."""
        self.scheduler._run_aside(work)

    def notice_end_of_loop(self) -> None:
        """End the runs of an event loop that has ended under the scheduler."""
        self.scheduler._notice_end_of_loop()

    def tell(self, event: SchedulerEvent) -> None:
        """Tell its listeners."""
        self.scheduler._dispatch_event(event)

    def tell_paused(self, job: JobRecord, alias: str) -> None:
        """Tell of a job that has paused itself."""
        self.scheduler._tell_paused(job, alias)

    def wake(self) -> None:
        """Have its loop look for what is due."""
        self.scheduler._wake()

    def wake_for(self, moment: datetime | None, alias: str) -> None:
        """Wake its loop if that would sleep past `moment`, by the clock of a job store."""
        self.scheduler._wake_for(moment, alias)
