"""A generator function as a job would do nothing, and succeed."""

from __future__ import annotations

import asyncio
import sys
import types
from datetime import UTC, datetime
from functools import partial, wraps
from pathlib import Path

import pytest

from mainspring.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from mainspring.executors.base import BaseExecutor, run_coroutine_job, run_job
from mainspring.executors.debug import DebugExecutor
from mainspring.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
from mainspring.testing import EventRecorder

sys.path.insert(0, str(Path(__file__).parent))  # processes import it too
import functions

NOTHING = "of which nothing has run"


class Counts:
    def __call__(self):
        yield 1

    def count(self):
        yield 1

    @classmethod
    def count_all(cls):
        yield 1

    async def count_async(self):
        yield 1


class Plain:
    def __iter__(self):
        yield 1

    def __call__(self):
        return 1


def consumed(func):
    @wraps(func)
    def wrapper():
        return list(func())

    return wrapper


@types.coroutine
def awaited():
    yield


@pytest.mark.parametrize(
    "func",
    [
        functions.generate,
        functions.generate_async,
        "functions:generate",
        "functions:generate_async",
        partial(functions.generate),
        partial(partial(functions.generate_async)),
        Counts(),
        partial(Counts()),
        Counts().count,
        Counts.count_all,
        Counts().count_async,
    ],
)
def test_it_is_refused(scheduler, func):
    with pytest.raises(TypeError, match="has a yield: calling it makes a generator, and runs nothing"):
        scheduler.add_job(func)
    job = scheduler.add_job(print)
    with pytest.raises(TypeError, match="has a yield"):
        job.modify(func=func)


@pytest.mark.parametrize("func", [consumed(functions.generate), awaited, Plain(), Plain, partial(list, "ab")])
def test_what_only_looks_like_it_is_not(scheduler, func):
    scheduler.add_job(func)


class Apscheduler3Executor(BaseExecutor):
    def _do_submit_job(self, job, run_times):
        self._run_job_success(job.id, run_job(job, job._jobstore_alias, run_times, self._logger.name))


@pytest.mark.parametrize(
    "executor", [ThreadPoolExecutor, ProcessPoolExecutor, DebugExecutor, Apscheduler3Executor]
)
@pytest.mark.parametrize(
    "func", [functions.make_generator, functions.make_async_generator, functions.make_generator_later]
)
def test_a_function_that_returns_one_has_failed(make_scheduler, executor, func):
    heard = EventRecorder()
    scheduler = make_scheduler(executors={"default": executor()})
    scheduler.add_listener(heard, EVENT_JOB_ERROR | EVENT_JOB_EXECUTED)
    scheduler.start()
    job = scheduler.add_job(func)
    (event,) = heard.wait_for(EVENT_JOB_ERROR, job.id)
    assert NOTHING in str(event.exception)
    assert heard.of(EVENT_JOB_EXECUTED) == []


def test_a_coroutine_of_an_executor_of_apschedulers_that_returns_one_has_failed(scheduler):
    job = scheduler.add_job(functions.make_generator_later)
    (event,) = asyncio.run(run_coroutine_job(job, "default", [datetime.now(UTC)], "apscheduler"))
    assert (event.code, NOTHING in str(event.exception)) == (EVENT_JOB_ERROR, True)
