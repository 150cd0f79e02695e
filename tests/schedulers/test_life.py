"""Starting, pausing, resuming, shutting down."""

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from mainspring.errors import SchedulerAlreadyRunningError, SchedulerNotRunningError
from mainspring.events import EVENT_JOB_EXECUTED, EVENT_JOB_SUBMITTED
from mainspring.schedulers.background import BackgroundScheduler
from mainspring.schedulers.base import STATE_PAUSED, STATE_RUNNING, STATE_STOPPED
from mainspring.schedulers.blocking import BlockingScheduler
from mainspring.testing import EventRecorder


def nothing():
    pass


def test_states(scheduler):
    assert (scheduler.state, scheduler.running) == (STATE_STOPPED, False)
    scheduler.start(paused=True)
    assert (scheduler.state, scheduler.running) == (STATE_PAUSED, True)
    scheduler.resume()
    assert (scheduler.state, scheduler.running) == (STATE_RUNNING, True)
    scheduler.pause()
    assert scheduler.state == STATE_PAUSED
    scheduler.shutdown()
    assert (scheduler.state, scheduler.running) == (STATE_STOPPED, False)


def test_calls_that_need_another_state(scheduler):
    for method in (scheduler.pause, scheduler.resume, scheduler.shutdown):
        with pytest.raises(SchedulerNotRunningError, match="Scheduler is not running"):
            method()
    scheduler.start()
    with pytest.raises(SchedulerAlreadyRunningError, match="Scheduler is already running"):
        scheduler.start()
    with pytest.raises(SchedulerAlreadyRunningError):
        scheduler.configure(timezone="UTC")


def test_a_paused_scheduler_runs_nothing(scheduler, heard):
    scheduler.start(paused=True)
    scheduler.add_job(nothing, id="a")
    scheduler.wakeup()
    assert scheduler._process_jobs() is None
    assert not heard.of(EVENT_JOB_SUBMITTED)
    scheduler.resume()
    assert heard.wait_for(EVENT_JOB_EXECUTED, "a")


def test_jobs_added_while_it_starts_are_not_lost():
    for _ in range(20):
        scheduler = BackgroundScheduler(timezone="UTC")
        ran = threading.Semaphore(0)
        starter = threading.Thread(target=scheduler.start)
        starter.start()
        for _ in range(20):
            scheduler.add_job(ran.release)
        starter.join()
        for _ in range(20):
            assert ran.acquire(timeout=40)
        scheduler.shutdown()


def test_a_blocking_scheduler_blocks_until_it_is_shut_down():
    scheduler = BlockingScheduler(timezone="UTC")
    ran = []

    def ends():
        ran.append(scheduler.running)
        scheduler.shutdown(wait=False)

    scheduler.add_job(ends)
    scheduler.start()
    assert ran == [True]
    assert not scheduler.running


def test_the_loops_thread_is_a_daemon_unless_told_otherwise(make_scheduler):
    for daemon in (True, False):
        scheduler = make_scheduler(daemon=daemon, start=True)
        assert scheduler._thread.daemon is daemon
        assert scheduler._thread.name == "APScheduler"


def test_nothing_is_left_running_after_a_shutdown(make_scheduler):
    before = set(threading.enumerate())
    scheduler = make_scheduler()
    heard = EventRecorder()
    scheduler.add_listener(heard)
    scheduler.start()
    scheduler.add_job(nothing)
    heard.wait_for(EVENT_JOB_EXECUTED)
    listening = scheduler._event_queue._thread
    scheduler.shutdown()
    listening.join(30)
    assert set(threading.enumerate()) <= before


def test_schedulers_can_be_collected():
    import weakref

    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.start()
    scheduler.add_job(nothing, "interval", hours=1)
    scheduler.shutdown()
    reference = weakref.ref(scheduler)
    del scheduler
    gc.collect()
    assert reference() is None


