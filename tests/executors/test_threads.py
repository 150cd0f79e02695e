"""The thread pool and the debug executor."""

import asyncio
import contextvars
import dataclasses
import functools
import gc
import logging
import os
import subprocess
import sys
import textwrap
import threading
import weakref
from pathlib import Path

import pytest

from mainspring.errors import ConfigurationError, RunError
from mainspring.executors import workers
from mainspring.executors.debug import DebugExecutor
from mainspring.executors.pool import PoolClosedError, ThreadPoolExecutor


def add(one, two):
    return one + two


async def double(number):
    await asyncio.sleep(0)
    return number * 2


class Doubler:
    async def __call__(self, number):
        return await double(number)


def returns_coroutine(number):
    return double(number)


@pytest.fixture(params=[ThreadPoolExecutor, DebugExecutor])
def executor(request, started):
    return started(request.param())


def test_what_is_told_of_a_run(executor, reports, submission):
    executor.submit(submission(add, 1, 2), reports)
    reports.wait("done")
    assert [told[0] for told in reports.told] == ["started", "succeeded", "done"]
    assert reports.told[1][2] == 3


def test_what_is_told_of_a_failure(executor, reports, submission):
    executor.submit(submission(add, 1, "x"), reports)
    reports.wait("done")
    ((_, _, error, traceback),) = reports.of("failed")
    assert isinstance(error, TypeError)
    assert "return one + two" in traceback


def test_due_times_run_one_after_another(executor, reports, submission):
    executor.submit(submission(add, 1, 2, times=3), reports)
    reports.wait("done")
    assert [told[0] for told in reports.told] == ["started", "succeeded"] * 3 + ["done"]


@pytest.mark.parametrize("function", [double, functools.partial(double), Doubler(), returns_coroutine])
def test_bug_40_coroutines_run_to_their_end(executor, reports, submission, function):
    executor.submit(submission(function, 21), reports)
    reports.wait("done")
    assert reports.of("succeeded")[0][2] == 42


@pytest.mark.parametrize(
    ("code", "kind"), [(None, "succeeded"), (0, "succeeded"), (3, "failed"), ("x", "failed")]
)
def test_bug_43_exiting_ends_the_run_alone(executor, reports, submission, code, kind):
    executor.submit(submission(sys.exit, code), reports)
    reports.wait("done")
    assert reports.of(kind)
    executor.submit(submission(add, 1, 2, id="next"), reports)
    assert reports.wait("succeeded", "next")


def raise_interrupt():
    raise KeyboardInterrupt


def test_bug_43_an_interrupt_reaches_the_caller_of_the_debug_executor(started, reports, submission):
    with pytest.raises(KeyboardInterrupt):
        started(DebugExecutor()).submit(submission(raise_interrupt), reports)
    assert [told[0] for told in reports.told] == ["started", "failed", "done"]


def test_bug_43_an_interrupt_in_a_worker_is_passed_on_to_the_main_thread(started, reports, submission):
    pool = started(ThreadPoolExecutor(1))
    with pytest.raises(KeyboardInterrupt):
        pool.submit(submission(raise_interrupt), reports)
        threading.Event().wait(30)
    pool.submit(submission(add, 1, 2, id="next"), reports)
    assert reports.wait("succeeded", "next")


def test_as_many_run_at_a_time_as_there_are_workers(started, reports, submission):
    pool = started(ThreadPoolExecutor(4))
    together = threading.Barrier(4)
    for _ in range(8):
        pool.submit(submission(together.wait, 10), reports)
    reports.wait("succeeded", count=8)
    assert len(pool._workers) == 4


def test_workers_start_on_demand(started, reports, submission):
    pool = started(ThreadPoolExecutor(10))
    assert len(pool._workers) == 0
    for number in range(1, 6):
        pool.submit(submission(add, 1, 2), reports)
        reports.wait("done", count=number)
    assert 1 <= len(pool._workers) < 6


def test_no_wake_up_is_lost(started, reports, submission):
    pool = started(ThreadPoolExecutor(3))
    ran = threading.Semaphore(0)
    job = submission(ran.release)

    def submits():
        for _ in range(2000):
            pool.submit(job, reports)

    submitters = [threading.Thread(target=submits) for _ in range(4)]
    for thread in submitters:
        thread.start()
    for _ in range(8000):
        assert ran.acquire(timeout=30)
    for thread in submitters:
        thread.join()


def test_one_at_a_time_each_waits_for_the_last(started, reports, submission):
    # The pool goes idle before every submission: a lost wake-up would stall it.
    pool = started(ThreadPoolExecutor(2))
    ran = threading.Semaphore(0)
    for _ in range(3000):
        pool.submit(submission(ran.release), reports)
        assert ran.acquire(timeout=30)


