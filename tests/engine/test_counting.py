from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainspring.engine.counting import counted, given_back, runs_left
from mainspring.engine.decision import decide
from mainspring.engine.grouping import Capacity, GroupBudget, without
from mainspring.engine.reasons import had_all
from mainspring.model import Group, JobCounters, JobOptions, JobRecord
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)

tallies = st.builds(JobCounters, st.integers(0, 4), st.integers(0, 3), st.sampled_from([None, "a note"]))
jobs = st.builds(
    JobRecord,
    id=st.just("a"),
    name=st.just("a"),
    func=st.just(print),
    func_ref=st.just("builtins:print"),
    args=st.just(()),
    kwargs=st.just({}),
    trigger=st.sampled_from(
        [DateTrigger(START), IntervalTrigger(seconds=10, start_date=START, timezone=UTC)]
    ),
    options=st.builds(
        JobOptions,
        misfire_grace_time=st.none() | st.integers(0, 60).map(lambda seconds: seconds * SECOND),
        coalesce=st.booleans(),
        max_instances=st.integers(1, 2),
        overlap=st.sampled_from(["skip", "buffer_one", "buffer_all", "cancel_running", "allow"]),
        catch_up_limit=st.integers(1, 5),
        max_runs=st.none() | st.integers(1, 5),
        group=st.sampled_from([None, "g"]),
    ),
    next_run_time=st.just(START),
    version=st.integers(0, 3),
    counters=st.none() | tallies,
)


def limited(max_runs, counters=None, **fields):
    """A job of a ten-second interval that may run so often."""
    trigger = IntervalTrigger(seconds=10, start_date=START, timezone=UTC)
    options = JobOptions(max_runs=max_runs)
    job = JobRecord("a", "a", print, "builtins:print", (), {}, trigger, options, START, counters=counters)
    return job._replace(**fields)


@pytest.mark.parametrize(
    ("max_runs", "counters", "left"),
    [
        (None, None, None),
        (None, JobCounters(7), None),
        (3, None, 3),
        (3, JobCounters(0, 2, "a note"), 3),
        (3, JobCounters(1), 2),
        (3, JobCounters(3), 0),
        (3, JobCounters(5), 0),  # its `max_runs` was lowered
        (1, JobCounters(1), 0),
    ],
)
def test_a_job_has_the_runs_left_that_it_has_not_had(max_runs, counters, left):
    assert runs_left(limited(max_runs, counters)) == left


@pytest.mark.parametrize(
    ("counters", "runs", "left", "counters_after"),
    [
        (None, 1, 3, JobCounters(1)),
        (None, 2, 3, JobCounters(2)),
        (
            JobCounters(1, 4, "a note"),
            1,
            2,
            JobCounters(2, 4, "a note"),
        ),  # what else it tells of the job stays
        (None, 0, 3, JobCounters(0)),
    ],
)
def test_what_is_claimed_is_counted(counters, runs, left, counters_after):
    job = limited(3, counters, version=5)
    after = counted(job, START + 10 * SECOND, runs, left)
    assert (after.next_run_time, after.counters, after.version) == (START + 10 * SECOND, counters_after, 6)
    assert counted(job, None, runs, left) is None  # its schedule ends, and nothing of it stays


@pytest.mark.parametrize(
    ("counters", "runs", "left", "counters_after"),
    [
        (None, 3, 3, JobCounters(3, 0, had_all(3))),
        (JobCounters(2, 4, "a note"), 1, 1, JobCounters(3, 4, had_all(3))),
        (JobCounters(3), 0, 0, JobCounters(3, 0, had_all(3))),
    ],
)
@pytest.mark.parametrize("following", [None, START + 10 * SECOND])
def test_a_job_that_has_had_its_runs_stays_paused_and_says_so(
    counters, runs, left, counters_after, following
):
    after = counted(limited(3, counters), following, runs, left)
    assert (after.next_run_time, after.counters) == (None, counters_after)


