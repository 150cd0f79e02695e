"""What becomes of due times when as many runs go on as may: of the job, of its group, and of its schedule as a whole."""

from datetime import UTC, datetime, timedelta

import pytest

from mainspring.engine.decision import Decision, decide, decide_queued
from mainspring.engine.grouping import Capacity
from mainspring.engine.reasons import had_all
from mainspring.model import JobCounters, JobOptions, JobRecord, QueuedRun
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
EVERY_TEN = IntervalTrigger(seconds=10, start_date=START, timezone=UTC)
FULL = Capacity(0, None, START + 7 * SECOND)


def job(trigger=EVERY_TEN, counters=None, func=print, **options):
    return JobRecord(
        "a",
        "a",
        func,
        "there:work",
        (),
        {},
        trigger,
        JobOptions(**options),
        START,
        version=4,
        counters=counters,
    )


def at(*numbers):
    return [START + number * SECOND for number in numbers]


def parts(decision):
    """Those of its times that are run, queued and skipped, in seconds after `START`; and whether it cancels."""
    return (
        *(
            [(time - START).total_seconds() for time in times]
            for times in (decision.submit, decision.buffered, decision.overlapping)
        ),
        decision.cancels,
    )


@pytest.mark.parametrize(
    ("overlap", "running", "queued", "expected"),
    [
        ("skip", 1, 0, ([0, 10, 20], [], [], False)),
        ("skip", 2, 0, ([], [], [0, 10, 20], False)),
        ("allow", 2, 0, ([0, 10, 20], [], [], False)),
        ("allow", 99, 0, ([0, 10, 20], [], [], False)),
        ("buffer_one", 1, 0, ([0, 10, 20], [], [], False)),
        ("buffer_one", 2, 0, ([], [0], [10, 20], False)),
        ("buffer_one", 2, 1, ([], [], [0, 10, 20], False)),
        ("buffer_one", 2, 5, ([], [], [0, 10, 20], False)),
        ("buffer_all", 1, 0, ([0, 10, 20], [], [], False)),
        ("buffer_all", 2, 0, ([], [0, 10, 20], [], False)),
        ("buffer_all", 2, 3, ([], [0, 10], [20], False)),  # of five, three wait already
        ("buffer_all", 2, 6, ([], [], [0, 10, 20], False)),
        ("cancel_running", 1, 0, ([0, 10, 20], [], [], False)),
        ("cancel_running", 2, 0, ([], [20], [0, 10], True)),
        ("cancel_running", 2, 1, ([], [], [0, 10, 20], True)),
    ],
)
def test_overlap(overlap, running, queued, expected):
    record = job(overlap=overlap, coalesce=False, max_instances=2, catch_up_limit=5)
    decision = decide(record, START + 25 * SECOND, running, buffered=queued)
    assert parts(decision) == expected
    assert not decision.waits
    assert decision.following == record._replace(next_run_time=START + 30 * SECOND, version=5)


def test_none_waits_unless_it_is_said():
    assert decide(job(overlap="buffer_one"), START, 1).buffered == at(0)


def test_the_last_run_of_a_schedule_is_queued_where_that_is_wanted():
    decision = decide(job(DateTrigger(START), overlap="buffer_one"), START, 1)
    assert parts(decision) == ([], [0], [], False)
    assert decision.following is None
    assert not decision.waits


@pytest.mark.parametrize(
    ("capacity", "expected"),
    [
        (None, ([0, 10, 20], [], [], False)),
        (Capacity(1, None, None), ([0, 10, 20], [], [], False)),
        (Capacity(1, 9, None), ([0, 10, 20], [], [], False)),
        (Capacity(1, 3, None), ([0, 10, 20], [], [], False)),
        (Capacity(1, 2, None), ([0, 10], [20], [], False)),
        (Capacity(1, 1, None), ([0], [10, 20], [], False)),
    ],
)
def test_what_a_group_has_no_room_for_is_queued(capacity, expected):
    decision = decide(job(coalesce=False, group="g"), START + 25 * SECOND, 0, capacity=capacity)
    assert parts(decision) == expected
    assert decision.following.next_run_time == START + 30 * SECOND