class Thing:
    pass


def touch(thing):
    return thing


class Forgets:
    def __init__(self):
        self.ended = threading.Semaphore(0)

    def may_begin(self, submission):
        return True

    def started(self, *args):
        pass

    def succeeded(self, *args):
        pass

    def failed(self, *args):
        pass

    def done(self, submission):
        self.ended.release()


@pytest.mark.parametrize("fails", [False, True])
def test_an_idle_pool_keeps_nothing_of_its_last_job(started, submission, fails, caplog):
    caplog.set_level(logging.CRITICAL)  # a logged exception is kept by what records the log
    pool = started(ThreadPoolExecutor(1))
    reporter = Forgets()
    thing = Thing()
    alive = weakref.ref(thing)
    pool.submit(submission(add, thing, 1) if fails else submission(touch, thing), reporter)
    assert reporter.ended.acquire(timeout=30)
    del thing
    pool.submit(submission(add, 1, 1), reporter)  # when it has begun, the first is forgotten
    assert reporter.ended.acquire(timeout=30)
    gc.collect()
    assert alive() is None


def test_a_pool_can_be_started_again(started, reports, submission):
    pool = started(ThreadPoolExecutor(1))
    pool.shutdown()
    with pytest.raises(PoolClosedError, match="not running"):
        pool.submit(submission(add, 1, 2), reports)
    pool.start(None, "default")
    pool.submit(submission(add, 1, 2), reports)
    assert reports.wait("succeeded")


def test_a_worker_may_shut_its_pool_down(started, reports, submission):
    pool = started(ThreadPoolExecutor(2))
    pool.submit(submission(pool.shutdown, True), reports)
    assert reports.wait("succeeded")
    assert not reports.of("failed")


def test_shutdown_finishes_what_was_queued(reports, submission):
    pool = ThreadPoolExecutor(1)
    pool.start(None, "default")
    gate = threading.Event()
    pool.submit(submission(gate.wait, 10), reports)
    for _ in range(5):
        pool.submit(submission(add, 1, 2), reports)
    gate.set()
    pool.shutdown(wait=True)
    assert len(reports.of("done")) == 6


def test_initializers_and_names(started, reports, submission):
    seen = []
    pool = started(
        ThreadPoolExecutor(
            1, {"thread_name_prefix": "mine", "initializer": seen.append, "initargs": ("begun",)}
        )
    )
    pool.submit(submission(lambda: threading.current_thread().name), reports)
    assert reports.wait("succeeded")[0][2] == "mine-worker-1"
    assert seen == ["begun"]


@pytest.mark.parametrize("value", [0, -1, "x", "", None, 2.5, False])
def test_numbers_of_workers_that_cannot_be(value):
    with pytest.raises(ConfigurationError, match="max_workers must be a whole number of 1 or more"):
        ThreadPoolExecutor(value)


def test_numbers_may_be_text():
    assert ThreadPoolExecutor("20").max_workers == 20


def test_an_option_that_nothing_understands():
    with pytest.raises(ConfigurationError, match="did you mean 'thread_name_prefix'"):
        ThreadPoolExecutor(1, {"thread_prefix_name": "x"})


SEEN = contextvars.ContextVar("SEEN", default="nothing")


async def leaves_a_mark_and_a_task(left):
    before = SEEN.get()
    SEEN.set("a mark")
    left.append(asyncio.ensure_future(asyncio.Event().wait()))
    await asyncio.sleep(0)
    return before


def test_a_coroutine_leaves_nothing_to_the_next_on_the_same_worker(started, reports, submission):
    pool = started(ThreadPoolExecutor(1))
    left = []
    for _ in range(2):
        pool.submit(submission(leaves_a_mark_and_a_task, left), reports)
    assert [told[2] for told in reports.wait("succeeded", count=2)] == ["nothing", "nothing"]
    assert all(task.cancelled() for task in left)


def test_bug_40_a_coroutine_where_a_loop_runs_is_an_error_and_no_success(started, reports, submission):
    executor = started(DebugExecutor())

    async def on_a_loop():
        executor.submit(submission(double, 2), reports)

    asyncio.run(on_a_loop())
    assert [told[0] for told in reports.told] == ["started", "failed", "done"]
    assert "an event loop runs on this very thread" in str(reports.told[1][2])


def test_bug_43_due_times_after_an_interrupted_one_have_an_outcome(started, reports, submission):
    with pytest.raises(KeyboardInterrupt):
        started(DebugExecutor()).submit(submission(raise_interrupt, times=3), reports)
    assert [told[0] for told in reports.told] == ["started", "failed"] * 3 + ["done"]
    assert [type(told[2]) for told in reports.of("failed")] == [KeyboardInterrupt, RunError, RunError]


