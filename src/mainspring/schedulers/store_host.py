"""What job stores may ask of their scheduler (`mainspring.jobstores.host`)."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from mainspring.errors import NodeLostError
from mainspring.events import EVENT_JOB_GAVE_UP, EVENT_JOB_LOST, JobExecutionEvent
from mainspring.jobstores.host import StoreHost

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime, tzinfo

    from mainspring.clock import Clock
    from mainspring.executors.base import BaseExecutor
    from mainspring.jobstores.host import StartLimit
    from mainspring.jobstores.shared.upkeep import Runner, Upkeep
    from mainspring.model import JobRecord, RunKey, Submission
    from mainspring.schedulers.in_flight import InFlight
    from mainspring.schedulers.listeners import Listeners
    from mainspring.schedulers.service_host import ServiceHost
    from mainspring.schedulers.stopping import Stopping


class SchedulerHost(StoreHost):
    """One scheduler; in a forked process the same one, with what is begun there.

    Args:
        executors: by alias; others are added to it.
    """

    def __init__(
        self, host: ServiceHost, executors: Mapping[str, BaseExecutor], listeners: Listeners
    ) -> None:
        self._host = host
        self._executors_by_alias = executors
        self._listeners = listeners

    def begin_in_process(self, in_flight: InFlight, stopping: Stopping) -> None:
        """Answer by these parts, which belong to one process."""
        self._in_flight = in_flight
        self._stopping = stopping

    @property
    def clock(self) -> Clock:
        """See `StoreHost`."""
        return self._host.clock

    @property
    def timezone(self) -> tzinfo:
        """See `StoreHost`."""
        return self._host.timezone

    @property
    def is_running(self) -> bool:
        """See `StoreHost`."""
        return self._host.is_running

    def executors(self) -> Collection[str]:
        """See `StoreHost.executors`."""
        return list(self._executors_by_alias)

    def start_limit(self, alias: str) -> StartLimit:
        """See `StoreHost.start_limit`."""
        return self._host.start_limit(alias)

    def instead_of_waiting(self) -> str | None:
        """See `StoreHost.instead_of_waiting`."""
        return self._host.instead_of_waiting()

    def wake(self) -> None:
        """See `StoreHost.wake`."""
        self._host.wake()

    def wake_for(self, moment: datetime | None, alias: str) -> None:
        """See `StoreHost.wake_for`."""
        self._host.wake_for(moment, alias)

    def upkeep_runner(self, upkeep: Upkeep) -> Runner | None:
        """See `StoreHost`."""
        return self._host.upkeep_runner(upkeep)

    def notice_end_of_loop(self) -> None:
        """See `StoreHost.notice_end_of_loop`."""
        self._host.notice_end_of_loop()

    def runs_here(self, alias: str) -> list[Submission]:
        """See `StoreHost.runs_here`."""
        return [submission for submission in self._in_flight.unsettled() if submission.jobstore == alias]

    def cancel_here(self, keys: Iterable[RunKey], alias: str) -> None:
        """See `StoreHost.cancel_here`."""
        asked = set(keys)
        for submission in self._in_flight.all():
            if submission.jobstore == alias and any(goes_on_in(submission, key) for key in asked):
                self._stopping.stop(submission, "cancelled")

    def tell_lost(
        self, key: RunKey, node: str, retry_at: datetime | None, alias: str, *, gave_up: bool
    ) -> None:
        """See `StoreHost.tell_lost`."""
        for code in (EVENT_JOB_LOST, EVENT_JOB_GAVE_UP) if gave_up else (EVENT_JOB_LOST,):
            self._listeners.post(
                JobExecutionEvent(
                    code,
                    key.job_id,
                    alias,
                    key.scheduled_run_time,
                    exception=NodeLostError(f"node {node} was not heard of any more"),
                    run_id=key.id,
                    attempt=key.attempt,
                    retry_at=retry_at,
                )
            )

    def tell_paused(self, job: JobRecord, alias: str) -> None:
        """See `StoreHost.tell_paused`."""
        self._host.tell_paused(job, alias)


def goes_on_in(submission: Submission, key: RunKey) -> bool:
    """Whether the run goes on in `submission`, or is to begin."""
    if submission.job.id != key.job_id:
        return False
    begun = submission.run_time
    if begun is not None and is_among(key, [begun], submission) and submission.outcome_lock.locked():
        return False  # its outcome is being told
    return is_among(key, submission.unended(), submission)


def is_among(key: RunKey, times: Iterable[datetime], submission: Submission) -> bool:
    """Whether a run of the submission's job is the one at one of these due times."""
    # In UTC, since times of one zone are alike where an hour is repeated, and unlike the same times of another zone.
    scheduled = key.scheduled_run_time.astimezone(UTC)
    return any(
        time.astimezone(UTC) == scheduled and submission.attempt_of(time) == key.attempt for time in times
    )