def run_program(tmp_path, text, *, timeout=60, **options):
    import tzlocal

    import mainspring

    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(text))
    paths = [Path(mainspring.__file__).parent.parent, Path(tzlocal.__file__).parent.parent]
    return subprocess.Popen(
        [sys.executable, program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_bug_39_of_the_wishes_the_last_one_shots_are_not_lost_at_exit(tmp_path):
    process = run_program(
        tmp_path,
        r"""
        import sys
        import time
        from mainspring.schedulers.background import BackgroundScheduler

        def slow(number):
            time.sleep(0.3)
            sys.stdout.write(f"ran {number}\n")  # in one piece

        scheduler = BackgroundScheduler(timezone="UTC")
        scheduler.start()
        scheduler.add_job(lambda: None, "interval", seconds=0.01)
        for number in range(3):
            scheduler.add_job(slow, args=[number])
        while len(scheduler.get_jobs()) > 1:
            time.sleep(0.01)
        """,
    )
    output, errors = process.communicate(timeout=60)
    assert sorted(output.split("\n")[:-1]) == ["ran 0", "ran 1", "ran 2"]
    # From Python 3.12 on no thread can be started any more: those that are there run what is left, and that is said.
    assert [line for line in errors.splitlines() if "The pool can't grow" not in line] == []
    assert process.returncode == 0


def test_shutdown_without_waiting_lets_the_process_end(tmp_path):
    process = run_program(
        tmp_path,
        """
        import threading
        from mainspring.schedulers.background import BackgroundScheduler

        begun = threading.Event()

        def endless():
            begun.set()
            threading.Event().wait()

        scheduler = BackgroundScheduler(timezone="UTC")
        scheduler.start()
        scheduler.add_job(endless)
        begun.wait()
        scheduler.shutdown(wait=False)
        print("ended", flush=True)
        """,
    )
    output, errors = process.communicate(timeout=30)
    assert (output, errors, process.returncode) == ("ended\n", "", 0)


BLOCKING = """
    import logging, sys, threading
    from mainspring.schedulers import signals
    from mainspring.schedulers.blocking import BlockingScheduler

    def endless():
        print("begun", flush=True)
        threading.Event().wait()

    signals.RECORDED_WITHIN_SECONDS = 30  # on however busy a machine
    scheduler = BlockingScheduler(timezone="UTC")
    scheduler.add_job(endless)
    {start}
"""


def test_two_signals_end_a_blocking_scheduler_in_the_main_thread_whatever_runs(tmp_path):
    start = """
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stderr)
    try:
        scheduler.start()
    except SystemExit as error:
        print("interrupted", error.code, flush=True)"""
    process = run_program(tmp_path, BLOCKING.format(start=start))
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    # Each may be taken by another thread: only when the first was heard is the other one the second.
    while "SIGINT: shutting down" not in (line := process.stderr.readline()):
        assert line, "it has ended"
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=30)
    assert (output, process.returncode) == ("interrupted 143\n", 0)
    assert "is given up" in errors


# Only where the main thread waits for the end of the process is a signal taken as it should be: the program says when it does.
OUTLIVING = """
    import sys, time

    def tell_when_the_main_thread_waits():
        while True:
            frame = sys._current_frames().get(threading.main_thread().ident)
            while frame is not None:
                if frame.f_globals["__name__"] == "mainspring.schedulers.process_end":
                    print("waiting", flush=True)
                    return
                frame = frame.f_back
            time.sleep(0.01)

    threading.Thread(target=tell_when_the_main_thread_waits, daemon=True).start()
    threading.Thread(target=scheduler.start).start()
    while not scheduler.running:
        time.sleep(0.01)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_blocking_scheduler_that_outlives_the_main_thread(tmp_path, number):
    process = run_program(tmp_path, BLOCKING.format(start="") + OUTLIVING)
    assert {process.stdout.readline(), process.stdout.readline()} == {"begun\n", "waiting\n"}
    process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    assert (output, errors) == ("", "")


def test_health_of_a_stopped_scheduler(scheduler):
    health = scheduler.health()
    assert (health.state, health.loop_alive, health.ok) == ("stopped", False, False)
    assert health.last_pass is None


def test_health_names_the_oldest_overdue_job(scheduler):
    from datetime import UTC, datetime, timedelta

    scheduler.start(paused=True)
    due = datetime.now(UTC) - timedelta(hours=2)
    scheduler.add_job(nothing, "interval", hours=5, id="late", next_run_time=due)
    scheduler.add_job(nothing, "interval", hours=5, id="later", next_run_time=due + timedelta(hours=1))
    health = scheduler.health()
    assert health.oldest_overdue.job_id == "late"
    assert health.oldest_overdue.due == due
    assert timedelta(hours=2) <= health.oldest_overdue.overdue < timedelta(hours=3)


def test_health_counts_what_runs_and_when_it_last_looked(scheduler, heard):
    release, begun = threading.Event(), threading.Event()

    def holds():
        begun.set()
        release.wait(30)

    scheduler.start()
    scheduler.add_job(holds)
    assert begun.wait(30)
    health = scheduler.health()
    assert health.running_runs == 1
    assert health.ok
    assert health.last_pass is not None
    release.set()
    heard.wait_for(EVENT_JOB_EXECUTED)


def test_unknown_executors_park_the_job_until_there_is_one(scheduler, heard):
    from mainspring.events import EVENT_JOB_PARKED
    from mainspring.executors.debug import DebugExecutor

    scheduler.start()
    scheduler.add_job(nothing, executor="later", id="a")
    (parked,) = heard.wait_for(EVENT_JOB_PARKED, "a")
    assert "no executor 'later'" in parked.reason
    assert scheduler.get_job("a") is not None
    scheduler.add_executor(DebugExecutor(), "later")
    assert heard.wait_for(EVENT_JOB_EXECUTED, "a")
