"""How job stores are started: with the scheduler, and those that are added to one that runs."""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING, Any

from mainspring.errors import SchedulerNotRunningError, safe_str
from mainspring.events import EVENT_JOBSTORE_ADDED, SchedulerEvent
from mainspring.masking import shown_error
from mainspring.schedulers.starting import Starting

if TYPE_CHECKING:
    from mainspring.jobstores.contract import RunStore
    from mainspring.schedulers.adding_service import AddingService
    from mainspring.schedulers.life import Life
    from mainspring.schedulers.pending import PendingJobs
    from mainspring.schedulers.service_host import ServiceHost
    from mainspring.schedulers.store_adoptions import StoreAdoptions
    from mainspring.schedulers.stores import Stores


class OpeningService:
    """Starts the job stores of one scheduler in one process, and gives them the jobs that have waited for it."""

    def __init__(
        self,
        host: ServiceHost,
        life: Life,
        stores: Stores,
        waiting_jobs: PendingJobs,
        adding: AddingService,
        adoptions: StoreAdoptions,
    ) -> None:
        self._host = host
        self._life = life
        self._stores = stores
        self._waiting_jobs = waiting_jobs
        self._adding = adding
        self._adoptions = adoptions

    def open_new(self, started: list[Any]) -> None:
        """Start the job stores that are not among `started`, and add them to it."""
        for alias, store in self._stores.items():
            if all(store is not part for part in started):
                started.append(store)
                try:
                    store.start(self._host.scheduler, alias)
                    self._adoptions.begin(alias, self._stores.given.get(alias))
                except Exception as error:
                    self._life.start_errors[alias] = shown_error(error)
                    raise

    def store_waiting(self, started: list[Any], starting: Starting, state: int, *, lenient: bool) -> None:
        """Put the jobs that were added before the start into their stores, and enter `state` when none is left.

        Other threads may go on adding jobs and job stores meanwhile: what they add is pending until the state has changed.
        """
        while True:
            with self._life.lock:
                if starting.is_cancelled:
                    raise SchedulerNotRunningError
                if not len(self._waiting_jobs) and all(
                    any(store is part for part in started) for _, store in self._stores.items()
                ):
                    self._life.state = state
                    self._life.was_shut_down = False
                    self._life.is_starting = self._life.is_started_aside = False
                    self._life.starting = None
                    starting.over.set()
                    return
            self.open_new(started)
            if lenient:
                self._adding.store_each(list(self._waiting_jobs))
            else:
                self._adding.store_all(list(self._waiting_jobs))

    def limit(self, alias: str) -> Starting:
        """For how long a job store tries to start; asked by the store."""
        return (
            self._life.added.get(alias)
            or self._life.starting
            or Starting(self._host.start_timeout, self._host.clock)
        )

    def open_aside(self, alias: str, store: RunStore) -> None:
        """Start a job store while the scheduler runs, on another thread. Its jobs are pending until it is there."""
        starting = self._life.added[alias] = Starting(self._host.start_timeout, self._host.clock)
        self._stores.begin(alias)

        def start() -> None:
            starting.thread = get_ident()
            try:
                store.start(self._host.scheduler, alias)
                self._adoptions.begin(alias, self._stores.given.get(alias))
            except Exception as error:
                self._life.start_errors[alias] = shown_error(error)
                self._host.log.error(  # noqa: TRY400 - what was raised is told below
                    "Job store %r could not be added: %s", alias, safe_str(error)
                )
                self._host.log.debug("What was raised:", exc_info=error)
                self._stores.give_up(alias)
                self._life.added.pop(alias, None)
                starting.over.set()
                return
            if not self._stores.ready(alias):
                store.shutdown()  # it was removed meanwhile
            with self._life.lock:
                self._life.added.pop(alias, None)
            try:
                self._adding.store_each(self._waiting_jobs.of(alias))
            finally:
                starting.over.set()
            self._host.tell(SchedulerEvent(EVENT_JOBSTORE_ADDED, alias))
            self._host.wake()

        self._host.elsewhere(start)