def test_an_initializer_that_fails_is_the_outcome_of_the_run_and_tried_again(started, reports, submission):
    tries = []

    def initializer():
        tries.append(1)
        if len(tries) == 1:
            raise OSError("no database")

    pool = started(ThreadPoolExecutor(1, {"initializer": initializer}))
    for number in range(3):
        pool.submit(submission(add, 1, 2, id=str(number)), reports)
    reports.wait("done", count=3)
    ((_, job_id, error, _),) = reports.of("failed")
    assert job_id == "0"
    assert type(error) is RunError
    assert "no database" in str(error)
    assert len(tries) == 2


def test_an_initializer_must_be_callable():
    with pytest.raises(ConfigurationError, match="initializer must be a function"):
        ThreadPoolExecutor(1, {"initializer": "x"})


@dataclasses.dataclass(frozen=True)
class FrozenError(Exception):
    number: int


def raise_frozen():
    raise FrozenError(5)


def test_an_exception_that_cannot_be_changed_is_reported(executor, reports, submission):
    executor.submit(submission(raise_frozen), reports)
    reports.wait("done")
    assert reports.of("failed")[0][2] == FrozenError(5)


def no_thread(self):
    raise RuntimeError("can't start new thread")


def test_a_pool_without_workers_that_can_start_none_says_so(started, reports, submission, monkeypatch):
    pool = started(ThreadPoolExecutor(2))
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        for _ in range(2):
            with pytest.raises(PoolClosedError, match=r"no worker.*can't start new thread"):
                pool.submit(submission(add, 1, 2), reports)
    pool.submit(submission(add, 3, 4), reports)  # the want of threads has passed
    reports.wait("done")
    assert [told[2] for told in reports.of("succeeded")] == [7]


def test_a_pool_that_cannot_grow_warns_once_and_goes_on(started, reports, submission, monkeypatch, caplog):
    pool = started(ThreadPoolExecutor(3))
    gate = threading.Event()
    pool.submit(submission(gate.wait, 10), reports)
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    for _ in range(4):
        pool.submit(submission(add, 1, 2), reports)
    gate.set()
    reports.wait("done", count=5)
    warned = [record.getMessage() for record in caplog.records]
    assert len(warned) == 1
    assert "can't grow beyond 1 workers (of 3)" in warned[0]


def test_a_worker_survives_a_reporter_that_raises(started, reports, submission, caplog):
    class Raises(Forgets):
        def done(self, submission):
            raise OSError("not here")

    pool = started(ThreadPoolExecutor(1))
    pool.submit(submission(add, 1, 2), Raises())
    pool.submit(submission(add, 1, 2), reports)
    reports.wait("done")
    assert "goes on after an error" in caplog.text
    assert len(pool._workers) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_has_no_pools_to_finish(started, reports, submission):
    pool = started(ThreadPoolExecutor(1))
    pool.submit(submission(add, 1, 2), reports)
    reports.wait("done")
    child = os.fork()
    if child == 0:
        os._exit(len(workers._open_pools))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(workers._open_pools) > 0


AFTER_MAIN = """
    import sys, threading, time
    from mainspring.schedulers.blocking import BlockingScheduler

    ran = []

    def job():
        ran.append(threading.main_thread().is_alive())
        print("ran", flush=True)
        if len(ran) == 3:
            scheduler.shutdown()

    scheduler = BlockingScheduler(timezone="UTC")
    scheduler.add_job(job, "interval", seconds=0.2)
    threading.Thread(target=scheduler.start).start()
    while not scheduler.running:
        time.sleep(0.01)
"""


@pytest.mark.every_python
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_jobs_go_on_after_the_main_thread_has_ended(version, tmp_path):
    python = _python(version)
    if python is None:
        pytest.skip(f"Python {version} is not on this machine")
    import tzlocal

    import mainspring

    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(AFTER_MAIN))
    paths = [Path(mainspring.__file__).parent.parent, Path(tzlocal.__file__).parent.parent]
    ended = subprocess.run(
        [python, program],
        env={"PYTHONPATH": ":".join(map(str, paths))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout.count("ran") >= 3, ended.stderr
    assert ended.stderr == ""
    assert ended.returncode == 0


def _python(version):
    import shutil

    if sys.version.startswith(version):
        return sys.executable
    found = shutil.which(f"python{version}")
    if found and subprocess.run([found, "-c", ""], check=False, capture_output=True).returncode == 0:
        return found
    installed = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    return installed[-1] if installed else None
