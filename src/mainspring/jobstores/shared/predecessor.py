"""The jobs that APScheduler has left somewhere, as stores find and adopt them.

Nothing of them is changed, so that the way back stays open. The store that adopts them keeps a mark for each that was looked at, so that none
is taken twice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeGuard, get_args

from mainspring.errors import ConfigurationError, SerializationError
from mainspring.storable import LONGEST_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mainspring.clock import Clock
    from mainspring.model import JobRecord


#: What becomes of the jobs that are found.
Adopt = Literal["auto", "always", "never"]
#: What the store's jobs wait for, where an APScheduler may still be at work.
Handover = Literal["paused"] | datetime

#: The mark that says that all jobs were looked at which were there. No job has an empty id.
COMPLETE = ("", "complete")


class ReadPickle(Protocol):
    """Reads what APScheduler has pickled: `HasPredecessor.read_old`."""

    def __call__(self, data: bytes, renamed: Callable[[str, str], tuple[str, str]] | None = None) -> Any:
        """See `HasPredecessor.read_old`."""


class OldJob(ABC):
    """A job as APScheduler keeps it.

    Attributes:
        id: its id.
    """

    id: str

    @abstractmethod
    def values(self, read: ReadPickle) -> dict[str, Any]:
        """What APScheduler's ``Job.__getstate__`` has given, or would have.

        Args:
            read: reads a pickle, with the care that the store takes.

        Raises:
            SerializationError: it can't be read.
        """

    def lost(self) -> list[str]:
        """What of it there is nothing for here, in words."""
        return []


@dataclass(frozen=True, slots=True)
class PickledJob(OldJob):
    """A job of APScheduler 3: a pickled dict.

    Attributes:
        state: the pickle.
    """

    id: str
    state: bytes

    def values(self, read: ReadPickle) -> dict[str, Any]:
        """See `OldJob.values`."""
        state = read(self.state)
        if not isinstance(state, dict) or not {"id", "func", "trigger"} <= state.keys():
            raise SerializationError("its pickle holds no job")
        if state.get("version", 1) != 1:
            raise SerializationError(f"its state has version {state['version']!r}, and only 1 can be read")
        # What older releases have left out, with what it meant there.
        return {"args": (), "kwargs": {}, "name": state["id"], "next_run_time": None, **state}


class OldJobs(ABC):
    """Where APScheduler has kept its jobs.

    Attributes:
        place: what people call it, such as ``table 'apscheduler_jobs'``.
        address: the same place in full, with its server: no two have the same.
        source: under which name marks of it are kept; empty: it is where the store is that adopts them.
        closes: what closes connections of its own.
        pausing: what to do there so that no APScheduler runs any of them, as one statement; empty: that can't be done.
    """

    place: str
    address: str
    source: str = ""
    pausing: str = ""
    closes: Callable[[], object] | None = None

    @abstractmethod
    def ids(self) -> list[str]:
        """Of all jobs that are there, soonest first."""

    @abstractmethod
    def jobs(self, ids: Sequence[str]) -> list[OldJob]:
        """Those with these ids that are still there, in this order."""

    def scheduled(self, limit: int) -> list[str]:  # noqa: ARG002 - for those that can be paused
        """The ids of some jobs that an APScheduler would run when they are due, `limit` at most."""
        return []

    def close(self) -> None:
        """Close connections of its own."""
        if self.closes is not None:
            self.closes()


def source_of(address: str) -> str:
    """An address as a key can hold it."""
    return address[-LONGEST_KEY:]


class Marks(NamedTuple):
    """What a store remembers of jobs that were looked at.

    Attributes:
        outcomes: what has become of each, by its id.
        is_complete: whether all were looked at that were there: whatever has no mark was added later.
    """

    outcomes: Mapping[str, str]
    is_complete: bool

    @classmethod
    def of(cls, found: dict[str, str]) -> Marks:
        """Those of a table of marks, by job id, that may have the one of `COMPLETE` among them."""
        is_complete = found.pop(COMPLETE[0], None) is not None
        return cls(found, is_complete)


class HasPredecessor(Protocol):
    """A job store that jobs of APScheduler can be adopted into."""

    adopt: Adopt
    handover: Handover | None

    def predecessor(self) -> OldJobs | None:
        """Where APScheduler has kept its jobs in the same database; ``None``: nowhere."""

    def adoption_marks(self, source: str) -> Marks:
        """What has become of the jobs of a source."""

    def adopt_records(
        self,
        source: str,
        records: Sequence[JobRecord],
        outcomes: Mapping[str, str],
        seen: Mapping[str, str],
        *,
        completes: bool,
    ) -> bool:
        """Keep jobs, each with the mark of it, and the marks of others.

        Each job is kept with its mark or not at all, all of them at once where the database can, and otherwise so that it can be gone on with.

        Args:
            seen: the marks that were read; nothing is done where one isn't as it was.
            completes: whether all jobs have been looked at.

        Returns:
            whether all was done: not where another node does it at this time, or adds a job of such an id.
        """

    def hold(self, reason: str | None) -> None:
        """Run no job for the time being, for a reason; ``None``: run them again."""

    def read_old(self, data: bytes, renamed: Callable[[str, str], tuple[str, str]] | None = None) -> Any:
        """What APScheduler has pickled, read with the care that this store takes with pickles.

        Args:
            renamed: where something is now that the pickle names; as for APScheduler 3, if not given.

        Raises:
            SerializationError: it can't be read so.
        """

    def list_records(self) -> list[JobRecord]:
        """The jobs that are kept."""

    def change(self, job_id: str, change: Callable[[JobRecord], JobRecord]) -> JobRecord:
        """See `RunStore.change`."""

    def store_time(self, clock: Clock) -> datetime:
        """See `RunStore.store_time`."""

    def refuse_unstorable(self, record: JobRecord) -> None:
        """See to it that this store can keep a job.

        Raises:
            SerializationError: it can't.
        """


def checked_adopt(adopt: Any, handover: Any) -> None:
    """See to it that a store was given what it knows.

    Raises:
        ConfigurationError: it wasn't.
    """
    if adopt not in get_args(Adopt):
        raise ConfigurationError(
            f"adopt must be one of {', '.join(map(repr, get_args(Adopt)))}, got {adopt!r}"
        )
    if handover is not None and handover != "paused" and not isinstance(handover, datetime):
        raise ConfigurationError(
            f"handover must be 'paused' (wait until APScheduler's jobs have been paused) or a datetime (wait until then), got {handover!r}"
        )
    if handover is not None and adopt == "never":
        raise ConfigurationError('handover is of no use with adopt="never": leave one of them out')


def has_predecessor(store: object) -> TypeGuard[HasPredecessor]:
    """Whether jobs of APScheduler can be adopted into a job store.

    The class is asked, which costs the store nothing: `isinstance` with a protocol looks into its `__dict__`, after which Python 3.12 reads each of
    its attributes the long way.
    """
    return hasattr(type(store), "adopt_records")
