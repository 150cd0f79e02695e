"""The jobs that APScheduler has left where a store is, as a store finds them.

Nothing of them is changed, so that the way back stays open. A mark is kept for each that was looked at, so that none is taken twice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mainspring.model import JobRecord


#: What becomes of the jobs that are found.
Adopt = Literal["auto", "always", "never"]


class OldJob(NamedTuple):
    """A job as APScheduler keeps it.

    Attributes:
        id: its id.
        state: what it is, pickled.
    """

    id: str
    state: bytes


class Predecessor(ABC):
    """Where APScheduler has kept its jobs.

    Attributes:
        place: what people call it, such as ``table 'apscheduler_jobs'``.
    """

    place: str

    @abstractmethod
    def ids(self) -> list[str]:
        """Of all jobs that are there, soonest first."""

    @abstractmethod
    def jobs(self, ids: Sequence[str]) -> list[OldJob]:
        """Those with these ids that are still there, in this order."""

    @abstractmethod
    def marks(self) -> dict[str, str]:
        """What has become of those that were looked at, by their ids."""

    @abstractmethod
    def adopt(self, records: Sequence[JobRecord], marks: Mapping[str, str]) -> bool:
        """Keep `records`, and the marks of these and others, all or nothing; whether it was done: not where another node does it at this time."""


@runtime_checkable
class HasPredecessor(Protocol):
    """A job store that can find out what APScheduler has left where it is."""

    adopt: Adopt

    def predecessor(self) -> Predecessor | None:
        """Where APScheduler has kept its jobs; ``None``: nowhere here."""

    def old_state(self, data: bytes) -> dict[str, Any]:
        """What APScheduler has kept of a job, read with the care that this store takes with pickles.

        Raises:
            SerializationError: it can't be read so.
        """

    def list_records(self) -> list[JobRecord]:
        """The jobs that are kept."""

    def refuse_unstorable(self, record: JobRecord) -> None:
        """See to it that this store can keep a job.

        Raises:
            SerializationError: it can't.
        """
