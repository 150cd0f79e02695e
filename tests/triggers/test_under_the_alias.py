"""What triggers are under the alias alone, since programs written for APScheduler rely on it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import pytz

from mainspring import profile
from mainspring.errors import TriggerError
from mainspring.triggers import calendarinterval, cron, interval
from mainspring.triggers import date as date_module
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.date import DateTrigger
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


#: Triggers that are made without a zone, and when they fire first in that of the machine.
WITHOUT_A_ZONE = {
    "cron": (cron, lambda: CronTrigger(hour=9), datetime(2026, 3, 5, 9)),
    "interval": (
        interval,
        lambda: IntervalTrigger(days=1, start_date="2026-07-01 12:00:00"),
        datetime(2026, 7, 1, 12),
    ),
    "date": (date_module, lambda: DateTrigger("2026-07-01 12:00:00"), datetime(2026, 7, 1, 12)),
    "calendarinterval": (
        calendarinterval,
        lambda: CalendarIntervalTrigger(days=1, hour=9, start_date="2026-07-01"),
        datetime(2026, 7, 1, 9),
    ),
}


@pytest.fixture(params=WITHOUT_A_ZONE)
def made_without_a_zone(request, monkeypatch):
    """What makes a trigger, and its first time by the machine's clock."""
    module, make, first = WITHOUT_A_ZONE[request.param]
    monkeypatch.setattr(module, "get_localzone", lambda: pytz.timezone("Europe/Berlin"))
    return make, first


def test_a_trigger_without_a_zone_fires_by_the_machines(under_the_alias, made_without_a_zone):
    make, first = made_without_a_zone
    bound = make().bind(timezone=ZoneInfo("Asia/Tokyo"), now=NOW, job_id="")
    assert bound.get_next_fire_time(None, NOW) == first.replace(tzinfo=BERLIN)


def test_a_trigger_that_a_scheduler_makes_fires_by_its_zone(under_the_alias, monkeypatch, make_scheduler):
    monkeypatch.setattr(cron, "get_localzone", lambda: BERLIN)
    scheduler = make_scheduler(timezone="Asia/Tokyo")
    assert str(scheduler.add_job(print, "cron", hour=9).trigger.timezone) == "Asia/Tokyo"


def test_a_trigger_without_a_zone_waits_for_one_otherwise(made_without_a_zone):
    make, first = made_without_a_zone
    bound = make().bind(timezone=ZoneInfo("Asia/Tokyo"), now=NOW, job_id="")
    assert bound.get_next_fire_time(None, NOW) == first.replace(tzinfo=ZoneInfo("Asia/Tokyo"))


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
