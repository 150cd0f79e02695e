"""Runs that failed are run again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import run_work as work
from run_work import eventually

from mainspring import Retry
from mainspring.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_GAVE_UP,
    EVENT_JOB_RETRYING,
    EVENT_JOB_SUBMITTED,
)
from mainspring.model import run_id

PAST = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


def test_a_run_that_fails_is_tried_again_until_it_succeeds(scheduler, heard):
    scheduler.add_job(
        work.fail_until, "date", run_date=PAST, args=[3], id="flaky", retry=Retry(attempts=5, delay=0.05)
    )
    (event,) = heard.wait_for(EVENT_JOB_EXECUTED, "flaky", timeout=20)
    assert event.attempt == 3
    assert event.run_id == run_id("flaky", PAST, 3)
    submitted = [each.run_ids for each in heard.of(EVENT_JOB_SUBMITTED, "flaky")]
    assert submitted == [[run_id("flaky", PAST, number)] for number in (1, 2, 3)]
    assert work.seen == [(number, run_id("flaky", PAST, number)) for number in (1, 2, 3)]
    last = scheduler.wait_for_run(run_id("flaky", PAST), 10)
    assert (last.attempt, last.outcome, last.cause) == (3, "succeeded", "retry")
    outcomes = [(run.attempt, run.outcome, run.error) for run in reversed(scheduler.get_runs("flaky"))]
    assert outcomes == [
        (1, "failed", "OSError: attempt 1"),
        (2, "failed", "OSError: attempt 2"),
        (3, "succeeded", None),
    ]
    retrying = heard.of(EVENT_JOB_RETRYING, "flaky")
    assert [event.attempt for event in retrying] == [1, 2]
    assert all(event.retry_at > event.finished for event in retrying)
    assert len(heard.of(EVENT_JOB_ERROR)) == 2
    assert heard.of(EVENT_JOB_GAVE_UP) == []
    eventually(lambda: scheduler.get_job("flaky") is None)


def test_after_the_last_attempt_it_is_given_up(scheduler, heard):
    scheduler.add_job(work.fail, "date", run_date=PAST, id="bad", retry=Retry(2, delay=0.02))
    (event,) = heard.wait_for(EVENT_JOB_GAVE_UP, "bad", timeout=20)
    assert (event.attempt, event.retry_at) == (2, None)
    assert str(event.exception) == "no such luck"
    assert scheduler.wait_for_run(run_id("bad", PAST), 10).attempt == 2
    assert len(scheduler.get_runs("bad")) == 2


def test_only_some_errors_are_worth_another_try(scheduler, heard):
    scheduler.add_job(work.fail, "date", run_date=PAST, id="a", retry=Retry(3, delay=0, on=OSError))
    scheduler.add_job(work.fail, "date", run_date=PAST, id="b", retry=Retry(3, delay=0, not_on=ValueError))
    scheduler.add_job(work.fail, "date", run_date=PAST, id="c", retry=Retry(2, delay=0, on=[Exception]))
    heard.wait_for(EVENT_JOB_GAVE_UP, count=3, timeout=20)
    attempts = {event.job_id: event.attempt for event in heard.of(EVENT_JOB_GAVE_UP)}
    assert attempts == {"a": 1, "b": 1, "c": 2}


def test_the_schedule_is_not_moved_and_the_retry_waits_for_its_turn(scheduler, heard):
    start = datetime.now(UTC) - timedelta(seconds=5)
    job = scheduler.add_job(
        work.fail, "interval", hours=1, start_date=start, next_run_time=start, retry=Retry(3, delay=0.05)
    )
    heard.wait_for(EVENT_JOB_GAVE_UP, timeout=20)
    assert scheduler.get_job(job.id).next_run_time == start + timedelta(hours=1)


def test_waiting_attempts_outlast_a_restart(make_scheduler, make_store, request):
    if request.node.callspec.params["make_store"] in ("memory", "adapted"):
        pytest.skip("what is in memory ends with the process")
    first = make_scheduler(jobstores={"default": make_store()}, start=True)
    first.add_job(work.fail_until, "date", run_date=PAST, args=[2], id="flaky", retry=Retry(3, delay=1))
    eventually(lambda: first.get_runs("flaky", "queued") != [])
    first.shutdown()
    (waiting,) = _other(make_scheduler, make_store).get_runs("flaky", "queued")
    assert (waiting.attempt, waiting.cause) == (2, "retry")
    second = make_scheduler(jobstores={"default": make_store()}, start=True)
    last = second.wait_for_run(run_id("flaky", PAST), 20)
    assert (last.attempt, last.outcome) == (2, "succeeded")
    assert last.started >= waiting.available
    assert second.get_job("flaky") is None


def _other(make_scheduler, make_store):
    looking = make_scheduler(jobstores={"default": make_store()})
    looking.start(paused=True)
    return looking


def test_a_changed_job_is_tried_again_as_it_is_now(scheduler, heard):
    job = scheduler.add_job(
        work.fail, "interval", days=1, next_run_time=PAST, id="mended", retry=Retry(3, delay=0.5)
    )
    heard.wait_for(EVENT_JOB_RETRYING, "mended")
    job.modify(func=work.add, args=[1, 2])
    (event,) = heard.wait_for(EVENT_JOB_EXECUTED, "mended", timeout=20)
    assert (event.retval, event.attempt) == (3, 2)


def test_a_number_of_attempts_will_do_and_defaults_are_kept(make_scheduler):
    scheduler = make_scheduler(job_defaults={"retry": {"attempts": 4, "delay": 2}})
    assert scheduler.add_job(work.fail).retry == Retry(4, delay=2)
    assert scheduler.add_job(work.fail, retry=2).retry == Retry(2)
    assert scheduler.add_job(work.fail, retry=None).retry is None
    assert make_scheduler({"apscheduler.job_defaults.retry": "5"}).add_job(work.fail).retry == Retry(5)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "attempts must be a whole number of 1 or more, got 0"),
        ("often", "retry must be a Retry"),
        ({"attempt": 3}, "did you mean 'attempts'"),
        ({"delay": -1}, "delay must be a number of seconds"),
        ({"backoff": 0.5}, "backoff must be a number of 1 or more"),
        ({"on": ["OSError"]}, "references to them such as 'builtins:OSError'"),
        ({"on": 5}, "on must be classes of errors"),
        ({"backoff": float("nan")}, "backoff must be a number of 1 or more"),
        ({"delay": float("inf")}, "delay must be a number of seconds"),
    ],
)
def test_a_wrong_retry_is_refused(make_scheduler, value, words):
    with pytest.raises((TypeError, ValueError), match=words):
        make_scheduler().add_job(work.fail, retry=value)


def test_a_run_that_has_to_wait_does_not_make_others_wait(seldom_polls, scheduler):
    busy = scheduler.add_job(work.wait, "date", run_date=LATER, id="busy")
    handles = [busy.run_now() for _ in range(2)]
    assert work.begun.wait(30)
    job = scheduler.add_job(work.fail, id="fails", retry=Retry(6, delay=0.02))
    eventually(lambda: len(scheduler.get_runs("fails", "failed")) == 6)
    runs = scheduler.get_runs(job.id)
    took = max(run.finished for run in runs) - min(run.finished for run in runs)
    assert took < 2 * seldom_polls  # five would wait for a poll each
    assert handles[1].record().state == "queued"
    work.gate.set()
    assert [handle.wait(30).outcome for handle in handles] == ["succeeded"] * 2
