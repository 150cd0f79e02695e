"""What was observed to go wrong in APScheduler 3, by the numbers under which it was listed."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from mainspring.errors import ConflictingIdError
from mainspring.events import (
    EVENT_ALL,
    EVENT_JOB_ADDED,
    EVENT_JOB_BACKLOG_DROPPED,
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MISSED,
    EVENT_JOB_PARKED,
    EVENT_JOB_REMOVED,
    EVENT_JOB_SUBMITTED,
    EVENT_SCHEDULER_SHUTDOWN,
    SchedulerEvent,
)
from mainspring.executors.base import BaseExecutor
from mainspring.executors.pool import ThreadPoolExecutor
from mainspring.jobstores.memory import MemoryJobStore
from mainspring.schedulers.background import BackgroundScheduler
from mainspring.testing import EventRecorder, SettableClock
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.interval import IntervalTrigger

START = datetime(2026, 1, 1, tzinfo=UTC)


def nothing():
    pass


def test_bug_16_twenty_slow_one_shots_on_a_pool_of_ten_all_run(scheduler, heard):
    barrier = threading.Barrier(10)

    def slow():
        barrier.wait(30)  # ends in two shifts of ten: the second waits for a worker

    scheduler.start()
    for _ in range(20):
        scheduler.add_job(slow)
    assert len(heard.wait_for(EVENT_JOB_EXECUTED, count=20)) == 20
    assert not heard.of(EVENT_JOB_MISSED | EVENT_JOB_ERROR)


def test_bug_16_waiting_for_a_worker_is_no_misfire(make_scheduler):
    scheduler = make_scheduler(
        executors={"default": ThreadPoolExecutor(1)}, job_defaults={"misfire_grace_time": 0.2}
    )
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_JOB_EXECUTED | EVENT_JOB_MISSED)
    release = threading.Event()
    scheduler.start(paused=True)
    scheduler.add_job(release.wait, args=[10])
    scheduler.add_job(nothing, id="second")
    scheduler.resume()
    timer = threading.Timer(0.5, release.set)  # longer than the grace
    timer.start()
    assert heard.wait_for(EVENT_JOB_EXECUTED, "second")
    assert not heard.of(EVENT_JOB_MISSED)


def test_bug_17_ten_years_of_seconds_are_caught_up_at_once(make_scheduler):
    clock = SettableClock(START)
    scheduler = make_scheduler(clock=clock)
    heard = EventRecorder()
    scheduler.add_listener(heard)
    scheduler.start(paused=True)
    scheduler.add_job(nothing, "interval", seconds=1, id="a")
    scheduler.add_job(nothing, "cron", second="*", id="b")
    clock.set_wall(START + timedelta(days=3652))
    before = time.process_time()
    scheduler.resume()
    for job_id in "ab":
        event = heard.wait_for(EVENT_JOB_EXECUTED, job_id)[0]
        assert event.scheduled_run_time == START + timedelta(days=3652)
    # Not a measurement: walking through 315 million times would take minutes.
    assert time.process_time() - before < 5
    assert len(heard.of(EVENT_JOB_EXECUTED)) == 2


def test_bug_17_an_uncoalesced_backlog_is_capped_and_reported(make_scheduler):
    clock = SettableClock(START)
    scheduler = make_scheduler(clock=clock)
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_ALL | EVENT_JOB_BACKLOG_DROPPED)
    scheduler.start(paused=True)
    scheduler.add_job(nothing, "interval", seconds=1, id="a", coalesce=False)
    clock.set_wall(START + timedelta(seconds=5000))
    scheduler.resume()
    heard.wait_for(EVENT_JOB_EXECUTED, count=1000)
    (dropped,) = heard.of(EVENT_JOB_BACKLOG_DROPPED)
    assert dropped.first == START + timedelta(seconds=1)
    assert dropped.before == START + timedelta(seconds=4001)
    assert len(heard.of(EVENT_JOB_EXECUTED)) == 1000


class RefusesOnce(ThreadPoolExecutor):
    refused = 0

    def submit(self, submission, reporter):
        if not self.refused:
            self.refused += 1
            raise OSError("no")
        super().submit(submission, reporter)


def test_bug_18a_a_one_shot_whose_submission_fails_once_runs(make_scheduler):
    clock = SettableClock(START)
    scheduler = make_scheduler(clock=clock, executors={"default": RefusesOnce()})
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_ALL | EVENT_JOB_PARKED)
    scheduler.start()
    scheduler.add_job(nothing, id="a")
    (parked,) = heard.wait_for(EVENT_JOB_PARKED, "a")
    assert "refused" in parked.reason
    assert isinstance(parked.exception, OSError)
    assert scheduler.get_job("a").next_run_time == START
    assert scheduler.health().parked_jobs == 1
    assert not heard.of(EVENT_JOB_REMOVED | EVENT_JOB_SUBMITTED)
    clock.advance(1)
    assert heard.wait_for(EVENT_JOB_EXECUTED, "a")[0].scheduled_run_time == START
    assert heard.wait_for(EVENT_JOB_REMOVED, "a")
    heard.wait_until(lambda: scheduler.health().parked_jobs == 0)


def test_bug_18b_a_one_shot_at_the_instance_limit_waits_for_a_free_instance(scheduler, heard):
    release, begun = threading.Event(), threading.Event()

    def first():
        begun.set()
        release.wait(30)

    scheduler.start()
    scheduler.add_job(first, id="a")
    assert begun.wait(30)
    scheduler.add_job(nothing, id="a")  # the first is gone from the store, and still runs
    assert scheduler.get_job("a") is not None
    release.set()
    assert len(heard.wait_for(EVENT_JOB_EXECUTED, "a", count=2)) == 2
    heard.wait_for(EVENT_JOB_REMOVED, "a", count=2)
    assert scheduler.get_jobs() == []


def test_bug_19_adding_again_keeps_an_overdue_run_and_a_pause(scheduler):
    scheduler.start(paused=True)
    overdue = datetime.now(UTC) - timedelta(hours=1)
    scheduler.add_job(nothing, "interval", hours=6, id="a", next_run_time=overdue)
    scheduler.add_job(nothing, "interval", hours=6, id="a", replace_existing=True)
    assert scheduler.get_job("a").next_run_time == overdue
    scheduler.pause_job("a")
    scheduler.add_job(nothing, "interval", hours=6, id="a", replace_existing=True)
    assert scheduler.get_job("a").next_run_time is None


def test_bug_19_rescheduling_does_not_resume(scheduler):
    scheduler.start(paused=True)
    job = scheduler.add_job(nothing, "interval", hours=6, id="a")
    job.pause()
    job.reschedule("interval", hours=3)
    assert job.next_run_time is None
    assert job.trigger.interval == timedelta(hours=3)
    job.resume()
    assert job.next_run_time is not None


def test_bug_19_a_new_trigger_moves_the_next_run_time(scheduler):
    scheduler.start(paused=True)
    job = scheduler.add_job(nothing, "interval", hours=6)
    before = job.next_run_time
    job.modify(trigger=IntervalTrigger(minutes=5))
    assert job.next_run_time < before


def test_bug_20_a_skip_at_the_limit_is_told_and_the_next_tick_runs(make_scheduler):
    clock = SettableClock(START)
    scheduler = make_scheduler(clock=clock)
    heard = EventRecorder()
    scheduler.add_listener(heard)
    release = threading.Event()
    scheduler.start()
    scheduler.add_job(release.wait, "interval", seconds=10, args=[10], id="a")
    clock.advance(10)
    heard.wait_for(EVENT_JOB_SUBMITTED, "a")
    clock.advance(10)
    (skipped,) = heard.wait_for(1 << 16, "a")
    assert skipped.scheduled_run_times == [START + timedelta(seconds=20)]
    release.set()
    heard.wait_for(EVENT_JOB_EXECUTED, "a")
    clock.advance(10)
    executed = heard.wait_for(EVENT_JOB_EXECUTED, "a", count=2)
    assert executed[1].scheduled_run_time == START + timedelta(seconds=30)


class FaultyStore(MemoryJobStore):
    """Raises from the named methods, once each."""

    def __init__(self, *methods):
        super().__init__()
        self.left = set(methods)

    def fail(self, name):
        if name in self.left:
            self.left.remove(name)
            raise OSError(f"{name} failed")

    def get_due_jobs(self, now):
        self.fail("get_due_jobs")
        return super().get_due_jobs(now)

    def get_next_run_time(self):
        self.fail("get_next_run_time")
        return super().get_next_run_time()

    def update_job(self, job):
        self.fail("update_job")
        super().update_job(job)

    def remove_job(self, job_id):
        self.fail("remove_job")
        super().remove_job(job_id)

    def lookup_job(self, job_id):
        self.fail("lookup_job")
        return super().lookup_job(job_id)

    def get_all_jobs(self):
        self.fail("get_all_jobs")
        return super().get_all_jobs()


@pytest.mark.parametrize(
    "method", ["get_due_jobs", "get_next_run_time", "update_job", "remove_job", "lookup_job", "get_all_jobs"]
)
def test_bug_21_no_store_method_that_raises_kills_the_loop(make_scheduler, method):
    clock = SettableClock(START)
    store = FaultyStore()
    scheduler = make_scheduler(clock=clock, jobstores={"default": {"type": "memory"}, "bad": store})
    heard = EventRecorder()
    scheduler.add_listener(heard)
    scheduler.start()
    scheduler.add_job(nothing, "interval", seconds=10, id="good")
    scheduler.add_job(nothing, "interval", seconds=10, id="ticks", jobstore="bad")
    scheduler.add_job(nothing, "date", run_date=START + timedelta(seconds=10), id="once", jobstore="bad")
    store.left.add(method)
    for tick in range(1, 60):
        clock.advance(1)
        if tick % 10 == 0:
            heard.wait_for(EVENT_JOB_EXECUTED, "good", count=tick // 10)
    heard.wait_for(EVENT_JOB_EXECUTED, "once")
    heard.wait_for(EVENT_JOB_EXECUTED, "ticks", count=2)
    assert scheduler.running
    assert scheduler._thread.is_alive()
    _until(lambda: scheduler.health().running_runs == 0)
    assert not store.left or method in ("lookup_job", "get_all_jobs")  # these the loop needs not


class FaultyTrigger(BaseTrigger):
    def __init__(self):
        self.fails = False

    def get_next_fire_time(self, previous_fire_time, now):
        if self.fails:
            raise RuntimeError("broken trigger")
        return now if previous_fire_time is None else None


def test_bug_21_a_trigger_that_raises_parks_its_job_alone(make_scheduler):
    clock = SettableClock(START)
    scheduler = make_scheduler(clock=clock)
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_ALL | EVENT_JOB_PARKED)
    scheduler.start(paused=True)
    trigger = FaultyTrigger()
    scheduler.add_job(nothing, trigger, id="bad")
    scheduler.add_job(nothing, "interval", seconds=10, id="good")
    trigger.fails = True
    scheduler.resume()
    heard.wait_for(EVENT_JOB_PARKED, "bad")
    clock.advance(10)
    heard.wait_for(EVENT_JOB_EXECUTED, "good")
    heard.wait_for(EVENT_JOB_PARKED, "bad", count=2)
    trigger.fails = False
    clock.advance(10)
    assert heard.wait_for(EVENT_JOB_EXECUTED, "bad")
    assert scheduler.running


def test_bug_21_running_turns_false_when_the_loop_is_really_dead(make_scheduler):
    scheduler = make_scheduler()
    with _threads_die_quietly():
        scheduler.start()
        thread = scheduler._thread

        def die(*args):
            raise SystemExit

        scheduler._dispatch.run = die
        scheduler.wakeup()
        thread.join(30)
    assert not scheduler.running
    assert not scheduler.health().loop_alive
    assert not scheduler.health().ok


@contextlib.contextmanager
def _threads_die_quietly():
    before, threading.excepthook = threading.excepthook, lambda args: None
    try:
        yield
    finally:
        threading.excepthook = before


def test_bug_22_shutdown_waits_while_a_job_asks_for_jobs(scheduler, heard):
    begun, shutting = threading.Event(), threading.Event()
    answers = []

    def asks():
        begun.set()
        shutting.wait(30)
        answers.append(scheduler.get_jobs())
        answers.append(scheduler.get_job("a"))

    scheduler.start()
    scheduler.add_job(nothing, "interval", hours=1, id="a")
    scheduler.add_job(asks)
    assert begun.wait(30)
    ender = threading.Thread(target=scheduler.shutdown)
    ender.start()
    _until(lambda: scheduler.state == 0)
    shutting.set()
    ender.join(30)
    assert not ender.is_alive()
    assert len(answers) == 2
    assert heard.of(EVENT_JOB_EXECUTED)


def _until(condition, timeout=40):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it didn't come about in time"
        time.sleep(0.001)  # between two looks at a fact


@pytest.mark.parametrize("wait", [True, False])
def test_bug_23_a_job_may_shut_its_scheduler_down(scheduler, heard, wait):
    ended = threading.Event()

    def ends():
        scheduler.shutdown(wait=wait)
        ended.set()

    scheduler.start()
    thread = scheduler._thread
    scheduler.add_job(ends)
    assert ended.wait(30)
    thread.join(30)
    assert not thread.is_alive()
    assert not scheduler.running


def test_bug_23_a_job_may_shut_down_a_pool_in_which_others_wait_for_its_worker(make_scheduler):
    scheduler = make_scheduler(executors={"default": ThreadPoolExecutor(1)})
    heard = EventRecorder()
    scheduler.add_listener(heard)
    queued, ran = threading.Event(), threading.Event()

    def ends():
        queued.wait(30)
        scheduler.shutdown(wait=True)

    scheduler.start()
    thread = scheduler._thread
    scheduler.add_job(ends, id="ends")
    scheduler.add_job(ran.set, id="queued")
    heard.wait_for(EVENT_JOB_SUBMITTED, "queued")
    queued.set()
    assert ran.wait(30)
    thread.join(30)
    assert not thread.is_alive()


def test_bug_24_a_failed_start_leaves_everything_as_it_was(scheduler):
    log = []

    class Store(MemoryJobStore):
        def start(self, scheduler, alias):
            log.append("start")
            super().start(scheduler, alias)

        def shutdown(self):
            log.append("shutdown")
            super().shutdown()

    store = Store()
    scheduler.add_jobstore(store)
    store.add_job(_stored_job(scheduler, "taken"))
    scheduler.add_job(nothing, "interval", hours=1, id="new")
    scheduler.add_job(nothing, "interval", hours=1, id="taken")
    with pytest.raises(ConflictingIdError):
        scheduler.start()
    assert scheduler.state == 0
    assert log == ["start", "shutdown"]
    assert store.lookup_job("new") is None
    pending = {job.id for job in scheduler.get_jobs(pending=True)}
    assert pending == {"new", "taken"}
    scheduler.remove_job("taken")
    scheduler.start()
    assert scheduler.get_job("new").next_run_time is not None


def _stored_job(scheduler, job_id):
    from mainspring.job import Job

    job = Job(scheduler, job_id, func=nothing, trigger=IntervalTrigger(hours=1))
    job._modify(next_run_time=datetime.now(UTC) + timedelta(hours=1))
    return job


def test_bug_25_a_scheduler_can_be_started_again_and_keeps_its_memory_jobs(scheduler, heard):
    scheduler.start()
    scheduler.add_job(nothing, "interval", hours=1, id="kept")
    scheduler.shutdown()
    assert [job.id for job in scheduler.get_jobs()] == ["kept"]
    scheduler.start()
    assert scheduler.get_job("kept") is not None
    scheduler.add_job(nothing, id="runs")
    assert heard.wait_for(EVENT_JOB_EXECUTED, "runs")
    scheduler.shutdown()
    scheduler.remove_all_jobs()
    scheduler.start()
    assert scheduler.get_jobs() == []


def test_bug_26_pending_jobs_are_like_others(scheduler):
    first = scheduler.add_job(nothing, "interval", hours=1, id="a")
    second = scheduler.add_job(nothing, "interval", hours=2, id="a", replace_existing=True)
    assert [job.trigger.interval for job in scheduler.get_jobs()] == [timedelta(hours=2)]
    assert first.next_run_time is None
    assert second.pending
    assert {second: 1}[second] == 1
    with pytest.raises(ConflictingIdError):
        scheduler.add_job(nothing, "interval", hours=1, id="a")
    scheduler.start()
    assert not second.pending
    assert second.next_run_time is not None


def test_bug_26_a_listener_that_was_added_twice_is_removed_altogether(scheduler):
    heard = EventRecorder()
    scheduler.add_listener(heard)
    scheduler.add_listener(heard, EVENT_JOB_ADDED)
    scheduler.remove_listener(heard)
    scheduler.start()
    scheduler.shutdown()
    assert heard.events == []


def test_bug_26_an_event_shows_its_code():
    assert repr(SchedulerEvent(4)) == "<SchedulerEvent (code=4)>"


def test_bug_27_configuring_again_changes_only_what_is_named(make_scheduler):
    scheduler = make_scheduler(timezone="Asia/Shanghai", job_defaults={"coalesce": False, "max_instances": 3})
    executors = {"default": {"type": "threadpool", "max_workers": "5"}}
    scheduler.configure(executors=executors)
    assert str(scheduler.timezone) == "Asia/Shanghai"
    assert scheduler._job_defaults["max_instances"] == 3
    assert executors == {"default": {"type": "threadpool", "max_workers": "5"}}
    scheduler.configure(executors=executors)
    assert scheduler._executors["default"].max_workers == 5


def test_bug_28_a_slow_listener_delays_and_loses_no_run(make_scheduler):
    scheduler = make_scheduler(job_defaults={"misfire_grace_time": 1})
    release = threading.Event()
    done = threading.Semaphore(0)
    scheduler.add_listener(lambda event: release.wait(30), EVENT_JOB_SUBMITTED)
    heard = EventRecorder()
    scheduler.add_listener(heard)
    scheduler.start()
    for _ in range(5):
        scheduler.add_job(done.release)
    for _ in range(5):
        assert done.acquire(timeout=30)  # all have run while the listener still holds the first event
    assert not heard.of(EVENT_JOB_EXECUTED)
    release.set()
    assert len(heard.wait_for(EVENT_JOB_EXECUTED, count=5)) == 5


def test_bug_28_a_listener_that_raises_harms_nobody(scheduler, heard, caplog):
    def raises(event):
        raise RuntimeError("from the listener")

    scheduler.add_listener(raises)
    scheduler.add_listener(after := EventRecorder())
    scheduler.start()
    scheduler.add_job(nothing)
    after.wait_for(EVENT_JOB_EXECUTED)
    assert "Error notifying listener" in caplog.text


def test_bug_29_a_queued_run_keeps_the_arguments_it_was_submitted_with(make_scheduler):
    scheduler = make_scheduler(executors={"default": ThreadPoolExecutor(1)})
    heard = EventRecorder()
    scheduler.add_listener(heard)
    release, begun, got = threading.Event(), threading.Event(), []

    def holds():
        begun.set()
        release.wait(30)

    scheduler.start()
    scheduler.add_job(holds)
    assert begun.wait(30)
    scheduler.add_job(got.append, "interval", hours=1, args=["old"], id="a", next_run_time=datetime.now(UTC))
    heard.wait_for(EVENT_JOB_SUBMITTED, "a")
    scheduler.modify_job("a", args=["new"])
    release.set()
    heard.wait_for(EVENT_JOB_EXECUTED, "a")
    assert got == ["old"]


def test_bug_41_executors_keep_nothing_of_jobs_that_have_run(make_scheduler):
    from mainspring.executors.debug import DebugExecutor

    pool, debug = ThreadPoolExecutor(), DebugExecutor()
    scheduler = make_scheduler(executors={"default": pool, "debug": debug})
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_JOB_EXECUTED)
    scheduler.start()
    for number in range(400):
        scheduler.add_job(nothing, executor=("default", "debug")[number % 2])
    heard.wait_for(EVENT_JOB_EXECUTED, count=400)
    for executor in (pool, debug):
        assert not executor._instances
        assert not executor._handed
    _until(lambda: not scheduler._in_flight.all())
    assert not scheduler._jobstores["default"]._ledger.running


def test_bug_43_exiting_in_a_job_is_no_error(scheduler, heard):
    scheduler.start()
    scheduler.add_job(sys.exit, id="plain")
    scheduler.add_job(sys.exit, args=[0], id="zero")
    scheduler.add_job(sys.exit, args=[3], id="three")
    assert heard.wait_for(EVENT_JOB_EXECUTED, "plain")[0].retval is None
    assert heard.wait_for(EVENT_JOB_EXECUTED, "zero")
    assert heard.wait_for(EVENT_JOB_ERROR, "three")[0].exception.code == 3
    scheduler.add_job(nothing, id="after")
    assert heard.wait_for(EVENT_JOB_EXECUTED, "after")


def test_shutdown_is_bounded(scheduler, caplog):
    release, begun = threading.Event(), threading.Event()

    def hangs():
        begun.set()
        release.wait(30)

    scheduler.start()
    scheduler.add_job(hangs)
    assert begun.wait(30)
    with caplog.at_level(logging.WARNING):
        scheduler.shutdown(wait=True, timeout=0.1)
    assert "jobs still run" in caplog.text
    assert not release.is_set()
    release.set()


def test_shutdown_waits_for_queued_runs(make_scheduler):
    scheduler = make_scheduler(executors={"default": ThreadPoolExecutor(2)})
    heard = EventRecorder()
    scheduler.add_listener(heard)
    gate = threading.Event()
    scheduler.start()
    for _ in range(20):
        scheduler.add_job(gate.wait, args=[10])
    heard.wait_for(EVENT_JOB_SUBMITTED, count=20)
    gate.set()
    scheduler.shutdown()
    assert len(heard.of(EVENT_JOB_EXECUTED)) == 20
    assert heard.events[-1].code == EVENT_SCHEDULER_SHUTDOWN


class OldStyleExecutor(BaseExecutor):
    """As third parties wrote them for APScheduler 3."""

    def _do_submit_job(self, job, run_times):
        from mainspring.executors.base import run_job

        def work():
            try:
                events = run_job(job, job._jobstore_alias, run_times, self._logger.name)
            except BaseException:
                self._run_job_error(job.id, *sys.exc_info()[1:])
            else:
                self._run_job_success(job.id, events)

        threading.Thread(target=work).start()


def test_an_executor_written_for_apscheduler_runs_jobs(make_scheduler):
    scheduler = make_scheduler(executors={"default": OldStyleExecutor()})
    heard = EventRecorder()
    scheduler.add_listener(heard, EVENT_ALL | 1 << 17)
    scheduler.start()
    scheduler.add_job(nothing, id="good")
    scheduler.add_job(lambda: 1 / 0, id="bad")
    assert heard.wait_for(EVENT_JOB_EXECUTED, "good")
    error = heard.wait_for(EVENT_JOB_ERROR, "bad")[0]
    assert isinstance(error.exception, ZeroDivisionError)
    assert "ZeroDivisionError" in error.traceback
    codes = [event.code for event in heard.events if getattr(event, "job_id", "") == "good"]
    assert [code for code in codes if code != EVENT_JOB_REMOVED] == [
        EVENT_JOB_ADDED,
        EVENT_JOB_SUBMITTED,
        1 << 17,
        EVENT_JOB_EXECUTED,
    ]
    assert isinstance(scheduler, BackgroundScheduler)
