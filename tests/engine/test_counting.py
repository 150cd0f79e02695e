from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainspring.engine.counting import counted, given_back, runs_left
from mainspring.engine.decision import decide
from mainspring.engine.grouping import GroupBook, Room, without
from mainspring.engine.reasons import had_all
from mainspring.model import Group, JobOptions, JobRecord, Tally
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)

tallies = st.builds(Tally, st.integers(0, 4), st.integers(0, 3), st.sampled_from([None, "a note"]))
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
    tally=st.none() | tallies,
)


def limited(max_runs, tally=None, **fields):
    """A job of a ten-second interval that may run so often."""
    trigger = IntervalTrigger(seconds=10, start_date=START, timezone=UTC)
    options = JobOptions(max_runs=max_runs)
    job = JobRecord("a", "a", print, "builtins:print", (), {}, trigger, options, START, tally=tally)
    return job._replace(**fields)


@pytest.mark.parametrize(
    ("max_runs", "tally", "left"),
    [
        (None, None, None),
        (None, Tally(7), None),
        (3, None, 3),
        (3, Tally(0, 2, "a note"), 3),
        (3, Tally(1), 2),
        (3, Tally(3), 0),
        (3, Tally(5), 0),  # its `max_runs` was lowered
        (1, Tally(1), 0),
    ],
)
def test_a_job_has_the_runs_left_that_it_has_not_had(max_runs, tally, left):
    assert runs_left(limited(max_runs, tally)) == left


@pytest.mark.parametrize(
    ("tally", "runs", "left", "tally_after"),
    [
        (None, 1, 3, Tally(1)),
        (None, 2, 3, Tally(2)),
        (Tally(1, 4, "a note"), 1, 2, Tally(2, 4, "a note")),  # what else it tells of the job stays
        (None, 0, 3, Tally(0)),
    ],
)
def test_what_is_claimed_is_counted(tally, runs, left, tally_after):
    job = limited(3, tally, version=5)
    after = counted(job, START + 10 * SECOND, runs, left)
    assert (after.next_run_time, after.tally, after.version) == (START + 10 * SECOND, tally_after, 6)
    assert counted(job, None, runs, left) is None  # its schedule ends, and nothing of it stays


@pytest.mark.parametrize(
    ("tally", "runs", "left", "tally_after"),
    [
        (None, 3, 3, Tally(3, 0, had_all(3))),
        (Tally(2, 4, "a note"), 1, 1, Tally(3, 4, had_all(3))),
        (Tally(3), 0, 0, Tally(3, 0, had_all(3))),
    ],
)
@pytest.mark.parametrize("following", [None, START + 10 * SECOND])
def test_a_job_that_has_had_its_runs_stays_paused_and_says_so(tally, runs, left, tally_after, following):
    after = counted(limited(3, tally), following, runs, left)
    assert (after.next_run_time, after.tally) == (None, tally_after)


@pytest.mark.parametrize(
    ("tally", "present", "times", "tally_after"),
    [
        (None, Tally(1), 1, None),
        (None, Tally(2), 1, Tally(1)),  # another was claimed since
        (None, Tally(1, 2), 1, Tally(0, 2)),
        (Tally(0), Tally(1), 1, Tally(0)),
        (Tally(1), Tally(3), 2, Tally(1)),
        (Tally(1), Tally(0, 0, "begun anew"), 1, Tally(0, 0, "begun anew")),  # never less than none
        (Tally(1), None, 1, None),
    ],
)
def test_what_is_given_back_is_counted_back(tally, present, times, tally_after):
    job = limited(5, tally)
    claimed = job._replace(next_run_time=START + times * 10 * SECOND, tally=present)
    back = given_back(claimed, job, [START + place * 10 * SECOND for place in range(times)])
    assert (back.next_run_time, back.tally) == (START, tally_after)


@given(
    job=jobs,
    late=st.integers(0, 100),
    running=st.integers(0, 2),
    room=st.none() | st.integers(0, 5).map(lambda runs: Room(1, runs, None)),
)
def test_a_claim_that_is_given_back_leaves_the_job_as_it_was(job, late, running, room):
    now = START + late * SECOND
    decision = decide(job, now, running, room=room)
    if not decision.submit or decision.requeues:
        return
    claimed = decision.following
    back = given_back(claimed, job, decision.submit)
    untold = job.next_run_time if not decision.missed and decision.dropped is None else decision.submit[0]
    assert back._replace(version=0) == job._replace(version=0, next_run_time=untold)
    assert back.version > (job.version + 1 if claimed is None else claimed.version)
    again = decide(back, now, running, room=room)
    assert (list(again.submit), list(again.missed), again.dropped) == (list(decision.submit), [], None)
    assert (again.following is None) is (claimed is None)
    assert claimed is None or again.following.tally == claimed.tally


@given(job=jobs, failures=st.integers(0, 5))
def test_what_has_happened_to_the_job_since_its_claim_stays(job, failures):
    decision = decide(job, START, 0)
    claimed = decision.following
    if claimed is None or not decision.submit:
        return
    changed = claimed.changed(name="changed", tally=(claimed.tally or Tally())._replace(failures=failures))
    back = given_back(changed, job, decision.submit)
    assert back.name == "changed"
    assert back.tally is None or back.tally.failures == failures
    if job.options.max_runs is not None:
        assert (0 if back.tally is None else back.tally.runs) == (0 if job.tally is None else job.tally.runs)


@given(st.lists(st.integers(0, 5)), st.integers(1, 5))
def test_what_a_group_has_counted_is_counted_back(ages, runs):
    now = START + 10 * SECOND
    begun = sorted(START + age * SECOND for age in ages)
    book = GroupBook({"g": Group("g", rate=100)}, {}, {"g": begun}, now)
    book.take("g", runs)
    assert without(book.begun()["g"], now, runs) == begun


def test_what_counts_no_more_is_not_counted_back():
    assert without([START], START + SECOND, 2) == [START]


def test_a_schedule_that_has_ended_before_its_runs_were_spent_had_counted_nothing():
    options = JobOptions(max_runs=3, coalesce=False)
    job = JobRecord(
        "a", "a", print, "builtins:print", (), {}, DateTrigger(START), options, START, 7, Tally(1)
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
        tally=Tally(0, 0, "of somebody's"),
    )
    first = decide(job, START, 0)
    assert given_back(first.following, job, first.submit).tally == job.tally
    last = decide(job._replace(tally=Tally(1, 0, "of somebody's")), START, 0)
    assert last.following.tally.note == had_all(2)
    assert given_back(last.following, last.job, last.submit).tally == last.job.tally
