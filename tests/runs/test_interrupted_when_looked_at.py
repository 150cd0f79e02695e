"""A KeyboardInterrupt that comes when what a run hands in is looked at ends the program, as it is to, and the run has its outcome."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from mainspring import AsyncIOScheduler, MemoryJobStore
from mainspring.testing import ManualScheduler


class Result:
    def __repr__(self):
        raise KeyboardInterrupt


class Error(Exception):
    def __str__(self):
        raise KeyboardInterrupt


def returns():
    return Result()


def raises():
    raise Error


async def returns_soon():
    return returns()


async def raises_soon():
    raises()


@pytest.mark.parametrize(("func", "what"), [(returns, "returned"), (raises, "raised")])
def test_in_a_thread(func, what):
    scheduler = ManualScheduler(start=datetime(2026, 1, 1, tzinfo=UTC))
    scheduler.start()
    scheduler.add_job(func, "interval", hours=1, id="job")
    with pytest.raises(KeyboardInterrupt):
        scheduler.advance(timedelta(hours=1))
    (run,) = scheduler.get_runs("job")
    assert (run.outcome, what in run.error) == ("failed", True)
    scheduler.advance(timedelta(minutes=1))
    scheduler.shutdown()


@pytest.mark.parametrize(("func", "what"), [(returns_soon, "returned"), (raises_soon, "raised")])
def test_on_a_loop(func, what):
    store = MemoryJobStore()
    scheduler = AsyncIOScheduler(timezone="UTC", jobstores={"default": store})

    async def work():
        scheduler.start()
        scheduler.add_job(func, id="job")
        await asyncio.Event().wait()

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(work())
    (run,) = scheduler.get_runs("job")
    assert (run.outcome, what in run.error) == ("failed", True)
    scheduler.shutdown(wait=False)
