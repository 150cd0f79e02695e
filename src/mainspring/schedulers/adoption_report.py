"""What becomes of APScheduler's jobs, as data and as text."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from mainspring.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mainspring.safe_logging import SafeLogger

__all__ = ["Adopted", "AdoptedJob", "AdoptionReport"]

#: So many are named in the log.
_NAMED = 10

#: What may become of an old job; those that are marked so are not looked at again.
ADOPTED, PAUSED, CONFLICT, UNREADABLE, LATER = "adopted", "paused", "conflict", "unreadable", "later"
SETTLED = frozenset({ADOPTED, PAUSED, CONFLICT})


@dataclass(frozen=True, slots=True)
class AdoptedJob:
    """What becomes of one of APScheduler's jobs.

    Attributes:
        id: its id.
        outcome: ``"adopted"``; ``"paused"``: adopted, but it was to run once, more than an hour ago, and waits for somebody to resume it;
            ``"conflict"``: there is a job of this id, which stays as it is; ``"unreadable"``; ``"later"``: it was added after the others were
            adopted.
        next_run_time: when it runs next; ``None``: it is paused, or isn't adopted.
        func: the function that it calls, as a reference.
        trigger: its trigger, as text.
        reason: why it wasn't adopted.
        lost: what of it there is nothing for here, in words.
        took_default: whether it had APScheduler's own ``misfire_grace_time`` of a second, and has this scheduler's default instead.
    """

    id: str
    outcome: str
    next_run_time: datetime | None = None
    func: str = ""
    trigger: str = ""
    reason: str = ""
    lost: tuple[str, ...] = ()
    took_default: bool = False

    def __str__(self) -> str:
        told = self.reason
        if self.outcome in (ADOPTED, PAUSED):
            moment = self.next_run_time
            when = "paused" if moment is None else f"next run at {moment:%Y-%m-%d %H:%M:%S %Z}"
            told = "; ".join([f"{self.func}, {self.trigger}, {when}", *self.lost])
        return printable(f"{self.outcome:10} {self.id}: {told}")


@dataclass(frozen=True, slots=True)
class AdoptionReport:
    """Which of the jobs that APScheduler has stored somewhere are adopted, and which are not.

    Attributes:
        place: where they are.
        jobs: one for each that wasn't settled before.
        settled: how many were, by an earlier call or start.
        dry_run: whether nothing was changed.
    """

    place: str
    jobs: Sequence[AdoptedJob] = ()
    settled: int = 0
    dry_run: bool = field(default=False, compare=False)

    def of(self, *outcomes: str) -> list[AdoptedJob]:
        """The jobs with one of these outcomes."""
        return [job for job in self.jobs if job.outcome in outcomes]

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON: times are texts."""
        jobs = [
            {
                **asdict(job),
                "lost": list(job.lost),
                "next_run_time": None if job.next_run_time is None else job.next_run_time.isoformat(),
            }
            for job in self.jobs
        ]
        return {"place": self.place, "settled": self.settled, "dry_run": self.dry_run, "jobs": jobs}

    def __str__(self) -> str:
        counts = {
            outcome: len(self.of(outcome)) for outcome in (ADOPTED, PAUSED, CONFLICT, UNREADABLE, LATER)
        }
        told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count) or "nothing new"
        before = f"; {self.settled} settled before" if self.settled else ""
        dry = " (nothing was changed)" if self.dry_run else ""
        return "\n".join([f"{self.place}: {told}{before}{dry}", *(f"    {job}" for job in self.jobs)])


@dataclass(frozen=True, slots=True)
class Adopted:
    """What `health()` says of the jobs that APScheduler has left where a job store is.

    Attributes:
        place: where they are.
        adopted: how many were adopted, by this process or before.
        not_adopted: how many were not: ids that were taken, and what can't be read.
        added_later: how many were there at the last look that APScheduler has added after the others were adopted.
        waiting: how many nobody has taken, or wait for the hand-over.
    """

    place: str
    adopted: int = 0
    not_adopted: int = 0
    added_later: int = 0
    waiting: int = 0


_WARNINGS = (
    (PAUSED, "were to run once, more than an hour ago, and are paused: resume_job or remove_job them"),
    (CONFLICT, "were not adopted, since there are jobs of their ids, which stay as they are"),
    (UNREADABLE, "can't be read, and stay where they are; each start tries them again"),
    (
        LATER,
        "were added since the others were adopted: is an APScheduler still at work there? adopt_jobs() of the scheduler takes them",
    ),
)


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
    for outcome, words in _WARNINGS:
        jobs = report.of(outcome)
        if jobs:
            log.warning(
                "Job store %r: %d jobs of APScheduler in %s %s: %s",
                alias,
                len(jobs),
                report.place,
                words,
                names_of(jobs, with_reasons=outcome == UNREADABLE),
            )


def names_of(jobs: Sequence[AdoptedJob], *, with_reasons: bool = False) -> str:
    """Some of the jobs, for a line of the log."""
    named = [f"{job.id!r} ({job.reason})" if with_reasons else repr(job.id) for job in jobs[:_NAMED]]
    more = f"; and {len(jobs) - _NAMED} more" if len(jobs) > _NAMED else ""
    return "; ".join(named) + more
