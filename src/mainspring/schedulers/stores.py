"""The job stores of one scheduler, by alias."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainspring.coercion import unknown_name
from mainspring.errors import JobLookupError
from mainspring.job import Job
from mainspring.jobstores.adapter import AdaptedStore
from mainspring.jobstores.native import NativeJobStore, overrides_v3_methods

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from mainspring.jobstores.base import BaseJobStore
    from mainspring.jobstores.contract import RunStore
    from mainspring.model import JobRecord, Submission


class Stores:
    """The stores as they were given, and as the scheduler uses them.

    Attributes:
        given: by alias, the objects that users handed over.
        used: by alias, what claims their runs: the same objects, or adapters over them.
    """

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler
        self.given: dict[str, BaseJobStore] = {}
        self.used: dict[str, RunStore] = {}
        self._starting: dict[str, RunStore] = {}  # as `used`, those that are not there yet

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
        claims = isinstance(store, NativeJobStore) and not overrides_v3_methods(store)
        self.given[alias] = store
        self.used[alias] = store if claims else AdaptedStore(store)  # type: ignore[assignment]  # by `claims`
        return self.used[alias]

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
        store = self[alias]
        del self.given[alias]
        del self.used[alias]
        return store

    def clear(self) -> None:
        """Forget all."""
        self.given.clear()
        self.used.clear()

    def __getitem__(self, alias: str) -> RunStore:
        try:
            return self.used[alias]
        except KeyError:
            raise KeyError(f"No such job store: {unknown_name('job store', alias, self.used)}") from None

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

    def find(self, job_id: str, alias: str | None, *, stopped: bool) -> tuple[str, RunStore]:
        """The store that has the job; without asking it, where the alias is known.

        Raises:
            JobLookupError: none has it.
        """
        candidates = self.readable(alias, stopped=stopped)
        if alias is not None and candidates:
            return candidates[0]
        for name, store in candidates:
            if store.get_record(job_id) is not None:
                return name, store
        raise JobLookupError(job_id)

    def handle(self, record: JobRecord, alias: str) -> Job:
        """A handle on a job of the store with this alias."""
        return self.handles([record], alias)[0]

    def handles(self, records: Iterable[JobRecord], alias: str) -> list[Job]:
        """Handles on many jobs of the store with this alias."""
        store = self[alias]
        lookup = store.get_record if store.live_records else None
        made, scheduler = Job._from_record, self._scheduler  # noqa: SLF001 - handles are ours
        return [made(record, scheduler, alias, lookup) for record in records]

    def attach(self, job: Job, record: JobRecord, alias: str) -> None:
        """Tie a handle that was made before its job was stored to the job as it is stored."""
        store = self[alias]
        job._jobstore_alias = alias  # noqa: SLF001 - handles are ours
        job._lookup = store.get_record if store.live_records else None  # noqa: SLF001
        job._record = record  # noqa: SLF001

    def has_waiting(self) -> bool:
        """Whether some job waits for one of its instances to end."""
        # Asked after every run: a loop takes half as long as any() over a generator.
        for store in [*self.used.values()]:  # noqa: SIM110
            if store.has_waiting:
                return True
        return False

    def finish(self, ended: Iterable[Submission], logger: Any) -> bool:
        """Tell the stores which instances have ended; whether that made a job due."""
        was_awaited = False
        for alias, submissions in _by_store(ended).items():
            store = self.used.get(alias)
            try:
                was_awaited = (store is not None and store.finish(submissions)) or was_awaited
            except Exception:
                logger.exception("Job store %r could not note that runs have ended", alias)
        return was_awaited

    def progress(self, submission: Submission) -> None:
        """Tell the store of a submission that one of its runs has ended, and others are still to come."""
        store = self.used.get(submission.jobstore)
        if store is not None:
            store.progress(submission)

    def say(self, submission: Submission, text: str) -> None:
        """Tell the store of a submission how far its run is, in JSON."""
        store = self.used.get(submission.jobstore)
        if store is not None:
            store.say(submission, text)

    def release(self, submissions: Iterable[Submission], logger: Any) -> None:
        """Leave to other nodes what was claimed and will not be begun here."""
        for alias, claimed in _by_store(submissions).items():
            try:
                self[alias].release(claimed)
            except Exception:
                logger.exception(
                    "%d runs that were not begun could not be given back to job store %r: they will be recorded as lost",
                    len(claimed),
                    alias,
                )
            else:
                logger.info("Gave back %d runs that were not begun to job store %r", len(claimed), alias)


def _by_store(submissions: Iterable[Submission]) -> dict[str, list[Submission]]:
    by_store: dict[str, list[Submission]] = {}
    for submission in submissions:
        by_store.setdefault(submission.jobstore, []).append(submission)
    return by_store
