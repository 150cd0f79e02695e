"""The methods of a scheduler that are about runs: looking at them, asking for one, cancelling one."""

from __future__ import annotations

from datetime import UTC, timedelta
from itertools import islice
from logging import ERROR, WARNING
from threading import Event
from typing import TYPE_CHECKING, Any, Literal, get_args

from mainspring.aside import Aside
from mainspring.coercion import names_parameters, unknown_name
from mainspring.engine.backfilling import missing_runs
from mainspring.engine.reasons import stuck_runs
from mainspring.errors import JobLookupError, RunLookupError, words_of
from mainspring.events import EVENT_JOB_CANCELLED, JobExecutionEvent
from mainspring.jobstores.contract import EVERY_RUN
from mainspring.jobstores.history import chosen, this_process
from mainspring.model import QueuedRun, RunRecord, RunState, Tally, run_key
from mainspring.printable import shown
from mainspring.run_handle import RunHandle
from mainspring.schedulers.job_queries import JobQueries
from mainspring.schedulers.states import STATE_STOPPED
from mainspring.schedulers.store_host import goes_on_in, is_among
from mainspring.schedulers.unsettled import unsettled_runs
from mainspring.timezones import convert_to_datetime
from mainspring.triggers.after import AfterJob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from mainspring.jobstores.contract import RunStore
    from mainspring.model import JobRecord, RunKey, Submission
    from mainspring.schedulers.awaited_runs import AwaitedRuns
    from mainspring.schedulers.dispatch import Dispatch
    from mainspring.schedulers.in_flight import InFlight
    from mainspring.schedulers.listeners import Listeners
    from mainspring.schedulers.stopping import Stopping

_INSTANT = timedelta(microseconds=1)
#: So often it is looked for a run that is to be cancelled and is on its way from one place to another; and seconds in between.
_CANCEL_TRIES, _CANCEL_PAUSE = 50, 0.01

#: What a run may be asked for by.
_STATES: tuple[RunState, ...] = get_args(RunState)


