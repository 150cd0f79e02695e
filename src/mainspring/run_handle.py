"""A handle on a run that was asked for: it can be looked at, waited for and cancelled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from mainspring.clock import REAL_CLOCK  # noqa: TID251 - waits for threads or processes
from mainspring.coercion import names_parameters
from mainspring.errors import RunLookupError
from mainspring.model import RunKey
from mainspring.printable import printable

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import datetime

    from mainspring.model import RunRecord

#: Seconds between two looks at a run that another node may run, at first and at most.
_FIRST_LOOK, _LONGEST_LOOK = 0.005, 0.5


@names_parameters
class RunHandle:
    """A run that was asked for.

    Attributes:
        job_id: of its job.
        scheduled_run_time: when it was asked for, aware.
        jobstore: alias of the job's store; ``None``: any.
    """

    def __init__(self, scheduler: Any, key: RunKey, jobstore: str | None) -> None:
        self._scheduler = scheduler
        self._key = key
        self.job_id = key.job_id
        self.scheduled_run_time: datetime = key.scheduled_run_time
        self.jobstore = jobstore

    @property
    def id(self) -> str:
        """The identifier of the run; of its first attempt, if its job has retries."""
        return self._key.id

    def record(self) -> RunRecord:
        """The run as it is now; its last attempt, if there are several.

        Raises:
            RunLookupError: the history doesn't have it any more.
            ForkedProcessError: it is in the memory of the process that this one was forked from.
        """
        found = None
        key = self._key
        while (run := self._scheduler.get_run(key.id, self.jobstore)) is not None:
            found = run
            key = RunKey(key.job_id, key.scheduled_run_time, key.attempt + 1)
        if found is None:
            self._scheduler._refuse_if_left_behind(self.jobstore)  # noqa: SLF001 - ours
            raise RunLookupError(self.id)
        record: RunRecord = found
        return record

    def wait(self, timeout: float | None = None) -> RunRecord:
        """Wait for the run to end, and return what became of it; with retries, of the last attempt.

        Args:
            timeout: wait for no longer than this many seconds.

        Raises:
            TimeoutError: it hasn't ended by then.
            SchedulerNotRunningError: it is queued, and the scheduler has been shut down.
            ForkedProcessError: its job is in the memory of the process that this one was forked from.
            RunLookupError: the history doesn't have it any more.
        """
        deadline = None if timeout is None else REAL_CLOCK.monotonic() + timeout
        pause = _FIRST_LOOK
        while True:
            record = self.record()
            event = self._scheduler._awaited_runs.add(record.id)  # noqa: SLF001 - ours
            try:
                # It may have ended in between. Asked before it is looked at again: when it is settled, what follows is there.
                key, is_settled = record.key, self._scheduler._is_settled(record.key)  # noqa: SLF001 - ours
                record = self.record()
                if record.outcome is not None and is_settled and record.key == key:
                    return record
                if record.outcome is None:
                    self._scheduler._refuse_to_wait_for(record, self.jobstore)  # noqa: SLF001 - ours
                left = None if deadline is None else deadline - REAL_CLOCK.monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError(f"run {record.id} has not ended within {timeout} seconds")
                if self._scheduler._wait_for(event, pause if left is None else min(pause, left)):  # noqa: SLF001
                    pause = _FIRST_LOOK  # it has ended here, and is about to be recorded
                pause = min(2 * pause, _LONGEST_LOOK)
            finally:
                self._scheduler._awaited_runs.remove(record.id, event)  # noqa: SLF001 - ours

    def __await__(self) -> Generator[Any, Any, RunRecord]:
        off_loop = getattr(self._scheduler, "_off_loop", None)
        if off_loop is not None:
            made: Generator[Any, Any, RunRecord] = off_loop(self.wait).__await__()
            return made
        return asyncio.to_thread(self.wait).__await__()

    def cancel(self) -> None:
        """Cancel it; see `BaseScheduler.cancel_run`."""
        self._scheduler.cancel_run(self.record().id, self.jobstore)

    def __repr__(self) -> str:
        return f"<RunHandle {printable(self.id)}>"