def test_a_job_whose_group_is_full_waits_and_nothing_of_it_moves():
    decision = decide(job(coalesce=False, group="g"), START + 25 * SECOND, 0, capacity=FULL)
    assert decision.waits
    assert (decision.full_group, decision.waits_until) == ("g", START + 7 * SECOND)
    assert parts(decision) == ([], [], [], False)
    assert decision.following is None
    assert not decision.missed


@pytest.mark.parametrize(
    ("grace", "until"),
    [
        (None, 7),  # its group has room by then
        (60 * SECOND, 7),
        (SECOND, 1.001),  # it is too late before
        (timedelta.max, 7),  # no calendar goes as far
    ],
)
def test_what_waits_for_its_group_is_decided_about_again_when_time_alone_makes_something_of_it(grace, until):
    capacity = Capacity(1, 0, START + 7 * SECOND)
    record = job(DateTrigger(START), misfire_grace_time=grace, group="g")
    assert decide(record, START, 0, capacity=capacity).waits_until == START + until * SECOND
    run = QueuedRun("a", START, 1, START, "buffered")
    assert decide_queued(record, run, 0, capacity=capacity, now=START).waits_until == START + until * SECOND
    then = decide_queued(record, run, 0, capacity=capacity, now=START + until * SECOND)
    assert then.missed == (at(0) if until < 7 else ())


@pytest.mark.parametrize(
    ("grace", "cause", "until"),
    [
        (None, "buffered", None),
        (3, "buffered", 3.001),
        (3, "retry", 8.001),  # it may begin at five
        (3, "manual", None),  # it is wanted however long it waits
    ],
)
def test_what_waits_for_an_instance_is_decided_about_again_when_it_is_too_late(grace, cause, until):
    expected = None if until is None else START + until * SECOND
    allowed = None if grace is None else grace * SECOND
    run = QueuedRun("a", START, 1, START + 5 * SECOND, cause)
    record = job(DateTrigger(START), misfire_grace_time=allowed)
    queued = decide_queued(record, run, 1, capacity=Capacity(1, 0, START + SECOND), now=START)
    assert (queued.waits, queued.waits_until) == (True, expected)
    if cause == "buffered":
        decision = decide(record, START, 1, capacity=Capacity(1, 0, START + SECOND))
        assert (decision.waits, decision.waits_until) == (True, expected)


def test_a_full_group_is_nothing_to_a_job_that_has_missed_all():
    record = job(DateTrigger(START), misfire_grace_time=SECOND, group="g")
    decision = decide(record, START + 5 * SECOND, 0, capacity=FULL)
    assert not decision.waits
    assert decision.missed == at(0)


@pytest.mark.parametrize(
    ("capacity", "submitted"),
    [(None, True), (Capacity(1, None, None), True), (Capacity(1, 1, None), True), (FULL, False)],
)
def test_a_queued_run_waits_for_its_group(capacity, submitted):
    run = QueuedRun("a", START, 3, START + SECOND, "retry")
    record = job(group="g")
    decision = decide_queued(record, run, 0, capacity=capacity)
    assert decision.submit == (at(0) if submitted else ())
    assert decision.waits is (not submitted)
    assert (decision.full_group, decision.waits_until) == (
        (None, None) if submitted else ("g", START + 7 * SECOND)
    )
    assert (decision.run, decision.cause, decision.attempt) == (run, "retry", 3)
    assert decision.following is record
    assert decision.job is record


@pytest.mark.parametrize(
    ("overlap", "cause", "running", "submitted"),
    [
        ("skip", "retry", 0, True),
        ("skip", "retry", 1, False),
        ("buffer_all", "buffered", 1, False),
        ("allow", "manual", 1, True),
        ("skip", "parallel", 1, True),
        ("skip", "backfill", 1, False),
    ],
)
def test_a_queued_run_waits_for_an_instance(overlap, cause, running, submitted):
    run = QueuedRun("a", START, 1, START, cause)
    decision = decide_queued(job(overlap=overlap), run, running)
    assert decision.submit == (at(0) if submitted else ())
    assert decision.waits is (not submitted)
    assert decision.full_group is None


