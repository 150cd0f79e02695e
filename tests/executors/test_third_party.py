"""Executors written for APScheduler, and subclasses of ours that override its hooks."""

import asyncio
import concurrent.futures
import logging
import sys
import threading
import weakref
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest

from mainspring.errors import MaxInstancesReachedError, RunError
from mainspring.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_JOB_MISSED
from mainspring.executors.base import BaseExecutor, run_coroutine_job, run_job
from mainspring.executors.debug import DebugExecutor
from mainspring.executors.pool import BasePoolExecutor, ThreadPoolExecutor
from mainspring.job import Job
from mainspring.model import JobOptions, Submission


@pytest.fixture(autouse=True)
def start_is_their_own(reports):
    reports.is_start_handed_back = False


class Futures(BasePoolExecutor):
    def __init__(self):
        super().__init__(concurrent.futures.ThreadPoolExecutor(2))


class Held(BaseExecutor):
    """Keeps what it is given, for the test to say how it ended."""

    def __init__(self):
        super().__init__()
        self.given = []

    def _do_submit_job(self, job, run_times):
        self.given.append((job, run_times))


class Dispatcher:
    """All of a scheduler that an executor calls."""

    def __init__(self):
        self.events = []

    def _dispatch_event(self, event):
        self.events.append(event)


def at(submission, *times, instances=3):
    record = submission.job._replace(options=JobOptions(max_instances=instances))
    return Submission(record, "default", list(times))


def now(seconds=0):
    return datetime.now(UTC) + timedelta(seconds=seconds)


def handle(submission, grace=None):
    record = submission.job._replace(options=JobOptions(misfire_grace_time=grace))
    return Job._from_record(record, None, "default")


def add(one, two):
    return one + two


@pytest.mark.parametrize(("args", "kind"), [((1, 2), "succeeded"), ((1, "x"), "failed")])
def test_a_pool_of_concurrent_futures(started, reports, submission, args, kind):
    pool = started(Futures())
    pool.submit(submission(add, *args), reports)
    reports.wait("done")
    assert [told[0] for told in reports.told] == ["started", kind, "done"]
    assert pool._instances == {}
    assert pool._handed == {}


def test_bug_41_no_counter_is_left_behind(started, reports, submission):
    pool, debug = started(Futures()), started(DebugExecutor())
    for number in range(200):
        pool.submit(submission(add, 1, 2, id=f"futures {number}"), reports)
        debug.submit(submission(add, 1, 2, id=f"debug {number}"), reports)
    reports.wait("done", count=400)
    for executor in (pool, debug):
        assert executor._instances == {}
        assert executor._handed == {}


def test_the_executors_own_limit_reaches_the_caller_and_leaves_the_running_one_alone(
    started, reports, submission
):
    executor = started(Held())
    first = at(submission(add, 1, 2), now(), instances=1)
    executor.submit(first, reports)
    with pytest.raises(MaxInstancesReachedError):
        executor.submit(at(submission(add, 1, 2), now(), instances=1), reports)
    assert [each[0] for each in executor._handed["job"]] == [first]
    job, times = executor.given[0]
    executor._run_job_success("job", run_job(job, "default", times, "test"))
    assert [told[0] for told in reports.told] == ["started", "succeeded", "done"]
    assert executor._instances == {}


class Told:
    """A reporter that notes the submission as well."""

    def __init__(self):
        self.ended = []

    def may_begin(self, submission):
        return True

    def started(self, submission, time):
        return None

    def succeeded(self, submission, time, started, retval):
        self.ended.append((submission, time, retval))

    def failed(self, submission, time, started, error, traceback):
        self.ended.append((submission, time, error))

    def done(self, submission):
        self.ended.append((submission, "done"))


def test_instances_that_end_in_another_order_are_not_mixed_up(started, submission):
    executor, told = started(Held()), Told()
    first, second = at(submission(add, 1, 2), now()), at(submission(add, 1, 2), now(1))
    executor.submit(first, told)
    executor.submit(second, told)
    for job, times in reversed(executor.given):
        executor._run_job_success("job", run_job(job, "default", times, "test"))
    assert told.ended == [
        (second, second.run_times[0], 3),
        (second, "done"),
        (first, first.run_times[0], 3),
        (first, "done"),
    ]


def test_a_due_time_of_which_nothing_is_told_has_failed(started, submission):
    executor, told = started(Held()), Told()
    given = at(submission(add, 1, 2), now(-1), now())
    executor.submit(given, told)
    job, times = executor.given[0]
    executor._run_job_success("job", run_job(job, "default", times[:1], "test"))
    (_, _, three), (_, time, error), done = told.ended
    assert three == 3
    assert time == given.run_times[1]
    assert isinstance(error, RunError)
    assert "Held reported no outcome" in str(error)
    assert done == (given, "done")


