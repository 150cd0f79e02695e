"""What is done when a job store starts about the jobs that APScheduler has left where it is, and what health checks are told of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.errors import safe_str
from mainspring.jobstores.shared.predecessor import has_predecessor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mainspring.clock import Clock
    from mainspring.jobstores.shared.predecessor import HasPredecessor
    from mainspring.safe_logging import SafeLogger
    from mainspring.schedulers.adoption_report import Adopted
    from mainspring.schedulers.handover import Handover
    from mainspring.schedulers.job_factory import JobFactory


class StoreAdoptions:
    """The adoptions of one scheduler's job stores.

    Args:
        factory: of the scheduler's jobs.
        clock: the scheduler's.
        log: gives the scheduler's logger.
        stands_in: whether old jobs are adopted without being asked for.
        wake: has the scheduler look for due jobs.
    """

    def __init__(
        self,
        factory: JobFactory,
        clock: Clock,
        log: Callable[[], SafeLogger],
        wake: Callable[[], None],
        *,
        stands_in: bool,
    ) -> None:
        self._factory, self._clock, self._log, self._wake, self._stands_in = (
            factory,
            clock,
            log,
            wake,
            stands_in,
        )
        self._known: dict[str, Adopted] = {}
        self._handovers: dict[str, Handover] = {}

    @property
    def known(self) -> Mapping[str, Adopted]:
        """What is known of each store that has such jobs, by alias."""
        return dict(self._known)

    def note(self, alias: str, adopted: Adopted) -> None:
        """Something has become of the old jobs of a store."""
        self._known[alias] = adopted

    def begin(self, alias: str, store: object) -> None:
        """Take over what APScheduler has left where a store is, if it is to be so; or say that it is there."""
        if not has_predecessor(store) or store.adopt == "never":
            return
        if store.handover is not None:
            self._begin_handover(alias, store)
            return
        try:
            self._adopt(alias, store)
        except Exception as error:  # noqa: BLE001 - logged; nothing that goes wrong with it keeps a scheduler from starting
            self._log().error(
                "Job store %r: the jobs that APScheduler may have left there could not be adopted: %s",
                alias,
                safe_str(error),
            )
            self._log().debug("What was raised:", exc_info=error)

    def _adopt(self, alias: str, store: HasPredecessor) -> None:
        old_jobs = store.predecessor()
        if old_jobs is None:
            return
        from mainspring.schedulers.adopting import Adoption, adopt, tell_of_others

        adoption = Adoption(store, self._factory, self._clock)
        takes = store.adopt == "always" or self._stands_in
        self.note(alias, (adopt if takes else tell_of_others)(self._log(), alias, old_jobs, adoption))

    def _begin_handover(self, alias: str, store: HasPredecessor) -> None:
        from mainspring.schedulers.adopting import Adoption
        from mainspring.schedulers.handover import Handover

        self.end(alias)
        adoption = Adoption(store, self._factory, self._clock)
        handover = self._handovers[alias] = Handover(
            self._log(),
            alias,
            store,
            adoption,
            self._clock,
            self._factory,
            told=lambda adopted: self.note(alias, adopted),
            done=self._wake,
        )
        handover.start()

    def end(self, alias: str | None = None) -> None:
        """A job store is shut down, or all are: nothing is handed over any more."""
        for one in [*self._handovers] if alias is None else [alias]:
            handover = self._handovers.pop(one, None)
            if handover is not None:
                handover.stop()
            self._known.pop(one, None)

    def leave_to_parent(self) -> None:
        """In a forked process: hand-overs are the parent's."""
        for handover in self._handovers.values():
            handover.leave_to_parent()