@pytest.mark.parametrize(
    ("record", "executor_known", "reason"),
    [
        (job(), True, None),
        (job(executor="pool"), False, "no executor 'pool' here"),
        (job(func=None), True, "no function 'there:work' here"),
        (job(func=None, executor="pool"), False, "no function 'there:work' here"),
    ],
)
def test_what_can_not_be_run_here_waits_with_a_reason(record, executor_known, reason):
    run = QueuedRun("a", START, 1, START, "manual")
    for decision in (
        decide(record, START, 0, executor_known=executor_known),
        decide_queued(record, run, 0, executor_known=executor_known),
    ):
        assert decision.reason == reason
        assert decision.error is None
        assert bool(decision.submit) is (reason is None)
        assert not decision.waits


@pytest.mark.parametrize(
    ("had", "submitted", "counters"),
    [
        (None, [0, 10, 20], JobCounters(3)),
        (JobCounters(0, 2, "a note"), [0, 10, 20], JobCounters(3, 2, "a note")),
        (JobCounters(1), [0, 10, 20], JobCounters(4)),
        (JobCounters(2), [0, 10, 20], JobCounters(5, 0, had_all(5))),
        (JobCounters(3), [0, 10], JobCounters(5, 0, had_all(5))),
        (JobCounters(5), [], JobCounters(5, 0, had_all(5))),
        (JobCounters(9), [], JobCounters(9, 0, had_all(5))),
    ],
)
def test_a_schedule_may_have_so_many_runs(had, submitted, counters):
    record = job(counters=had, coalesce=False, max_runs=5)
    decision = decide(record, START + 25 * SECOND, 0)
    assert parts(decision) == (submitted, [], [], False)
    ends = counters.note == had_all(5)
    assert decision.following == record._replace(
        counters=counters, version=5, next_run_time=None if ends else START + 30 * SECOND
    )


def test_runs_that_are_queued_count_and_those_that_are_skipped_do_not():
    record = job(coalesce=False, max_runs=5, overlap="buffer_one")
    decision = decide(record, START + 25 * SECOND, 1)
    assert parts(decision) == ([], [0], [10, 20], False)
    assert decision.following.counters == JobCounters(1)


def test_the_last_runs_of_a_schedule_wait_instead_of_being_skipped():
    record = job(counters=JobCounters(4), max_runs=5)
    assert decide(record, START, 1).waits
    assert decide(record._replace(counters=JobCounters(3)), START, 1).overlapping == at(0)


def test_a_schedule_that_ends_before_its_runs_are_spent_has_ended():
    assert decide(job(DateTrigger(START), max_runs=5), START, 0).following is None


@pytest.mark.parametrize("given", [1, 2, 3])
def test_a_backlog_is_made_up_for_up_to_the_jobs_own_limit(given):
    record = job(coalesce=False, catch_up_limit=given)
    decision = decide(record, START + 25 * SECOND, 0)
    assert decision.submit == at(0, 10, 20)[-given:]
    assert decision.dropped == (None if given == 3 else START)
    assert decision.kept_from == decision.submit[0]


class Faulty(BaseTrigger):
    def get_next_fire_time(self, previous_fire_time, now):
        raise RuntimeError("broken")


def test_a_trigger_that_raises_is_named_as_the_reason():
    decision = decide(job(Faulty()), START, 0)
    assert decision.reason == "its trigger failed"
    assert str(decision.error) == "broken"


def test_a_decision_is_about_a_job():
    record = job()
    assert Decision(record).job is record
    assert decide(record, START, 0).job is record


@pytest.mark.parametrize(
    ("changes", "eventful", "requeues"),
    [
        ({}, False, False),
        ({"submit": at(0)}, False, False),
        ({"buffered": at(0)}, False, True),
        ({"run": QueuedRun("a", START, 1, START, "retry")}, False, True),
        ({"reason": ""}, True, False),
        ({"missed": at(0)}, True, False),
        ({"overlapping": at(0)}, True, False),
        ({"cancels": True}, True, False),
        ({"dropped": START}, True, False),
        ({"waits": True}, False, False),
    ],
)
def test_of_what_there_is_more_to_say_and_what_goes_back_to_the_queue(changes, eventful, requeues):
    decision = Decision(job())
    for name, value in changes.items():
        setattr(decision, name, value)
    assert (decision.is_eventful, decision.requeues) == (eventful, requeues)
