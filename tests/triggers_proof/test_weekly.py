"""`WeeklyTrigger` against a look at each day of the calendar, one after the other."""

from __future__ import annotations

import json
import pickle
import random
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from mainspring import WeeklyTrigger
from mainspring.errors import CronSyntaxError, TriggerError
from mainspring.triggers.plain import trigger_from_dict, trigger_to_dict
from naive_clock import instants

NAMES = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
BERLIN = ZoneInfo("Europe/Berlin")
#: Zones with every kind of change: of an hour, of half an hour, at midnight, of a day, none.
ZONES = [
    *("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo"),
    *("Africa/Casablanca", "Africa/Cairo", "Pacific/Apia", "America/St_Johns", "Asia/Gaza"),
]
POLICIES = [
    {},
    *({"gap": gap, "fold": fold} for gap in ("shift", "skip") for fold in ("first", "second", "both")),
]
DAY = timedelta(days=1)


def expected_times(
    days: set[int],
    times: list[time],
    weeks: int,
    week_start: int,
    start: date,
    end: date,
    zone: ZoneInfo,
    policy: dict[str, str],
) -> list[datetime]:
    """Every time, in UTC."""
    found = set()
    week_begins = start
    while week_begins.weekday() != week_start:
        week_begins -= DAY
    day, days_passed = week_begins, 0
    while day <= end:
        if day >= start and days_passed // 7 % weeks == 0 and day.weekday() in days:
            for at in times:
                found.update(instants(datetime.combine(day, at), zone, **policy))
        day, days_passed = day + DAY, days_passed + 1
    return sorted(found)


def times_forwards(trigger, since: datetime, until: datetime) -> list[datetime]:
    return [found.astimezone(UTC) for found in trigger.between(since, until)]


def times_backwards(trigger, since: datetime, until: datetime) -> list[datetime]:
    times = []
    found = trigger.previous(until)
    while found is not None and found >= since:
        times.append(found.astimezone(UTC))
        found = trigger.previous(found)
    return times[::-1]


def check(pick: random.Random) -> None:
    zone = ZoneInfo(pick.choice(ZONES))
    days = set(pick.sample(range(7), pick.randint(1, 4)))
    hours = pick.choice([(0, 3), (0, 23)])
    times = [
        time(pick.randint(*hours), pick.choice([0, 15, 30, 59]), pick.choice([0, 0, 30]))
        for _ in range(pick.randint(1, 3))
    ]
    weeks, week_start = pick.choice([1, 2, 2, 3, 5, 53]), pick.randrange(7)
    start = date(pick.randint(2008, 2026), pick.randint(1, 12), pick.randint(1, 28))
    end = start + pick.randint(0, 900) * DAY
    policy = pick.choice(POLICIES)
    expected = expected_times(days, times, weeks, week_start, start, end, zone, policy)
    trigger = WeeklyTrigger(
        [NAMES[day] for day in days],
        times,
        weeks=weeks,
        week_start=NAMES[week_start],
        start_date=start,
        end_date=end,
        timezone=zone,
        **policy,
    )
    since = datetime.combine(start, time(), UTC) - 3 * DAY
    until = datetime.combine(end, time(), UTC) + 3 * DAY
    assert times_forwards(trigger, since, until) == expected, trigger
    assert times_backwards(trigger, since, until) == expected, trigger
    assert trigger.count_between(since, until) == len(expected), trigger
    for moment in pick.sample(expected, min(len(expected), 3)):
        later = [found for found in expected if found > moment + timedelta(hours=1)]
        following = trigger.get_next_fire_time(moment + timedelta(hours=1), until)
        found = None if following is None else following.astimezone(UTC)
        assert found == (later[0] if later else None), trigger
    assert eval(repr(trigger)) == trigger
    assert trigger_from_dict(json.loads(json.dumps(trigger_to_dict(trigger)))) == trigger
    assert pickle.loads(pickle.dumps(trigger)) == trigger


def test_the_times_are_those_of_a_look_at_each_day():
    for number in range(120):
        check(random.Random(number))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_the_times_are_those_of_a_look_at_each_day_for_long():
    for number in range(120, 6000):
        check(random.Random(number))


def test_weeks_go_on_over_new_year_where_their_numbers_begin_anew():
    trigger = WeeklyTrigger("mon", "09:00", weeks=2, start_date="2020-12-14", timezone=BERLIN)
    found = [moment.date() for moment in trigger.upcoming(datetime(2020, 12, 1, tzinfo=BERLIN), 160)]
    assert found[1:3] == [date(2020, 12, 28), date(2021, 1, 11)]
    assert {(second - first).days for first, second in pairwise(found)} == {14}


def test_the_day_on_which_weeks_begin_tells_which_days_are_of_one():
    first = date(2026, 3, 4)  # a Wednesday
    start = datetime(2026, 3, 1, tzinfo=UTC)
    found = {
        week_start: [
            f"{moment:%m-%d}"
            for moment in WeeklyTrigger(
                "tue,sun", weeks=2, week_start=week_start, start_date=first, timezone=UTC
            ).upcoming(start, 3)
        ]
        for week_start in ("mon", "sunday", 6)
    }
    assert found["mon"] == ["03-08", "03-17", "03-22"]
    assert found["sunday"] == found[6] == ["03-15", "03-17", "03-29"]


