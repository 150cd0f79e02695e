"""What became of a job's runs by minute, hour or day: of those that the history has, and of those that are kept as roll-ups alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mainspring.admin.views import View
from mainspring.jobstores.shared.rollups import OUTCOMES, PrunedRun, added, rolled_up
from mainspring.model import TROUBLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import tzinfo

    from mainspring.jobstores.shared.rollups import RollUp, Span
    from mainspring.model import RunRecord

__all__ = ["PeriodView", "periods_of"]


@dataclass(frozen=True)
class PeriodView(View):
    """What became of the runs of a job that were due in a minute or an hour, or on a day, of UTC.

    Attributes:
        start: of the minute, hour or day.
        runs: how many have ended, or were not run.
        not_well: how many of them failed, took too long, were lost or were missed.
        outcomes: how many had which.
        took_least, took_mean, took_most: durations of those that were begun and have ended.
        late_mean, late_most: how much later than due they began.
    """

    start: datetime
    runs: int
    not_well: int
    outcomes: Mapping[str, int]
    took_least: timedelta | None
    took_mean: timedelta | None
    took_most: timedelta | None
    late_mean: timedelta | None
    late_most: timedelta | None


def periods_of(
    rollups: Iterable[RollUp], runs: Iterable[RunRecord], span: Span, zone: tzinfo
) -> list[PeriodView]:
    """Roll-ups and runs of one job, which aren't in them, by the minutes, hours or days in which there were some."""
    ended = [
        PrunedRun(run.job_id, run.scheduled_run_time, run.outcome, run.started, run.finished, run.available)
        for run in runs
        if run.outcome is not None
    ]
    numbers: dict[datetime, Mapping[str, int]] = {}
    for one in (*rollups, *(of_runs for of_runs in rolled_up(ended) if of_runs.span == span)):
        numbers[one.start] = added(numbers.get(one.start, {}), one.numbers)
    return [_view(start.astimezone(zone), numbers[start]) for start in sorted(numbers)]


def _view(start: datetime, numbers: Mapping[str, int]) -> PeriodView:
    outcomes: dict[str, int] = {name: numbers[name] for name in OUTCOMES if name in numbers}
    return PeriodView(
        start,
        sum(outcomes.values()),
        sum(outcomes.get(name, 0) for name in TROUBLE),
        outcomes,
        _duration(numbers, "took_least"),
        _duration(numbers, "took_sum", "timed"),
        _duration(numbers, "took_most"),
        _duration(numbers, "late_sum", "begun"),
        _duration(numbers, "late_most"),
    )


def _duration(numbers: Mapping[str, int], name: str, count: str | None = None) -> timedelta | None:
    if name not in numbers:
        return None
    return timedelta(milliseconds=numbers[name]) / (1 if count is None else numbers[count])
