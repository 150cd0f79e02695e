"""What a job remembers of failed runs, and when it is paused for them."""

from datetime import UTC, datetime

import pytest

from mainspring.engine.failures import after_outcomes, has_paused_itself
from mainspring.model import JobCounters, JobOptions, JobRecord
from mainspring.triggers.interval import IntervalTrigger

START = datetime(2026, 1, 1, tzinfo=UTC)


def job(limit=3, counters=None, next_run_time=START):
    trigger = IntervalTrigger(hours=1, start_date=START, timezone=UTC)
    options = JobOptions(pause_after_failures=limit)
    return JobRecord("a", "a", print, "builtins:print", (), {}, trigger, options, next_run_time, 7, counters)


def failures_after(*outcomes, counters=None):
    after = after_outcomes(job(100, counters), [(outcome, None) for outcome in outcomes])
    return 0 if after.counters is None else after.counters.failures


@pytest.mark.parametrize(
    ("outcomes", "failures"),
    [
        (["failed"], 1),
        (["timed_out"], 1),
        (["lost"], 1),
        (["failed", "lost", "timed_out"], 3),
        (["failed", "failed", "succeeded"], 0),
        (["failed", "succeeded", "failed"], 1),
        # Of these it can't be said that the job failed, nor that it works.
        (["failed", "cancelled", "failed"], 2),
        (["failed", "missed", "failed"], 2),
        (["failed", "skipped", "failed"], 2),
        ([], 0),
    ],
)
def test_failures_in_a_row_are_counted(outcomes, failures):
    assert failures_after(*outcomes) == failures


def test_they_are_counted_over_batches():
    assert failures_after("failed", counters=JobCounters(failures=4)) == 5
    assert failures_after("succeeded", counters=JobCounters(failures=4)) == 0


def test_what_is_tried_again_has_not_failed_for_good():
    record = job(1)
    assert after_outcomes(record, [("failed", START), ("timed_out", START), ("lost", START)]) is record


def test_a_success_ends_the_row_though_others_are_tried_again():
    after = after_outcomes(job(3, JobCounters(failures=2)), [("failed", START), ("succeeded", None)])
    assert after.counters.failures == 0


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_at_its_limit_a_job_is_paused_with_a_note_and_begins_to_count_anew(limit):
    before = job(limit, JobCounters(runs=9))
    after = after_outcomes(before, [("failed", None)] * limit)
    assert after.next_run_time is None
    assert after.counters == JobCounters(9, 0, f"paused after {limit} failed runs in a row")
    assert after.version == 8
    assert has_paused_itself(before, after)


@pytest.mark.parametrize(
    ("outcomes", "is_paused", "failures"),
    [
        (["failed"] * 3 + ["succeeded"] * 4, True, 0),
        (["succeeded"] * 2 + ["failed"] * 3 + ["succeeded"], True, 0),
        (["failed"] * 4, True, 1),  # the fourth is the first of the next row
        (["failed", "failed", "succeeded", "failed", "failed"], False, 2),
    ],
)
def test_outcomes_that_come_together_are_judged_one_by_one(outcomes, is_paused, failures):
    told = [(outcome, None) for outcome in outcomes]
    together = after_outcomes(job(3), told)
    assert (together.next_run_time is None, together.counters.failures) == (is_paused, failures)
    one_by_one = job(3)
    for one in told:
        one_by_one = after_outcomes(one_by_one, [one])
    assert together._replace(version=0) == one_by_one._replace(version=0)


def test_below_it_it_is_not():
    before = job(3, JobCounters(runs=9))
    after = after_outcomes(before, [("failed", None)] * 2)
    assert after == before._replace(version=8, counters=JobCounters(9, 2, None))
    assert not has_paused_itself(before, after)


@pytest.mark.parametrize(
    ("record", "outcomes"),
    [
        (job(None), [("failed", None)] * 10),
        (job(None, JobCounters(failures=3)), [("succeeded", None)]),
        (job(3), [("succeeded", None)]),
        (job(3, JobCounters(failures=2)), [("cancelled", None)]),
        (job(3), []),
    ],
    ids=["no limit", "no limit any more", "nothing to forget", "neither", "nothing"],
)
def test_nothing_that_changes_nothing_is_to_be_written(record, outcomes):
    assert after_outcomes(record, outcomes) is record


def test_a_job_that_was_paused_already_has_not_paused_itself():
    before = job(1, next_run_time=None)
    after = after_outcomes(before, [("failed", None)])
    assert not has_paused_itself(before, after)
    assert not has_paused_itself(before, before._replace(next_run_time=START))
