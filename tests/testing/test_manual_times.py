"""A manual clock may stand at any time, on every store: at the ends of the calendar, before the epoch, without a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mainspring import MemoryJobStore
from mainspring.retry import Retry
from mainspring.testing import ManualScheduler, use_scheduler_clock
from stores import open_store

HOUR = timedelta(hours=1)
EDGES = {
    "the first year": datetime(1, 1, 1, 0, 0, 1, tzinfo=UTC),
    "a day later": datetime(1, 1, 2, tzinfo=UTC),
    "before MySQL's years": datetime(999, 12, 31, 23, tzinfo=UTC),
    "1900": datetime(1900, 1, 1, tzinfo=UTC),
    "before the epoch": datetime(1969, 12, 31, 22, 30, 0, 5, tzinfo=UTC),
    "the epoch": datetime(1970, 1, 1, tzinfo=UTC),
    "2038": datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC),
    "after 64 bits of nanoseconds": datetime(2262, 4, 12, tzinfo=UTC),
    "far away": datetime(9000, 1, 1, tzinfo=UTC),
    "a week before the end": datetime(9999, 12, 25, tzinfo=UTC),
    "hours before the end": datetime(9999, 12, 31, 20, tzinfo=UTC),
    "no zone": datetime(2026, 1, 1),
}
done: list[int] = []


def fail_once(number):
    done.append(number)
    if done.count(number) == 1:
        raise OSError("once")


def lived(store, start):
    """What a scheduler makes of a few hours from a time on."""
    done.clear()
    scheduler = ManualScheduler(start=start, jobstores={"default": store})
    if not isinstance(store, MemoryJobStore):
        use_scheduler_clock(store)
    scheduler.start()
    try:
        scheduler.add_job(fail_once, "interval", minutes=30, args=[1], id="a", retry=Retry(2, delay=5))
        scheduler.add_job(fail_once, "date", args=[2], id="once", run_date=scheduler.now)
        scheduler.advance(3 * HOUR)
        runs = scheduler.get_runs(limit=100)
        return sorted((run.job_id, run.scheduled_run_time, run.attempt, run.outcome) for run in runs)
    finally:
        scheduler.shutdown()


@pytest.mark.parametrize("edge", EDGES)
def test_time_passes_on_every_store_as_in_memory(edge, store_url, tablename):
    expected = lived(MemoryJobStore(), EDGES[edge])
    assert expected
    assert lived(open_store(store_url, tablename), EDGES[edge]) == expected


#: The store's times are those of its own clock, so that only what the time here is subtracted from or added to matters.
@pytest.mark.parametrize(
    "edge", ["the first year", "before the epoch", "2038", "hours before the end", "no zone"]
)
def test_a_store_that_goes_by_its_own_clock_bears_any_time_here(edge, store_url, tablename, caplog):
    done.clear()
    store = open_store(store_url, tablename)
    scheduler = ManualScheduler(start=EDGES[edge], jobstores={"default": store})
    scheduler.start()
    try:
        job = scheduler.add_job(
            fail_once, "date", args=[3], run_date=datetime(2000, 1, 1, tzinfo=UTC), id="a"
        )
        assert job.next_run_time == datetime(2000, 1, 1, tzinfo=UTC)
        job.run_now()
        scheduler.run_due()
        assert done
    finally:
        scheduler.shutdown()
    messages = [record.getMessage() for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]
    assert [one for one in messages if "raised an exception" not in one] == []


def test_time_ends():
    scheduler = ManualScheduler(start=datetime.max.replace(tzinfo=UTC))
    scheduler.start()
    scheduler.add_job(done.append, "date", args=[9], id="now")
    assert [event.job_id for event in scheduler.run_due()] == ["now"]
    for too_long in (1, timedelta.max, float("inf"), float("nan"), 1e300):
        with pytest.raises(ValueError, match=r"beyond the year 9999|a number of seconds"):
            scheduler.advance(too_long)
        with pytest.raises(ValueError, match=r"beyond the year 9999|a number of seconds"):
            scheduler.clock.advance(too_long)
