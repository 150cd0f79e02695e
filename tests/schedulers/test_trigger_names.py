"""Every trigger by its short name, through `add_job`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import mainspring
from mainspring import profile
from mainspring.testing import SettableClock
from mainspring.triggers.combining import AndTrigger, OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger


def work():
    pass


@pytest.mark.parametrize(
    ("name", "arguments", "cls"),
    [
        ("date", {"run_date": "2030-01-01"}, "DateTrigger"),
        ("interval", {"minutes": 5}, "IntervalTrigger"),
        ("cron", {"hour": 3}, "CronTrigger"),
        ("calendarinterval", {"months": 1}, "CalendarIntervalTrigger"),
        ("business_day", {"day": -1, "hour": 8}, "BusinessDayTrigger"),
        ("weekly", {"day_of_week": "mon,thu", "times": "09:30", "weeks": 2}, "WeeklyTrigger"),
        ("rrule", {"rule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE"}, "RecurrenceTrigger"),
        ("sun", {"event": "sunset", "latitude": 52.5, "longitude": 13.4}, "SunTrigger"),
        ("and", {"triggers": [CronTrigger(hour=3), IntervalTrigger(hours=1)]}, "AndTrigger"),
        ("or", {"triggers": [CronTrigger(hour=3), DateTrigger("2030-01-01")]}, "OrTrigger"),
    ],
    ids=[
        "date",
        "interval",
        "cron",
        "calendarinterval",
        "business_day",
        "weekly",
        "rrule",
        "sun",
        "and",
        "or",
    ],
)
def test_a_trigger_can_be_named(make_scheduler, name, arguments, cls):
    job = make_scheduler(timezone="Europe/Berlin").add_job(work, name, **arguments)
    assert type(job.trigger) is getattr(mainspring, cls)


@pytest.mark.parametrize("kind", [AndTrigger, OrTrigger])
def test_the_parts_of_a_trigger_take_the_schedulers_zone(make_scheduler, kind):
    clock = SettableClock(datetime(2026, 3, 1, tzinfo=UTC))
    scheduler = make_scheduler(timezone="Asia/Tokyo", clock=clock, start=True)
    job = scheduler.add_job(work, kind([CronTrigger(hour=3), CronTrigger(hour="3-5")]))
    assert (job.next_run_time.hour, str(job.next_run_time.tzinfo)) == (3, "Asia/Tokyo")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("interval", {"hours": 1, "start_date": "2055-07-04 05:06:07"}),
        ("cron", {"year": 2055, "start_date": "2055-07-04 05:06:07"}),
        ("date", {"run_date": "2055-07-04 05:06:07"}),
        ("calendarinterval", {"days": 1, "start_date": "2055-07-04"}),
    ],
)
def test_under_the_alias_dates_of_a_named_trigger_are_in_the_schedulers_zone(
    monkeypatch, make_scheduler, name, options
):
    """A trigger that is made by itself reads them in the machine's there, before a scheduler has it."""
    scheduler = make_scheduler(timezone="Asia/Tokyo")
    plain = scheduler.add_job(print, name, **options).trigger
    monkeypatch.setattr(profile, "_stands_in", True)
    trigger = make_scheduler(timezone="Asia/Tokyo").add_job(print, name, **options).trigger
    now = datetime(2055, 7, 1, tzinfo=UTC)
    bound = [one.bind(timezone=scheduler.timezone, now=now, job_id="") for one in (plain, trigger)]
    assert len({one.get_next_fire_time(None, now) for one in bound}) == 1
