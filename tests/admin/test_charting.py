"""What became of many runs, by minute, hour and day: each counted once, whether it is in the history still or not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from mainspring.admin.charting import periods_of
from mainspring.jobstores.shared.rollups import OUTCOMES, SPANS, PrunedRun, rolled_up
from mainspring.model import RunRecord

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def run(minutes, outcome="succeeded", late=0.0, took=None):
    scheduled = NOON + timedelta(minutes=minutes)
    started = None if took is None else scheduled + timedelta(seconds=late)
    finished = scheduled if started is None else started + timedelta(seconds=took)
    return RunRecord("a", scheduled, 1, started=started, finished=finished, outcome=outcome)


def pruned(one):
    return PrunedRun(
        one.job_id, one.scheduled_run_time, one.outcome, one.started, one.finished, one.available
    )


def test_runs_are_counted_by_the_hour_and_the_day_of_their_due_times():
    runs = [
        run(0, late=1, took=2),
        run(59, "failed", late=3, took=4),
        run(60, "missed"),
        run(24 * 60, "timed_out", took=10),
    ]
    by_hour = periods_of([], runs, "hour", UTC)
    assert [(one.start, one.runs, one.not_well) for one in by_hour] == [
        (NOON, 2, 1),
        (NOON + timedelta(hours=1), 1, 1),
        (NOON + timedelta(hours=24), 1, 1),
    ]
    first, missed, _ = by_hour
    seconds = [first.took_least, first.took_mean, first.took_most, first.late_mean, first.late_most]
    assert [one.total_seconds() for one in seconds] == [2, 3, 4, 2, 3]
    assert (missed.outcomes, missed.took_mean, missed.late_most) == ({"missed": 1}, None, None)
    assert [(one.start.day, one.runs) for one in periods_of([], runs, "day", UTC)] == [(1, 3), (2, 1)]


def test_what_goes_on_or_waits_is_not_counted():
    waits = RunRecord("a", NOON, 1)
    assert periods_of([], [waits], "hour", UTC) == []


RUNS = some.lists(
    some.builds(
        run,
        some.integers(-2000, 2000),
        some.sampled_from(OUTCOMES),
        late=some.integers(0, 100),
        took=some.none() | some.integers(0, 100),
    )
)


@given(RUNS, RUNS, some.sampled_from(SPANS))
def test_it_makes_no_difference_which_runs_have_been_pruned(gone, there, span):
    rollups = [one for one in rolled_up(map(pruned, gone)) if one.span == span]
    assert periods_of(rollups, there, span, UTC) == periods_of([], [*gone, *there], span, UTC)
