"""A job whose next run is far to seek is kept, shown as what it is, and run at its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mainspring.testing import ManualScheduler
from mainspring.triggers.combining import AndTrigger, OrTrigger
from mainspring.triggers.cron import CronTrigger

START = datetime(2026, 3, 2, 16, 59, 45, tzinfo=UTC)
OFTEN = CronTrigger(second="*/10", timezone=UTC)
OFFICE = OFTEN.excluding(lambda moment: not 9 <= moment.hour < 17)


def noted(scheduler, trigger, runs):
    return scheduler.add_job(lambda: runs.append(scheduler.now), trigger, id="office")


def test_a_job_is_searched_for_through_the_night_and_runs_in_the_morning():
    scheduler = ManualScheduler(start=START, timezone=UTC)
    runs: list[datetime] = []
    noted(scheduler, OFFICE, runs)
    scheduler.start()
    scheduler.advance(timedelta(minutes=1))
    job = scheduler.get_job("office")
    assert job is not None
    assert job.is_searching
    assert "next run is searched for, not before: 2026-03-02" in str(job)
    assert len(runs) == 1
    scheduler.advance(timedelta(hours=16))
    assert runs[1] == datetime(2026, 3, 3, 9, tzinfo=UTC)
    job = scheduler.get_job("office")
    assert job is not None
    assert not job.is_searching
    scheduler.shutdown()


def test_a_job_may_be_added_changed_and_resumed_while_it_is_searched_for():
    scheduler = ManualScheduler(start=START + timedelta(minutes=1), timezone=UTC)
    runs: list[datetime] = []
    scheduler.start()
    job = noted(scheduler, OFFICE, runs)
    assert job.is_searching
    job.reschedule(OrTrigger([OFFICE, CronTrigger(hour=23, timezone=UTC)]))
    assert job.is_searching
    job.pause()
    assert not job.is_searching
    job.resume()
    assert job.is_searching
    scheduler.advance(timedelta(hours=17))
    assert [moment.hour for moment in runs[:2]] == [23, 9]
    scheduler.shutdown()


def test_what_never_agrees_is_searched_for_and_not_removed():
    scheduler = ManualScheduler(start=START, timezone=UTC)
    scheduler.start()
    # What functions allow can't be told by itself: each is asked about every second of the others' days.
    every_second = CronTrigger(second="*", timezone="Europe/Berlin")
    never = AndTrigger(
        [every_second.excluding(lambda moment, odd=odd: moment.day % 2 == odd) for odd in (0, 1)]
    )
    scheduler.add_job(print, never, id="never")
    scheduler.advance(timedelta(days=10))
    job = scheduler.get_job("never")
    assert job is not None
    assert job.is_searching
    assert job.next_run_time > scheduler.now
    scheduler.shutdown()
