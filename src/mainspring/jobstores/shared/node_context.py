"""What the parts of one store have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from mainspring.clock import clock_of
from mainspring.engine.store_time import StoreTime
from mainspring.jobstores.shared.rows import Unreadable, read, writable
from mainspring.triggers.standard import shifted

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable

    from mainspring.clock import Clock
    from mainspring.jobstores.shared.row_locks import RowLocks
    from mainspring.model import JobRecord
    from mainspring.serializers.arguments import ArgumentSerializer


#: What every database takes that says nothing of a limit.
DEFAULT_REQUEST_LIMIT = 256 * 1024 * 1024
#: More at a time is not written faster.
_LARGEST_BATCH = 1024 * 1024

#: Twice as long as others sleep at most.
_POLL_AHEAD = timedelta(seconds=2)
#: For how long a job is held that is being changed: longer with each try.
_HOLD, _LONGEST_HOLD = timedelta(seconds=2), timedelta(seconds=10)


@dataclass(kw_only=True)
class NodeContext:
    """How a store reads and writes, and who it is.

    Attributes:
        locks: what is asked before anything of a row is loaded.
        node_name: what this node is called.
        token: of this node's registration, by which it knows its own announcements; 0: it has none.
        namespace: the deployment among others in the same database; empty: it has none.
        timezone: for jobs whose trigger has none.
        goes_by_scheduler: whether the scheduler's clock says what is due, whatever the store's does: for tests.
        request_limit: how many bytes the database takes at a time; asked when the store starts.
    """

    arguments: ArgumentSerializer
    locks: RowLocks
    logger: logging.Logger
    node_name: str
    token: int = 0
    namespace: str = ""
    timezone: tzinfo = UTC
    request_limit: int = DEFAULT_REQUEST_LIMIT
    clock: Clock = field(default_factory=lambda: clock_of(None))  # until the store is started
    goes_by_scheduler: bool = False
    _time: StoreTime | None = field(default=None, init=False, repr=False)

    @property
    def row_limit(self) -> int:
        """How many bytes one job, or one run, may take: there is more in a request."""
        return self.request_limit * 3 // 4

    @property
    def batch_limit(self) -> int:
        """How many bytes of outcomes are written at a time."""
        return min(self.request_limit // 4, _LARGEST_BATCH)

    def writable(self, record: JobRecord) -> dict[str, Any]:
        """See `rows.writable`."""
        return writable(record, self.arguments, self.row_limit, self.locks)

    def read(self, row: Any, functions: dict[str, Any] | None = None) -> JobRecord | Unreadable:
        """See `rows.read`."""
        return read(row, self.arguments, self.timezone, functions, self.locks)

    def now(self) -> datetime:
        """The present by the store's clock; by `clock`, if the store has none, or hasn't been asked yet."""
        known = self._time
        return self.clock.now(UTC) if known is None else known.at(self.clock.monotonic())

    @property
    def offset(self) -> timedelta:
        """By how much the store's clock is ahead of `clock` now."""
        known = self._time
        return timedelta(0) if known is None else known.at(self.clock.monotonic()) - self.clock.now(UTC)

    def go_by(self, clock: Clock) -> None:
        """Measure time by a clock from now on, and forget what another one has measured."""
        self.clock, self._time = clock, None

    def is_soon(self, next_run_times: Iterable[datetime | None]) -> bool:
        """Whether others are to be told at once that jobs are due at these times now, since they would be late otherwise.

        That is what is due soon. A claim reads every job afresh, so that a job was put off, paused or removed needs no announcement,
        and what is due later is found by looking once a second.
        """
        soon = shifted(self.now(), _POLL_AHEAD)
        return any(time is not None and time <= soon for time in next_run_times)

    def held_until(self, tries: int) -> datetime:
        """Until when nobody is to claim a job whose change has come too late so many times. It is held no longer once it is changed."""
        return shifted(self.now(), min(tries * _HOLD, _LONGEST_HOLD))

    def measured(self, asked: float, theirs: datetime) -> None:
        """The store's clock showed `theirs` at some time between `asked`, on the monotonic clock, and now."""
        if self.goes_by_scheduler:
            return
        answered = self.clock.monotonic()
        known = self._time
        self._time = (
            StoreTime(theirs, answered) if known is None else known.corrected(asked, theirs, answered)
        )
