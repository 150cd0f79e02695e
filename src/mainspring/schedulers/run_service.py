"""The runs of one scheduler's jobs: looking at them, asking for one, backfilling, cancelling."""

from __future__ import annotations

from datetime import UTC, timedelta
from itertools import islice
from logging import ERROR, WARNING
from threading import Event
from typing import TYPE_CHECKING, Any, Literal, get_args

from mainspring.coercion import unknown_name
from mainspring.engine.backfilling import missing_runs
from mainspring.engine.reasons import stuck_runs
from mainspring.errors import JobLookupError, RunLookupError, safe_str
from mainspring.events import EVENT_JOB_CANCELLED, JobExecutionEvent
from mainspring.jobstores.contract import EVERY_RUN
from mainspring.jobstores.history import chosen, this_process
from mainspring.model import JobCounters, QueuedRun, RunRecord, RunState
from mainspring.printable import shown
from mainspring.schedulers.store_host import goes_on_in, is_among
from mainspring.schedulers.unsettled import unsettled_runs
from mainspring.timezones import convert_to_datetime
from mainspring.triggers.after import AfterJob

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mainspring.jobstores.contract import RunStore
    from mainspring.model import JobRecord, RunKey, Submission
    from mainspring.schedulers.in_flight import InFlight
    from mainspring.schedulers.life import Life
    from mainspring.schedulers.listeners import Listeners
    from mainspring.schedulers.service_host import ServiceHost
    from mainspring.schedulers.stopping import Stopping
    from mainspring.schedulers.store_access import StoreAccess
    from mainspring.schedulers.stores import Stores

_INSTANT = timedelta(microseconds=1)
#: So often it is looked for a run that is to be cancelled and is on its way from one place to another; and seconds in between.
_CANCEL_TRIES, _CANCEL_PAUSE = 50, 0.01

#: What a run may be asked for by.
_STATES: tuple[RunState, ...] = get_args(RunState)


