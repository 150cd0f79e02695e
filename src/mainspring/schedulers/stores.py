"""The job stores of one scheduler, by alias."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.coercion import unknown_name
from mainspring.job import Job
from mainspring.jobstores.local.adapter import AdaptedStore
from mainspring.jobstores.native import NativeJobStore, overrides_v3_methods, replaced_v3_methods
from mainspring.schedulers.handing_over import HandingOver, by_store
from mainspring.schedulers.left_behind import LeftBehind
from mainspring.schedulers.plugins import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from mainspring.jobstores.base import BaseJobStore
    from mainspring.jobstores.contract import RunStore
    from mainspring.model import JobRecord, Submission


class GivenStores(dict[str, "BaseJobStore"]):
    """The job stores as they were given, by alias: ``scheduler._jobstores``. What programs change there takes effect."""

    def __init__(self, stores: Stores) -> None:
        super().__init__()
        self._stores = stores

    def keep(self, alias: str, store: BaseJobStore) -> None:
        """Only here."""
        super().__setitem__(alias, store)

    def __setitem__(self, alias: str, store: BaseJobStore) -> None:
        self._stores.put(alias, store)

    def __delitem__(self, alias: str) -> None:
        super().__delitem__(alias)
        self._stores.used.pop(alias, None)

    def pop(self, alias: str, *default: Any) -> Any:
        """See `dict.pop`."""
        self._stores.used.pop(alias, None)
        return super().pop(alias, *default)

    def clear(self) -> None:
        """See `dict.clear`."""
        super().clear()
        self._stores.used.clear()

    def update(self, *stores: Any, **named: Any) -> None:
        """See `dict.update`."""
        for alias, store in dict(*stores, **named).items():
            self[alias] = store


class Stores:
    """The stores as they were given, and as the scheduler uses them.

    Attributes:
        given: by alias, the objects that users handed over.
        used: by alias, what claims their runs: the same objects, or adapters over them.
        unhanded: what they are still to be told of runs.
        lookup: how the scheduler finds the store, as it was given, of an alias, where somebody has another way than ours.
    """

    lookup: Callable[[str], BaseJobStore] | None = None

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler
        self.given = GivenStores(self)
        self.used: dict[str, RunStore] = {}
        self._starting: dict[str, RunStore] = {}  # as `used`, those that are not there yet
        self._begin_in_process()

    def _begin_in_process(self) -> None:
        """Make what belongs to one process."""
        scheduler = self._scheduler
        self.unhanded = HandingOver(
            lambda: scheduler._clock,  # noqa: SLF001 - ours, as the following
            lambda: scheduler._logger,  # noqa: SLF001
            scheduler._wake,  # noqa: SLF001
        )

    def add(self, alias: str, store: BaseJobStore) -> RunStore:
        """Keep a store under an alias that is free, and return what the scheduler is to use.

        Raises:
            ValueError: the alias is taken.
        """
        if alias in self.given:
            raise ValueError(
                f"This scheduler already has a job store by the alias of {alias!r}: "
                "remove it, or choose another alias"
            )
        return self.put(alias, store)

    def put(self, alias: str, store: BaseJobStore) -> RunStore:
        """Keep a store under an alias, in the place of another, and return what the scheduler is to use."""
        claims = isinstance(store, NativeJobStore) and not overrides_v3_methods(store)
        self.given.keep(alias, store)
        self.used[alias] = store if claims else AdaptedStore(store)  # type: ignore[assignment]  # by `claims`
        if not claims and isinstance(store, NativeJobStore) and not store.serves_one_process:
            self._scheduler._log.warning(  # noqa: SLF001 - ours
                "Job store %r: %s has its own %s, so that it is used as APScheduler uses its stores: by one scheduler alone. Another one that has "
                "the same jobs runs them too",
                alias,
                type(store).__name__,
                ", ".join(sorted(replaced_v3_methods(store))),
            )
        return self.used[alias]

    def take_hooks(self) -> None:
        """Use stores of which somebody has replaced a method since they were added as APScheduler uses them."""
        for alias, store in list(self.given.items()):
            used: Any = self.used.get(alias)
            if used is store and overrides_v3_methods(store):
                self.put(alias, store)

    def begin(self, alias: str) -> None:
        """Don't use a store yet that is being started."""
        self._starting[alias] = self.used.pop(alias)

    def ready(self, alias: str) -> bool:
        """Use a store that was being started; whether it is still there."""
        store = self._starting.pop(alias, None)
        if store is not None:
            self.used[alias] = store
        return store is not None

    def give_up(self, alias: str) -> None:
        """Forget a store that could not be started."""
        if self._starting.pop(alias, None) is not None:
            self.given.pop(alias, None)

    def leave_to_parent(self, process: int | None) -> None:
        """In a forked process: what could not be told is the parent's to tell; stores of one process, too, are the parent's.

        Args:
            process: the parent, if the stores were started there.
        """
        self._begin_in_process()
        for alias in list(self._starting):
            self.ready(alias)
        if process is None:
            return
        for alias, store in self.items():
            if store.serves_one_process and not isinstance(store, LeftBehind):
                self.used[alias] = LeftBehind(store, alias, process, lambda: self._scheduler._logger)  # type: ignore[assignment]  # noqa: SLF001 - stands in for it

    def take_over(self) -> None:
        """In a forked process whose own scheduler is to be started: use copies of what is in memory."""
        for alias, store in self.items():
            if isinstance(store, LeftBehind):
                self.used[alias] = store.taken_over()

    def close_here(self) -> None:
        """In a forked process: close what it has opened of stores that the parent runs."""
        for store in list(self.used.values()):
            if not isinstance(store, LeftBehind):
                store.shutdown()

    def starting(self) -> list[tuple[str, RunStore]]:
        """Those that are being started."""
        return list(self._starting.items())

    def remove(self, alias: str) -> RunStore:
        """Forget a store, and return it.

        Raises:
            KeyError: there is none by this alias.
        """
        if alias in self._starting:
            self.used[alias] = self._starting.pop(alias)
        store = self.known(alias)
        del self.given[alias]
        return store

    def clear(self) -> None:
        """Forget all."""
        self.given.clear()

    def __getitem__(self, alias: str) -> RunStore:
        if self.lookup is not None:
            return self._looked_up(alias, self.lookup(alias))
        try:
            return self.used[alias]
        except KeyError:
            return self.known(alias)  # which says what is wrong

    def _looked_up(self, alias: str, found: BaseJobStore) -> RunStore:
        for name, given in self.given.items():
            if given is found:
                return self.used[name]
        raise TypeError(
            f"_lookup_jobstore({alias!r}) must return a job store that was added to the scheduler, got {found!r}: add_jobstore(store, {alias!r})"
        )

    def known(self, alias: str) -> RunStore:
        """The store that was added under an alias.

        Raises:
            KeyError: there is none.
        """
        try:
            return self.used[alias]
        except KeyError:
            hint = f"; add_jobstore({alias!r}, …) adds one" if alias in BUILT_IN["jobstores"] else ""
            raise KeyError(
                f"No such job store: {unknown_name('job store', alias, self.used)}{hint}"
            ) from None

    def items(self) -> list[tuple[str, RunStore]]:
        """What is there now: others may add and remove meanwhile."""
        return list(self.used.items())

    def readable(self, alias: str | None, *, stopped: bool) -> list[tuple[str, RunStore]]:
        """The stores to look into: while the scheduler is stopped only those in memory, the others being closed."""
        return [
            (name, store)
            for name, store in self.items()
            if alias in (None, name) and (not stopped or store.live_records)
        ]

    def closed(self, alias: str | None, *, stopped: bool) -> list[str]:
        """The aliases of the stores that `readable` leaves out, since they can't be asked.

        One that is being added to a scheduler that runs is none of its stores yet, unless it is named.
        """
        starting = [name for name, _ in self.starting() if stopped or alias is not None]
        closed = [name for name, store in self.items() if not store.live_records] if stopped else []
        return [name for name in (*closed, *starting) if alias in (None, name)]

    def find(self, job_id: str, alias: str | None, *, stopped: bool) -> tuple[str, RunStore] | None:
        """The store that has the job; without asking it, where the alias is known; ``None``: none has it."""
        candidates = self.readable(alias, stopped=stopped)
        if alias is not None and candidates:
            return candidates[0]
        for name, store in candidates:
            if store.get_record(job_id) is not None:
                return name, store
        return None

    def handle(self, record: JobRecord, alias: str) -> Job:
        """A handle on a job of the store with this alias."""
        return self.handles([record], alias)[0]

    def handles(self, records: Iterable[JobRecord], alias: str) -> list[Job]:
        """Handles on many jobs of the store with this alias."""
        store = self[alias]
        lookup = store.get_record if store.live_records else None
        made, scheduler = Job._from_record, self._scheduler  # noqa: SLF001 - handles are ours
        return [made(record, scheduler, alias, lookup, is_attached=True) for record in records]

    def attach(self, job: Job, record: JobRecord, alias: str, store: RunStore) -> None:
        """Tie a handle that was made before its job was stored to the job as it is stored."""
        job._jobstore_alias = alias  # noqa: SLF001 - handles are ours
        job._lookup = store.get_record if store.live_records else None  # noqa: SLF001
        job._is_attached = True  # noqa: SLF001
        job._record = record  # noqa: SLF001

    def detach(self, job: Job) -> None:
        """Have a handle be on a job that is in no store, again."""
        job._jobstore_alias = job._lookup = None  # noqa: SLF001 - handles are ours
        job._is_attached = False  # noqa: SLF001

    def finish(self, ended: Iterable[Submission]) -> bool:
        """Tell the stores which instances have ended; whether that made a job due."""
        was_awaited = False
        for alias, submissions in by_store(ended).items():
            store = self.used.get(alias)
            if store is not None:
                was_awaited = self.unhanded.finish(alias, store, submissions) or was_awaited
        return was_awaited

    def progress(self, submission: Submission) -> None:
        """Tell the store of a submission that one of its runs has ended, and others are still to come."""
        alias = submission.jobstore
        store = self.used.get(alias)
        if store is not None:
            self.unhanded.progress(alias, store, submission)

    def report_progress(self, submission: Submission, text: str) -> None:
        """Tell the store of a submission how far its run is, in JSON."""
        alias = submission.jobstore
        store = self.used.get(alias)
        if store is not None:
            self.unhanded.report_progress(alias, store, submission, text)

    def release(self, submissions: Iterable[Submission]) -> None:
        """Leave to other nodes what was claimed and will not be begun here."""
        for alias, claimed in by_store(submissions).items():
            self.unhanded.release(alias, self[alias], claimed)
