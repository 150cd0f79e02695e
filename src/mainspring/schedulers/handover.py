"""Hand-over: a job store's jobs wait until APScheduler has let go of its own, so that none is run by both.

Nothing is adopted before that, and nothing of the store is run, whatever the program adds: the old jobs are read when APScheduler has stopped
running them, with the next run times that it has left them at.

What is waited for is a time, or that no old job has a next run time in its table any more, which one statement brings about and makes every
APScheduler on that table idle. One that was just about to run some jobs writes their next run times afterwards: so that nothing is due there has
to be so for some seconds.
"""

from __future__ import annotations

from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, cast

from mainspring.errors import safe_str
from mainspring.jobstores.shared.upkeep import Upkeep
from mainspring.schedulers.adopting import adopt, counted
from mainspring.schedulers.adoption_report import ADOPTED, PAUSED, UNREADABLE, Adopted, names_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from mainspring.clock import Clock
    from mainspring.jobstores.shared.predecessor import HasPredecessor, OldJobs
    from mainspring.safe_logging import SafeLogger
    from mainspring.schedulers.adopting import Adoption
    from mainspring.schedulers.job_factory import JobFactory

#: For so many seconds nothing must be due in the old table: longer than an APScheduler takes for one look at its due jobs.
QUIET_SECONDS = 5.0
_LOOKS_EVERY = 0.5
#: Seconds after which it is said again that the hand-over is waited for.
_REMINDS_EVERY = 300.0
_NAMED = 5


class Handover:
    """Keeps one job store waiting, and has the old jobs adopted when the time has come.

    Args:
        factory: reads a time without a zone as the scheduler does.
        told: gets what there is to be said of it.
        done: called when jobs are run.
    """

    def __init__(
        self,
        log: SafeLogger,
        alias: str,
        store: HasPredecessor,
        adoption: Adoption,
        clock: Clock,
        factory: JobFactory,
        *,
        told: Callable[[Adopted], None],
        done: Callable[[], None],
    ) -> None:
        self._log, self._alias, self._store, self._adoption, self._clock = log, alias, store, adoption, clock
        self._told, self._done = told, done
        given = store.handover
        self._until = factory.moment(given) if isinstance(given, datetime) else None
        self._quiet_since: float | None = None
        self._said_at: float | None = None
        self._is_over = False
        self._lock = Lock()
        logger = cast("logging.Logger", log)
        self._upkeep = Upkeep(f"mainspring-handover-{alias}", {self.look: _LOOKS_EVERY}, logger, clock)

    def start(self) -> None:
        """Look at once, and if it isn't over, again and again."""
        try:
            self.look()
        except Exception as error:  # noqa: BLE001 - as what the thread meets: logged, and tried again
            self._log.error(
                "Job store %r: what APScheduler has left could not be looked at, and no job is run before that: %s",
                self._alias,
                safe_str(error),
            )
        if not self._is_over:
            self._upkeep.start()

    def stop(self) -> None:
        """Look no more."""
        self._upkeep.stop()

    def leave_to_parent(self) -> None:
        """In a forked process: it is the parent's."""
        self._is_over, self._lock = True, Lock()
        self._upkeep.leave_to_parent()

    def look(self) -> None:
        """Adopt the old jobs, if APScheduler has let go of them."""
        with self._lock:
            if not self._is_over:
                self._look()
        if self._is_over:
            self._upkeep.stop()

    def _look(self) -> None:
        old_jobs = self._store.predecessor()
        if old_jobs is None:
            self._end(None)
            return
        marks = self._adoption.marks(old_jobs)
        obstacle = self._obstacle(old_jobs)
        if marks.is_complete:  # by another node, or at an earlier start
            self._end(adopt(self._log, self._alias, old_jobs, self._adoption), obstacle)
            return
        if obstacle is None:
            self._end(adopt(self._log, self._alias, old_jobs, self._adoption, goes_on=True))
            return
        self._store.hold(obstacle)
        self._say(old_jobs, obstacle)

    def _end(self, adopted: Adopted | None, obstacle: str | None = None) -> None:
        """Have jobs run; with an obstacle that there still is, because another node runs them already: to wait would help nobody."""
        self._is_over = True
        if adopted is not None:
            self._told(adopted)
            if obstacle is None or self._quiet_since is not None:
                self._log.info("Job store %r: APScheduler has handed over, and jobs are run", self._alias)
            else:
                self._log.warning(
                    "Job store %r: jobs are run, since they were adopted without waiting, by a node without handover= or by adopt_jobs(). "
                    "If an APScheduler is at work there, it runs them as well: %s",
                    self._alias,
                    obstacle,
                )
        self._store.hold(None)
        self._done()

    def _obstacle(self, old_jobs: OldJobs) -> str | None:
        """Why the jobs have to wait; ``None``: they need not."""
        until = self._until
        if until is not None:
            if self._store.store_time(self._clock) >= until:
                return None
            return f"the hand-over from APScheduler is at {until:%Y-%m-%d %H:%M:%S %Z}"
        scheduled = old_jobs.scheduled(_NAMED + 1)
        now = self._clock.monotonic()
        if scheduled:
            self._quiet_since = None
            named = ", ".join(map(repr, scheduled[:_NAMED])) + (", …" if len(scheduled) > _NAMED else "")
            return f"APScheduler still has jobs to run in {old_jobs.place} ({named}). To hand them over: {old_jobs.pausing}"
        if self._quiet_since is None:
            self._quiet_since = now
        if now - self._quiet_since >= QUIET_SECONDS:
            return None
        return f"APScheduler's jobs in {old_jobs.place} have been paused, and are taken over in some seconds"

    def _say(self, old_jobs: OldJobs, obstacle: str) -> None:
        now = self._clock.monotonic()
        if self._said_at is not None and now - self._said_at < _REMINDS_EVERY:
            return
        if self._said_at is None:
            report = self._adoption.report(old_jobs, takes_later=False, writes=False)
            unreadable = report.of(UNREADABLE)
            self._log.info(
                "Job store %r: %d jobs of APScheduler will be adopted from %s%s",
                self._alias,
                len(report.of(ADOPTED, PAUSED)),
                old_jobs.place,
                f". These can't be read: {names_of(unreadable, with_reasons=True)}" if unreadable else "",
            )
        self._told(counted(old_jobs, self._adoption.marks(old_jobs)))
        self._log.warning("Job store %r: no job is run: %s", self._alias, obstacle)
        self._said_at = now