def test_without_a_start_date_it_begins_in_the_week_in_which_it_is_added():
    now = datetime(2026, 3, 5, 10, tzinfo=BERLIN)  # a Thursday
    trigger = WeeklyTrigger("mon,thu,fri", "09:30", weeks=2).bind(timezone=BERLIN, now=now, job_id="a")
    assert [f"{found:%m-%d %H:%M}" for found in trigger.upcoming(now - 9 * DAY, 3)] == [
        *("03-06 09:30", "03-16 09:30", "03-19 09:30")
    ]
    later = WeeklyTrigger("mon,thu,fri", "09:30", weeks=2).bind(
        timezone=BERLIN, now=now + 8 * DAY, job_id="a"
    )
    assert later.is_same_schedule(trigger), "a program that starts anew goes on where it was"
    assert trigger.is_same_schedule(later)


def test_first_now_and_so_many_times():
    now = datetime(2026, 3, 5, 10, tzinfo=BERLIN)
    trigger = WeeklyTrigger("thu", "09:30", first="now", max_fires=3)
    bound = trigger.bind(timezone=BERLIN, now=now, job_id="a")
    assert [f"{found:%m-%d %H:%M}" for found in bound.upcoming(now, 9)] == [
        *("03-05 10:00", "03-12 09:30", "03-19 09:30")
    ]
    assert bound.previous(now + 99 * DAY) == datetime(2026, 3, 19, 9, 30, tzinfo=BERLIN)


def test_triggers_are_equal_where_they_mean_the_same():
    one = WeeklyTrigger("mon-wed", ["14:00", "9:30"], timezone=UTC)
    other = WeeklyTrigger([2, "monday", "TUE", "tue"], "09:30:00, 14:00", timezone="Etc/UTC")
    assert one == other
    assert one == WeeklyTrigger("mon-wed", ["14:00", "9:30"], timezone=UTC, week_start="sun")
    assert one != WeeklyTrigger("mon-wed", ["14:00", "9:31"], timezone=UTC)
    alternating = [
        WeeklyTrigger("sun,mon", weeks=2, start_date="2026-03-01", week_start=day, timezone=UTC)
        for day in ("mon", "sun")
    ]
    assert alternating[0] != alternating[1]


def test_jitter_delays_and_keeps_the_times():
    trigger = WeeklyTrigger("mon,thu", "09:30", start_date="2026-03-02", timezone=BERLIN, jitter=600)
    bound = trigger.bind(timezone=BERLIN, now=datetime(2026, 3, 1, tzinfo=BERLIN), job_id="a")
    plain = WeeklyTrigger("mon,thu", "09:30", start_date="2026-03-02", timezone=BERLIN)
    start = datetime(2026, 3, 1, tzinfo=BERLIN)
    delays = [
        late - base for late, base in zip(bound.upcoming(start, 20), plain.upcoming(start, 20), strict=True)
    ]
    assert len(set(delays)) > 10
    assert all(timedelta(0) <= delay <= timedelta(minutes=10) for delay in delays)
    assert eval(repr(trigger)) == trigger


@pytest.mark.parametrize(
    ("arguments", "options", "kind", "message"),
    [
        (["xyz"], {}, CronSyntaxError, "'xyz' is no weekday"),
        (["7"], {}, CronSyntaxError, "did you mean 'sun'"),
        (["mon#2"], {}, TriggerError, "for days of a month use CronTrigger"),
        ([[]], {}, CronSyntaxError, "a value is missing"),
        (["mon", 9], {}, TriggerError, "did you mean '09:00'"),
        (["mon", "9:3"], {}, TriggerError, "times of the day, such as '09:30'"),
        (["mon", "24:00"], {}, TriggerError, r"hour must be in 0\.\.23"),
        (["mon", []], {}, TriggerError, "at least one time"),
        (["mon", time(9, tzinfo=UTC)], {}, TriggerError, "the zone is said by timezone="),
        (["mon"], {"weeks": 0}, TriggerError, "weeks must be a whole number, 1 or more"),
        (["mon"], {"weeks": True}, TriggerError, "weeks must be a whole number, 1 or more"),
        (["mon"], {"week_start": "x"}, TriggerError, "week_start must be one of 'mon'"),
        (["mon"], {"week_start": 7}, TriggerError, "week_start must be one of 'mon'"),
        (["mon"], {"start_date": "2026-02-01", "end_date": "2026-01-01"}, TriggerError, "is before"),
        (["mon"], {"fold": "third"}, TriggerError, "fold must be one of"),
    ],
)
def test_what_can_not_be_meant_is_refused(arguments, options, kind, message):
    with pytest.raises(kind, match=message):
        WeeklyTrigger(*arguments, **options)


def test_the_last_days_of_the_calendar():
    trigger = WeeklyTrigger("fri", "23:59", weeks=2, start_date="9999-12-17", timezone=UTC)
    begin = datetime(9999, 12, 1, tzinfo=UTC)
    assert [found.date() for found in trigger.upcoming(begin, 9)] == [date(9999, 12, 17), date(9999, 12, 31)]
    first = WeeklyTrigger("mon", "00:00", start_date="0001-01-01", timezone=UTC)
    assert first.previous(datetime(1, 1, 9, tzinfo=UTC)).date() == date(1, 1, 8)
