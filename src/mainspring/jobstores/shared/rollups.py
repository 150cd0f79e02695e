"""What became of many runs, in a few numbers by job and minute, hour and day: kept for longer than the runs.

A run is in the history, or it is in the roll-ups: it goes from one into the other when it is pruned, in one step. So each is counted once,
whoever prunes and however often, and none costs anything while it runs.

Only runs of jobs that are there are counted: a program that adds a job for each of its orders would leave roll-ups of each behind for years.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, get_args

from mainspring.model import Outcome
from mainspring.triggers.standard import shifted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Minutes, hours and days are those of UTC, and of the time at which runs were due.
Span = Literal["minute", "hour", "day"]
SPANS: tuple[Span, ...] = get_args(Span)
LENGTHS: Mapping[Span, timedelta] = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}
#: For so long they are kept.
KEPT_FOR: Mapping[Span, timedelta] = {
    "minute": timedelta(days=2),
    "hour": timedelta(days=90),
    "day": timedelta(days=5 * 365),
}
#: Jobs that are gone are looked for among those that had runs in so long a time before their roll-ups may be removed.
GONE_WITHIN = timedelta(days=7)

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
#: Of these the least and the greatest are kept; all other numbers are added.
LEAST, GREATEST = ("took_least",), ("took_most", "late_most")
#: Durations are in milliseconds. `timed` runs have a duration, and `begun` ones a lateness.
NUMBERS = (*OUTCOMES, "timed", "took_sum", *LEAST, "begun", "late_sum", *GREATEST)


class RollUp(NamedTuple):
    """What became of the runs of a job that were due in a minute or hour, or on a day.

    Attributes:
        start: of the minute, hour or day.
        numbers: by the names of `NUMBERS`; those that there aren't are left out.
    """

    job_id: str
    span: Span
    start: datetime
    numbers: Mapping[str, int]

    @property
    def key(self) -> tuple[str, Span, datetime]:
        """Of what it is."""
        return self.job_id, self.span, self.start


class PrunedRun(NamedTuple):
    """What is counted of an ended run."""

    job_id: str
    scheduled: datetime
    outcome: Outcome
    started: datetime | None
    finished: datetime | None
    available: datetime | None


class RollUps(Protocol):
    """The roll-ups in a database; they are added to by `Backend.prune`."""

    def entries(self, job_id: str | None, span: Span, since: datetime) -> list[RollUp]:
        """Those of a job, or of all, that begin at a time or later; in the order of time and job."""

    def prune(self, before: Mapping[Span, datetime], gone_before: datetime) -> None:
        """Remove those of each span that begin before a time, and of jobs that aren't there any more, those that begin before another."""


def kept_since(now: datetime) -> dict[Span, datetime]:
    """From when on the roll-ups of each span are kept."""
    return {span: shifted(now, -kept) for span, kept in KEPT_FOR.items()}


def rolled_up(runs: Iterable[PrunedRun], now: datetime | None = None) -> list[RollUp]:
    """What runs come to, in the order of their keys.

    Args:
        now: without minutes that are kept no more by then: most runs stay in the history for longer.
    """
    minutes_since = None if now is None else shifted(now, -KEPT_FOR["minute"])
    found: dict[tuple[str, Span, datetime], dict[str, int]] = {}
    for run in runs:
        numbers = _numbers_of(run)
        for span in SPANS:
            key = run.job_id, span, start_of(run.scheduled, span)
            if span == "minute" and minutes_since is not None and key[2] < minutes_since:
                continue
            known = found.get(key)
            found[key] = dict(numbers) if known is None else added(known, numbers)
    return [RollUp(*key, numbers) for key, numbers in sorted(found.items(), key=lambda one: one[0])]


def added(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    """Two roll-ups' numbers as one's."""
    both = dict(first)
    for name, value in second.items():
        known = both.get(name)
        if known is None:
            both[name] = value
        elif name in LEAST:
            both[name] = min(known, value)
        elif name in GREATEST:
            both[name] = max(known, value)
        else:
            both[name] = known + value
    return both


def start_of(time: datetime, span: Span) -> datetime:
    """When the minute, hour or day of a time begins."""
    whole = time.astimezone(UTC).replace(second=0, microsecond=0)
    if span != "minute":
        whole = whole.replace(minute=0)
    return whole.replace(hour=0) if span == "day" else whole


def _numbers_of(run: PrunedRun) -> dict[str, int]:
    numbers: dict[str, int] = {run.outcome: 1}
    if run.started is not None:
        late = _milliseconds(run.started - (run.available or run.scheduled))
        numbers.update(begun=1, late_sum=late, late_most=late)
        if run.finished is not None:
            took = _milliseconds(run.finished - run.started)
            numbers.update(timed=1, took_sum=took, took_least=took, took_most=took)
    return numbers


def _milliseconds(duration: timedelta) -> int:
    return max(duration // timedelta(milliseconds=1), 0)


def read_numbers(found: Mapping[str, Any]) -> dict[str, int]:
    """The numbers as a database has them, without those that there aren't."""
    return {name: int(found[name]) for name in NUMBERS if found.get(name) is not None}
