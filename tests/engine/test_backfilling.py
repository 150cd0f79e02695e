"""Which due times a backfill runs."""

from datetime import UTC, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from mainspring.engine.backfilling import missing_runs
from mainspring.model import JobOptions, JobRecord, Outcome, QueuedRun, RunKey, RunRecord
from mainspring.triggers.interval import IntervalTrigger

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOW = START + 100 * HOUR


def hours(*numbers):
    return [START + number * HOUR for number in numbers]


def job(next_run_time):
    trigger = IntervalTrigger(hours=1, start_date=START, timezone=UTC)
    return JobRecord("a", "a", print, "builtins:print", (), {}, trigger, JobOptions(), next_run_time)


def run(hour, outcome, attempt=1, node="n"):
    return RunRecord("a", START + hour * HOUR, attempt, node, outcome=outcome)


def missing(times, known, next_run_time=NOW):
    return missing_runs(job(next_run_time), hours(*times), known, NOW, "backfill")


def test_times_without_a_run_are_run():
    assert missing([0, 1], []) == [QueuedRun("a", time, 1, NOW, "backfill") for time in hours(0, 1)]


def test_the_cause_is_the_callers():
    assert missing_runs(job(NOW), hours(0), [], NOW, "parallel")[0].cause == "parallel"


@pytest.mark.parametrize("outcome", [None, *get_args(Outcome)])
def test_what_was_run_is_left_alone_and_what_was_not_is_another_attempt(outcome):
    again = [QueuedRun("a", START, 2, NOW, "backfill")]
    not_run = {"missed", "skipped", "cancelled", "lost"}
    assert missing([0], [run(0, outcome)]) == (again if outcome in not_run else [])


def test_what_waits_is_left_alone():
    assert missing([0], [run(0, None, node=None)]) == []


@pytest.mark.parametrize("turn", [1, -1], ids=["in order", "the latest first"])
def test_it_is_the_latest_attempt_that_counts(turn):
    failed_then_lost = [run(0, "failed"), run(0, "lost", 2)]
    lost_then_done = [run(1, "lost"), run(1, "succeeded", 2)]
    queued = missing([0, 1], [*failed_then_lost, *lost_then_done][::turn])
    assert [(one.scheduled_run_time, one.attempt) for one in queued] == [(START, 3)]


def test_from_the_next_run_time_on_the_schedule_has_them():
    assert [one.scheduled_run_time for one in missing([0, 1, 2, 3], [], START + 2 * HOUR)] == hours(0, 1)


@pytest.mark.parametrize(
    ("next_run_time", "made"),
    [
        (None, [98, 99, 100]),  # paused: what is still to come isn't run before
        (START + 200 * HOUR, [98, 99, 100]),
        (START + 99 * HOUR, [98]),  # the schedule has the rest
        (START + 98 * HOUR, []),
    ],
)
def test_nothing_is_run_before_it_is_due_nor_what_the_schedule_has(next_run_time, made):
    queued = missing(range(98, 103), [], next_run_time)
    assert [one.scheduled_run_time for one in queued] == hours(*made)


def test_the_times_of_a_repeated_hour_are_two():
    zone = ZoneInfo("Europe/Berlin")
    first, second = (datetime(2025, 10, 26, 2, 30, fold=fold, tzinfo=zone) for fold in (0, 1))
    known = [RunRecord("a", first.astimezone(UTC), 1, "n", outcome="succeeded")]
    queued = missing_runs(job(NOW), [first, second], known, NOW, "backfill")
    assert [one.key for one in queued] == [RunKey("a", second.astimezone(UTC), 1)]
