"""The methods of a scheduler that are about runs: looking at them, asking for one, cancelling one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mainspring.coercion import names_parameters
from mainspring.model import run_key
from mainspring.run_handle import RunHandle

if TYPE_CHECKING:
    from datetime import datetime
    from threading import Event

    from mainspring.model import RunKey, RunRecord, RunState
    from mainspring.schedulers.awaited_runs import AwaitedRuns
    from mainspring.schedulers.run_service import RunService


@names_parameters
class RunMethods:
    """The part of `BaseScheduler` that is about runs."""

    _runs: RunService
    _awaited_runs: AwaitedRuns

    def get_runs(
        self,
        job_id: str | None = None,
        outcome: RunState | None = None,
        since: datetime | None = None,
        limit: int = 100,
        jobstore: str | None = None,
    ) -> list[RunRecord]:
        """Runs of jobs, those with the latest due time first: what goes on, what is queued, and what has ended.

        Args:
            job_id: of this job only.
            outcome: with this outcome only; ``"running"`` for those that go on, ``"queued"`` for those that wait until
                they may begin.
            since: due at this time or later.
            limit: at most so many.
            jobstore: alias of a job store; all, if it is not given.

        Raises:
            ValueError: no run has such an outcome, or the limit is no whole number of 0 or more.
        """
        return self._runs.listed(job_id, outcome, since, limit, jobstore)

    def get_run(self, run_id: str, jobstore: str | None = None) -> RunRecord | None:
        """The run with this identifier, as it is in events and in `get_runs`; ``None`` if it is not known, or not any more.

        Raises:
            ValueError: the text is no identifier of a run.
        """
        return self._runs.found(run_key(run_id), jobstore)

    def run_job(self, job_id: str, jobstore: str | None = None) -> RunHandle:
        """Run a job once more, as soon as its limits allow it; its schedule stays as it is, and it may be paused.

        Returns:
            a handle, which can be waited for: ``handle.wait(timeout)``, or on an event loop ``await handle``.

        Raises:
            JobLookupError: there is no such job.
            SchedulerNotRunningError: the scheduler has not been started.
        """
        alias, run = self._runs.ask_for(job_id, jobstore)
        return RunHandle(self, run.key, alias)

    def wait_for_run(
        self, run_id: str, timeout: float | None = None, jobstore: str | None = None
    ) -> RunRecord:
        """Wait for a run to end, on whichever node, and return what became of it; with retries, of the last attempt.

        Raises:
            TimeoutError: it hasn't ended within `timeout` seconds.
            RunLookupError: there is no such run.
            ValueError: the text is no identifier of a run.
        """
        return RunHandle(self, run_key(run_id), jobstore).wait(timeout)

    def backfill(
        self,
        job_id: str,
        start: datetime,
        end: datetime,
        *,
        overlap: Literal["buffer_all", "allow"] = "buffer_all",
        limit: int = 1000,
        jobstore: str | None = None,
    ) -> list[RunHandle]:
        """Run a job for those due times of its trigger in a span of time at which it has not been run.

        What has been run, or is about to be by the schedule, is left as it is; what was missed, skipped, cancelled or lost is run. So a backfill
        that was interrupted is resumed by asking for it again.

        Args:
            start, end: the span, both included.
            overlap: ``"buffer_all"``: as many at a time as `max_instances` of the job, together with its other runs; ``"allow"``:
                as many as the executor runs.
            limit: how many due times may be in the span.

        Returns:
            handles on the runs that were queued, the earliest first.

        Raises:
            JobLookupError: there is no such job.
            ValueError: there are more due times in the span than `limit`, it ends before it starts, or the job has no due times: it runs after another.
            SchedulerNotRunningError: the scheduler has not been started.
        """
        alias, runs = self._runs.backfill(job_id, start, end, overlap, limit, jobstore)
        return [RunHandle(self, run.key, alias) for run in runs]

    def cancel_run(self, run_id: str, jobstore: str | None = None) -> None:
        """Cancel a run that is queued or goes on, on whichever node.

        A coroutine is cancelled, a process is ended, a function in a thread is told by ``current_run().cancelled``; if it goes on
        for more than a second after that, it is counted as ended all the same.

        Raises:
            RunLookupError: there is no such run, or it has ended.
            ValueError: the text is no identifier of a run.
        """
        self._runs.cancel(run_key(run_id), jobstore)

    # What handles on runs ask

    def _is_settled(self, key: RunKey) -> bool:
        """Whether nothing of a run is here any more: what follows from it is in its store."""
        return self._runs.is_settled(key)

    def _wait_for(self, event: Event, seconds: float) -> bool:
        """Wait for an event, for so many seconds; whether it came."""
        return event.wait(seconds)
