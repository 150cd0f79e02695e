"""Combining, excluding, business days, limits, and the first run."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest

from mainspring.errors import TriggerError
from mainspring.triggers.base import BaseTrigger
from mainspring.triggers.business_calendar import BusinessCalendar
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.combining import AndTrigger, OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.interval import IntervalTrigger

START = datetime(2026, 3, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
DAILY = CronTrigger(hour=9, timezone=UTC)


def days(trigger, count=5):
    return [time.strftime("%d.%m.") for time in trigger.upcoming(START, count)]


def test_and_of_a_day_and_a_weekday():
    trigger = AndTrigger([CronTrigger(day=13, timezone=UTC), CronTrigger(day_of_week="fri", timezone=UTC)])
    assert [str(time.date()) for time in trigger.upcoming(START, 2)] == ["2026-03-13", "2026-11-13"]


@pytest.mark.parametrize(
    "parts",
    [
        [CronTrigger(hour=1, timezone=UTC), CronTrigger(hour=2, timezone=UTC)],
        [
            IntervalTrigger(seconds=2, start_date=START),
            IntervalTrigger(seconds=2, start_date=START + timedelta(seconds=1)),
        ],
        [CronTrigger(month=2, day=30, timezone=UTC), DAILY],
        [CronTrigger(hour=1, timezone=BERLIN), CronTrigger(day="last", minute=30, timezone=UTC)],
    ],
    ids=["hours", "intervals", "never", "zones"],
)
def test_and_of_what_never_meets_ends_with_none_in_both_directions(parts):
    trigger = AndTrigger(parts)
    assert trigger.get_next_fire_time(None, START) is None
    assert trigger.previous(START) is None


def test_and_of_two_intervals_is_found_however_far_away_it_is():
    parts = [IntervalTrigger(seconds=seconds, start_date=START) for seconds in (86_399, 86_400)]
    second = AndTrigger(parts).upcoming(START, 2)[1]
    assert second - START == timedelta(seconds=86_399 * 86_400)


def test_and_with_a_trigger_of_somebody_else():
    class Nines(BaseTrigger):
        def get_next_fire_time(self, previous_fire_time, now):
            moment = previous_fire_time or now - timedelta(seconds=1)
            return DAILY.get_next_fire_time(None, moment + timedelta(seconds=1))

    assert days(AndTrigger([Nines(), CronTrigger(day="1-10/3", hour="*", timezone=UTC)]), 3) == [
        "01.03.",
        "04.03.",
        "07.03.",
    ]


def test_or_fires_once_where_both_do():
    trigger = OrTrigger([CronTrigger(hour="1-2", timezone=UTC), CronTrigger(hour="2-3", timezone=UTC)])
    assert [time.hour for time in trigger.upcoming(START, 4)] == [1, 2, 3, 1]


@pytest.mark.parametrize("kind", [AndTrigger, OrTrigger])
def test_no_triggers_and_no_trigger_are_refused(kind):
    with pytest.raises(TriggerError, match="at least one"):
        kind([])
    with pytest.raises(TriggerError, match="made of triggers"):
        kind(["cron"])


@pytest.mark.parametrize(
    ("excluded", "expected"),
    [
        ([date(2026, 3, 2)], ["01.03.", "03.03.", "04.03."]),
        (["2026-03-02"], ["01.03.", "03.03.", "04.03."]),
        ([(date(2026, 3, 1), date(2026, 3, 30))], ["31.03.", "01.04.", "02.04."]),
        ([BusinessCalendar()], ["02.03.", "03.03.", "04.03."]),
        ([lambda moment: moment.day % 2 == 1], ["02.03.", "04.03.", "06.03."]),
        ([holidays.country_holidays("DE")], ["01.03.", "02.03.", "03.03."]),
        ([(START, START + timedelta(hours=9))], ["02.03.", "03.03.", "04.03."]),
    ],
    ids=["date", "text", "range", "calendar", "callable", "holidays", "window"],
)
def test_what_is_excluded_does_not_fire(excluded, expected):
    assert days(DAILY.excluding(*excluded), 3) == expected


def test_good_friday_is_a_holiday():
    trigger = DAILY.excluding(holidays.country_holidays("DE"))
    assert "03.04." not in days(trigger, 60)


def test_nonsense_is_not_excluded():
    with pytest.raises(TriggerError, match="BusinessCalendar"):
        DAILY.excluding(42)


def test_the_last_day_of_the_month_moves_to_the_next_business_day_be_it_in_the_next_month():
    trigger = CronTrigger(day="last", hour=9, timezone=UTC).on_business_days(BusinessCalendar())
    assert days(trigger, 3) == ["02.03.", "31.03.", "30.04."]


def test_a_business_calendar_knows_weekends_and_holidays():
    calendar = BusinessCalendar(["2026-04-03"])
    assert not calendar.is_business_day(date(2026, 4, 3))
    assert not calendar.is_business_day(date(2026, 4, 4))
    assert calendar.is_business_day(date(2026, 4, 7))


def test_a_limited_trigger_ends():
    trigger = DAILY.limited(3).bind(timezone=UTC, now=START, job_id="job")
    assert days(trigger, 9) == ["01.03.", "02.03.", "03.03."]


def test_max_fires_counts_from_when_the_trigger_is_added():
    trigger = IntervalTrigger(hours=1, timezone=UTC, max_fires=2).bind(timezone=UTC, now=START, job_id="job")
    assert [time.hour for time in trigger.upcoming(START, 9)] == [1, 2]


@pytest.mark.parametrize(
    ("first", "hours"), [("now", [0, 2, 4]), ("after", [2, 4, 6]), (None, [2, 4, 6])], ids=str
)
def test_the_first_run_of_an_interval(first, hours):
    trigger = IntervalTrigger(hours=2, first=first).bind(timezone=UTC, now=START, job_id="job")
    assert [time.hour for time in trigger.upcoming(START, 3)] == hours


def test_a_cron_job_may_also_run_at_once():
    now = START + timedelta(hours=12, minutes=5)
    trigger = CronTrigger(hour=9, first="now").bind(timezone=UTC, now=now, job_id="job")
    assert trigger.get_next_fire_time(None, now) == now
    assert trigger.get_next_fire_time(now, now) == START + timedelta(days=1, hours=9)


@pytest.mark.parametrize(
    "arguments", [{}, {"seconds": 0}, {"seconds": -1}, {"hours": 1, "minutes": -90}], ids=str
)
def test_an_interval_of_nothing_or_less_is_refused(arguments):
    with pytest.raises(ValueError, match="longer than zero"):
        IntervalTrigger(**arguments)


@pytest.mark.parametrize("arguments", [{}, {"months": 0}, {"days": -1}], ids=str)
def test_a_calendar_interval_of_nothing_or_less_is_refused(arguments):
    with pytest.raises(ValueError):
        CalendarIntervalTrigger(**arguments)


def test_a_calendar_interval_skips_months_that_lack_the_day():
    trigger = CalendarIntervalTrigger(months=1, start_date=date(2026, 1, 31), timezone=UTC)
    assert [str(time.date()) for time in trigger.upcoming(START, 3)] == [
        "2026-03-31",
        "2026-05-31",
        "2026-07-31",
    ]


def test_end_dates_are_inclusive():
    trigger = CronTrigger(hour=9, end_date="2026-03-02 09:00", timezone=UTC)
    assert days(trigger, 9) == ["01.03.", "02.03."]
    trigger = CalendarIntervalTrigger(days=1, start_date="2026-03-01", end_date="2026-03-03", timezone=UTC)
    assert days(trigger, 9) == ["01.03.", "02.03.", "03.03."]