def test_an_executor_that_hands_a_job_on_and_has_nothing_to_tell_has_succeeded(started, submission):
    executor, told = started(Held()), Told()
    given = at(submission(add, 1, 2), now(-1), now())
    executor.submit(given, told)
    executor._run_job_success("job", events=[])
    first, second = given.run_times
    assert told.ended == [(given, first, None), (given, second, None), (given, "done")]


def test_an_executor_that_fails_reports_all_due_times(started, submission):
    executor, told = started(Held()), Told()
    given = at(submission(add, 1, 2), now(-1), now())
    executor.submit(given, told)
    error = OSError("cluster gone")
    executor._run_job_error("job", error)
    assert told.ended == [
        (given, given.run_times[0], error),
        (given, given.run_times[1], error),
        (given, "done"),
    ]


@pytest.mark.parametrize("made", [ThreadPoolExecutor, DebugExecutor, Futures])
@pytest.mark.parametrize(
    ("args", "grace", "code"),
    [
        ((1, 2), None, EVENT_JOB_EXECUTED),
        ((1, "x"), None, EVENT_JOB_ERROR),
        ((1, 2), timedelta(seconds=1), EVENT_JOB_MISSED),
    ],
)
def test_a_job_submitted_by_hand_becomes_an_event(submission, made, args, grace, code):
    scheduler, executor = Dispatcher(), made()
    executor.start(scheduler, "default")
    executor.submit_job(handle(submission(add, *args), grace), [now(-10)])
    executor.shutdown()
    assert [event.code for event in scheduler.events] == [code]
    assert executor._instances == {}


class Hooked(ThreadPoolExecutor):
    def __init__(self):
        super().__init__(2)
        self.seen = []

    def _do_submit_job(self, job, run_times):
        self.seen.append(("submit", job.id))
        super()._do_submit_job(job, run_times)

    def _run_job_success(self, job_id, events):
        self.seen.append(("success", job_id, [event.code for event in events]))
        super()._run_job_success(job_id, events)


class MoreHooked(Hooked):
    pass


@pytest.mark.parametrize("made", [Hooked, MoreHooked])
def test_hooks_of_a_subclass_are_called(started, reports, submission, made):
    pool = started(made())
    pool.submit(submission(add, 1, 2), reports)
    reports.wait("done")
    assert pool.seen == [("submit", "job"), ("success", "job", [EVENT_JOB_EXECUTED])]
    assert [told[0] for told in reports.told] == ["started", "succeeded", "done"]


async def leave(code):
    sys.exit(code)


@pytest.mark.parametrize(
    ("code", "event"), [(None, EVENT_JOB_EXECUTED), (0, EVENT_JOB_EXECUTED), (3, EVENT_JOB_ERROR)]
)
def test_bug_43_exiting_is_the_same_in_run_job_and_run_coroutine_job(submission, code, event):
    (ended,) = run_job(handle(submission(sys.exit, code)), "default", [now()], "test")
    assert ended.code == event
    coroutine = run_coroutine_job(handle(submission(leave, code)), "default", [now()], "test")
    (ended,) = asyncio.run(coroutine)
    assert ended.code == event


def test_bug_40_run_job_runs_a_coroutine_to_its_end(submission):
    async def three():
        return 3

    ended = []
    thread = threading.Thread(
        target=lambda: ended.extend(run_job(handle(submission(three)), None, [now()], "test"))
    )
    thread.start()
    thread.join(30)
    assert [event.retval for event in ended] == [3]


def test_what_is_logged_has_the_words_people_search_for(submission, caplog):
    caplog.set_level(logging.INFO)
    run_job(handle(submission(add, 1, 2)), "default", [now()], "apscheduler.executors.x")
    run_job(handle(submission(add, 1, "x")), "default", [now()], "apscheduler.executors.x")
    run_job(handle(submission(add, 1, 2), timedelta(1)), "default", [now(-1e6)], "apscheduler.executors.x")
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in told] == ["INFO", "INFO", "INFO", "ERROR", "WARNING"]
    for (_, text), words in zip(
        told,
        ['Running job "', "executed successfully", "(scheduled at", "raised an exception", "was missed by"],
        strict=True,
    ):
        assert words in text
    assert {record.name for record in caplog.records} == {"apscheduler.executors.x"}


class Large:
    """What a job works on."""


def fails_with(kept):
    large = Large()
    kept.append(weakref.ref(large))
    raise ValueError


async def awaits_and_fails_with(kept):
    fails_with(kept)


@pytest.mark.parametrize("function", [fails_with, awaits_and_fails_with])
def test_what_a_failed_run_has_worked_on_is_not_kept_with_its_event(submission, function):
    kept = []
    # By duck typing, too: a mock of a job has a scheduler without a clock.
    job = Mock(Job, id="a", func=function, args=(kept,), kwargs={}, misfire_grace_time=30, name="a")
    if function is fails_with:
        (event,) = run_job(job, "default", [now()], "test")
    else:
        (event,) = asyncio.run(run_coroutine_job(job, "default", [now()], "test"))
    assert isinstance(event.exception, ValueError)
    assert "fails_with" in event.traceback
    assert kept[0]() is None
