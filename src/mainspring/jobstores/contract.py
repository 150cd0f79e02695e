"""What a scheduler asks of a store: jobs kept as records, and due runs claimed in batches.

A claim is made before anything runs: the store moves the job's next run time, and only then hands the run out. That is
what makes a run happen once, however many ask. A change is made on what was read, or not at all: `change` is given a
function from the old record to the new, which is called again if somebody else was faster.

All methods may be called from any thread. None calls into user code (triggers, functions) while it holds a lock.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from mainspring.engine.decision import Decision
    from mainspring.model import JobRecord, Submission


class Decide(Protocol):
    """The engine's decision, closed over the time and the executors of this node."""

    def __call__(self, job: JobRecord, running: int) -> Decision:
        """What to do about `job`, of which `running` instances run."""


class ClaimedBatch(NamedTuple):
    """What a call of `claim` came to.

    Attributes:
        decisions: those that took effect in the store, still to be carried out by the scheduler.
        more: whether more is due already.
    """

    decisions: list[Decision]
    more: bool


class ParkedJob(NamedTuple):
    """A job that can't be run here for now, and why.

    Attributes:
        reason: what is in the way.
        attempts: how often in a row it was tried.
        retry_at: when it is tried again.
    """

    job_id: str
    reason: str
    attempts: int
    retry_at: datetime


class RunStore(ABC):
    """A store that claims due runs itself."""

    #: Whether `get_record` is a look into this process's memory, so that a `Job` handle may ask it at every access.
    live_records: ClassVar[bool] = False

    @abstractmethod
    def start(self, scheduler: Any, alias: str) -> None:
        """Called before anything else, also after a `shutdown`."""

    @abstractmethod
    def shutdown(self) -> None:
        """Free what `start` took. What is kept durably stays."""

    @abstractmethod
    def add_records(
        self, records: Sequence[JobRecord], replace: Callable[[JobRecord, JobRecord], JobRecord] | None
    ) -> list[JobRecord]:
        """Keep all of `records`, or none of them; returns them as they were kept.

        Args:
            replace: from the stored record and the new one of the same id to the one to keep; ``None``: ids must be new.

        Raises:
            ConflictingIdError: an id is taken.
        """

    @abstractmethod
    def get_record(self, job_id: str) -> JobRecord | None:
        """The job with this id, or ``None``."""

    @abstractmethod
    def list_records(self) -> list[JobRecord]:
        """All jobs, soonest first, paused ones last."""

    @abstractmethod
    def change(self, job_id: str, change: Callable[[JobRecord], JobRecord]) -> JobRecord:
        """Put ``change(record)`` in the place of the job's record, and return it.

        Raises:
            JobLookupError: there is no such job.
        """

    @abstractmethod
    def remove(self, job_id: str) -> None:
        """Remove a job.

        Raises:
            JobLookupError: there is no such job.
        """

    @abstractmethod
    def remove_all(self) -> None:
        """Remove all jobs."""

    @abstractmethod
    def claim(self, now: datetime, decide: Decide, limit: int) -> ClaimedBatch:
        """Decide about up to `limit` due jobs, and make what was decided true in the store."""

    @abstractmethod
    def finish(self, submissions: Sequence[Submission]) -> bool:
        """These instances have ended; whether that made a job due that was waiting for one of them."""

    @property
    @abstractmethod
    def has_waiting(self) -> bool:
        """Whether some job waits for one of its instances to end; looked at after every run, without a lock."""

    @abstractmethod
    def give_back(self, decision: Decision, now: datetime) -> datetime | None:
        """A claimed submission could not be handed to its executor: undo the claim and try again later.

        Returns:
            when it is tried again; ``None`` if the job was changed or removed meanwhile, so that the claim stands.
        """

    @abstractmethod
    def next_time(self) -> datetime | None:
        """When the next job is due, or ``None`` where none is."""

    def earliest(self) -> JobRecord | None:
        """The job with the earliest next run time, parked or waiting ones included."""
        records = self.list_records()
        return records[0] if records and records[0].next_run_time is not None else None

    @abstractmethod
    def parked(self) -> list[ParkedJob]:
        """The jobs that can't be run here for now."""

    @abstractmethod
    def retry_parked(self) -> None:
        """Try the parked jobs again at the next claim."""
