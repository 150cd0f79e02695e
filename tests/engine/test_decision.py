from datetime import UTC, datetime, timedelta

import pytest

from mainspring.engine.decision import decide
from mainspring.model import JobOptions, JobRecord
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def job(trigger=None, next_run_time=START, **options):
    trigger = trigger or IntervalTrigger(seconds=10, start_date=START, timezone=UTC)
    return JobRecord("a", "a", print, "builtins:print", (), {}, trigger, JobOptions(**options), next_run_time)


class Faulty(BaseTrigger):
    def __init__(self, answer):
        self.answer = answer

    def get_next_fire_time(self, previous_fire_time, now):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_one_due_time_is_submitted_and_the_job_moves_on():
    decision = decide(job(), START + SECOND, 0)
    assert decision.submit == [START]
    assert decision.following.next_run_time == START + 10 * SECOND
    assert not any([decision.missed, decision.overlapping, decision.waits, decision.reason, decision.dropped])


def test_a_job_without_a_next_time_has_ended():
    decision = decide(job(DateTrigger(START)), START, 0)
    assert decision.submit == [START]
    assert decision.following is None


def test_coalescing_submits_the_latest_alone():
    decision = decide(job(), START + 35 * SECOND, 0)
    assert decision.submit == [START + 30 * SECOND]
    assert decision.following.next_run_time == START + 40 * SECOND


def test_without_coalescing_all_are_submitted():
    decision = decide(job(coalesce=False), START + 35 * SECOND, 0)
    assert decision.submit == [START + n * 10 * SECOND for n in range(4)]


def test_without_coalescing_the_backlog_is_capped_and_says_so():
    now = START + timedelta(days=3650)
    decision = decide(job(coalesce=False), now, 0)
    assert len(decision.submit) == 1000
    assert decision.submit[-1] == now
    assert decision.submit[0] == now - 999 * 10 * SECOND
    assert decision.dropped == START


@pytest.mark.parametrize(("late", "submitted"), [(0, True), (5, True), (5.000001, False), (3600, False)])
def test_grace_is_inclusive(late, submitted):
    grace = timedelta(seconds=5)
    decision = decide(job(DateTrigger(START), misfire_grace_time=grace), START + late * SECOND, 0)
    assert bool(decision.submit) is submitted
    assert bool(decision.missed) is not submitted


def test_without_grace_nothing_is_too_late():
    assert decide(job(DateTrigger(START)), START + timedelta(days=3650), 0).submit == [START]


def test_a_grace_of_zero_is_a_grace():
    decision = decide(job(DateTrigger(START), misfire_grace_time=timedelta(0)), START + SECOND, 0)
    assert decision.missed == [START]


def test_of_several_times_only_those_past_their_grace_are_missed():
    decision = decide(job(coalesce=False, misfire_grace_time=timedelta(seconds=20)), START + 35 * SECOND, 0)
    assert decision.missed == [START, START + 10 * SECOND]
    assert decision.submit == [START + 20 * SECOND, START + 30 * SECOND]


def test_at_the_instance_limit_a_repeating_job_skips_and_moves_on():
    decision = decide(job(max_instances=2), START, 2)
    assert decision.overlapping == [START]
    assert not decision.submit
    assert decision.following.next_run_time == START + 10 * SECOND


def test_below_the_instance_limit_it_runs():
    assert decide(job(max_instances=2), START, 1).submit == [START]


def test_at_the_instance_limit_a_last_run_waits_for_its_turn():
    decision = decide(job(DateTrigger(START)), START, 1)
    assert decision.waits
    assert not any([decision.submit, decision.overlapping, decision.missed])


def test_a_missed_run_does_not_wait_for_an_instance():
    decision = decide(job(DateTrigger(START), misfire_grace_time=SECOND), START + 5 * SECOND, 1)
    assert decision.missed == [START]
    assert not decision.waits
    assert decision.following is None


def test_a_trigger_that_raises_parks_the_job():
    error = RuntimeError("broken")
    decision = decide(job(Faulty(error)), START, 0)
    assert decision.error is error
    assert "trigger" in decision.reason
    assert not decision.submit


def test_a_trigger_that_does_not_advance_parks_the_job():
    decision = decide(job(Faulty(START)), START, 0)
    assert "later" in str(decision.error)


def test_an_unknown_executor_parks_the_job():
    assert decide(job(executor="gone"), START, 0, executor_known=False).reason == "no executor 'gone' here"


def test_a_job_without_function_is_parked():
    record = JobRecord("a", "a", None, "gone:f", (), {}, DateTrigger(START), JobOptions(), START)
    assert "gone:f" in decide(record, START, 0).reason


def test_a_paused_job_cannot_be_due():
    with pytest.raises(ValueError, match="paused"):
        decide(job(next_run_time=None), START, 0)
