"""Decides for each job that APScheduler has stored somewhere whether it is adopted, and has the store do it.

They are read, checked, and kept as jobs of ours; nothing of the old is changed. What can't be read stays where it is, and is tried again by
each start. What APScheduler adds after that is said, and not taken by itself: it is still at work there, and would run it, too.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from mainspring.clock import slices_of
from mainspring.engine.searching import first_time
from mainspring.errors import MainspringError, SerializationError, safe_str
from mainspring.schedulers.adoption_report import (
    ADOPTED,
    CONFLICT,
    LATER,
    PAUSED,
    SETTLED,
    UNREADABLE,
    Adopted,
    AdoptedJob,
    AdoptionReport,
    tell,
)
from mainspring.schedulers.exchange import record_of
from mainspring.storable import LONGEST_KEY, is_storable
from mainspring.triggers.date import DateTrigger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mainspring.clock import Clock
    from mainspring.jobstores.shared.predecessor import HasPredecessor, Marks, OldJob, OldJobs
    from mainspring.model import JobRecord
    from mainspring.safe_logging import SafeLogger
    from mainspring.schedulers.job_factory import JobFactory

#: A job that was to run once is paused if that is longer ago: it may be an hour's news, or last year's.
OVERDUE = timedelta(hours=1)
#: What every job of APScheduler has that was given no other, and what nobody means.
_THEIR_GRACE = timedelta(seconds=1)
#: So often it is begun again where another node adds, or adopts, jobs at the same time.
_ATTEMPTS = 5


class Adoption:
    """Adopts jobs for one scheduler.

    Args:
        store: that they are to be kept in.
        factory: ties them to the scheduler.
        clock: the scheduler's.
    """

    def __init__(self, store: HasPredecessor, factory: JobFactory, clock: Clock) -> None:
        self._store = store
        self._factory = factory
        self._clock = clock

    def report(
        self, old_jobs: OldJobs, *, takes_later: bool, writes: bool, goes_on: bool = False
    ) -> AdoptionReport:
        """What becomes of the jobs; and has it so, if it `writes`.

        Args:
            takes_later: whether jobs are taken that APScheduler has added since the others were adopted.
            goes_on: whether jobs of ours with the ids of old ones go on where APScheduler has left off with these.

        Raises:
            MainspringError: other nodes add jobs all the time.
        """
        for _ in range(_ATTEMPTS):
            marks = self._store.adoption_marks(old_jobs.source)
            outcomes = marks.outcomes
            open_jobs = old_jobs.jobs([one for one in old_jobs.ids() if outcomes.get(one) not in SETTLED])
            ours = {record.id: record for record in self._store.list_records()} if open_jobs else {}
            now = self._store.store_time(self._clock)
            found = [self._looked_at(job, marks, ours, now, takes_later=takes_later) for job in open_jobs]
            report = AdoptionReport(
                old_jobs.place,
                tuple(job for job, _ in found),
                sum(outcome in SETTLED for outcome in outcomes.values()),
                not writes,
            )
            changed = {
                job.id: job.outcome
                for job in report.jobs
                if job.outcome not in (LATER, outcomes.get(job.id))
                and (job.outcome in SETTLED or _is_markable(job.id))
            }
            if not writes or not open_jobs or (marks.is_complete and not changed):
                return report
            records = {job.id: record for job, record in found if record is not None}
            if goes_on:
                for job in report.of(CONFLICT):
                    self._go_on(ours[job.id], records.pop(job.id), now)
            added = [records[job.id] for job in report.of(ADOPTED, PAUSED)]
            if self._store.adopt_records(old_jobs.source, added, changed, outcomes, completes=True):
                return report
        raise MainspringError(
            f"the jobs of {old_jobs.place} could not be adopted: other nodes add jobs all the time"
        )

    def _looked_at(
        self, old: OldJob, marks: Marks, ours: Mapping[str, JobRecord], now: datetime, *, takes_later: bool
    ) -> tuple[AdoptedJob, JobRecord | None]:
        """What becomes of a job, and what it is here, if it can be read."""
        if marks.is_complete and old.id not in marks.outcomes and not takes_later:
            return AdoptedJob(old.id, LATER, reason="it was added since the others were adopted"), None
        try:
            record = record_of(old.values(self._store.read_old))
            if record.id != old.id:
                raise SerializationError(f"it says that its id is {record.id!r}")  # noqa: TRY301 - as what is raised there
            record, took_default = self._with_our_default(record)
            record = self._factory.bound(record, now, has_next_run_time=True)
            self._store.refuse_unstorable(record)
        except Exception as error:  # noqa: BLE001 - whatever it is that is wrong with a pickle
            return AdoptedJob(old.id, UNREADABLE, reason=safe_str(error)), None
        if old.id in ours:
            reason = "there is a job of this id, which stays as it is"
            return AdoptedJob(old.id, CONFLICT, reason=reason), record
        outcome, moment = ADOPTED, record.next_run_time
        if moment is not None and isinstance(record.trigger, DateTrigger) and moment < now - OVERDUE:
            outcome, record = PAUSED, record._replace(next_run_time=None)
        told = AdoptedJob(
            old.id,
            outcome,
            record.next_run_time,
            record.func_ref or "",
            str(record.trigger),
            lost=tuple(old.lost()),
            took_default=took_default,
        )
        return told, record

    def marks(self, old_jobs: OldJobs) -> Marks:
        """What the store remembers of old jobs."""
        return self._store.adoption_marks(old_jobs.source)

    def _with_our_default(self, record: JobRecord) -> tuple[JobRecord, bool]:
        if record.options.misfire_grace_time != _THEIR_GRACE:
            return record, False
        options = replace(record.options, misfire_grace_time=self._factory.defaults.misfire_grace_time)
        return record._replace(options=options), True

    def _go_on(self, our: JobRecord, old: JobRecord, now: datetime) -> None:
        """Have a job of ours run at none of the due times that APScheduler has run the one of its id at.

        A program that adds its jobs at each start has added it here while APScheduler was still at work.
        """
        if our.next_run_time is None:
            return
        upcoming = None
        if old.trigger.is_same_schedule(our.trigger):
            upcoming = old.next_run_time
        if upcoming is None and our.next_run_time < now:
            upcoming = first_time(our.trigger, now, slices_of(self._clock))
        if upcoming is not None and upcoming != our.next_run_time:
            # With the old trigger, which says from when on intervals are counted.
            trigger = old.trigger if upcoming == old.next_run_time else our.trigger
            self._store.change(our.id, lambda record: record.rescheduled(upcoming)._replace(trigger=trigger))


def _is_markable(job_id: str) -> bool:
    """Whether every database keeps the id as it is: a job can have one that others than this one's don't."""
    return is_storable(job_id) and 0 < len(job_id) <= LONGEST_KEY and not job_id.endswith(" ")


def adopt(
    log: SafeLogger, alias: str, old_jobs: OldJobs, adoption: Adoption, *, goes_on: bool = False
) -> Adopted:
    """Take over what APScheduler has left, and say so."""
    report = adoption.report(old_jobs, takes_later=False, writes=True, goes_on=goes_on)
    tell(log, alias, report)
    return counted(old_jobs, adoption.marks(old_jobs))


def counted(old_jobs: OldJobs, marks: Marks) -> Adopted:
    """How many of the jobs were adopted."""
    outcomes = list(marks.outcomes.values())
    adopted = outcomes.count(ADOPTED) + outcomes.count(PAUSED)
    unmarked = sum(one not in marks.outcomes for one in old_jobs.ids())
    return Adopted(
        old_jobs.place,
        adopted,
        len(outcomes) - adopted,
        added_later=unmarked if marks.is_complete else 0,
        waiting=0 if marks.is_complete else unmarked,
    )


def tell_of_others(log: SafeLogger, alias: str, old_jobs: OldJobs, adoption: Adoption) -> Adopted:
    """Say that there are jobs that nobody takes."""
    told = counted(old_jobs, adoption.marks(old_jobs))
    count = told.waiting + told.added_later
    if count:
        log.warning(
            "Job store %r: %d jobs of APScheduler are in %s, and are not run by this scheduler. adopt_jobs() of the scheduler takes them over, and "
            'so does adopt="always" of the job store; adopt="never" leaves them alone',
            alias,
            count,
            old_jobs.place,
        )
    return told
