"""Times that don't exist are shown as those that they mean; the ends of the calendar; ends before beginnings."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from mainspring.errors import TriggerError
from mainspring.triggers.business_day import BusinessDayTrigger
from mainspring.triggers.calendarinterval import CalendarIntervalTrigger
from mainspring.triggers.combining import AndTrigger, OrTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.date import DateTrigger
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.plain import trigger_from_dict, trigger_to_dict
from mainspring.triggers.recurrence import RecurrenceTrigger
from mainspring.triggers.steps import Found, Never, Steps, Unknown
from mainspring.triggers.weekly import WeeklyTrigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainspring.triggers.base import BaseTrigger

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MEANT = "2026-03-29 03:30:00"
GAP = datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN)

SKIPPED: list[Callable[[], BaseTrigger]] = [
    lambda: DateTrigger("2026-03-29 02:30", timezone="Europe/Berlin"),
    lambda: DateTrigger(GAP),
    lambda: DateTrigger("2026-03-29 02:30").bind(timezone=BERLIN, now=NOW, job_id=""),
    lambda: DateTrigger().bind(timezone=BERLIN, now=GAP, job_id=""),
    lambda: OrTrigger([DateTrigger(GAP), DateTrigger(GAP)]),
    lambda: AndTrigger([DateTrigger(GAP), DateTrigger(GAP)]),
    lambda: DateTrigger(GAP).excluding(date(2026, 3, 28)),
    lambda: DateTrigger(GAP).limited(1, NOW),
    lambda: IntervalTrigger(days=1, start_date=GAP),
    lambda: pickle.loads(pickle.dumps(DateTrigger(GAP))),
    lambda: trigger_from_dict(trigger_to_dict(OrTrigger([DateTrigger(GAP)]))),
]


@pytest.mark.parametrize("make", SKIPPED, ids=range(len(SKIPPED)))
def test_a_time_that_the_clocks_skip_is_shown_as_the_one_it_means(make: Callable[[], BaseTrigger]) -> None:
    trigger = make()
    first = trigger.get_next_fire_time(None, NOW)
    assert f"{first:%Y-%m-%d %H:%M:%S %z}" == f"{MEANT} +0200"
    assert [f"{time:%F %T}" for time in trigger.upcoming(NOW, 1)] == [MEANT]
    for shown in (str(trigger), repr(trigger), trigger.explain(NOW)):
        assert "02:30" not in shown
    assert MEANT in trigger.explain(NOW)


def test_the_second_reading_of_a_skipped_time_is_an_earlier_one() -> None:
    assert str(DateTrigger(GAP.replace(fold=1))) == "date[2026-03-29 01:30:00 CET]"


def test_what_is_counted_from_a_skipped_time_is_counted_from_the_one_it_means() -> None:
    limited = CronTrigger(hour=4, timezone=BERLIN).limited(1, GAP)
    assert MEANT in repr(limited)
    assert MEANT in repr(CronTrigger(hour=4, start_date=GAP))


ENDS: list[tuple[type, dict[str, Any]]] = [
    (CronTrigger, {"hour": 1}),
    (IntervalTrigger, {"hours": 1}),
    (CalendarIntervalTrigger, {"days": 1}),
    (WeeklyTrigger, {"day_of_week": "mon", "times": "09:00"}),
    (BusinessDayTrigger, {"day": 1}),
]


@pytest.mark.parametrize(("kind", "schedule"), ENDS, ids=lambda value: getattr(value, "__name__", ""))
def test_an_end_before_the_beginning_is_refused(kind: Any, schedule: dict[str, Any]) -> None:
    for zone in (None, "Europe/Berlin"):
        kind(**schedule, start_date="2026-03-01", end_date="2026-03-01", timezone=zone)
        with pytest.raises(TriggerError, match=r"end_date .* is before start_date"):
            kind(**schedule, start_date="2026-03-02", end_date="2026-03-01", timezone=zone)


@pytest.mark.parametrize(("kind", "schedule"), ENDS, ids=lambda value: getattr(value, "__name__", ""))
def test_what_begins_after_its_end_because_it_was_added_late_is_read_back(
    kind: Any, schedule: dict[str, Any]
) -> None:
    bound = kind(**schedule, end_date="2026-03-01", max_fires=3).bind(
        timezone=BERLIN, now=datetime(2026, 6, 1, tzinfo=BERLIN), job_id=""
    )
    assert bound.get_next_fire_time(None, bound.start_date if kind is IntervalTrigger else NOW) is None
    assert trigger_from_dict(trigger_to_dict(bound)) == bound
    assert pickle.loads(pickle.dumps(bound)) == bound


@pytest.mark.parametrize("number", [2.5, -1, True, "3", None])
def test_upcoming_takes_a_whole_number(number: Any) -> None:
    with pytest.raises(TriggerError, match="n must be a whole number"):
        CronTrigger(hour=1, timezone=UTC).upcoming(NOW, number)


def test_no_times_are_asked_for() -> None:
    assert CronTrigger(hour=1, timezone=UTC).upcoming(NOW, 0) == []


ANSWERS = (Found, Never, Unknown)
WEST, EAST = timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))
MOMENTS = [
    moment.replace(tzinfo=zone)
    for moment in (datetime.min, datetime(1, 1, 2), datetime(9999, 12, 31, 12), datetime.max)
    for zone in (UTC, WEST, EAST, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("America/New_York"))
]
TRIGGERS: list[Callable[[Any], BaseTrigger]] = [
    lambda zone: CronTrigger(hour=12, timezone=zone),
    lambda zone: CronTrigger(hour=12, jitter=60, timezone=zone, first="now"),
    lambda zone: CronTrigger(hour=12, start_date=MOMENTS[0], end_date=MOMENTS[-1], timezone=zone),
    lambda zone: IntervalTrigger(hours=7, timezone=zone, max_fires=3),
    lambda zone: IntervalTrigger(days=3_000_000, timezone=zone),
    lambda zone: CalendarIntervalTrigger(months=1, timezone=zone),
    lambda zone: WeeklyTrigger("mon", "09:00", timezone=zone),
    lambda zone: BusinessDayTrigger(-1, timezone=zone),
    lambda zone: DateTrigger(datetime.max.replace(tzinfo=zone)),
    lambda zone: DateTrigger(datetime.min.replace(tzinfo=zone)),
    lambda zone: OrTrigger([CronTrigger(day=1, timezone=zone), DateTrigger("9999-12-31", zone)]),
    lambda zone: AndTrigger([CronTrigger(hour=12, timezone=zone), IntervalTrigger(hours=1, timezone=zone)]),
    lambda zone: CronTrigger(hour=12, timezone=zone).excluding((date(9999, 12, 30), date.max), date.min),
    lambda zone: CronTrigger(hour=12, timezone=zone).on_business_days(roll="previous"),
    lambda zone: CronTrigger(hour=12, timezone=zone).on_business_days(),
    lambda zone: CronTrigger(hour=12, timezone=zone).limited(2),
    lambda zone: CronTrigger(hour=12, timezone=zone).within("22:00-12:30"),
    lambda zone: CronTrigger(hour=12, timezone=zone).spread("36h"),
    lambda zone: IntervalTrigger(hours=7, timezone=zone).within("22:00-06:00").spread("1h"),
    lambda zone: RecurrenceTrigger("FREQ=DAILY;INTERVAL=3;BYHOUR=12", timezone=zone),
    lambda zone: RecurrenceTrigger("FREQ=MONTHLY;BYDAY=-1FR", timezone=zone, jitter=60),
]


@pytest.mark.parametrize("make", TRIGGERS, ids=range(len(TRIGGERS)))
def test_every_question_is_answered_at_both_ends_of_the_calendar(make: Callable[[Any], BaseTrigger]) -> None:
    for at, moment in enumerate(MOMENTS):
        other = MOMENTS[(at * 7 + 3) % len(MOMENTS)]
        trigger = make(moment.tzinfo)
        bound = trigger.bind(timezone=EAST, now=moment, job_id="a")
        assert trigger_from_dict(trigger_to_dict(bound)) == bound
        assert str(bound)
        assert repr(bound)
        assert bound.explain(moment)
        for one in (trigger, bound):
            for time in (one.get_next_fire_time(None, moment), one.get_next_fire_time(other, moment)):
                assert time is None or time.tzinfo is not None
            before = one.previous(moment)
            assert before is None or before.tzinfo is not None
            assert len(one.upcoming(moment, 2)) <= 2
            assert len(list(islice(one.between(moment, other), 2))) <= 2
        assert isinstance(bound.search(None, moment, Steps()), ANSWERS)
        assert isinstance(bound.search_before(moment, Steps()), ANSWERS)
        assert bound.latest_fire_time(moment, other)
        assert bound.fire_times(moment, other, 2)


def test_the_ends_of_the_calendar_are_no_ends_of_a_schedule() -> None:
    daily = CronTrigger(hour=12, timezone=WEST)
    assert (
        str(daily.get_next_fire_time(None, datetime.min.replace(tzinfo=EAST))) == "1970-01-01 12:00:00-12:00"
    )
    assert str(daily.previous(datetime.max.replace(tzinfo=WEST))) == "9999-12-30 12:00:00-12:00"
    hourly = IntervalTrigger(hours=1, start_date="2026-01-01", timezone="UTC")
    assert (
        str(hourly.get_next_fire_time(None, datetime.min.replace(tzinfo=EAST))) == "2026-01-01 00:00:00+00:00"
    )
    assert str(hourly.previous(datetime.max.replace(tzinfo=UTC))) == "9999-12-31 23:00:00+00:00"
    rolled = daily.on_business_days(roll="next")
    assert str(rolled.previous(datetime.max.replace(tzinfo=UTC))) == "9999-12-30 12:00:00-12:00"
