"""What `lint` says of a trigger, and that what it says of clock changes is all that there is, and true."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mainspring import (
    AfterJob,
    AndTrigger,
    BusinessDayTrigger,
    CalendarIntervalTrigger,
    CronTrigger,
    DateTrigger,
    IntervalTrigger,
    OrTrigger,
    SunTrigger,
    WeeklyTrigger,
)
from mainspring.triggers import LintCode, LintWarning, lint

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 26, tzinfo=BERLIN)
AT_NIGHT = CronTrigger(hour=2, minute=30)
#: A trigger, and what is said of it, but for the second year.
SAID = {
    "night": (
        AT_NIGHT,
        "clock-gap: 02:30 doesn't exist on 2027-03-28 in Berlin: runs at 03:30",
        "clock-fold: 02:30 comes twice on 2027-10-31 in Berlin: runs the first time",
    ),
    "other rule": (
        CronTrigger(hour=2, minute=30, gap="skip", fold="second"),
        "clock-gap: 02:30 doesn't exist on 2027-03-28 in Berlin: is left out",
        "clock-fold: 02:30 comes twice on 2027-10-31 in Berlin: runs the second time",
    ),
    "every second hour": (
        CronTrigger(hour="*/2"),
        "clock-gap: 02:00 doesn't exist on 2027-03-28 in Berlin: is left out",
        "clock-fold: 02:00 comes twice on 2027-10-31 in Berlin: runs both times",
    ),
    "with another run": (
        CronTrigger(hour="2,3", minute=30),
        "clock-gap: 02:30 doesn't exist on 2027-03-28 in Berlin: runs at 03:30, when it runs anyway",
        "clock-fold: 02:30 comes twice on 2027-10-31 in Berlin: runs the first time",
    ),
    "two": (
        CronTrigger(hour=2, minute="0,30"),
        "clock-gap: 02:00 and 02:30 don't exist on 2027-03-28 in Berlin: run at 03:00 and 03:30",
        "clock-fold: 02:00 and 02:30 come twice on 2027-10-31 in Berlin: run the first time",
    ),
    "many": (
        CronTrigger(hour=2, second="*/5", minute="*"),
        "clock-gap: 02:00 to 02:59:55 (720 times) don't exist on 2027-03-28 in Berlin: run at 03:00 to 03:59:55 (720 times)",
        "clock-fold: 02:00 to 02:59:55 (720 times) come twice on 2027-10-31 in Berlin: run the first time",
    ),
    "every hour": (CronTrigger(minute="*/5"),),
    "not on Sundays": (CronTrigger(hour=2, minute=30, day_of_week="mon-sat"),),
    "excluded": (
        AT_NIGHT.excluding(("2027-03-01", "2027-04-01"), ("2028-01-01", "2028-12-31")),
        "clock-fold: 02:30 comes twice on 2027-10-31 in Berlin: runs the first time",
    ),
    "window": (
        CronTrigger(hour=2, minute="0,30").within("02:10-03:10"),
        "clock-gap: 02:00 doesn't exist on 2027-03-28 in Berlin: runs at 03:00",
        "clock-fold: 02:30 comes twice on 2027-10-31 in Berlin: runs the first time",
    ),
    "ends before": (CronTrigger(hour=2, minute=30, end_date="2027-03-01"),),
    "and": (AndTrigger([AT_NIGHT, CronTrigger(hour="2-3", minute=30, day="1-27")]),),
    "or": (
        OrTrigger([CronTrigger(hour=3), CronTrigger(day=31)]),
        (
            "short-months: day 31 isn't in February, April, June, September and November: no run in these months; "
            "day='last' is the last day of every month"
        ),
    ),
    "calendar interval": (
        CalendarIntervalTrigger(days=1, hour=2, minute=30),
        "clock-gap: 02:30 doesn't exist on 2027-03-28 in Berlin: runs at 03:30",
        "clock-fold: 02:30 comes twice on 2027-10-31 in Berlin: runs the first time",
    ),
    "weekly": (
        WeeklyTrigger("sun", "02:30").spread("1h"),
        "clock-gap: 02:30 doesn't exist on 2027-03-28 in Berlin: runs at 03:30",
        "clock-fold: 02:30 comes twice on 2027-10-31 in Berlin: runs the first time",
    ),
    "New York": (
        CronTrigger(hour=2, minute=30, timezone="America/New_York"),
        "clock-gap: 02:30 doesn't exist on 2027-03-14 in New York: runs at 03:30",
    ),
    "UTC": (CronTrigger(hour=2, minute=30, timezone="UTC"),),
    "day of 24 hours": (
        IntervalTrigger(days=1, start_date="2026-11-26 09:00"),
        (
            "clock-drift: a day is 24 hours here: after the clocks change on 2027-03-28 in Berlin it runs at 10:00 instead of "
            "09:00; CalendarIntervalTrigger(days=1) stays at the time of the day"
        ),
    ),
    "fortnight": (
        IntervalTrigger(weeks=2, start_date="2026-11-26 09:00"),
        (
            "clock-drift: 14 days are 336 hours here: after the clocks change on 2027-03-28 in Berlin it runs at 10:00 instead "
            "of 09:00; CalendarIntervalTrigger(days=14) stays at the time of the day"
        ),
    ),
    "hours": (IntervalTrigger(hours=5),),
    "29": (
        CronTrigger(day=29),
        "short-months: day 29 isn't in February but in leap years: no run there",
    ),
    "30": (CronTrigger(day="15,30"), "short-months: day 30 isn't in February: no run for it there"),
    "long months": (CronTrigger(month="1,3", day=31),),
    "whole month": (CronTrigger(day="1-31"),),
    "last": (CronTrigger(day="last"),),
    "leap day": (
        CronTrigger(month=2, day=29),
        "leap-day: 29 February comes in leap years only: next on 2028-02-29 and 2032-02-29",
    ),
    "months from the 31st": (
        CalendarIntervalTrigger(months=1, start_date="2026-12-31"),
        "short-months: months without day 31 are left out: next on 2026-12-31, 2027-01-31, 2027-03-31",
    ),
    "years from the leap day": (
        CalendarIntervalTrigger(years=1, start_date="2028-02-29"),
        "leap-day: years without 29 February are left out: next on 2028-02-29 and 2032-02-29",
    ),
    "years": (CalendarIntervalTrigger(years=1, start_date="2026-12-31"),),
    "years as months": (CalendarIntervalTrigger(months=12, start_date="2026-12-31"),),
    "half years": (
        CalendarIntervalTrigger(months=6, start_date="2026-12-31"),
        "short-months: months without day 31 are left out: next on 2026-12-31, 2027-12-31, 2028-12-31",
    ),
    "business day": (
        BusinessDayTrigger(22, month="1-3"),
        "short-months: business day 22 isn't in January 2027, February 2027, January 2028 and February 2028: no run for it there",
    ),
    "first business day": (BusinessDayTrigger([1, -1], hour=8),),
    "week 53": (
        CronTrigger(week=53, day_of_week="mon"),
        "week-53: week 53 isn't in every year: next on 2026-12-28",
    ),
    "weeks": (CronTrigger(week="1-53", day_of_week="mon"),),
    "last weeks": (CronTrigger(week="50-53", day_of_week="mon"), "week-53: week 53 isn't in every year"),
    "minutes": (
        CronTrigger(minute="*/7"),
        (
            "uneven-steps: minute='*/7' counts anew in each hour: after 56 comes 0, 4 minutes later; for every 7 minutes use "
            "IntervalTrigger(minutes=7)"
        ),
    ),
    "minutes from 5": (
        CronTrigger(minute="5/7"),
        (
            "uneven-steps: minute='5/7' counts anew in each hour: after 54 comes 5, 11 minutes later; for every 7 minutes use "
            "IntervalTrigger(minutes=7)"
        ),
    ),
    "seconds": (
        CronTrigger(second="*/50"),
        (
            "uneven-steps: second='*/50' counts anew in each minute: after 50 comes 0, 10 seconds later; for every 50 seconds "
            "use IntervalTrigger(seconds=50)"
        ),
    ),
    "hours by steps": (
        CronTrigger(hour="*/5", day_of_week="mon-fri", timezone="UTC"),
        (
            "uneven-steps: hour='*/5' counts anew in each day: after 20 comes 0, 4 hours later; for every 5 hours use "
            "IntervalTrigger(hours=5)"
        ),
    ),
    "days": (
        CronTrigger(day="*/2"),
        (
            "uneven-steps: day='*/2' counts anew in each month: after 31 comes 1, the next day in months of 31 days; for every "
            "2 days use CalendarIntervalTrigger(days=2)"
        ),
    ),
    "days of the week": (
        CronTrigger(day_of_week="*/2"),
        (
            "uneven-steps: day_of_week='*/2' counts anew in each week: after Sunday comes Monday, 1 day later; for every 2 days "
            "use CalendarIntervalTrigger(days=2)"
        ),
    ),
    "months": (
        CronTrigger(month="*/5"),
        (
            "uneven-steps: month='*/5' counts anew in each year: after November comes January, 2 months later; for every 5 "
            "months use CalendarIntervalTrigger(months=5)"
        ),
    ),
    "even steps": (
        CronTrigger(month="*/3", day="1", hour="*/6", minute="*/15", second="*/20", timezone="UTC"),
    ),
    "even steps from 5": (CronTrigger(minute="5/10"),),
    "steps in one hour": (CronTrigger(hour="9,11", minute="*/7"),),
    "overlapping": (
        CronTrigger(minute="*/5,*/10"),
        "repeated-values: minute='*/5,*/10' overlaps itself: 0, 10, 20, 30, 40, … are in it more than once, which fires once",
    ),
    "in a range": (
        CronTrigger(minute="1-10,5"),
        "repeated-values: minute='1-10,5' overlaps itself: 5 is in it more than once, which fires once",
    ),
    "past the end": (
        CronTrigger(year="2026-2030", end_date="2027-06-01"),
        "past-end: year='2026-2030' goes on after end_date 2027-06-01 00:00:00 CEST: nothing fires after that",
    ),
    "over": (
        CronTrigger(hour=2, minute=30, end_date="2025-01-01"),
        "never: never fires: end_date 2025-01-01 00:00:00 CET has passed",
    ),
    "over by date": (
        CalendarIntervalTrigger(days=1, start_date="2025-01-01", end_date="2025-02-01"),
        "never: never fires: end_date 2025-02-01 has passed",
    ),
    "date": (DateTrigger("2020-01-01"), "never: never fires: 2020-01-01 00:00:00 CET has passed"),
    "never": (
        CronTrigger(month=2, day=30),
        "never: never fires after 2026-11-26 00:00: no time matches",
        "short-months: day 30 isn't in February: no run there",
    ),
    "29 to 31": (
        CronTrigger(month="2,4", day="29-31"),
        "short-months: day 29 isn't in February but in leap years: no run there",
        "short-months: day 30 isn't in February: no run there",
        "short-months: day 31 isn't in February and April: no run in these months; day='last' is the last day of every month",
    ),
    "fifth Friday": (
        CronTrigger(day="5th fri"),
        "short-months: '5th fri' isn't in every month: those without it are left out",
    ),
    "workday nearest to the 31st": (
        CronTrigger(day="31W,L"),
        "short-months: '31W' isn't in every month: those without it are left out",
    ),
    "workdays that all months have": (CronTrigger(day="15W,LW,L-3,2nd tue", day_of_week="fri#4,monL"),),
    "sun": (SunTrigger(latitude=50, longitude=10),),
    "after": (AfterJob("another"),),
}


@pytest.mark.parametrize("name", SAID)
@pytest.mark.filterwarnings("ignore:week=")
def test_what_is_said(name):
    trigger, *said = SAID[name]
    found = [f"{warning.code}: {warning.message}" for warning in lint(trigger, now=NOW)]
    assert [one for one in found if " on 2028-03" not in one and " on 2028-10" not in one] == said


def test_what_is_never_inside_its_window_is_said_after_a_bounded_search():
    warnings = lint(OrTrigger([CronTrigger(hour=19)]).within("08:00-18:00"), now=NOW)
    assert [warning.code for warning in warnings] == [LintCode.NOT_FOUND]
    assert re.fullmatch(
        r"no fire time was found up to 20\d\d-\d\d-\d\d: it may never fire", warnings[0].message
    )


@pytest.mark.filterwarnings("ignore:week=")
def test_weeks_by_steps():
    (warning,) = lint(CronTrigger(week="*/2", day_of_week="mon"), now=NOW)
    assert warning.code == "uneven-steps"
    assert "WeeklyTrigger(day_of_week=…, weeks=2)" in warning.message


def test_the_present_is_taken_if_none_is_given():
    assert lint(CronTrigger(hour=2, minute=30, timezone="Europe/Berlin"))
    for wrong in (datetime(2026, 1, 1), "2026-01-01"):
        with pytest.raises((TypeError, AttributeError)):
            lint(AT_NIGHT, now=wrong)
    with pytest.raises(TypeError, match="trigger must be a trigger"):
        lint("0 2 * * *")


def test_the_present_itself_is_still_to_come():
    assert lint(DateTrigger(NOW), now=NOW) == []
    (over,) = lint(DateTrigger(NOW), now=NOW + timedelta(microseconds=1))
    assert over.code == LintCode.NEVER
    last_day = CalendarIntervalTrigger(days=1, start_date="2026-11-01", end_date="2026-11-26")
    assert lint(last_day, now=NOW) == []


def test_times_are_those_of_the_message():
    gap, fold, *_ = lint(AT_NIGHT, now=NOW)
    assert gap == LintWarning(LintCode.CLOCK_GAP, gap.message, (datetime(2027, 3, 28, 3, 30, tzinfo=BERLIN),))
    assert [time.astimezone(UTC) for time in fold.times] == [datetime(2027, 10, 31, 0, 30, tzinfo=UTC)]


def missing_and_doubled(zone: ZoneInfo, at: time) -> tuple[set[date], set[date]]:
    """The days of the two years after the present on which a time of the day doesn't exist, and on which it comes twice."""
    missing, doubled = set(), set()
    for number in range(731):
        day = NOW.date() + timedelta(days=number)
        first, second = (datetime.combine(day, at, zone).replace(fold=fold) for fold in (0, 1))
        if first.utcoffset() != second.utcoffset():
            exists = first.astimezone(UTC).astimezone(zone).time() == at
            (doubled if exists else missing).add(day)
    return missing, doubled


@given(
    st.sampled_from(
        [
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "Africa/Cairo",
            "America/Santiago",
            "Africa/Casablanca",
            "Antarctica/Troll",
            "Europe/Dublin",
            "Asia/Tokyo",
        ]
    ),
    st.integers(0, 4),
    st.sampled_from([0, 15, 30, 59]),
)
@settings(max_examples=80, deadline=None)
def test_no_change_of_the_clocks_is_missed(name, hour, minute):
    zone = ZoneInfo(name)
    now = NOW.astimezone(zone)
    found = lint(CronTrigger(hour=hour, minute=minute, timezone=zone), now=now)
    said = {
        code: {
            date.fromisoformat(re.search(r"\d{4}-\d\d-\d\d", one.message)[0])
            for one in found
            if one.code == code
        }
        for code in (LintCode.CLOCK_GAP, LintCode.CLOCK_FOLD)
    }
    missing, doubled = missing_and_doubled(zone, time(hour, minute))
    assert said == {LintCode.CLOCK_GAP: missing, LintCode.CLOCK_FOLD: doubled}
    fires = set(CronTrigger(hour=hour, minute=minute, timezone=zone).between(now, now + timedelta(days=731)))
    assert all(set(one.times) <= fires for one in found)
