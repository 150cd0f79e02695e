"""How APScheduler's executors run a job: one function calls it for all its due times, and returns an event for each.

Executors of third parties call these, and so do ours where somebody has put another function in the place of `run_job`. Ours report each run as it
happens otherwise (`mainspring.executors.run`).
"""

from __future__ import annotations

import logging
import traceback as traceback_module
from datetime import UTC, datetime
from logging import INFO, WARNING
from typing import TYPE_CHECKING, Any

from mainspring.clock import clock_of
from mainspring.definition import grace_as_timedelta
from mainspring.engine.misfire import is_misfired
from mainspring.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_JOB_MISSED, JobExecutionEvent
from mainspring.executors.run import (
    close_worker,
    is_good_exit,
    log_failure,
    resolve_awaitable,
    traceback_text,
    with_work_done,
)
from mainspring.masking import scrubber
from mainspring.model import run_id
from mainspring.safe_logging import SafeLogger, safe_logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from mainspring.job import Job


def due_events(
    job: Job, jobstore_alias: str | None, run_times: list[datetime], logger: logging.Logger
) -> Iterator[tuple[datetime, JobExecutionEvent | None]]:
    """For each due time: the event that says it was missed, or ``None`` if it is to be run now."""
    grace = grace_as_timedelta(job.misfire_grace_time)
    for time in run_times:
        now = clock_of(job._scheduler).now(UTC)  # noqa: SLF001 - handles are ours
        if is_misfired(time, now, grace):
            SafeLogger(logger).of_run(
                WARNING,
                run_id(job.id, time),
                'Run time of job "%s" was missed by %s',
                job,
                now - time,
                outcome="missed",
            )
            yield (
                time,
                JobExecutionEvent(
                    EVENT_JOB_MISSED, job.id, jobstore_alias, time, run_id=run_id(job.id, time)
                ),
            )
        else:
            yield time, None


class _Outcome:
    """Makes the event of one run."""

    def __init__(self, job: Job, jobstore_alias: str | None, time: datetime, logger: logging.Logger) -> None:
        self._job = job
        self._alias = jobstore_alias
        self._time = time
        self._logger = logger
        self._clock = clock_of(job._scheduler)  # noqa: SLF001 - handles are ours
        self._started = self._clock.now(time.tzinfo or UTC)

    def _event(self, code: int, **outcome: Any) -> JobExecutionEvent:
        return JobExecutionEvent(
            code,
            self._job.id,
            self._alias,
            self._time,
            run_id=run_id(self._job.id, self._time),
            started=self._started,
            finished=self._clock.now(self._time.tzinfo or UTC),
            **outcome,
        )

    def succeeded(self, retval: Any) -> JobExecutionEvent:
        identifier = run_id(self._job.id, self._time)
        said = 'Job "%s" executed successfully'
        SafeLogger(self._logger).of_run(INFO, identifier, said, self._job, outcome="succeeded")
        return self._event(EVENT_JOB_EXECUTED, retval=retval)

    def raised(self, error: BaseException) -> JobExecutionEvent:
        return self.succeeded(None) if is_good_exit(error) else self._failed(error)

    def _failed(self, error: BaseException) -> JobExecutionEvent:
        text = traceback_text(error)
        job = self._job
        masked = scrubber(job.func, job.args, job.kwargs)(text)
        log_failure(
            str(job), run_id(job.id, self._time), error, masked, self._logger, is_masked=masked != text
        )
        # As there: whoever keeps the event, or the line of the log, doesn't keep what the function has worked on.
        traceback_module.clear_frames(error.__traceback__)
        return self._event(EVENT_JOB_ERROR, exception=error, traceback=masked)


def _begun(
    job: Job,
    jobstore_alias: str | None,
    run_times: list[datetime],
    logger: logging.Logger,
    events: list[JobExecutionEvent],
) -> Iterator[_Outcome]:
    """For each run that is to be made now, what makes its event; the events of those that were missed are put among `events`."""
    for time, missed in due_events(job, jobstore_alias, run_times, logger):
        if missed is not None:
            events.append(missed)
            continue
        said = 'Running job "%s" (scheduled at %s)'
        SafeLogger(logger).of_run(INFO, run_id(job.id, time), said, job, time, outcome="running")
        yield _Outcome(job, jobstore_alias, time, logger)


def _finished_here(result: Any) -> Any:
    """`resolve_awaitable` on a thread that isn't ours, whose end we aren't told of: an event loop doesn't outlast the run."""
    try:
        return resolve_awaitable(result)
    finally:
        close_worker()


def run_job(
    job: Job, jobstore_alias: str | None, run_times: list[datetime], logger_name: str
) -> list[JobExecutionEvent]:
    """Call a job's function once for each due time, for executors written for APScheduler.

    Returns:
        for each due time an event: executed, error, or missed if it is later than the job's grace time.
    """
    events: list[JobExecutionEvent] = []
    for outcome in _begun(job, jobstore_alias, run_times, safe_logger(logger_name), events):
        try:
            events.append(outcome.succeeded(_finished_here(job.func(*job.args, **job.kwargs))))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - jobs are users' code
            events.append(outcome.raised(error))
    return events


async def run_coroutine_job(
    job: Job, jobstore_alias: str | None, run_times: list[datetime], logger_name: str
) -> list[JobExecutionEvent]:
    """`run_job` for coroutine functions: awaits each run on the running event loop."""
    events: list[JobExecutionEvent] = []
    for outcome in _begun(job, jobstore_alias, run_times, safe_logger(logger_name), events):
        function: Callable[..., Awaitable[Any]] = job.func
        try:
            events.append(outcome.succeeded(with_work_done(await function(*job.args, **job.kwargs))))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            events.append(outcome.raised(error))
    return events