@pytest.mark.parametrize(
    ("counters", "present", "times", "counters_after"),
    [
        (None, JobCounters(1), 1, None),
        (None, JobCounters(2), 1, JobCounters(1)),  # another was claimed since
        (None, JobCounters(1, 2), 1, JobCounters(0, 2)),
        (JobCounters(0), JobCounters(1), 1, JobCounters(0)),
        (JobCounters(1), JobCounters(3), 2, JobCounters(1)),
        (
            JobCounters(1),
            JobCounters(0, 0, "begun anew"),
            1,
            JobCounters(0, 0, "begun anew"),
        ),  # never less than none
        (JobCounters(1), None, 1, None),
    ],
)
def test_what_is_given_back_is_counted_back(counters, present, times, counters_after):
    job = limited(5, counters)
    claimed = job._replace(next_run_time=START + times * 10 * SECOND, counters=present)
    back = given_back(claimed, job, [START + place * 10 * SECOND for place in range(times)])
    assert (back.next_run_time, back.counters) == (START, counters_after)


@given(
    job=jobs,
    late=st.integers(0, 100),
    running=st.integers(0, 2),
    capacity=st.none() | st.integers(0, 5).map(lambda runs: Capacity(1, runs, None)),
)
def test_a_claim_that_is_given_back_leaves_the_job_as_it_was(job, late, running, capacity):
    now = START + late * SECOND
    decision = decide(job, now, running, capacity=capacity)
    if not decision.submit or decision.requeues:
        return
    claimed = decision.following
    back = given_back(claimed, job, decision.submit)
    untold = job.next_run_time if not decision.missed and decision.dropped is None else decision.submit[0]
    assert back._replace(version=0) == job._replace(version=0, next_run_time=untold)
    assert back.version > (job.version + 1 if claimed is None else claimed.version)
    again = decide(back, now, running, capacity=capacity)
    assert (list(again.submit), list(again.missed), again.dropped) == (list(decision.submit), [], None)
    assert (again.following is None) is (claimed is None)
    assert claimed is None or again.following.counters == claimed.counters


@given(job=jobs, failures=st.integers(0, 5))
def test_what_has_happened_to_the_job_since_its_claim_stays(job, failures):
    decision = decide(job, START, 0)
    claimed = decision.following
    if claimed is None or not decision.submit:
        return
    changed = claimed.changed(
        name="changed", counters=(claimed.counters or JobCounters())._replace(failures=failures)
    )
    back = given_back(changed, job, decision.submit)
    assert back.name == "changed"
    assert back.counters is None or back.counters.failures == failures
    if job.options.max_runs is not None:
        assert (0 if back.counters is None else back.counters.runs) == (
            0 if job.counters is None else job.counters.runs
        )


@given(st.lists(st.integers(0, 5)), st.integers(1, 5))
def test_what_a_group_has_counted_is_counted_back(ages, runs):
    now = START + 10 * SECOND
    begun = sorted(START + age * SECOND for age in ages)
    budget = GroupBudget({"g": Group("g", rate=100)}, {}, {"g": begun}, now)
    budget.reserve("g", runs)
    assert without(budget.begun()["g"], now, runs) == begun


def test_what_counts_no_more_is_not_counted_back():
    assert without([START], START + SECOND, 2) == [START]


def test_a_schedule_that_has_ended_before_its_runs_were_spent_had_counted_nothing():
    options = JobOptions(max_runs=3, coalesce=False)
    job = JobRecord(
        "a", "a", print, "builtins:print", (), {}, DateTrigger(START), options, START, 7, JobCounters(1)
    )
    decision = decide(job, START, 0)
    assert decision.following is None
    assert given_back(None, job, decision.submit) == job._replace(version=9)


def test_a_note_stays_unless_it_was_the_claims():
    job = JobRecord(
        "a",
        "a",
        print,
        "builtins:print",
        (),
        {},
        IntervalTrigger(seconds=10, start_date=START, timezone=UTC),
        JobOptions(max_runs=2),
        START,
        counters=JobCounters(0, 0, "of somebody's"),
    )
    first = decide(job, START, 0)
    assert given_back(first.following, job, first.submit).counters == job.counters
    last = decide(job._replace(counters=JobCounters(1, 0, "of somebody's")), START, 0)
    assert last.following.counters.note == had_all(2)
    assert given_back(last.following, last.job, last.submit).counters == last.job.counters
