"""What triggers are under the alias alone, since programs written for APScheduler rely on it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import pytz

from mainspring import profile
from mainspring.errors import TriggerError
from mainspring.triggers import cron, interval
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.interval import IntervalTrigger
from mainspring.util import localize, normalize

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def under_the_alias(monkeypatch):
    monkeypatch.setattr(profile, "_stands_in", True)


def test_an_interval_of_zero_is_a_second(under_the_alias):
    with pytest.warns(UserWarning, match="one second"):
        trigger = IntervalTrigger(seconds=0)
    assert trigger.interval == timedelta(seconds=1)
    with pytest.raises(TriggerError, match="longer than zero"):
        IntervalTrigger(seconds=-1)


def test_an_interval_of_zero_is_refused_otherwise():
    with pytest.raises(TriggerError, match="longer than zero"):
        IntervalTrigger(seconds=0)


@pytest.mark.parametrize("module", [cron, interval])
def test_a_start_date_without_a_zone_is_read_in_the_machines(under_the_alias, monkeypatch, module):
    monkeypatch.setattr(module, "get_localzone", lambda: pytz.timezone("Europe/Berlin"))
    make = CronTrigger if module is cron else IntervalTrigger
    trigger = make(**({"hour": 9} if module is cron else {"hours": 1}), start_date="2026-07-01 12:00:00")
    assert trigger.start_date == datetime(2026, 7, 1, 12, tzinfo=BERLIN)
    assert trigger.timezone is None  # it takes the scheduler's
    assert trigger.bind(timezone=UTC, now=NOW, job_id="").timezone is UTC


def test_a_start_date_without_a_zone_waits_for_one_otherwise():
    assert CronTrigger(start_date="2026-07-01 12:00:00").start_date == "2026-07-01 12:00:00"


def test_a_calendar_interval_begins_in_the_past_for_who_asks_it(under_the_alias):
    trigger = CalendarIntervalTrigger(months=1, start_date=date(2016, 3, 31), timezone="UTC")
    first = trigger.get_next_fire_time(None, NOW)
    assert first == datetime(2016, 3, 31, tzinfo=UTC)
    assert trigger.get_next_fire_time(first, NOW) == datetime(2016, 5, 31, tzinfo=UTC)


def test_a_calendar_interval_that_began_in_the_past_is_added_with_what_is_to_come(
    under_the_alias, make_scheduler
):
    scheduler = make_scheduler(start=True)
    job = scheduler.add_job(print, "calendarinterval", months=1, start_date=date(2016, 3, 1))
    assert job.next_run_time > datetime.now(UTC)


def test_a_calendar_interval_begins_now_otherwise():
    trigger = CalendarIntervalTrigger(months=1, start_date=date(2016, 3, 31), timezone="UTC")
    assert trigger.get_next_fire_time(None, NOW) == datetime(2026, 3, 31, tzinfo=UTC)


def test_localize_and_normalize_know_zones_of_pytz():
    berlin = pytz.timezone("Europe/Berlin")
    summer = localize(datetime(2030, 7, 1, 12), berlin)
    assert summer.utcoffset() == timedelta(hours=2)
    later = normalize(summer + timedelta(days=180))
    assert (later.utcoffset(), later.hour) == (timedelta(hours=1), 11)
    assert localize(datetime(2030, 7, 1, 12), BERLIN) == summer
