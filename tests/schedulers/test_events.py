"""Events: their order, what they carry, and who delivers them."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from mainspring.events import (
    EVENT_ALL,
    EVENT_EVERY,
    EVENT_JOB_ADDED,
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MISSED,
    EVENT_JOB_REMOVED,
    EVENT_JOB_STARTED,
    EVENT_JOB_SUBMITTED,
    EVENT_SCHEDULER_SHUTDOWN,
    EVENT_SCHEDULER_STARTED,
)
from mainspring.schedulers import listeners
from mainspring.testing import EventRecorder


def nothing():
    return 42


def test_ten_thousand_runs_without_an_inversion(scheduler):
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_EVERY)
    scheduler.start(paused=True)
    scheduler.add_jobs([{"func": nothing, "id": f"job-{number}"} for number in range(10_000)])
    scheduler.resume()
    heard.wait_for(EVENT_JOB_EXECUTED, count=10_000, timeout=60)
    heard.wait_for(EVENT_JOB_REMOVED, count=10_000, timeout=60)
    order = {EVENT_JOB_ADDED: 0, EVENT_JOB_SUBMITTED: 1, EVENT_JOB_STARTED: 2, EVENT_JOB_EXECUTED: 3}
    seen: dict[str, list[int]] = {}
    for event in heard.events:
        if event.code in order:
            seen.setdefault(event.job_id, []).append(order[event.code])
    assert len(seen) == 10_000
    assert all(steps == [0, 1, 2, 3] for steps in seen.values())


def test_the_events_of_a_run_carry_its_id_and_times(scheduler, heard):
    scheduler.start()
    before = datetime.now(UTC)
    scheduler.add_job(nothing, id="a")
    (ended,) = heard.wait_for(EVENT_JOB_EXECUTED)
    after = datetime.now(UTC)
    (submitted,) = heard.of(EVENT_JOB_SUBMITTED)
    (started,) = heard.of(EVENT_JOB_STARTED)
    assert submitted.run_ids == [started.run_id] == [ended.run_id]
    assert ended.run_id.startswith("a/")
    assert submitted.scheduled_run_times == [ended.scheduled_run_time] == [started.scheduled_run_time]
    assert before <= ended.scheduled_run_time <= ended.started == started.started <= ended.finished <= after
    assert ended.duration == ended.finished - ended.started
    assert ended.retval == 42
    assert ended.jobstore == "default"


def test_an_error_carries_the_exception_and_its_traceback_as_text(scheduler, heard):
    scheduler.start()
    scheduler.add_job(lambda: 1 / 0)
    (error,) = heard.wait_for(EVENT_JOB_ERROR)
    assert isinstance(error.exception, ZeroDivisionError)
    assert "1 / 0" in error.traceback


def test_a_run_that_is_too_late_is_missed_and_never_submitted(scheduler, heard):
    scheduler.start()
    due = datetime.now(UTC) - timedelta(hours=1)
    scheduler.add_job(nothing, "date", run_date=due, misfire_grace_time=60, id="late")
    (missed,) = heard.wait_for(EVENT_JOB_MISSED, "late")
    assert missed.scheduled_run_time == due
    assert missed.duration is None
    heard.wait_for(EVENT_JOB_REMOVED, "late")
    assert not heard.of(EVENT_JOB_SUBMITTED | EVENT_JOB_STARTED)


def test_the_default_mask_is_apschedulers(scheduler):
    heard = EventRecorder()
    scheduler.add_listener(heard)
    scheduler.start()
    scheduler.add_job(nothing)
    heard.wait_for(EVENT_JOB_EXECUTED)
    assert not heard.of(EVENT_JOB_STARTED)
    assert EVENT_ALL == 131071


def test_what_a_call_did_is_told_before_it_returns(scheduler, heard):
    scheduler.start()
    assert heard.events[-1].code == EVENT_SCHEDULER_STARTED
    job = scheduler.add_job(nothing, "interval", hours=1)
    assert heard.events[-1].code == EVENT_JOB_ADDED
    job.remove()
    assert heard.events[-1].code == EVENT_JOB_REMOVED
    scheduler.shutdown()
    assert heard.events[-1].code == EVENT_SCHEDULER_SHUTDOWN


def test_a_listener_may_call_the_scheduler(scheduler, heard):
    done = threading.Event()

    def adds_another(event):
        if event.job_id == "first":
            scheduler.add_job(done.set, id="second")

    scheduler.add_listener(adds_another, EVENT_JOB_EXECUTED)
    scheduler.start()
    scheduler.add_job(nothing, id="first")
    assert done.wait(30)
    heard.wait_for(EVENT_JOB_EXECUTED, "second")


def test_a_listener_may_shut_the_scheduler_down(scheduler, heard):
    scheduler.add_listener(lambda event: scheduler.shutdown(), EVENT_JOB_EXECUTED)
    scheduler.start()
    thread = scheduler._thread
    scheduler.add_job(nothing)
    thread.join(30)
    assert not thread.is_alive()
    assert scheduler.state == 0


def test_a_listener_that_exits_does_not_stop_the_telling(scheduler, heard):
    def leaves(event):
        raise SystemExit

    scheduler.add_listener(leaves, EVENT_JOB_STARTED)
    scheduler.start()
    for _ in range(3):
        scheduler.add_job(nothing)
    heard.wait_for(EVENT_JOB_EXECUTED, count=3)


def test_a_mask_chooses(scheduler):
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_JOB_ERROR)
    after = EventRecorder()
    scheduler.add_listener(after, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    scheduler.start()
    scheduler.add_job(nothing)
    scheduler.add_job(lambda: 1 / 0)
    after.wait_for(EVENT_JOB_EXECUTED | EVENT_JOB_ERROR, count=2)
    heard.wait_for(EVENT_JOB_ERROR)
    assert {event.code for event in heard.events} == {EVENT_JOB_ERROR}


@pytest.fixture
def quick_end(monkeypatch):
    """A shutdown waits for listeners for less long."""
    monkeypatch.setattr(listeners, "DELIVERED_AT_END_SECONDS", 0.3)


@pytest.mark.parametrize("options", [{}, {"timeout": 0.3}, {"wait": False}])
def test_a_listener_that_never_returns_does_not_hold_a_shutdown_up_and_is_named(
    scheduler, caplog, quick_end, options
):
    called, release = threading.Event(), threading.Event()

    def deaf_listener(_event):
        called.set()
        release.wait()

    scheduler.add_listener(deaf_listener, EVENT_JOB_EXECUTED)
    scheduler.start()
    scheduler.add_job(nothing, "interval", seconds=0.02)
    assert called.wait(20)
    deadline = time.monotonic() + 20
    while scheduler.health().undelivered_events < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    scheduler.shutdown(**options)
    if options != {"wait": False}:
        (said,) = [
            record for record in caplog.records if "are not delivered at the shutdown" in record.message
        ]
        assert (
            "deaf_listener has not returned" in said.getMessage()
            or "deaf_listener is slower" in said.getMessage()
        )
        assert said.levelname == "WARNING"
    release.set()


def test_health_names_a_listener_that_does_not_return(scheduler, quick_end):
    called, release = threading.Event(), threading.Event()

    def deaf_listener(_event):
        called.set()
        release.wait()

    scheduler.add_listener(deaf_listener, EVENT_JOB_EXECUTED)
    scheduler.start()
    assert scheduler.health().stuck_listener is None
    scheduler.add_job(nothing)
    assert called.wait(20)
    deadline = time.monotonic() + 20
    while scheduler.health().stuck_listener is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert "deaf_listener" in scheduler.health().stuck_listener
    release.set()


def test_a_listener_that_hung_is_told_again_by_one_thread_after_a_restart(scheduler, quick_end):
    called, release, heard = threading.Event(), threading.Event(), EventRecorder()

    def deaf_listener(_event):
        called.set()
        release.wait()

    scheduler.add_listener(deaf_listener, EVENT_JOB_EXECUTED)
    scheduler.start()
    scheduler.add_job(nothing)
    assert called.wait(20)
    scheduler.shutdown()
    scheduler.add_listener(heard, EVENT_JOB_EXECUTED)
    scheduler.start()
    release.set()
    scheduler.add_job(nothing, id="b")
    heard.wait_for(EVENT_JOB_EXECUTED, "b")
    deadline = time.monotonic() + 20
    while sum(thread.name == "APScheduler-listeners" for thread in threading.enumerate()) > 1:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_events_behind_a_slow_listener_are_kept_up_to_a_limit(scheduler, caplog, monkeypatch):
    monkeypatch.setattr(listeners, "UNDELIVERED_LIMIT", 50)
    called, release, heard = threading.Event(), threading.Event(), EventRecorder()

    def slow_listener(_event):
        called.set()
        release.wait()

    scheduler.add_listener(slow_listener, EVENT_JOB_EXECUTED)
    scheduler.add_listener(heard, EVENT_JOB_EXECUTED)
    scheduler.start()
    scheduler.add_job(nothing, id="first")
    assert called.wait(20)
    scheduler.add_jobs([{"func": nothing} for _ in range(200)])
    deadline = time.monotonic() + 20
    while scheduler.get_jobs() or scheduler.health().running_runs:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    health = scheduler.health()
    assert health.undelivered_events == 50
    assert health.dropped_events in (150, 151)  # the call that added the jobs had kept a place in the queue
    (said,) = [record for record in caplog.records if "no more are kept" in record.message]
    assert "slow_listener" in said.getMessage()
    release.set()
    heard.wait_for(EVENT_JOB_EXECUTED, count=50)
