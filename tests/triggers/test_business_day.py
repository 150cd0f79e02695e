"""What `BusinessDayTrigger` takes, and what it is as data."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

import mainspring
from mainspring import BusinessCalendar, BusinessDayTrigger, CronTrigger
from mainspring.errors import TriggerError
from mainspring.triggers.plain import trigger_from_dict

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 1, tzinfo=BERLIN)


def is_early(day: date) -> bool:
    return day.day <= 10


def local(times):
    return [f"{time:%Y-%m-%d %H:%M}" for time in times]


def test_the_first_the_last_and_two_before_it():
    trigger = BusinessDayTrigger([1, -1, -3], hour=8, timezone=BERLIN)
    assert local(trigger.upcoming(NOW, 6)) == [
        "2026-03-02 08:00",
        "2026-03-27 08:00",
        "2026-03-31 08:00",
        "2026-04-01 08:00",
        "2026-04-28 08:00",
        "2026-04-30 08:00",
    ]


def test_the_first_one_at_midnight_if_nothing_is_said():
    assert local(BusinessDayTrigger(timezone=BERLIN).upcoming(NOW, 2)) == [
        "2026-03-02 00:00",
        "2026-04-01 00:00",
    ]


def test_monday_to_friday_is_what_crons_nearest_workday_says():
    first, last = BusinessDayTrigger(1, hour=8, timezone=BERLIN), BusinessDayTrigger(-1, timezone=BERLIN)
    assert first.upcoming(NOW, 200) == CronTrigger(day="1W", hour=8, timezone=BERLIN).upcoming(NOW, 200)
    assert last.upcoming(NOW, 200) == CronTrigger(day="LW", timezone=BERLIN).upcoming(NOW, 200)


@pytest.mark.parametrize(
    "options",
    [
        {"hour": "*"},
        {"hour": "*/2"},
        {"hour": 2, "minute": "*/30"},
        {"hour": "1-3", "minute": "*"},
        {"hour": 2, "gap": "skip", "fold": "both"},
    ],
    ids=str,
)
def test_clock_changes_are_taken_as_cron_takes_them(options):
    """The clocks change on the last Sundays of March and October, which are the last days on which this calendar is open."""
    sundays = BusinessCalendar(weekend=["mon", "tue", "wed", "thu", "fri", "sat"])
    trigger = BusinessDayTrigger(-1, month="3,10", calendar=sundays, timezone=BERLIN, **options)
    as_cron = CronTrigger(day_of_week="sunL", month="3,10", timezone=BERLIN, **options)
    end = datetime(2027, 12, 1, tzinfo=BERLIN)
    assert list(trigger.between(NOW, end)) == list(as_cron.between(NOW, end))
    assert trigger.count_between(NOW.astimezone(UTC), end.astimezone(UTC)) == len(
        list(as_cron.between(NOW, end))
    )


def test_a_month_that_has_fewer_is_left_out():
    trigger = BusinessDayTrigger(23, timezone=BERLIN)
    assert local(trigger.upcoming(NOW, 3)) == ["2026-07-31 00:00", "2026-12-31 00:00", "2027-03-31 00:00"]


def test_a_function_is_asked_anew():
    holidays = {date(2026, 3, 2)}
    trigger = BusinessDayTrigger(1, calendar=lambda day: day in holidays, timezone=BERLIN)
    assert local(trigger.upcoming(NOW, 1)) == ["2026-03-03 00:00"]
    holidays.add(date(2026, 3, 3))
    assert local(trigger.upcoming(NOW, 1)) == ["2026-03-04 00:00"]


@pytest.mark.parametrize(
    "trigger",
    [
        BusinessDayTrigger(24),
        BusinessDayTrigger(22, month=2),
        BusinessDayTrigger(1, calendar=lambda _: True),
        BusinessDayTrigger(11, calendar=lambda day: day.day > 10),
        BusinessDayTrigger(
            -1,
            month=3,
            hour=2,
            minute=30,
            gap="skip",
            calendar=BusinessCalendar((), ["mon", "tue", "wed", "thu", "fri", "sat"]),
        ),
    ],
    ids=["24", "22nd of February", "always closed", "ten days", "in a gap"],
)
def test_what_never_comes_is_said_after_a_bounded_search(trigger):
    asked = 0
    inner = trigger.calendar._is_holiday

    def counted(day):
        nonlocal asked
        asked += 1
        return inner(day)

    trigger.calendar._is_holiday = counted
    assert trigger.get_next_fire_time(None, NOW) is None
    assert asked <= 100 * 366


def test_max_fires_is_counted_without_going_through_them():
    trigger = BusinessDayTrigger("1,-1", hour=8, max_fires=200, timezone=BERLIN).bind(
        timezone=UTC, now=NOW, job_id=""
    )
    assert len(list(trigger.between(NOW, NOW + timedelta(days=365 * 20)))) == 200


def test_hours_as_cron_has_them():
    trigger = BusinessDayTrigger(1, hour="9-17/4", minute="*/30", timezone=BERLIN)
    assert [time.strftime("%H:%M") for time in trigger.upcoming(NOW, 7)] == [
        "09:00",
        "09:30",
        "13:00",
        "13:30",
        "17:00",
        "17:30",
        "09:00",
    ]
    hashed = BusinessDayTrigger(1, minute="H").bind(timezone=BERLIN, now=NOW, job_id="a")
    other = BusinessDayTrigger(1, minute="H").bind(timezone=BERLIN, now=NOW, job_id="b")
    assert hashed.upcoming(NOW, 1) != other.upcoming(NOW, 1)


@pytest.mark.parametrize("day", [0, 32, -32, 1.0, True, None, "1st", "", [], [1, 0]], ids=repr)
def test_what_is_no_business_day_of_a_month_is_refused(day):
    with pytest.raises(TriggerError, match="day must"):
        BusinessDayTrigger(day)


def test_an_end_before_the_start_is_refused():
    with pytest.raises(TriggerError, match=r"end_date .* is before start_date"):
        BusinessDayTrigger(start_date="2026-02-01", end_date="2026-01-01", timezone="UTC")


TRIGGERS = [
    BusinessDayTrigger(),
    BusinessDayTrigger("-1,2", month="jan,3-5", hour="8", calendar=["2026-01-01"], timezone="Europe/Berlin"),
    BusinessDayTrigger(1, calendar=is_early, jitter=20, gap="skip", fold="both", max_fires=3),
    BusinessDayTrigger(
        1, calendar=BusinessCalendar((), ["fri"]), start_date="2026-01-01T00:00Z", timezone="UTC"
    ),
    BusinessDayTrigger(1, minute="H", first="now"),
]


@pytest.mark.parametrize("trigger", TRIGGERS, ids=["plain", "many", "function", "dates", "hash"])
@pytest.mark.parametrize("is_bound", [False, True])
def test_it_is_the_same_as_data(trigger, is_bound):
    if is_bound:
        trigger = trigger.bind(timezone=BERLIN, now=NOW, job_id="a")
    for again in (
        trigger_from_dict(json.loads(json.dumps(trigger.to_dict()))),
        pickle.loads(pickle.dumps(trigger)),
    ):
        assert again == trigger
        assert again.is_same_schedule(trigger)
        assert again.upcoming(NOW, 5) == trigger.upcoming(NOW, 5)
        assert repr(again) == repr(trigger)


def test_its_repr_can_be_evaluated():
    for trigger in TRIGGERS[:2]:
        assert eval(repr(trigger), vars(mainspring)) == trigger


def test_other_days_are_another_schedule():
    assert BusinessDayTrigger(1) != BusinessDayTrigger(2)
    assert BusinessDayTrigger(1, hour=1) != BusinessDayTrigger(1)
    assert BusinessDayTrigger(1, calendar=["2026-01-01"]) != BusinessDayTrigger(1)
