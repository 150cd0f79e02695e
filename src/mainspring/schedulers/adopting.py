"""Decides for each job that APScheduler stored in a job store's database whether it is adopted, and reports it.

They are read, checked, and kept as jobs of ours; nothing of the old is changed. What can't be read stays where it is, and is tried again by
each start. What APScheduler adds after that is said, and not taken by itself: it is still at work there, and would run it, too.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from mainspring import profile
from mainspring.errors import MainspringError, SerializationError, words_of
from mainspring.schedulers.exchange import record_of
from mainspring.triggers.date import DateTrigger

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from mainspring.jobstores.shared.predecessor import HasPredecessor, OldJob, Predecessor
    from mainspring.model import JobRecord
    from mainspring.safe_logging import SafeLogger
    from mainspring.schedulers.job_factory import JobFactory

__all__ = ["AdoptedJob", "AdoptionReport"]

#: A job that was to run once is paused if that is longer ago: it may be an hour's news, or last year's.
OVERDUE = timedelta(hours=1)
#: What every job of APScheduler has that was given no other, and what nobody means.
_THEIR_GRACE = timedelta(seconds=1)
#: So many are named in the log.
_NAMED = 10
#: So often it is begun again where another node adds, or adopts, jobs at the same time.
_ATTEMPTS = 5

#: What may become of an old job; those that are marked so are not looked at again.
ADOPTED, PAUSED, CONFLICT, UNREADABLE, LATER = "adopted", "paused", "conflict", "unreadable", "later"
_SETTLED = {ADOPTED, PAUSED, CONFLICT}


class AdoptedJob(NamedTuple):
    """What becomes of one of APScheduler's jobs.

    Attributes:
        id: its id.
        outcome: ``"adopted"``; ``"paused"``: adopted, but it was to run once, more than an hour ago, and waits for somebody to resume it;
            ``"conflict"``: there is a job of this id, which stays as it is; ``"unreadable"``; ``"later"``: it was added after the others were
            adopted.
        next_run_time: when it runs next, if it is known.
        trigger: its trigger, as text.
        reason: why it wasn't adopted.
        took_default: whether it had APScheduler's own ``misfire_grace_time`` of a second, and has this scheduler's default instead.
    """

    id: str
    outcome: str
    next_run_time: datetime | None = None
    trigger: str = ""
    reason: str = ""
    took_default: bool = False


class AdoptionReport(NamedTuple):
    """Which of the jobs that APScheduler stored in a job store's database are adopted, and which are not.

    Attributes:
        place: where they are.
        jobs: one for each that wasn't settled before.
        settled: how many were, by an earlier call or start.
    """

    place: str
    jobs: list[AdoptedJob]
    settled: int = 0

    def of(self, *outcomes: str) -> list[AdoptedJob]:
        """The jobs with one of these outcomes."""
        return [job for job in self.jobs if job.outcome in outcomes]

    def __str__(self) -> str:
        lines = [
            f"{self.place}: {len(self.jobs)} jobs of APScheduler, and {self.settled} that were settled before"
        ]
        for job in self.jobs:
            when = (
                "paused"
                if job.next_run_time is None
                else f"next run at {job.next_run_time:%Y-%m-%d %H:%M:%S %Z}"
            )
            told = job.reason or f"{job.trigger}, {when}"
            lines.append(f"    {job.outcome:10} {job.id}: {told}")
        return "\n".join(lines)


class Adoption:
    """Adopts jobs for one scheduler.

    Args:
        store: that they are to be kept in.
        factory: ties them to the scheduler.
        now: the present, by the store's clock.
    """

    def __init__(self, store: HasPredecessor, factory: JobFactory, now: datetime) -> None:
        self._store = store
        self._factory = factory
        self._now = now

    def report(self, predecessor: Predecessor, *, takes_later: bool, writes: bool) -> AdoptionReport:
        """What becomes of the jobs; and has it so, if it `writes`.

        Args:
            takes_later: whether jobs are taken that APScheduler has added since the others were adopted.

        Raises:
            MainspringError: other nodes add jobs all the time.
        """
        for _ in range(_ATTEMPTS):
            marks = predecessor.marks()
            open_jobs = predecessor.jobs([one for one in predecessor.ids() if marks.get(one) not in _SETTLED])
            taken = {record.id for record in self._store.list_records()} if open_jobs else set()
            found = [self._looked_at(job, marks, taken, takes_later=takes_later) for job in open_jobs]
            report = AdoptionReport(
                predecessor.place,
                [job for job, _ in found],
                sum(outcome in _SETTLED for outcome in marks.values()),
            )
            changed = {
                job.id: job.outcome for job in report.jobs if job.outcome not in (LATER, marks.get(job.id))
            }
            records = [record for _, record in found if record is not None]
            if not writes or not changed or predecessor.adopt(records, changed):
                return report
        raise MainspringError(
            f"the jobs of {predecessor.place} could not be adopted: other nodes add jobs all the time"
        )

    def _looked_at(
        self, old: OldJob, marks: Mapping[str, str], taken: Collection[str], *, takes_later: bool
    ) -> tuple[AdoptedJob, JobRecord | None]:
        if marks and old.id not in marks and not takes_later:
            return AdoptedJob(old.id, LATER, reason="it was added since the others were adopted"), None
        try:
            record = record_of(_complete(self._store.old_state(old.state)))
            if record.id != old.id:
                raise SerializationError(f"it says that its id is {record.id!r}")  # noqa: TRY301 - as what is raised there
            record, took_default = self._with_our_default(record)
            record = self._factory.tied(record, self._now, has_next_run_time=True)
            self._store.refuse_unstorable(record)
        except Exception as error:  # noqa: BLE001 - whatever it is that is wrong with a pickle
            return AdoptedJob(old.id, UNREADABLE, reason=words_of(error)), None
        if old.id in taken:
            return AdoptedJob(
                old.id, CONFLICT, reason="there is a job of this id, which stays as it is"
            ), None
        outcome, moment = ADOPTED, record.next_run_time
        if moment is not None and isinstance(record.trigger, DateTrigger) and moment < self._now - OVERDUE:
            outcome, record = PAUSED, record._replace(next_run_time=None)
        told = AdoptedJob(old.id, outcome, record.next_run_time, str(record.trigger), "", took_default)
        return told, record

    def _with_our_default(self, record: JobRecord) -> tuple[JobRecord, bool]:
        if record.options.misfire_grace_time != _THEIR_GRACE:
            return record, False
        options = replace(record.options, misfire_grace_time=self._factory.defaults.misfire_grace_time)
        return record._replace(options=options), True


def _complete(state: dict[str, Any]) -> dict[str, Any]:
    """What older releases have left out, with what it meant there."""
    return {"args": (), "kwargs": {}, "name": state.get("id"), "next_run_time": None, **state}


def tell(log: SafeLogger, alias: str, report: AdoptionReport) -> None:
    """Say what has become of the jobs."""
    adopted = report.of(ADOPTED, PAUSED)
    if adopted:
        took = sum(job.took_default for job in adopted)
        log.info(
            "Job store %r: %d jobs of APScheduler were adopted from %s, where they stay as they were%s",
            alias,
            len(adopted),
            report.place,
            f". {took} of them had APScheduler's own misfire_grace_time of a second, and have this scheduler's default"
            if took
            else "",
        )
    for outcome, words in (
        (PAUSED, "were to run once, more than an hour ago, and are paused: resume_job or remove_job them"),
        (CONFLICT, "were not adopted, since there are jobs of their ids, which stay as they are"),
        (UNREADABLE, "can't be read, and stay where they are; each start tries them again"),
        (
            LATER,
            "were added since the others were adopted: is an APScheduler still at work there? adopt_jobs() of the scheduler takes them",
        ),
    ):
        jobs = report.of(outcome)
        if jobs:
            named = "; ".join(
                f"{job.id!r} ({job.reason})" if outcome == UNREADABLE else repr(job.id)
                for job in jobs[:_NAMED]
            )
            more = f"; and {len(jobs) - _NAMED} more" if len(jobs) > _NAMED else ""
            log.warning(
                "Job store %r: %d jobs of APScheduler in %s %s: %s%s",
                alias,
                len(jobs),
                report.place,
                words,
                named,
                more,
            )


def adopt_at_start(
    log: SafeLogger, alias: str, store: HasPredecessor, predecessor: Predecessor, adoption: Adoption
) -> None:
    """Take over what APScheduler has left, where that is wanted, and say so; or say that it is there."""
    if store.adopt == "always" or profile.stands_in():
        tell(log, alias, adoption.report(predecessor, takes_later=False, writes=True))
    else:
        tell_of_others(log, alias, predecessor)


def tell_of_others(log: SafeLogger, alias: str, predecessor: Predecessor) -> None:
    """Say that there are jobs that nobody takes."""
    marks = predecessor.marks()
    count = sum(one not in marks for one in predecessor.ids())
    if count:
        log.warning(
            "Job store %r: %d jobs of APScheduler are in %s, and are not run by this scheduler. adopt_jobs() of the scheduler takes them over, and "
            'so does adopt="always" of the job store; adopt="never" leaves them alone',
            alias,
            count,
            predecessor.place,
        )
