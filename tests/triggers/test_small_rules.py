"""Small rules of triggers that a change of one word would break, each with its right values."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import holidays
import pytest

from mainspring.errors import CronSyntaxError
from mainspring.triggers import parse
from mainspring.triggers.combining import AndTrigger
from mainspring.triggers.cron import CronTrigger
from mainspring.triggers.explaining.catalogues import digits
from mainspring.triggers.interval import IntervalTrigger
from mainspring.triggers.meeting import _common_policy
from mainspring.triggers.plain import trigger_from_dict, trigger_to_dict
from mainspring.triggers.recurrence import RecurrenceTrigger
from mainspring.triggers.sun import SunTrigger

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        # Weeks that begin on Sunday: the one of 5 January began on the 4th, the next but one begins on the 18th.
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU", ["01-06", "01-18", "01-20", "02-01"]),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=MO;BYDAY=TU,SU", ["01-06", "01-11", "01-20", "01-25"]),
        ("FREQ=YEARLY;BYWEEKNO=10", ["03-02", "03-08", "03-06", "03-05"]),
        ("FREQ=YEARLY;BYWEEKNO=10;BYDAY=TU", ["03-03", "03-09", "03-07", "03-06"]),
        ("FREQ=MONTHLY;INTERVAL=5", ["01-05", "06-05", "11-05", "04-05", "09-05", "02-05"]),
        ("FREQ=MONTHLY;INTERVAL=7", ["01-05", "08-05", "03-05", "10-05", "05-05", "12-05"]),
        ("FREQ=DAILY;BYHOUR=9,10,11;BYSETPOS=-1", ["01-05", "01-06"]),
    ],
)
def test_dates_of_a_rule(rule, days):
    trigger = parse(f"DTSTART:20260105T090000\nRRULE:{rule}", "rrule").bind(
        timezone=UTC, now=NEW_YEAR, job_id="job"
    )
    assert [f"{time:%m-%d}" for time in trigger.upcoming(NEW_YEAR, len(days))] == days


@pytest.mark.parametrize(
    ("positions", "hours"),
    [("1", [9]), ("-1", [11]), ("1,3", [9, 11]), ("-2,1", [9, 10]), ("4", []), ("-4,2", [10])],
)
def test_places_among_the_times_of_a_day(positions, hours):
    trigger = parse(
        f"DTSTART:20260105T090000Z\nRRULE:FREQ=DAILY;BYHOUR=9,10,11;BYSETPOS={positions}", "rrule"
    )
    assert [time.hour for time in trigger.upcoming(NEW_YEAR, len(hours) or 1)] == hours


@pytest.mark.parametrize(
    ("rule", "matters"),
    [
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", True),
        ("FREQ=WEEKLY;BYDAY=MO", False),
        ("FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1", True),
        ("FREQ=YEARLY;BYWEEKNO=10", True),
        ("FREQ=DAILY;INTERVAL=2", False),
    ],
)
def test_rules_differ_by_the_day_on_which_weeks_begin_where_it_matters(rule, matters):
    text = f"DTSTART:20260105T090000\nRRULE:{rule}"
    assert (parse(text, "rrule") != parse(f"{text};WKST=SU", "rrule")) == matters


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("rate(5 min)", "rate(5 minutes)"),
        ("rate(1 m)", "rate(1 minute)"),
        ("rate(5 hr)", "rate(5 hours)"),
        ("rate(3 h)", "rate(3 hours)"),
        ("rate(2 d)", "rate(2 days)"),
        ("rate(1 days)", "rate(1 day)"),
    ],
)
def test_a_rate_that_was_meant(text, meant):
    with pytest.raises(CronSyntaxError) as caught:
        parse(text, "eventbridge")
    assert caught.value.hint == meant


@pytest.mark.parametrize("numbers", list(itertools.product(["first", "second", "both"], repeat=2)))
def test_what_meets_where_an_hour_comes_twice(numbers):
    at_half_past = [CronTrigger(hour=2, minute=30, fold=fold, timezone=BERLIN) for fold in numbers]
    midnight = datetime(2026, 10, 25, tzinfo=BERLIN)
    times = AndTrigger(at_half_past).between(midnight, midnight + timedelta(days=1))
    passes = [{"first": {0}, "second": {1}, "both": {0, 1}}[fold] for fold in numbers]
    assert {time.fold for time in times} == passes[0] & passes[1]


@pytest.mark.parametrize(("first", "begins"), [(None, "01:00"), ("now", "00:30")])
def test_times_that_are_limited_are_counted_as_they_are_gone_through(first, begins):
    hourly = CronTrigger(hour="*", max_fires=5, first=first, timezone=UTC)
    hourly = hourly.bind(timezone=UTC, now=NEW_YEAR + timedelta(minutes=30), job_id="job")
    times = hourly.upcoming(NEW_YEAR, 9)
    assert f"{times[0]:%H:%M}" == begins
    for begin, end in itertools.product(range(0, 400, 25), repeat=2):
        low, high = (NEW_YEAR + timedelta(minutes=many) for many in (begin, end))
        assert hourly.count_between(low, high) == len([time for time in times if low < time <= high])


def test_a_first_time_that_is_one_of_the_schedule_counts_once():
    hourly = CronTrigger(hour="*", max_fires=3, first="now", timezone=UTC)
    hourly = hourly.bind(timezone=UTC, now=NEW_YEAR, job_id="job")
    assert [time.hour for time in hourly.upcoming(NEW_YEAR, 9)] == [0, 1, 2]
    assert hourly.count_between(NEW_YEAR - timedelta(days=1), NEW_YEAR + timedelta(days=1)) == 3


@pytest.mark.parametrize(
    "make",
    [
        lambda: SunTrigger(
            "dusk",
            latitude=52.5,
            longitude=13.4,
            offset=-15,
            elevation=30,
            depression=12,
            jitter=60,
            start_date=date(2026, 1, 1),
            end_date=date(2027, 1, 1),
            timezone=BERLIN,
        ),
        lambda: CronTrigger(
            hour=9, timezone=BERLIN, jitter=30, start_date="2026-02-01", end_date="2026-03-01"
        ).limited(3, NEW_YEAR),
        lambda: CronTrigger(
            hour="8-18", minute="H", timezone=BERLIN, gap="skip", fold="both", first="now", max_fires=7
        ),
    ],
    ids=["sun", "limited", "cron"],
)
def test_all_that_a_trigger_has_is_in_its_dictionary(make):
    pytest.importorskip("astral")
    trigger = make()
    for each in (trigger, trigger.bind(timezone=UTC, now=NEW_YEAR, job_id="another")):
        written = trigger_to_dict(each)
        again = trigger_from_dict(written)
        assert again == each
        assert trigger_to_dict(again) == written
        bound = [one.bind(timezone=UTC, now=NEW_YEAR, job_id="job") for one in (each, again)]
        assert bound[0].upcoming(NEW_YEAR, 5) == bound[1].upcoming(NEW_YEAR, 5)


@pytest.mark.parametrize(
    ("number", "written"),
    [(2, "2"), (120, "120"), (0.5, "0.5"), (1e-06, "0.000001"), (90.25, "90.25"), (100.0, "100")],
)
def test_numbers_have_no_power_of_ten(number, written):
    assert digits(number) == written


@pytest.mark.parametrize(
    ("span", "days"),
    [("0-6", set(range(7))), ("1-6", set(range(6))), ("0-5", {6, 0, 1, 2, 3, 4}), ("6-7", {5, 6})],
)
def test_a_hashed_weekday_is_one_of_its_span(span, days):
    trigger = parse(f"0 0 * * H({span})", "unix")
    found = {
        trigger.bind(timezone=UTC, now=NEW_YEAR, job_id=f"job {number}").upcoming(NEW_YEAR, 1)[0].weekday()
        for number in range(200)
    }
    assert found == days


def test_a_number_with_something_left_over_is_offered_as_the_number():
    with pytest.raises(CronSyntaxError, match=r"did you mean '5 \* \* \* \*'\?$"):
        parse("5/ * * * *", "unix")


@pytest.mark.parametrize("unit", ["min", "mins", "MIN", "m"])
def test_a_unit_that_is_cut_short_is_offered_as_it_is_written(unit):
    with pytest.raises(CronSyntaxError, match=r"did you mean 'rate\(5 minutes\)'\?$"):
        parse(f"rate(5 {unit})", "eventbridge")


def test_holidays_are_named_by_their_place():
    trigger = CronTrigger(hour=9, timezone="UTC").on_business_days(
        holidays.country_holidays("DE", subdiv="BY")
    )
    assert trigger.explain().endswith("if on a Saturday, Sunday or holiday of DE-BY")


def test_two_hours_around_midnight_are_two_times():
    assert parse("0 0,23 * * *", "unix").explain() == "at 00:00 and 23:00 every day"
    assert parse("0 0,22,23 * * *", "unix").explain() == "every hour from 22:00 to 00:00"
    assert parse("0 0,12,23 * * *", "unix").explain() == "at 00:00, 12:00 and 23:00 every day"


def test_a_state_that_is_spoiled_is_refused_by_the_name_of_its_part():
    state = IntervalTrigger(hours=1, timezone="UTC").__getstate__()
    with pytest.raises(ValueError, match=r"^end_date: 'nonsense' is no point in time"):
        IntervalTrigger.__new__(IntervalTrigger).__setstate__({**state, "end_date": "nonsense"})


@pytest.mark.parametrize(
    ("folds", "common"),
    [
        (["both", "both"], "both"),
        (["both", "first"], "first"),
        (["second", "both"], "second"),
        (["second", "first"], "first"),
    ],
)
def test_what_several_schedules_do_where_a_time_comes_twice(folds, common):
    crons = [SimpleNamespace(policy=("shift", fold), shifts=True) for fold in folds]
    assert _common_policy(crons) == ("shift", common)


def test_a_date_that_was_added_after_the_last_of_a_rule_is_delayed_as_the_others():
    text = "DTSTART:20260101T090000\nRRULE:FREQ=DAILY;UNTIL=20260103T090000\nRDATE:20260201T090000"
    last = datetime(2026, 2, 1, 9, tzinfo=UTC)
    delays = set()
    for number in range(20):
        trigger = RecurrenceTrigger(text, timezone="UTC", jitter=3600)
        bound = trigger.bind(timezone=UTC, now=NEW_YEAR, job_id=f"job {number}")
        delays.add(bound.upcoming(NEW_YEAR, 10)[-1] - last)
    assert len(delays) > 10, "each job has a delay of its own"
    assert timedelta(0) <= min(delays) < max(delays) <= timedelta(hours=1)