class RunService:
    """What a scheduler in one process does about runs that is not done by its loop."""

    def __init__(
        self,
        host: ServiceHost,
        life: Life,
        access: StoreAccess,
        stores: Stores,
        in_flight: InFlight,
        stopping: Stopping,
        listeners: Listeners,
    ) -> None:
        self._host = host
        self._life = life
        self._access = access
        self._stores = stores
        self._in_flight = in_flight
        self._stopping = stopping
        self._listeners = listeners

    # Looking

    def listed(
        self,
        job_id: str | None,
        outcome: RunState | None,
        since: datetime | None,
        limit: int,
        jobstore: str | None,
    ) -> list[RunRecord]:
        """See `BaseScheduler.get_runs`."""
        if outcome is not None and outcome not in _STATES:
            raise ValueError(unknown_name("outcome", outcome, _STATES))
        _check_limit(limit, at_least=0)
        since = convert_to_datetime(since, self._host.timezone, "since")
        self._host.notice_end_of_loop()
        self._in_flight.settle()
        runs: list[RunRecord] = []
        for alias, store in self._access.readable(jobstore):
            # In this order: a run that ends meanwhile is in one of them, or in both.
            here = list(self._unsettled(alias, store, job_id))
            known = {run.key: run for run in store.list_runs(job_id, outcome, since, limit)}
            for run in here:
                before = known.get(run.key)
                if before is None or before.outcome is None:
                    known[run.key] = run
            runs += chosen(list(known.values()), outcome, since, limit) if here else known.values()
        return sorted(runs, key=lambda run: (run.scheduled_run_time, run.attempt), reverse=True)[:limit]

    def found(self, key: RunKey, jobstore: str | None) -> RunRecord | None:
        """See `BaseScheduler.get_run`."""
        self._host.notice_end_of_loop()
        self._in_flight.settle()
        for alias, store in self._access.readable(jobstore):
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

    def is_settled(self, key: RunKey) -> bool:
        """Whether nothing of a run is here any more: what follows from it is in its store."""
        return not any(
            key.job_id == submission.job.id and is_among(key, submission.run_times, submission)
            for submission in self._in_flight.all()
        )

    # Asking for runs

    def ask_for(self, job_id: str, jobstore: str | None) -> tuple[str, QueuedRun]:
        """See `BaseScheduler.run_job`: the run that was queued, and the alias of its job store."""
        self._access.refuse_unstarted("run_job")
        alias, store = self._access.find(job_id, jobstore)
        if jobstore is not None and store.get_record(job_id) is None:
            raise self._access.no_job(job_id, alias)
        now = due = self._access.now_of(alias).astimezone(UTC)
        while True:
            run = QueuedRun(job_id, due, 1, now, "manual")
            if store.enqueue([run]):
                break
            due += _INSTANT  # another was asked for at the same moment
        self._host.wake()
        return alias, run

    def backfill(
        self,
        job_id: str,
        start: datetime,
        end: datetime,
        overlap: Literal["buffer_all", "allow"],
        limit: int,
        jobstore: str | None,
    ) -> tuple[str, list[QueuedRun]]:
        """See `BaseScheduler.backfill`: the runs that were queued, and the alias of their job store."""
        if overlap not in ("buffer_all", "allow"):
            raise ValueError(f"overlap of a backfill must be 'buffer_all' or 'allow', got {shown(overlap)}")
        self._access.refuse_unstarted("backfill")
        _check_limit(limit, at_least=1)
        alias, store = self._access.find(job_id, jobstore)
        record = store.get_record(job_id)
        if record is None:
            raise self._access.no_job(job_id, alias)
        if None in (start, end):
            raise ValueError("a backfill needs a start and an end: it runs what was due between them")
        first: Any = convert_to_datetime(start, self._host.timezone, "start")
        last: Any = convert_to_datetime(end, self._host.timezone, "end")
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
            self._access.now_of(alias).astimezone(UTC),
            "parallel" if overlap == "allow" else "backfill",
        )
        queued = store.enqueue(runs)
        self._host.wake()
        return alias, queued

    def _tell_nothing_due(self, record: JobRecord, first: datetime, last: datetime) -> None:
        """Say that a backfill has nothing to run, and when the job is due instead."""
        upcoming = next(iter(record.trigger.upcoming(last, 1)), None)
        self._host.log.of_job(
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

    # Ending runs

    def cancel(self, key: RunKey, jobstore: str | None) -> None:
        """See `BaseScheduler.cancel_run`."""
        known = None
        for _ in range(_CANCEL_TRIES):
            if self._cancelled(key, jobstore):
                return
            known = self.found(key, jobstore)
            if known is None or known.outcome is not None:
                break
            # It is on its way: out of the queue and not handed to its executor yet, or its outcome is being told.
            Event().wait(_CANCEL_PAUSE)
        raise RunLookupError(
            key.id, "was found" if known is None else f"can be cancelled: it has ended ({known.outcome})"
        )

    def _cancelled(self, key: RunKey, jobstore: str | None) -> bool:
        """Whether a run was found, and told to end."""
        for submission in self._in_flight.all():
            if goes_on_in(submission, key) and jobstore in (None, submission.jobstore):
                self._stopping.stop(submission, "cancelled")
                return True
        for alias, store in self._access.readable(jobstore):
            if store.cancel(key):
                self._tell_cancelled(alias, store.get_run(key))
                self._host.wake()
                return True
        return False

    def _tell_cancelled(self, alias: str, run: RunRecord | None) -> None:
        """Tell of a run that was queued; of one that goes on elsewhere its own node will."""
        if run is None or run.outcome != "cancelled":
            return
        self._listeners.publish(
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

    def pause_stuck(self, submission: Submission, count: int) -> None:
        """Pause a job of which so many runs don't end though they were told to; on a thread, since its store may take long."""
        job, alias = submission.job, submission.jobstore
        note = stuck_runs(count, this_process())

        def pause() -> None:
            store = self._stores.used.get(alias)
            if store is None or self._life.is_stopped:
                return
            try:
                record = store.change(job.id, lambda before: _paused(before, note))
            except JobLookupError:
                return  # its schedule has ended, or it was removed
            except Exception as error:  # noqa: BLE001 - what a store raises; the next stuck run tries again
                text = 'Job "%s" could not be paused: %s'
                self._host.log.of_job(ERROR, job.id, text, job.name, safe_str(error))
                return
            if record.counters is not None and record.counters.note == note:
                self._host.tell_paused(record, alias)

        self._host.run_aside(pause)


def _paused(job: JobRecord, note: str) -> JobRecord:
    """A job, paused, with the reason; one that is paused already is left as it is."""
    if job.next_run_time is None:
        return job
    return job.changed(next_run_time=None, counters=(job.counters or JobCounters())._replace(note=note))


def _check_limit(limit: Any, *, at_least: int) -> None:
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < at_least:
        raise ValueError(f"limit must be a whole number of {at_least} or more, got {shown(limit)}")
