"""Jobs of the library schedule, as it has made them itself."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace

import pytest
import schedule

from mainspring.errors import ReadingError
from mainspring.moving import read_schedule

NOW = datetime(2026, 11, 3, 10, 17, 30)  # a Tuesday


def work(number=0, *, name=""):
    return number


def ends_itself():
    return schedule.CancelJob


class Thing:
    def method(self):
        return self


@pytest.fixture
def clock(monkeypatch):
    """The time that the library takes for the present."""
    current = [NOW]

    class Moved(datetime):
        @classmethod
        def now(cls, tz=None):
            moment = current[0].replace(tzinfo=UTC)
            return moment.replace(tzinfo=None) if tz is None else moment.astimezone(tz)

    fake = SimpleNamespace(**{**vars(sys.modules["datetime"]), "datetime": Moved})
    monkeypatch.setattr(schedule, "datetime", fake)
    monkeypatch.setenv("TZ", "UTC")
    return current


@pytest.fixture
def made(clock):
    return schedule.Scheduler()


def planned(scheduler):
    return read_schedule(scheduler, timezone="UTC", now=NOW.replace(tzinfo=UTC))


MAKERS = {
    "every 5 seconds": lambda of: of.every(5).seconds,
    "every minute": lambda of: of.every().minute,
    "at a second": lambda of: of.every().minute.at(":17"),
    "every hour": lambda of: of.every().hour,
    "every 3 hours": lambda of: of.every(3).hours,
    "at a minute": lambda of: of.every().hour.at(":05"),
    "at a minute and second": lambda of: of.every().hour.at("40:15"),
    "every day": lambda of: of.every().day,
    "later today": lambda of: of.every().day.at("10:30"),
    "tomorrow": lambda of: of.every().day.at("10:00:05"),
    "elsewhere": lambda of: of.every().day.at("09:30", "Asia/Tokyo"),
    "every 2 weeks": lambda of: of.every(2).weeks,
    "tuesday later": lambda of: of.every().tuesday.at("12:00"),
    "tuesday earlier": lambda of: of.every().tuesday.at("09:00"),
    "sunday": lambda of: of.every().sunday.at("23:59"),
    "monday without a time": lambda of: of.every().monday,
    "until": lambda of: of.every(7).minutes.until("2026-11-03 12:00"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_the_next_fifty_times_are_the_librarys(name, made, clock):
    job = MAKERS[name](made).do(work)
    theirs = []
    trigger = planned(made).jobs[0].trigger
    while len(theirs) < 50 and job.next_run is not None:
        theirs.append(job.next_run.replace(tzinfo=UTC))
        clock[0] = job.next_run
        job._schedule_next_run()
        if job._is_overdue(job.next_run):
            break
    bound = trigger.bind(timezone=UTC, now=NOW.replace(tzinfo=UTC), job_id="x")
    assert bound.upcoming(NOW.replace(tzinfo=UTC), 50) == theirs


def test_every_few_days_begins_at_the_next_such_time_and_keeps_the_distance(made):
    made.every(3).days.at("10:30").do(work)
    (job,) = planned(made).jobs
    first, second = job.trigger.upcoming(NOW.replace(tzinfo=UTC), 2)
    assert (first, second - first) == (datetime(2026, 11, 3, 10, 30, tzinfo=UTC), timedelta(days=3))
    assert "schedule lets the whole interval pass first" in job.notes[0]


def test_every_few_hours_at_a_minute_is_on_the_clock(made):
    made.every(2).hours.at(":30").do(work)
    (job,) = planned(made).jobs
    times = job.trigger.upcoming(NOW.replace(tzinfo=UTC), 3)
    assert {time.minute for time in times} == {30}
    assert times[1] - times[0] == timedelta(hours=2)
    assert "counted on the clock" in job.notes[0]


def test_irregular_intervals_stay_within_their_bounds(made):
    made.every(5).to(10).seconds.do(work)
    (job,) = planned(made).jobs
    trigger = job.trigger.bind(timezone=UTC, now=NOW.replace(tzinfo=UTC), job_id=job.id)
    times = trigger.upcoming(NOW.replace(tzinfo=UTC), 200)
    gaps = [(b - a).total_seconds() for a, b in pairwise(times)]
    assert all(5 <= gap <= 10 for gap in gaps)
    assert max(gaps) - min(gaps) > 2
    assert 7.2 < sum(gaps) / len(gaps) < 7.8


def test_functions_arguments_and_tags(made):
    made.every().day.do(work, 1, name="x").tag("b", "a")
    (job,) = planned(made).jobs
    assert (job.func, job.args, job.kwargs) == (f"{__name__}:work", (1,), {"name": "x"})
    assert job.options["tags"] == ("schedule", "a", "b")


def test_ids_are_the_same_in_each_process_and_each_is_one_job(made):
    for number in (1, 2, 2):
        made.every().day.do(work, number)
    made.every().day.do(Thing().method)
    first = [job.id for job in planned(made).jobs]
    assert len(set(first)) == 4
    assert [job.id for job in planned(made).jobs] == first


def test_methods_keep_their_instance(made, make_scheduler):
    thing = Thing()
    made.every().day.do(thing.method)
    (job,) = planned(made).jobs
    scheduler = make_scheduler()
    (added,) = planned(made).apply(scheduler)
    assert added.func(*added.args) is thing
    assert job.func == thing.method


def test_what_would_be_lost_is_said(made):
    made.every().day.do(ends_itself)
    made.every().day.do(lambda: 1)
    plan = planned(made)
    assert "CancelJob" in plan.jobs[0].notes[0]
    assert "MemoryJobStore" in plan.jobs[1].notes[0]
    assert "one job after the other" in plan.notes[0]


def test_what_has_ended_is_left_out(made, clock):
    made.every(5).minutes.until("2026-11-03 11:00").do(work)
    plan = read_schedule(made, timezone="UTC", now=datetime(2026, 11, 3, 12, tzinfo=UTC))
    assert not plan.jobs
    assert "has passed" in plan.left_out[0].reason


def test_the_default_scheduler_is_read(clock):
    schedule.clear()
    schedule.every(5).minutes.do(work)
    assert len(read_schedule().jobs) == 1
    schedule.clear()


def test_a_job_that_is_not_finished_is_refused(made):
    made.jobs.append(made.every().day)
    with pytest.raises(ReadingError, match=r"expected every\(…\), a unit and .do"):
        planned(made)


@pytest.mark.parametrize("source", [5, "jobs", [5]])
def test_what_is_no_scheduler_is_refused(source):
    with pytest.raises(TypeError, match="library schedule"):
        read_schedule(source)