@names_parameters
class RunMethods(JobQueries):
    """The part of `BaseScheduler` that is about runs."""

    _dispatch: Dispatch
    _event_queue: Listeners
    _in_flight: InFlight
    _stopping: Stopping
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
        if outcome is not None and outcome not in _STATES:
            raise ValueError(unknown_name("outcome", outcome, _STATES))
        _check_limit(limit, at_least=0)
        since = convert_to_datetime(since, self.timezone, "since")
        self._notice_end_of_loop()
        self._in_flight.settle()
        runs: list[RunRecord] = []
        for alias, store in self._readable(jobstore):
            # In this order: a run that ends meanwhile is in one of them, or in both.
            here = list(self._unsettled(alias, store, job_id))
            known = {run.key: run for run in store.list_runs(job_id, outcome, since, limit)}
            for run in here:
                before = known.get(run.key)
                if before is None or before.outcome is None:
                    known[run.key] = run
            runs += chosen(list(known.values()), outcome, since, limit) if here else known.values()
        return sorted(runs, key=lambda run: (run.scheduled_run_time, run.attempt), reverse=True)[:limit]

    def get_run(self, run_id: str, jobstore: str | None = None) -> RunRecord | None:
        """The run with this identifier, as it is in events and in `get_runs`; ``None`` if it is not known, or not any more.

        Raises:
            ValueError: the text is no identifier of a run.
        """
        key = run_key(run_id)
        self._notice_end_of_loop()
        self._in_flight.settle()
        for alias, store in self._readable(jobstore):
            here = next((run for run in self._unsettled(alias, store, key.job_id) if run.key == key), None)
            known = store.get_run(key)  # afterwards, as above
            found = here if known is None or (known.outcome is None and here is not None) else known
            if found is not None:
                return found
        return None

    def _unsettled(self, alias: str, store: RunStore, job_id: str | None) -> Iterator[RunRecord]:
        """What a store that serves one process doesn't know of runs that it has given out."""
        if store.poll_interval is not None:
            return iter(())
        submissions = [each for each in self._in_flight.all() if each.jobstore == alias]
        return unsettled_runs(submissions, job_id)

    def run_job(self, job_id: str, jobstore: str | None = None) -> RunHandle:
        """Run a job once more, as soon as its limits allow it; its schedule stays as it is, and it may be paused.

        Returns:
            a handle, which can be waited for: ``handle.wait(timeout)``, or on an event loop ``await handle``.

        Raises:
            JobLookupError: there is no such job.
            SchedulerNotRunningError: the scheduler has not been started.
        """
        self._refuse_unstarted("run_job")
        alias, store = self._find(job_id, jobstore)
        if jobstore is not None and store.get_record(job_id) is None:
            raise self._no_job(job_id, alias)
        now = due = self._now_of(alias).astimezone(UTC)
        while True:
            run = QueuedRun(job_id, due, 1, now, "manual")
            if store.enqueue([run]):
                break
            due += _INSTANT  # another was asked for at the same moment
        self._wake()
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
        if overlap not in ("buffer_all", "allow"):
            raise ValueError(f"overlap of a backfill must be 'buffer_all' or 'allow', got {shown(overlap)}")
        self._refuse_unstarted("backfill")
        _check_limit(limit, at_least=1)
        alias, store = self._find(job_id, jobstore)
        record = store.get_record(job_id)
        if record is None:
            raise self._no_job(job_id, alias)
        if None in (start, end):
            raise ValueError("a backfill needs a start and an end: it runs what was due between them")
        first: Any = convert_to_datetime(start, self.timezone, "start")
        last: Any = convert_to_datetime(end, self.timezone, "end")
        if last < first:
            raise ValueError(f"the span of a backfill ends before it starts: {first} to {last}")
        if isinstance(record.trigger, AfterJob):
            raise ValueError(  # noqa: TRY004 - the job is of the right type
                f"job {job_id!r} has no due times of its own: it runs after job {record.trigger.job_id!r}, which can be backfilled"
            )
        times = list(islice(record.trigger.between(first, last), limit + 1))
        if not times:
            self._tell_nothing_due(record, first, last)
        if len(times) > limit:
            raise ValueError(
                f"job {job_id!r} has more than {limit} due times from {first} to {last}: take a shorter span, or a higher limit"
            )
        runs = missing_runs(
            record,
            times,
            store.list_runs(job_id, None, first, EVERY_RUN),
            self._now_of(alias).astimezone(UTC),
            "parallel" if overlap == "allow" else "backfill",
        )
        queued = store.enqueue(runs)
        self._wake()
        return [RunHandle(self, run.key, alias) for run in queued]

    def cancel_run(self, run_id: str, jobstore: str | None = None) -> None:
        """Cancel a run that is queued or goes on, on whichever node.

        A coroutine is cancelled, a process is ended, a function in a thread is told by ``current_run().cancelled``; if it goes on
        for more than a second after that, it is counted as ended all the same.

        Raises:
            RunLookupError: there is no such run, or it has ended.
            ValueError: the text is no identifier of a run.
        """
        key, known = run_key(run_id), None
        for _ in range(_CANCEL_TRIES):
            if self._cancelled(key, jobstore):
                return
            known = self.get_run(run_id, jobstore)
            if known is None or known.outcome is not None:
                break
            # It is on its way: out of the queue and not handed to its executor yet, or its outcome is being told.
            Event().wait(_CANCEL_PAUSE)
        raise RunLookupError(
            run_id, "was found" if known is None else f"can be cancelled: it has ended ({known.outcome})"
        )

    def _cancelled(self, key: RunKey, jobstore: str | None) -> bool:
        """Whether a run was found, and told to end."""
        for submission in self._in_flight.all():
            if goes_on_in(submission, key) and jobstore in (None, submission.jobstore):
                self._stopping.stop(submission, "cancelled")
                return True
        for alias, store in self._readable(jobstore):
            if store.cancel(key):
                self._tell_cancelled(alias, store.get_run(key))
                self._wake()
                return True
        return False

    def _tell_nothing_due(self, record: JobRecord, first: datetime, last: datetime) -> None:
        """Say that a backfill has nothing to run, and when the job is due instead."""
        upcoming = next(iter(record.trigger.upcoming(last, 1)), None)
        self._log.of_job(
            WARNING,
            record.id,
            'A backfill of job "%s" runs nothing: its trigger %s has no due time from %s to %s; %s',
            record.name,
            record.trigger,
            first,
            last,
            f"the next one is {upcoming} (an interval has none before its start_date)"
            if upcoming is not None
            else "and none after that",
        )

    def _tell_cancelled(self, alias: str, run: RunRecord | None) -> None:
        """Tell of a run that was queued; of one that goes on elsewhere its own node will."""
        if run is None or run.outcome != "cancelled":
            return
        self._event_queue.publish(
            JobExecutionEvent(
                EVENT_JOB_CANCELLED,
                run.job_id,
                alias,
                run.scheduled_run_time,
                run_id=run.id,
                finished=run.finished,
                attempt=run.attempt,
            )
        )

    def _tell_paused(self, job: JobRecord, alias: str) -> None:
        """A store has paused a job whose runs have failed too often."""
        self._dispatch.tell_paused(job, alias, self._log)

    def _pause_stuck(self, submission: Submission, count: int) -> None:
        """Pause a job of which so many runs don't end though they were told to; on a thread, since its store may take long."""
        job, alias = submission.job, submission.jobstore
        note = stuck_runs(count, this_process())

        def pause() -> None:
            store = self._stores.used.get(alias)
            if store is None or self.state == STATE_STOPPED:
                return
            try:
                record = store.change(job.id, lambda before: _paused(before, note))
            except JobLookupError:
                return  # its schedule has ended, or it was removed
            except Exception as error:  # noqa: BLE001 - what a store raises; the next stuck run tries again
                text = 'Job "%s" could not be paused: %s'
                self._log.of_job(ERROR, job.id, text, job.name, words_of(error))
                return
            if record.tally is not None and record.tally.note == note:
                self._tell_paused(record, alias)

        self._run_aside(pause)

    def _run_aside(self, work: Callable[[], None]) -> None:
        """Have something done that may take long, on a thread of its own."""
        Aside("mainspring-aside", work)

    def _notice_end_of_loop(self) -> None:
        """If the event loop on which runs go on has ended under the scheduler, they have ended with it."""

    def _is_settled(self, key: RunKey) -> bool:
        """Whether nothing of a run is here any more: what follows from it is in its store."""
        return not any(
            key.job_id == submission.job.id and is_among(key, submission.run_times, submission)
            for submission in self._in_flight.all()
        )

    def _wait_for(self, event: Event, seconds: float) -> bool:
        """Wait for an event, for so many seconds; whether it came."""
        return event.wait(seconds)

    # What the rest of the scheduler provides

    def _no_job(self, job_id: str, alias: str | None) -> JobLookupError:
        raise NotImplementedError

    def _find(self, job_id: str, alias: str | None) -> tuple[str, RunStore]:
        raise NotImplementedError

    def _now_of(self, alias: str) -> datetime:
        raise NotImplementedError

    def _wake(self) -> None:
        raise NotImplementedError


def _paused(job: JobRecord, note: str) -> JobRecord:
    """A job, paused, with the reason; one that is paused already is left as it is."""
    if job.next_run_time is None:
        return job
    return job.changed(next_run_time=None, tally=(job.tally or Tally())._replace(note=note))


def _check_limit(limit: Any, *, at_least: int) -> None:
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < at_least:
        raise ValueError(f"limit must be a whole number of {at_least} or more, got {shown(limit)}")
