"""The testing kit, used as its users would."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from mainspring import (
    AfterJob,
    BackgroundScheduler,
    MemoryJobStore,
    Retry,
    SQLAlchemyJobStore,
    current_run,
)
from mainspring.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    EVENT_JOB_RETRYING,
    EVENT_JOB_SUBMITTED,
)
from mainspring.testing import (
    EventRecorder,
    FaultyStore,
    ManualScheduler,
    SettableClock,
    use_scheduler_clock,
)
from stores import MONGODB, open_store

START = datetime(2026, 1, 1, tzinfo=UTC)


def times(events):
    return [event.scheduled_run_time for event in events]


def test_time_passes_as_far_as_it_is_let(manual_scheduler):
    seen = []
    manual_scheduler.add_job(lambda: seen.append(manual_scheduler.now), "interval", hours=6)
    assert manual_scheduler.run_due() == []
    events = manual_scheduler.advance(timedelta(days=1))
    assert times(events) == seen == [START + timedelta(hours=6 * number) for number in range(1, 5)]
    assert manual_scheduler.now == START + timedelta(days=1)
    assert manual_scheduler.advance(1) == []
    manual_scheduler.advance_to(START + timedelta(days=2))
    assert len(seen) == 8


def test_a_year_of_a_schedule(manual_scheduler):
    manual_scheduler.add_job(int, "cron", day="last", hour=23, id="monthly")
    manual_scheduler.add_job(int, "cron", hour="*", id="hourly")
    events = manual_scheduler.advance_to(datetime(2027, 1, 1, tzinfo=UTC))
    monthly = [event.scheduled_run_time for event in events if event.job_id == "monthly"]
    assert [(moment.month, moment.day) for moment in monthly][:2] == [(1, 31), (2, 28)]
    assert len(monthly) == 12
    assert len(events) == 12 + 365 * 24 + 1  # the last moment included


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
@pytest.mark.parametrize(
    "trigger",
    [
        {"trigger": "cron", "minute": "*/20"},
        {"trigger": "cron", "minute": "*/20", "misfire_grace_time": 60},
        {"trigger": "interval", "minutes": 20},
    ],
)
@pytest.mark.parametrize("store", [MemoryJobStore, lambda: SQLAlchemyJobStore("sqlite://")])
@pytest.mark.parametrize(
    "day", [datetime(2026, 3, 28, 22, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)]
)
def test_hours_that_are_skipped_or_repeated_lose_no_run(zone, trigger, store, day):
    scheduler = ManualScheduler(start=day, timezone=zone, jobstores={"default": store()})
    scheduler.add_job(int, **trigger, timezone="Europe/Berlin")
    scheduler.start()
    events = scheduler.advance(timedelta(hours=6))
    begun = [event.started.astimezone(UTC) for event in events]
    assert begun[-18:] == [day + timedelta(minutes=20 * number) for number in range(1, 19)]
    assert [moment.astimezone(UTC) for moment in times(events)] == begun
    scheduler.shutdown()


def test_jobs_run_in_the_order_in_which_they_are_due(manual_scheduler):
    seen = []
    for name, seconds in (("a", 3), ("b", 1), ("c", 2)):
        manual_scheduler.add_job(seen.append, "interval", seconds=seconds, args=[name], id=name)
    manual_scheduler.advance(6)
    # Those that are due at the same moment are in the order of their ids.
    assert "".join(seen) == "bbcabbcbabc"


def test_failures_are_tried_again_at_their_times(manual_scheduler, recorded_events):
    def fail():
        raise OSError(str(current_run().attempt))

    manual_scheduler.add_job(
        fail, "date", run_date=START, id="flaky", retry=Retry(3, delay=60, backoff=10), capture_log=True
    )
    events = manual_scheduler.advance(timedelta(hours=1))
    assert [(event.code, event.attempt) for event in events] == [(EVENT_JOB_ERROR, n) for n in (1, 2, 3)]
    assert [event.finished - START for event in events] == [timedelta(minutes=n) for n in (0, 1, 11)]
    assert len(recorded_events.of(EVENT_JOB_RETRYING)) == 2
    assert [run.outcome for run in manual_scheduler.get_runs("flaky")] == ["failed"] * 3


def test_groups_afters_misfires_and_requests_work_too(manual_scheduler):
    seen = []
    manual_scheduler.set_group("mail", rate=2, per=60)
    for number in range(5):
        manual_scheduler.add_job(
            lambda: seen.append(manual_scheduler.now), "date", run_date=START, id=str(number), group="mail"
        )
    manual_scheduler.advance(timedelta(minutes=5))
    assert [moment - START for moment in seen] == [timedelta(minutes=n) for n in (0, 0, 1, 1, 2)]

    manual_scheduler.add_job(int, "date", run_date="2100-01-01", id="first")
    manual_scheduler.add_job(int, AfterJob("first"), id="second")
    handle = manual_scheduler.run_job("first")
    assert [event.job_id for event in manual_scheduler.run_due()] == ["first", "second"]
    assert handle.wait(0).outcome == "succeeded"

    manual_scheduler.add_job(int, "interval", hours=1, id="late", misfire_grace_time=60)
    manual_scheduler.clock.set_wall(manual_scheduler.now + timedelta(hours=3, minutes=30))
    (event,) = manual_scheduler.run_due()
    assert event.code == EVENT_JOB_MISSED


def test_coroutines_and_async_listeners_are_run_to_their_end(manual_scheduler):
    heard = []

    async def listen(event):
        await asyncio.sleep(0)
        heard.append(event.retval)

    async def work():
        await asyncio.sleep(0)
        return 3

    manual_scheduler.add_listener(listen, EVENT_JOB_EXECUTED)
    manual_scheduler.add_job(work)
    manual_scheduler.run_due()
    assert heard == [3]


def test_waiting_for_a_run_runs_it(manual_scheduler):
    def fail():
        raise OSError("no network")

    manual_scheduler.add_job(int, "date", run_date="2100-01-01", id="ok")
    assert manual_scheduler.run_job("ok").wait().outcome == "succeeded"
    assert asyncio.run(awaited(manual_scheduler.run_job("ok"))).outcome == "succeeded"
    manual_scheduler.add_job(fail, "date", run_date="2100-01-01", id="flaky", retry=Retry(2, delay=60))
    handle = manual_scheduler.run_job("flaky")
    with pytest.raises(TimeoutError, match="only advance"):
        handle.wait()
    manual_scheduler.advance(60)
    assert handle.wait().attempt == 2


async def awaited(handle):
    return await handle


def test_a_run_can_neither_let_time_pass_nor_wait_for_another(manual_scheduler):
    manual_scheduler.add_job(int, "date", run_date="2100-01-01", id="other")
    manual_scheduler.add_job(lambda: manual_scheduler.advance(1), id="passes")
    manual_scheduler.add_job(lambda: manual_scheduler.run_job("other").wait(), id="waits")
    events = manual_scheduler.run_due()
    assert [str(event.exception)[:24] for event in events if event.exception] == [
        "a run can't let time pas"
    ] * 2


def test_moments_are_read_as_elsewhere():
    scheduler = ManualScheduler(start=datetime(2026, 6, 1), timezone="Europe/Berlin")
    assert scheduler.now == datetime(2026, 5, 31, 22, tzinfo=UTC)
    scheduler.advance_to("2026-06-02")
    assert scheduler.now == datetime(2026, 6, 1, 22, tzinfo=UTC)
    for wrong in (lambda: scheduler.advance(-1), lambda: scheduler.advance_to("2026-06-01")):
        with pytest.raises(ValueError, match="time can't be let pass"):
            wrong()
    with pytest.raises(ValueError, match="needs a datetime with a time zone"):
        SettableClock(datetime(2026, 6, 1))
    with pytest.raises(ValueError, match="time can't go back"):
        scheduler.clock.advance(-1)
    with pytest.raises(TypeError, match="start must be a point in time"):
        ManualScheduler(start=None)


def test_months_pass_at_once_on_a_store_in_a_file(tmp_path):
    store = FaultyStore(SQLAlchemyJobStore(f"sqlite:///{tmp_path}/jobs.sqlite"))
    scheduler = ManualScheduler(jobstores={"default": store})
    scheduler.add_job(int, "cron", day=1, hour=6, id="monthly")
    scheduler.add_job(int, AfterJob("monthly"), id="next", retry=3)
    scheduler.start()
    try:
        events = scheduler.advance(timedelta(days=100))
        assert [event.job_id for event in events] == ["monthly", "next"] * 4
        assert scheduler.get_runs("next")[0].finished == datetime(2026, 4, 1, 6, tzinfo=UTC)
        assert store.calls["claim"] < 100  # and is not looked at for each second that passes
    finally:
        scheduler.shutdown()


def test_a_scheduler_may_be_made_by_hand_and_started_again():
    scheduler = ManualScheduler(start=datetime(2026, 6, 1, tzinfo=UTC), timezone="Europe/Berlin")
    scheduler.add_job(int, "cron", hour=8)
    scheduler.start()
    assert scheduler.now.hour == 2
    (event,) = scheduler.advance(timedelta(days=1))
    assert event.scheduled_run_time.hour == 8
    scheduler.shutdown()
    assert scheduler.advance(timedelta(days=1)) == []
    scheduler.start()
    assert len(scheduler.advance(timedelta(days=1))) == 2  # what was due meanwhile is made up for


def test_a_store_fails_when_it_is_told_to():
    store = FaultyStore(MemoryJobStore())
    scheduler = BackgroundScheduler(jobstores={"default": store})
    heard = EventRecorder()
    scheduler.add_listener(heard)
    scheduler.start()
    try:
        store.fail("claim", OSError("no network"), times=2)
        store.fail("add_records", when="after")
        with pytest.raises(OSError, match="a fault that was asked for"):
            scheduler.add_job(int, "interval", seconds=0.05, id="a")
        assert scheduler.get_job("a") is not None
        scheduler.wakeup()
        heard.wait_for(EVENT_JOB_EXECUTED, "a", count=2)
        assert store.calls["claim"] > 2
        store.delay(0.05, "get_record")
        began = datetime.now(UTC)
        scheduler.get_job("a")
        assert datetime.now(UTC) - began >= timedelta(seconds=0.05)
        store.mend()
        with pytest.raises(ValueError, match="did you mean 'claim'"):
            store.fail("clam")
        with pytest.raises(ValueError, match="when must be 'before' or 'after'"):
            store.fail("claim", when="later")
    finally:
        scheduler.shutdown()
    assert heard.of(EVENT_JOB_SUBMITTED)
    assert not heard.of(EVENT_JOB_MAX_INSTANCES)
    with pytest.raises(TypeError, match="claims runs itself"):
        FaultyStore(object())


@pytest.mark.one_python
@pytest.mark.parametrize("kind", ["postgres", "mariadb", "redis", MONGODB])
def test_months_pass_at_once_on_a_server_that_goes_by_the_schedulers_clock(kind, request, tablename):
    store = open_store(request.getfixturevalue(f"{kind}_url"), tablename, keep_runs_for=365)
    use_scheduler_clock(store)
    scheduler = ManualScheduler(start=START, jobstores={"default": store})
    scheduler.add_job(int, "cron", day=1, hour=6, id="monthly")
    scheduler.add_job(len, id="fails", args=[7], retry=Retry(2, delay=3600))
    scheduler.start()
    events = scheduler.advance_to(datetime(2026, 6, 30, tzinfo=UTC))
    monthly = [event.scheduled_run_time for event in events if event.job_id == "monthly"]
    assert monthly == [datetime(2026, month, 1, 6, tzinfo=UTC) for month in range(1, 7)]
    failed = [event.started - START for event in events if event.job_id == "fails"]
    assert failed == [timedelta(0), timedelta(hours=1)]
    assert {run.started for run in scheduler.get_runs("monthly")} == set(monthly)
    scheduler.shutdown()


def test_a_store_without_a_clock_of_its_own_is_not_told_by_which_to_go():
    with pytest.raises(TypeError, match="MemoryJobStore"):
        use_scheduler_clock(MemoryJobStore())
